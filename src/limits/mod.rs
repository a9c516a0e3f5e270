//! Limits of the program, each with its reason.

mod control;
mod http;
mod latency;
mod metrics;
mod overload;
mod proxies;
mod quarantine;
mod quic;

pub(crate) use control::*;
pub(crate) use http::*;
pub(crate) use latency::*;
pub use metrics::SERIES_MAX;
pub(crate) use metrics::*;
pub(crate) use overload::*;
pub(crate) use proxies::*;
pub(crate) use quarantine::*;
pub(crate) use quic::*;

/// Largest weight of a PoP or address: weight x logarithm must fit 64 bits.
pub(crate) const WEIGHT_MAX: u32 = 1_000_000;
/// Longest preference list: a query may scan the whole list, and no client needs a 65th PoP.
pub(crate) const LIST_DEPTH_MAX: u8 = 64;
/// Default length of a preference list: full orders would make too many distinct lists, and eight
/// PoPs are more than any real failover needs.
pub(crate) const LIST_DEPTH_DEFAULT: u8 = 8;
/// Most PoPs: ids are 16 bits wide, and the top bit marks CNAME candidates.
pub(crate) const POPS_MAX: usize = 32_767;
/// Most addresses of one family in one service: they must fit one answer and a mask of 64 bits.
pub(crate) const ADDRESSES_MAX: usize = 64;
/// Most addresses in one answer.
pub(crate) const ANSWERS_MAX: u8 = 16;
/// Octets of an ECH configuration list: real lists have under 200, and the whole HTTPS record must
/// fit a datagram.
pub(crate) const ECH_OCTETS_MAX: usize = 512;
/// Most operator networks: ids are 16 bits wide.
pub(crate) const NETWORKS_MAX: usize = 65_535;
/// Default sharing cell of IPv4 (prefix length): wide enough to keep resolver caches small.
pub(crate) const CELL_V4_DEFAULT: u8 = 20;
/// Default sharing cell of IPv6 (prefix length): a common allocation to one site of a provider.
pub(crate) const CELL_V6_DEFAULT: u8 = 40;
/// Deepest leaf of IPv4; deeper ones are merged (RFC 7871 section 11.1: no more than /24).
pub const LEAF_DEPTH_V4_MAX: u8 = 24;
/// Deepest leaf of IPv6; deeper ones are merged (RFC 7871 section 11.1: no more than /56).
pub const LEAF_DEPTH_V6_MAX: u8 = 56;
/// Octets of the separate route tables of all policies. If they need more, policies share one
/// table. With 200 policies and five million networks, all tables and lists then stay below 1 GiB.
pub(crate) const ROUTES_OCTETS_MAX: usize = 256 << 20;
/// CNAMEs followed in one answer: real CDN chains have two or three, and resolvers give up between
/// 8 and 16.
pub(crate) const CHAIN_MAX: usize = 8;
/// UDP payload that the server advertises and never exceeds: fits an Ethernet MTU with any tunnel
/// (DNS flag day 2020).
pub(crate) const UDP_PAYLOAD_MAX: u16 = 1232;
/// Octets of a node's name: as NSID it must fit 512 octets beside the longest question, a client
/// subnet, a cookie, a zone version and an address (a constant of `wire::edns` holds it).
pub(crate) const NODE_NAME_MAX: usize = 128;
/// Octets of a text of class CH: one character string (RFC 1035 section 3.3).
pub(crate) const CHAOS_TEXT_MAX: usize = 255;
/// Secrets of DNS cookies: a roll-over needs two, and an invalid cookie costs a hash per secret.
pub(crate) const COOKIE_SECRETS_MAX: usize = 4;
/// Octets of the file of cookie secrets: four lines with comments.
pub(crate) const COOKIE_FILE_OCTETS_MAX: usize = 16 << 10;
/// UDP payload without EDNS (RFC 1035 section 4.2.1), and the smallest that EDNS may advertise (RFC
/// 6891 section 6.2.3).
pub(crate) const UDP_PAYLOAD_MIN: u16 = 512;
/// Largest DNS message on a stream: its length prefix is 16 bits wide.
pub(crate) const MESSAGE_MAX: usize = 65_535;
/// Largest configuration file: a million records in YAML take 60 MB; a larger file is a mistake.
pub(crate) const CONFIG_OCTETS_MAX: usize = 512 << 20;
/// Largest GeoIP database: the largest on the market is near 1 GiB.
pub(crate) const DATABASE_OCTETS_MAX: usize = 2 << 30;
/// Values in the records of a database per octet of the file. A value counts once per record that
/// leads to it, because records share values: real databases stay below 4, but a few crafted octets
/// could stand for a billion values.
pub(crate) const DATABASE_VALUES_PER_OCTET: u64 = 16;
/// Values that any database may have, however small ([`DATABASE_VALUES_PER_OCTET`]).
pub(crate) const DATABASE_VALUES_MIN: u64 = 1 << 19;
/// Leaves per prefix of a text file: a prefix that lies alone in a wider one splits it into one
/// leaf per extra bit. Prefixes that lie close together share these leaves.
pub(crate) const LEAVES_OF_PREFIX_MAX: usize = 40;
/// Leaves that any text file may make, however short ([`LEAVES_OF_PREFIX_MAX`]).
pub(crate) const LEAVES_UNCOUNTED: usize = 1 << 16;
/// Labels of a name: 255 octets hold at most 127.
pub(crate) const LABELS_MAX: usize = 127;
/// Octets of an RRset's RDATA: it must fit one message with header, question and OPT.
pub(crate) const RRSET_OCTETS_MAX: usize = 60_000;
/// Deepest nesting of a YAML file: the deepest key of Meridian stands at 8, and the tree is walked
/// by recursion.
pub(crate) const YAML_DEPTH_MAX: usize = 64;
/// Values in a YAML file: a million records are four million values.
pub(crate) const YAML_NODES_MAX: usize = 16_000_000;
/// Octets of memory that the aliases of one YAML file may copy beyond the file's own grant. Aliases
/// of aliases grow without bound; a few thousand PoPs with one anchor do not. A value takes about
/// 100 octets.
pub(crate) const YAML_COPIED_OCTETS_MAX: u64 = 16 << 20;
/// Largest UDP query that is read: four times the advertised payload. The kernel cuts longer
/// datagrams, and the server drops them. Not a power of two, so that the buffers of a batch do not
/// all compete for the same cache sets.
pub(crate) const DATAGRAM_MAX: usize = 4 * UDP_PAYLOAD_MAX as usize;
/// Look-ups that are prefetched at once: about as many loads as a core keeps in flight; more do no
/// harm.
pub const PREFETCH_MAX: usize = 16;
/// Default number of datagrams per batch: a larger batch saves little, and its first query waits
/// for its last.
pub(crate) const BATCH_DEFAULT: u16 = 64;
/// Most datagrams per batch: the kernel takes no more in one call (UIO_MAXIOV), and each costs a
/// buffer of 6 KiB.
pub(crate) const BATCH_MAX: u16 = 1_024;
/// Milliseconds that a UDP worker sleeps in the kernel: the longest delay until it sees a stop or
/// releases a retired snapshot.
pub(crate) const WORKER_WAKE_MILLIS: u64 = 250;
/// Default receive buffer of a UDP socket, in octets: about 1,300 small queries, or 2 ms at full
/// speed. Under overload any buffer is full. Queries that wait in a larger one fall out of the
/// core's cache: with 4 MiB, a thread answers 10 % less, and each answer comes 15 ms late.
pub(crate) const RECEIVE_OCTETS: usize = 512 << 10;
/// Default send buffer of a UDP socket, in octets: answers leave as fast as the device takes them.
pub(crate) const SEND_OCTETS: usize = 4 << 20;
/// Smallest socket buffer, in octets: less does not hold one batch.
pub(crate) const SOCKET_OCTETS_MIN: usize = 64 << 10;
/// Largest socket buffer, in octets: the kernel doubles the number, and it must fit a C `int`.
pub(crate) const SOCKET_OCTETS_MAX: usize = (1 << 30) - 1;
/// Highest core number to which a thread can be bound: CPU sets have 1,024 bits.
pub(crate) const CPU_MAX: u16 = 1_023;
/// UDP worker threads of one address: more than any machine has cores.
pub(crate) const THREADS_MAX: u16 = 512;
/// Connections that wait in the kernel for `accept`: a burst of clients that all got TC at once.
pub(crate) const ACCEPT_BACKLOG: i32 = 1024;
/// Seconds from the first octet of a message on a stream to its last: a limit on peers that send
/// one octet a minute.
pub(crate) const STREAM_MESSAGE_SECS: u64 = 5;
/// Seconds for a peer to take a written answer: a limit on peers that never read.
pub(crate) const STREAM_WRITE_SECS: u64 = 10;
/// Octets of answers collected on one connection before they are written: limits the memory for a
/// peer that pipelines.
pub(crate) const STREAM_GATHER_OCTETS: usize = 32 << 10;
/// Longest pause after a failed accept, in milliseconds: without a pause, a full descriptor table
/// would make the accept loop spin.
pub(crate) const ACCEPT_PAUSE_MILLIS: u64 = 1000;
/// Shortest pause after a failed accept, in milliseconds: a descriptor may be free again by then.
pub(crate) const ACCEPT_PAUSE_MILLIS_MIN: u64 = 5;
/// Prefix length by which IPv4 clients are limited: the smallest block with a route of its own.
pub(crate) const CLIENT_PREFIX_V4: u8 = 24;
/// Prefix length by which IPv6 clients are limited: a common allocation to one site (RFC 6177).
pub(crate) const CLIENT_PREFIX_V6: u8 = 56;
/// Second prefix length by which IPv6 connections are counted: the largest allocation to one site,
/// with 256 of the smaller ones.
pub(crate) const CONNECTION_SITE_V6: u8 = 48;
/// Connections of a /48 for each that a /56 may have: a large site has some networks with clients,
/// and no more of the total than a quarter by default.
pub(crate) const CONNECTION_SITE_FACTOR: u32 = 4;
/// Sets of four accounts of the rate limiter, a power of two: 131,072 accounts in 1 MiB.
pub(crate) const RRL_SETS: usize = 32_768;
/// Most prefixes without rate limits: only an answer past a limit is compared with each of them.
pub(crate) const RRL_EXEMPT_MAX: usize = 256;
/// Most prefixes in the access lists: a list of more is made for a firewall.
pub(crate) const ACCESS_MAX: usize = 16_384;
/// Highest rate limit, in answers a second: a count has 16 bits.
pub(crate) const RRL_RATE_MAX: u16 = 60_000;
/// Queue of commands to the writer. The writer takes a command without waiting for a disk, so a
/// full queue means that it hangs, and a longer queue gains nothing.
pub(crate) const COMMAND_QUEUE: usize = 64;
/// Seconds that open TCP answers get when the server stops.
pub(crate) const DRAIN_SECS: u64 = 5;
/// Attempts to read a file that changes during the reading.
pub(crate) const READ_ATTEMPTS: u32 = 5;
/// Milliseconds between attempts to read a changing file: editors and copies finish a file sooner.
pub(crate) const READ_PAUSE_MILLIS: u64 = 20;
/// Faults reported of one zone: a file with more is not a zone file.
pub(crate) const FINDINGS_PER_ZONE_MAX: usize = 200;
/// Kept findings of one code in one file: more of a kind add nothing, and are only counted.
pub(crate) const FINDINGS_ALIKE_MAX: usize = 50;
/// Places named by a warning that stands for several of its kind.
pub(crate) const FOLDED_PLACES_MAX: usize = 3;
/// Kept findings of one severity: a reply or log with all of them stays under a few megabytes.
pub(crate) const FINDINGS_KEPT_MAX: usize = 1_000;
/// Findings of one reload that are logged; `meridian check` shows all.
pub(crate) const FINDINGS_LOGGED_MAX: usize = 200;
/// Zones whose last good texts the state folder keeps: if more zones are faulty, they share one
/// cause, and the next reload mends them together.
pub(crate) const KEPT_ZONES_MAX: usize = 1_000;
/// Octets of all texts in the state folder: the largest zone file fits.
pub(crate) const KEPT_OCTETS_MAX: u64 = CONFIG_OCTETS_MAX as u64;
/// Octets of the reason why a zone is not served from its files: it appears in alarms and metrics.
pub(crate) const WHY_OCTETS_MAX: usize = 400;
/// Octets of each sentence of a finding: a domain name with every octet escaped has 1,004.
pub(crate) const FINDING_WORDS_MAX: usize = 1_200;
/// Related places, and also help sentences, of one finding.
pub(crate) const FINDING_PLACES_MAX: usize = 32;
/// Deepest nesting of included files; deeper nesting is a loop.
pub(crate) const INCLUDE_DEPTH_MAX: u32 = 8;
/// Files that one zone includes, each inclusion counted: without a limit, a few files that include
/// each other twice would be read for ever.
pub(crate) const INCLUDED_FILES_MAX: u32 = 1_024;
/// Words of one entry of zone text: the largest record has 65,535 octets, and the two hexadecimal
/// digits of each may be separate words.
pub(crate) const ENTRY_WORDS_MAX: usize = 140_000;
/// Octets of the owner or the data of a template, and of each text made from it: the largest record
/// has 65,535 octets, and an escaped octet takes four.
pub(crate) const TEMPLATE_OCTETS_MAX: usize = 270_000;
/// Records that the templates of one zone may generate: a /16 of reverse names.
pub(crate) const GENERATED_MAX: u32 = 65_536;
/// Connections to one control listener whose request is incomplete: its peers are scrapers and
/// operators, not the public. One more closes the oldest.
pub const CONTROL_CONNECTIONS_MAX: usize = 64;
/// Requests of one class (checks, pages, verbs) that one control listener answers at once: few
/// scrapers and operators ask at the same moment.
pub(crate) const CONTROL_OTHERS_MAX: usize = 16;
/// Reloads and comparisons that wait on one control listener: they are coalesced, so a longer queue
/// gains nothing.
pub(crate) const CONTROL_WAITING_MAX: usize = 32;
/// Seconds for the header of a control request: a limit on peers that send one octet a minute.
pub(crate) const CONTROL_HEADER_SECS: u64 = 5;
/// Seconds for a whole control request, from the accept to the last octet of its body.
pub(crate) const CONTROL_REQUEST_SECS: u64 = 10;
/// Seconds for the answer to a control request, except reloads and comparisons: a verb may wait
/// [`SAVE_SECS`] for the disk, behind other verbs.
pub(crate) const CONTROL_ANSWER_SECS: u64 = 30;
/// Seconds for a peer to read its control answer: a page of some megabytes over a slow line.
pub(crate) const CONTROL_TAKE_SECS: u64 = 30;
/// Descriptors of the process apart from sockets: standard streams, three for each runtime, the
/// state folder, and the files that a reload reads at once.
pub(crate) const DESCRIPTORS_OWN: usize = 96;
/// [`DESCRIPTORS_OWN`] under a low descriptor limit: a reload then reads fewer files at once.
pub(crate) const DESCRIPTORS_OWN_LEAST: usize = 56;
/// Descriptors of one control listener under a low descriptor limit: two requests of each class,
/// two readers of events, two waiting reloads, and four connections without a request.
pub(crate) const PAGE_DESCRIPTORS_LEAST: usize = 14;
/// Descriptors of probes under a low descriptor limit: eight checks, two feeds and one program.
pub(crate) const PROBE_DESCRIPTORS_LEAST: usize = 16;
/// DNS connections over TCP under a low descriptor limit: enough for retries of truncated answers.
pub(crate) const TCP_CONNECTIONS_FEWEST: usize = 16;
/// Descriptors for probes and feeds: [`PROBES_AT_ONCE`] checks, [`PROGRAMS_AT_ONCE`] programs with
/// four more each, and [`LOAD_FEEDS_AT_ONCE`] feeds.
pub(crate) const PROBE_DESCRIPTORS_MAX: usize = 1_024;
/// Descriptors that must remain for DNS over TCP. With fewer, one resolver with truncated answers
/// could take them all, so the other shares are cut first.
pub(crate) const TCP_CONNECTIONS_LEAST: usize = 64;
/// Seconds between two counts of the open descriptors.
pub(crate) const DESCRIPTORS_WATCH_SECS: u64 = 5;
/// Counts without a lack of descriptors until its alarm ends: one minute.
pub(crate) const DESCRIPTORS_CALM_LOOKS: u32 = 12;
/// Descriptor limit of a probe's program, unless the program raises it: select(2) handles no more,
/// and some programs close every possible descriptor one by one.
pub(crate) const PROGRAM_DESCRIPTORS: u64 = 1_024;
/// Threads that render control pages: one for those that readers share, and three for costly ones
/// (`src/control/costly.rs`), among them explanations that wait for the disk.
pub(crate) const PAGE_THREADS: usize = 4;
/// Seconds that a control command without files waits for its answer: longer than
/// [`CONTROL_ANSWER_SECS`].
pub(crate) const ASK_SECS: u64 = 45;
/// Inverse of the share of one core for rendering a page that many readers share: a tenth.
pub(crate) const PAGE_SHARE: u32 = 10;
/// Longest pause between two renderings of a shared page, in milliseconds: the longest wait of a
/// scraper.
pub(crate) const PAGE_PAUSE_MILLIS: u64 = 1_000;
/// Threads for blocking work of probes: health files, and loading the TLS root certificates.
pub(crate) const PROBE_BLOCKING_THREADS: usize = PROBE_FILES_AT_ONCE + 4;
/// Threads for blocking work of the writer: a reload, a comparison, a save, forecasts, and as many
/// again on disks that hang.
pub(crate) const WRITER_BLOCKING_THREADS: usize = 32;
/// Octets of a probe's reply that are examined: status pages are small, and a target that streams
/// without end must cost no memory.
pub(crate) const PROBE_BODY_OCTETS_MAX: usize = 64 << 10;
/// Probes that run at once: each may hold a descriptor for its whole timeout.
pub const PROBES_AT_ONCE: usize = 512;
/// Targets of one deployment: 1,000 PoPs with some addresses and probes each.
pub(crate) const TARGETS_MAX: usize = 65_536;
/// Overrides in the ledger: people make a few for each PoP; more come from a script that went
/// wrong.
pub(crate) const OVERRIDES_MAX: usize = 4_096;
/// Octets of an override's reason or author: a sentence or two with a ticket number, shown in
/// tables.
pub(crate) const REASON_OCTETS_MAX: usize = 1_024;
/// Octets of the ledger file: the most overrides, each with the longest reason and author, fully
/// escaped.
pub(crate) const LEDGER_OCTETS_MAX: u64 = 64 << 20;
/// Octets of a request's body on the control socket: an override with its selectors and a long
/// reason.
pub(crate) const CONTROL_BODY_OCTETS_MAX: usize = 64 << 10;
/// Selectors in one command: each makes an override of its own; patterns and tags select more PoPs.
pub(crate) const SELECTORS_MAX: usize = 256;
/// Longest duration of an override, in seconds: ten years are as good as for ever, and no sum
/// overflows.
pub(crate) const OVERRIDE_SECS_MAX: u64 = 315_576_000;
/// Clients that one forecast samples, each before and after the change: a few tenths of a second,
/// because a person waits for it.
pub(crate) const FORECAST_CLIENTS_MAX: u32 = 131_072;
/// Fewest clients that a forecast samples per family and policy: fewer would miss a tenth of the
/// clients.
pub(crate) const FORECAST_SAMPLES_MIN: u32 = 64;
/// Names that a comparison lists as losing a type; further names are counted. A thousand are enough
/// to notice a zone that was removed by mistake.
pub(crate) const LOSSES_TOLD_MAX: usize = 1_000;
/// Seconds that an override may be planned ahead: one year; a later date is a typing error.
pub(crate) const PLAN_SECS_MAX: u64 = 31_557_600;
/// Longest time, in seconds, between two looks of the writer at the wall clock while an override is
/// due to end: wall clocks may be set forwards or backwards.
pub(crate) const EXPIRY_LOOK_SECS: u64 = 30;
/// Milliseconds by which the wall clock and the monotonic clock may differ before the wall clock
/// counts as set: more than one second of rounding, and more than time daemons slew between two
/// looks.
pub(crate) const CLOCK_STEP_MILLIS: i64 = 2_500;
/// Queue of events for the disk: enough for a storm of flapping PoPs. Further events are dropped
/// and counted.
pub(crate) const EVENT_QUEUE: usize = 4_096;
/// Seconds that a verb waits for the state disk until it is refused as unsaved: an operator who
/// waits longer tries again.
pub(crate) const SAVE_SECS: u64 = 2;
/// Seconds without an answer of the disk about one file until the reading is given up: longer than
/// a network disk needs to recover, shorter than an operator's patience.
pub(crate) const DISK_ANSWER_SECS: u64 = 30;
/// Seconds for a whole reload, comparison or first reading at the start: ten times the longest time
/// measured with the largest deployment.
pub(crate) const ATTEMPT_SECS: u64 = 600;
/// Seconds between checks of the state folder: trouble is reported within ten seconds.
pub(crate) const STATE_LOOK_SECS: u64 = 5;
/// Seconds without an answer until a check of the state folder raises an alarm.
pub(crate) const STATE_ANSWER_SECS: u64 = 4;
/// Milliseconds between heartbeats of a task: an alert then sees a stalled task within seconds.
pub(crate) const PULSE_MILLIS: u64 = 1_000;
/// Milliseconds without a heartbeat until a task counts as stalled: longer than a busy moment of
/// two cores.
pub(crate) const STILL_MILLIS: u64 = 8_000;
/// Seconds of the window in which unexpected ends of a task are counted.
pub(crate) const FAULT_WINDOW_SECS: u64 = 600;
/// Unexpected ends of a task within the window that raise a lasting alarm.
pub(crate) const FAULTS_MAX: usize = 3;
/// Longest pause before a task is restarted, in milliseconds: verdicts wait for the writer.
pub(crate) const RESTART_PAUSE_MILLIS_MAX: u64 = 10_000;
/// Abandoned reloads that still wait for the disk; at this number, no further reload starts. Each
/// holds a thread and the files that it has read.
pub(crate) const HUNG_ATTEMPTS_MAX: usize = 4;
/// Verbs that wait for another verb to be saved: more come from a script that went wrong.
pub(crate) const SAVES_WAITING_MAX: usize = 64;
/// Seconds until the ledger is saved again after a failed save.
pub(crate) const SAVE_RETRY_SECS: u64 = 10;
/// Queue of log lines for a slow log: one minute of a busy reload. Further lines are dropped and
/// counted.
pub(crate) const LOG_QUEUE: usize = 4_096;
/// Seconds until a stop that hangs is cut off: longer than [`DRAIN_SECS`], shorter than systemd
/// waits before it kills.
pub(crate) const STOP_SECS: u64 = 9;
/// Longest log line, in octets: many times a finding with its places.
pub(crate) const LOG_LINE_OCTETS_MAX: usize = 64 << 10;
/// Seconds that a stopping server waits for a slow log.
pub(crate) const LOG_FLUSH_SECS: u64 = 1;
/// Octets of the event log until it is rotated: about 100,000 events, and as many again in the
/// rotated file.
pub(crate) const EVENT_LOG_OCTETS_MAX: u64 = 32 << 20;
/// Probes of one deployment: they are kinds of checks, not targets. A generator that makes more
/// should let targets share them.
pub(crate) const PROBES_MAX: usize = 4_096;
/// Deepest nesting of probe groups: deeper groups are unreadable, and groups are walked by
/// recursion.
pub(crate) const GROUP_DEPTH_MAX: usize = 16;
/// Checks on which one address may depend, checks of nested groups included: nested groups grow
/// without bound.
pub(crate) const FORMULA_CHECKS_MAX: usize = 64;
/// Canaries of one deployment: a few in each family show the state of the operator's own network.
pub(crate) const CANARIES_MAX: usize = 64;
/// Octets of each text that a probe sends or expects, and of its headers and commands: requests are
/// short.
pub(crate) const PROBE_TEXT_OCTETS_MAX: usize = 4_096;
/// Longest chain of policies linked by `use`: longer chains are unreadable, and they are walked by
/// recursion.
pub(crate) const USE_DEPTH_MAX: usize = 8;
/// Safety rules of one deployment: each is evaluated at every override.
pub(crate) const SAFETY_RULES_MAX: usize = 64;
/// Octets of a file of certificates that probes trust: the root certificates of all browsers take a
/// quarter of it.
pub(crate) const CERTIFICATES_OCTETS_MAX: usize = 1 << 20;
/// Names of single PoPs that `expose_pops` may make: a hundred PoPs for each of a few thousand
/// owners.
pub(crate) const EXPOSED_MAX: usize = 500_000;
/// Milliseconds until a quick second run of a check: a transient packet loss is over by then, and
/// the first round is not delayed.
pub(crate) const PROBE_QUICK_MS: u64 = 1_000;
/// Milliseconds between health states that differ only in horizons, from which TTLs follow: TTLs
/// are whole seconds.
pub(crate) const HEALTH_COUNTERS_MS: u64 = 1_000;
/// Milliseconds of the first damping of a flapping target: a few probes and a TTL.
pub(crate) const FLAP_DAMP_MS: u64 = 60_000;
/// Longest damping of a target, in milliseconds, however often it flapped before: an operator who
/// has repaired it need not wait longer.
pub(crate) const FLAP_DAMP_MAX_MS: u64 = 600_000;
/// Queue of health and load events: every PoP of a large deployment changes, with room to spare.
/// Further events are dropped and counted.
pub(crate) const HEALTH_EVENTS_MAX: usize = 16_384;
/// Slot changes that the panic guard can undo: 2,000 slots with a hundred changes each in one
/// window.
pub(crate) const HEALTH_CHANGES_MAX: usize = 200_000;
/// Largest share of its cells that a PoP sheds: a PoP that sheds all could never measure that it
/// can take some back.
pub(crate) const SHED_SHARE_MAX: f64 = 0.95;
/// Load feeds read at once: a thousand feeds of 100 ms each then take less than two seconds.
pub(crate) const LOAD_FEEDS_AT_ONCE: usize = 64;
/// Longest time for one reading of a feed, in milliseconds: a slower value describes an earlier
/// moment.
pub(crate) const LOAD_READING_MS_MAX: u64 = 10_000;
/// Milliseconds between publications of shed shares: each publication makes a snapshot.
pub(crate) const LOAD_PUBLISH_MS: u64 = 1_000;
/// Octets received on one probe connection, with headers, chunk framing and TLS. A body of 64 KiB
/// in chunks of one octet takes six times its size, 384 KiB. A peer that sends more is taken for
/// one that never stops, and the check fails. Load feeds add twice the limit of their body.
pub(crate) const PROBE_STREAM_OCTETS_MAX: usize = 512 << 10;
/// Chunks of one body: each chunk costs more than its octets. The 64 KiB that a probe examines may
/// come octet by octet, and a page of metrics in chunks of 128 octets.
pub(crate) const PROBE_PIECES_MAX: usize = 64 << 10;
/// Reads of one probed connection, plus one for each [`PROBE_READ_OCTETS`] that it may deliver:
/// each read costs a system call, however little it returns.
pub(crate) const PROBE_READS_MAX: usize = 4_096;
/// Octets per additional read ([`PROBE_READS_MAX`]): less than a TCP segment.
pub(crate) const PROBE_READ_OCTETS: usize = 1 << 10;
/// Octets of response headers that a probe reads, interim responses included: as many as curl
/// accepts.
pub(crate) const PROBE_HEADER_OCTETS_MAX: usize = 300 << 10;
/// Octets of one header line, continuation lines included: as many as curl accepts. A probe keeps
/// no more than one line of a response, so 512 probes hold at most 50 MiB.
pub(crate) const PROBE_LINE_OCTETS_MAX: usize = 100 << 10;
/// Octets of a peer's words that are quoted in one line for the operator.
pub(crate) const PROBE_WORDS_MAX: usize = 120;
/// Programs that probes run at once: each is a process. A further probe waits for a place, and the
/// wait counts towards its timeout.
pub(crate) const PROGRAMS_AT_ONCE: usize = 64;
/// Milliseconds until killed processes are looked for again; the pause grows up to sixteenfold.
pub(crate) const PROGRAM_SWEEP_MILLIS: u64 = 5;
/// Sweeps for processes left by one program: all that can be killed are gone by then, and the sweep
/// after the next program looks for the others.
pub(crate) const PROGRAM_SWEEPS_MAX: u32 = 8;
/// Milliseconds between two sweeps: each reads the whole process table.
pub(crate) const PROGRAM_SWEEP_PAUSE_MILLIS: u64 = 50;
/// Seconds that a stopping server waits for the last sweep.
pub(crate) const PROGRAM_END_SECS: u64 = 1;
/// Octets of a program's output that are kept for its failure message.
pub(crate) const PROGRAM_KEPT_OCTETS: usize = 1 << 10;
/// Octets that a program may print; one that prints more is killed, because reading on would cost
/// as much as it prints.
pub(crate) const PROGRAM_OUTPUT_OCTETS_MAX: usize = 64 << 10;
/// Octets read of a health file: it holds one or two words.
pub(crate) const PROBE_FILE_OCTETS_MAX: usize = 256;
/// Health files and load feed files read at once. Each read takes a thread. On a dead network file
/// system a read may never return, so the limit keeps such reads from taking every thread.
pub(crate) const PROBE_FILES_AT_ONCE: usize = 16;
/// Pinned certificate authorities whose TLS settings are cached: more than any deployment has. If
/// there are more, the cache is emptied whenever it is full.
pub(crate) const PINNED_KEPT_MAX: usize = 256;
/// Octets of a load feed's body that is one number or JSON: status pages are small.
pub(crate) const FEED_BODY_OCTETS_MAX: usize = 64 << 10;
/// Octets of a metrics page: pages of large exporters have some MiB, and are not kept.
pub const FEED_PAGE_OCTETS_MAX: usize = 8 << 20;
/// Octets kept of one line of a metrics page: a name with sixty labels of two hundred octets.
pub(crate) const FEED_LINE_OCTETS_MAX: usize = 16 << 10;
/// Samples of one metric that are added up: ten counters of each of a thousand servers. A sample
/// may be as long as the longest number.
pub(crate) const FEED_SAMPLES_MAX: usize = 10_000;
/// Octets of a number in a feed: the longest that programs print have under thirty.
pub(crate) const FEED_NUMBER_OCTETS_MAX: usize = 64;
/// Largest plausible load of a PoP, as a multiple of its capacity: a larger load is in another
/// unit.
pub(crate) const LOAD_CAPACITIES_MAX: f64 = 100.0;
/// Octets of the health file: 65,536 targets with keys of about 200 octets.
pub(crate) const HEALTH_FILE_OCTETS_MAX: u64 = 32 << 20;
/// Seconds between writes of the health file without changes: its timestamps must not look old
/// after a restart.
pub(crate) const HEALTH_SAVE_SECS: u64 = 30;
/// Threads that share the work of one reload: with more, the reload waits for disk and memory.
pub(crate) const RELOAD_THREADS_MAX: usize = 16;
/// Seconds until a failed write of the health file is repeated: a full disk is not hammered, and
/// verdicts are not lost.
pub(crate) const HEALTH_RETRY_SECS: u64 = 5;
/// Octets that one load may make beyond [`LOAD_OCTETS_FACTOR`] per octet of its files: the
/// allowance for aliases, templates and repeated inclusions. A /13 of reverse names from
/// `$GENERATE` takes 140 MiB.
pub(crate) const LOAD_OCTETS_MAX: u64 = 256 << 20;
/// Octets of memory that each octet of a file may make: the densest plain text (a YAML list of
/// single digits, or records of two words below a long `$ORIGIN`) makes about forty.
pub(crate) const LOAD_OCTETS_FACTOR: u64 = 64;
/// Steps of work that one load may take beyond [`LOAD_STEPS_FACTOR`] per octet of its files. A step
/// is about one octet examined, or 5 ns: repetition then costs less than a second.
pub(crate) const LOAD_STEPS_MAX: u64 = 128_000_000;
/// Steps that each octet of a file may take: every octet is examined a few times.
pub(crate) const LOAD_STEPS_FACTOR: u64 = 16;
/// Number of equal parts of [`LOAD_OCTETS_MAX`] and [`LOAD_STEPS_MAX`]. A reader may use one part,
/// so that one text cannot exhaust the budget of all. A reader that exceeds its part drops what it
/// has read and returns the part. A part is 64 MiB (a /16 of reverse names takes 18 MiB) and 32
/// million steps, as many as 2 MB of plain text are granted.
pub(crate) const LOAD_PARTS: u64 = 4;
/// Times that zones are read again because faulty zones had left too little budget for others.
/// Bombs return their part, so one time is enough unless zones are large and faulty in other ways.
pub(crate) const LOAD_STARVED_ROUNDS_MAX: usize = 4;
/// Octets that a reader draws from the load's budget at once: cores need not synchronise for a few
/// records.
pub(crate) const SHARE_OCTETS: u64 = 64 << 10;
/// Steps that a reader draws from the load's budget at once; see [`SHARE_OCTETS`].
pub(crate) const SHARE_STEPS: u64 = 64 << 10;
