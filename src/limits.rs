//! Every bound in the program, each with its reason.

/// Largest weight of a PoP or address: small enough that weight x logarithm fits 64 bits.
pub(crate) const WEIGHT_MAX: u32 = 1_000_000;
/// Longest preference list: a query may scan all of it, and no client needs its 65th PoP.
pub(crate) const LIST_DEPTH_MAX: u8 = 64;
/// Preference list unless the policy says otherwise: full orders explode, eight is beyond any real
/// failover.
pub(crate) const LIST_DEPTH_DEFAULT: u8 = 8;
/// Most PoPs: ids are 16 bits wide, and the top bit marks CNAME candidates.
pub(crate) const POPS_MAX: usize = 32_767;
/// Most addresses of one family in one service: they must fit one answer and one 64-bit mask.
pub(crate) const ADDRESSES_MAX: usize = 64;
/// Most addresses in one answer.
pub(crate) const ANSWERS_MAX: u8 = 16;
/// Octets of an ECH configuration list: real ones have under 200, and the whole HTTPS record must
/// fit a datagram.
pub(crate) const ECH_OCTETS_MAX: usize = 512;
/// Most operator networks: ids are 16 bits wide.
pub(crate) const NETWORKS_MAX: usize = 65_535;
/// Sharing cell of IPv4 unless the policy says otherwise: wide enough to keep resolver caches
/// small.
pub(crate) const CELL_V4_DEFAULT: u8 = 20;
/// Sharing cell of IPv6 unless the policy says otherwise: a common allocation to a site of
/// providers.
pub(crate) const CELL_V6_DEFAULT: u8 = 40;
/// Database leaves deeper than this are merged: RFC 7871 section 11.1 asks for no more than /24.
pub const LEAF_DEPTH_V4_MAX: u8 = 24;
/// Database leaves deeper than this are merged: RFC 7871 section 11.1 asks for no more than /56.
pub const LEAF_DEPTH_V6_MAX: u8 = 56;
/// Octets of separate tables of routes, past which policies share one: 200 over five million
/// networks stay below 1 GiB with their lists.
pub(crate) const ROUTES_OCTETS_MAX: usize = 256 << 20;
/// CNAMEs followed in one answer: real CDN chains have two or three, resolvers give up between 8
/// and 16.
pub(crate) const CHAIN_MAX: usize = 8;
/// UDP payload that we advertise and never exceed: fits an Ethernet MTU with any tunnel (DNS flag
/// day 2020).
pub(crate) const UDP_PAYLOAD_MAX: u16 = 1232;
/// Octets of a node's name: as NSID it must leave room in 512 octets for the longest question, a
/// client subnet, a cookie and an address.
pub(crate) const NODE_NAME_MAX: usize = 128;
/// Secrets of DNS cookies: a roll-over needs two, and each costs a hash where a cookie is not good.
pub(crate) const COOKIE_SECRETS_MAX: usize = 4;
/// Octets of their file: four lines with comments.
pub(crate) const COOKIE_FILE_OCTETS_MAX: usize = 16 << 10;
/// UDP payload without EDNS (RFC 1035 section 4.2.1), and the least that EDNS may ask (RFC 6891
/// section 6.2.3).
pub(crate) const UDP_PAYLOAD_MIN: u16 = 512;
/// Largest DNS message on a stream: its length prefix is 16 bits wide.
pub(crate) const MESSAGE_MAX: usize = 65_535;
/// Largest configuration file: a million records in YAML is 60 MB; past this it is a mistake.
pub(crate) const CONFIG_OCTETS_MAX: usize = 512 << 20;
/// Largest GeoIP database: the largest sold is near 1 GiB.
pub(crate) const DATABASE_OCTETS_MAX: usize = 2 << 30;
/// Values in the records of a database, counted as often as records lead to them, for each octet of
/// it: records share what they point at, so that real ones stay below 4, and a few octets could
/// stand for a billion values.
pub(crate) const DATABASE_VALUES_PER_OCTET: u64 = 16;
/// Such values that any database may have, however small.
pub(crate) const DATABASE_VALUES_MIN: u64 = 1 << 19;
/// Leaves into which prefixes of a text are cut, for each prefix: one that lies alone in a wide one
/// takes as many as it has bits more; many of them share their upper bits.
pub(crate) const LEAVES_OF_PREFIX_MAX: usize = 40;
/// Such leaves that any text may take, however short.
pub(crate) const LEAVES_UNCOUNTED: usize = 1 << 16;
/// Labels of a name: 255 octets hold at most 127.
pub(crate) const LABELS_MAX: usize = 127;
/// Octets of an RRset's RDATA: it must fit one message with header, question and OPT.
pub(crate) const RRSET_OCTETS_MAX: usize = 60_000;
/// Deepest nesting of a YAML file: the deepest key of ours stands at 8; the tree is walked by
/// recursion.
pub(crate) const YAML_DEPTH_MAX: usize = 64;
/// Values in a YAML file: a million records are four million values.
pub(crate) const YAML_NODES_MAX: usize = 16_000_000;
/// Octets of memory that the aliases of one YAML file may make beyond what its text grants: aliases
/// of aliases grow without bound, a few thousand PoPs with one anchor do not. A value is about 100
/// octets.
pub(crate) const YAML_COPIED_OCTETS_MAX: u64 = 16 << 20;
/// Largest UDP query that is read: four times what we advertise; longer ones are cut by the kernel
/// and dropped. No power of two, so that the rooms of a batch do not all fall on the same few
/// places of the cache.
pub(crate) const DATAGRAM_MAX: usize = 4 * UDP_PAYLOAD_MAX as usize;
/// Look-ups whose reading is done ahead at once: as many loads as a core keeps on their way, and
/// more than that are no harm.
pub const PREFETCH_MAX: usize = 16;
/// Datagrams taken at once unless the file says otherwise: past this a batch saves little more, and
/// its first waits for its last.
pub(crate) const BATCH_DEFAULT: u16 = 64;
/// Most datagrams taken at once: the kernel takes no more in one call (UIO_MAXIOV), and each costs
/// 6 KiB of room.
pub(crate) const BATCH_MAX: u16 = 1_024;
/// Milliseconds a UDP worker sleeps in the kernel: how late it may see a stop, and let go of a
/// retired snapshot.
pub(crate) const WORKER_WAKE_MILLIS: u64 = 250;
/// Octets of kernel buffer for queries of a UDP socket unless the file says otherwise: about 1,300
/// small queries, 2 ms at the fastest. Under more load than can be answered the buffer is full, and
/// what waits longer in it is no longer in the core's own cache: with 4 MiB a thread answers 10 %
/// less then, and each answer comes 15 ms late.
pub(crate) const RECEIVE_OCTETS: usize = 512 << 10;
/// Octets of kernel buffer for answers of a UDP socket unless the file says otherwise: they leave
/// as the device takes them.
pub(crate) const SEND_OCTETS: usize = 4 << 20;
/// Least octets of such a buffer: less does not hold one batch.
pub(crate) const SOCKET_OCTETS_MIN: usize = 64 << 10;
/// Most octets of such a buffer: the kernel doubles the number, and it must fit a C `int`.
pub(crate) const SOCKET_OCTETS_MAX: usize = (1 << 30) - 1;
/// Highest number of a core that a thread is bound to: sets of cores have 1,024 bits.
pub(crate) const CPU_MAX: u16 = 1_023;
/// UDP worker threads of one address: more than any machine has cores for.
pub(crate) const THREADS_MAX: u16 = 512;
/// Connections that wait in the kernel for our accept: a burst of clients that all met TC at once.
pub(crate) const ACCEPT_BACKLOG: i32 = 1024;
/// Seconds from the first octet of a message on a stream to its last: against peers that send an
/// octet a minute.
pub(crate) const STREAM_MESSAGE_SECS: u64 = 5;
/// Seconds for a peer to take what was written to it: against peers that never read.
pub(crate) const STREAM_WRITE_SECS: u64 = 10;
/// Octets of answers gathered on one connection before they are written: bounds the memory of a
/// peer that pipelines.
pub(crate) const STREAM_GATHER_OCTETS: usize = 32 << 10;
/// Longest pause after a failed accept, in milliseconds: without one, a full table of descriptors
/// spins the loop.
pub(crate) const ACCEPT_PAUSE_MILLIS: u64 = 1000;
/// Shortest such pause, in milliseconds: a descriptor may be free again by then.
pub(crate) const ACCEPT_PAUSE_MILLIS_MIN: u64 = 5;
/// Prefix by which IPv4 connections are counted: the smallest block that is routed alone.
pub(crate) const CONNECTION_PREFIX_V4: u8 = 24;
/// Prefix by which IPv6 connections are counted: a common allocation to one site (RFC 6177).
pub(crate) const CONNECTION_PREFIX_V6: u8 = 56;
/// Slow-path messages that may wait: none of them is urgent, and more of them is an attack.
pub(crate) const SLOW_PATH_QUEUE_MAX: usize = 256;
/// Commands to the writer that may wait; they are merged, so a longer queue gains nothing.
pub(crate) const COMMAND_QUEUE: usize = 64;
/// Seconds that running TCP answers get when the server stops.
pub(crate) const DRAIN_SECS: u64 = 5;
/// Times a file is read again when it changes under the reader.
pub(crate) const READ_ATTEMPTS: u32 = 5;
/// Milliseconds between those attempts: an editor or a copy finishes a file in less.
pub(crate) const READ_PAUSE_MILLIS: u64 = 20;
/// Faults told of one zone: past this the file is something else than a zone.
pub(crate) const FINDINGS_PER_ZONE_MAX: usize = 200;
/// Findings of one code in one file that are kept; more of a kind say nothing new and are counted.
pub(crate) const FINDINGS_ALIKE_MAX: usize = 50;
/// Places named of warnings that one of their kind stands for.
pub(crate) const FOLDED_PLACES_MAX: usize = 3;
/// Findings of one severity that are kept in all: a reply and a log of them stay under a few
/// megabytes.
pub(crate) const FINDINGS_KEPT_MAX: usize = 1_000;
/// Findings of one reload that become lines of a log; whoever wants more asks `meridian check`.
pub(crate) const FINDINGS_LOGGED_MAX: usize = 200;
/// Zones whose last good texts the state folder keeps: more faulty ones are one fault of all, and
/// the next reload mends them.
pub(crate) const KEPT_ZONES_MAX: usize = 1_000;
/// Octets of all texts that the state folder keeps: the largest zone file fits.
pub(crate) const KEPT_OCTETS_MAX: u64 = CONFIG_OCTETS_MAX as u64;
/// Octets of the reason why a zone is not served as its files say: it stands in alarms and metrics.
pub(crate) const WHY_OCTETS_MAX: usize = 400;
/// Octets of each sentence of a finding: a domain name may have 1,004 of them when all is escaped.
pub(crate) const FINDING_WORDS_MAX: usize = 1_200;
/// Other places, and ways out, that one finding has.
pub(crate) const FINDING_PLACES_MAX: usize = 32;
/// How deep files may include each other; deeper is a loop.
pub(crate) const INCLUDE_DEPTH_MAX: u32 = 8;
/// Files that one zone includes, counted each time: without a bound a few files that include each
/// other twice are read for ever.
pub(crate) const INCLUDED_FILES_MAX: u32 = 1_024;
/// Words of one entry of zone text: the data of a record has 65,535 octets, and its hexadecimal
/// text two digits for each, which may all stand apart.
pub(crate) const ENTRY_WORDS_MAX: usize = 140_000;
/// Octets of the owner or of the data of a template: the text of the largest record has four for
/// each of its 65,535 octets, when all are escaped. What a template makes has the same bound.
pub(crate) const TEMPLATE_OCTETS_MAX: usize = 270_000;
/// Records that the templates of one zone may make: a /16 of reverse names.
pub(crate) const GENERATED_MAX: u32 = 65_536;
/// Pairs of policy and PoP that are counted each for itself: what one scrape of metrics may weigh
/// (some 8 MB of text), and 512 KiB for each worker. Policies past it are counted together as
/// `other`.
pub(crate) const DECISION_PAIRS_MAX: usize = 65_536;
/// Connections to one control listener whose request is not whole: scrapers and operators, not the
/// public. Past it the oldest is cut.
pub const CONTROL_CONNECTIONS_MAX: usize = 64;
/// Requests of one class (checks, pages, verbs) that one control listener answers at once: few
/// scrapers and operators ask in the same moment.
pub(crate) const CONTROL_OTHERS_MAX: usize = 16;
/// Reloads and comparisons that wait on one control listener: they are coalesced, so more gain
/// nothing.
pub(crate) const CONTROL_WAITING_MAX: usize = 32;
/// Seconds for the header of a control request: against peers that send an octet a minute.
pub(crate) const CONTROL_HEADER_SECS: u64 = 5;
/// Seconds for a whole control request, from the accept to the last octet of its body.
pub(crate) const CONTROL_REQUEST_SECS: u64 = 10;
/// Seconds for the answer to a control request, reloads and comparisons apart: a verb waits
/// `SAVE_SECS` for the disk behind others.
pub(crate) const CONTROL_ANSWER_SECS: u64 = 30;
/// Seconds for a peer to take its answer: a page of some megabytes over a long line.
pub(crate) const CONTROL_TAKE_SECS: u64 = 30;
/// Descriptors of the process itself, sockets apart: standard streams, three for each runtime, the
/// state folder, and the files that a reload reads at once.
pub(crate) const DESCRIPTORS_OWN: usize = 96;
/// The same where descriptors are few: a reload then reads fewer files at once.
pub(crate) const DESCRIPTORS_OWN_LEAST: usize = 56;
/// Descriptors of one control listener where they are few: two requests of each class at once, two
/// waiting reloads, and four connections without a request.
pub(crate) const PAGE_DESCRIPTORS_LEAST: usize = 12;
/// Descriptors of probes where they are few: eight checks, two feeds and one program.
pub(crate) const PROBE_DESCRIPTORS_LEAST: usize = 16;
/// Connections of DNS over TCP where descriptors are few: truncated answers still find one.
pub(crate) const TCP_CONNECTIONS_FEWEST: usize = 16;
/// Descriptors that probes and feeds may hold: `PROBES_AT_ONCE` checks, `PROGRAMS_AT_ONCE` programs
/// with four more each, and `LOAD_FEEDS_AT_ONCE`.
pub(crate) const PROBE_DESCRIPTORS_MAX: usize = 1_024;
/// Descriptors that should be left for DNS over TCP: with fewer, the first resolver whose answers
/// are truncated takes them all, so every share is cut.
pub(crate) const TCP_CONNECTIONS_LEAST: usize = 64;
/// Seconds between two looks at the descriptors that are open.
pub(crate) const DESCRIPTORS_WATCH_SECS: u64 = 5;
/// Looks without a lack of descriptors after which its alarm ends: a minute.
pub(crate) const DESCRIPTORS_CALM_LOOKS: u32 = 12;
/// Descriptors that a program of a probe may open unless it raises the limit: what select(2) and
/// programs that close them all one by one are made for.
pub(crate) const PROGRAM_DESCRIPTORS: u64 = 1_024;
/// Threads that render pages: one renders a large page while another has a small one, besides two
/// that may wait for the disk with an explanation each.
pub(crate) const PAGE_THREADS: usize = 4;
/// Seconds that a command waits for an answer which needs no files: past the time of the page.
pub(crate) const ASK_SECS: u64 = 45;
/// Share of one core that a page rendered for many readers may take: one part in so many.
pub(crate) const PAGE_SHARE: u32 = 10;
/// Longest pause between two renderings of such a page, in milliseconds: a scraper waits this long
/// at the most.
pub(crate) const PAGE_PAUSE_MILLIS: u64 = 1_000;
/// Threads on which probes may block: health files, and the roots of TLS.
pub(crate) const PROBE_BLOCKING_THREADS: usize = PROBE_FILES_AT_ONCE + 4;
/// Threads on which the writer's work may block: a reload, a comparison, a save, forecasts, and
/// as many on disks that hang.
pub(crate) const WRITER_BLOCKING_THREADS: usize = 32;
/// Octets of a probe's reply that are looked at: status pages are small, and a target that streams
/// must cost no memory.
pub(crate) const PROBE_BODY_OCTETS_MAX: usize = 64 << 10;
/// Probes that run at once: each may hold a descriptor for its whole time-out.
pub const PROBES_AT_ONCE: usize = 512;
/// Targets of one deployment: 1,000 PoPs with some addresses and probes each.
pub(crate) const TARGETS_MAX: usize = 65_536;
/// Overrides in the ledger: they are made by people, a few for each PoP; more is a script gone
/// wild.
pub(crate) const OVERRIDES_MAX: usize = 4_096;
/// Octets of an override's reason or author: a sentence or two with a ticket, shown in tables.
pub(crate) const REASON_OCTETS_MAX: usize = 1_024;
/// Octets of the ledger's file: the most overrides, each with the longest reason and author fully
/// escaped.
pub(crate) const LEDGER_OCTETS_MAX: u64 = 64 << 20;
/// Octets of a request's body on the control socket: an override with its selectors and a long
/// reason.
pub(crate) const CONTROL_BODY_OCTETS_MAX: usize = 64 << 10;
/// Selectors in one command: each becomes an override of its own; patterns and tags name more.
pub(crate) const SELECTORS_MAX: usize = 256;
/// Longest time of an override, in seconds: ten years are for ever, and no sum overflows.
pub(crate) const OVERRIDE_SECS_MAX: u64 = 315_576_000;
/// Clients that one forecast asks, twice each: some tenths of a second at the most, before a person
/// who waits.
pub(crate) const FORECAST_CLIENTS_MAX: u32 = 131_072;
/// Clients of each family and policy that a forecast asks at the least: fewer would miss a tenth of
/// them.
pub(crate) const FORECAST_SAMPLES_MIN: u32 = 64;
/// Names that a comparison tells as losing a type; the rest is counted. Whoever removes a zone by
/// mistake needs no more.
pub(crate) const LOSSES_TOLD_MAX: usize = 1_000;
/// Seconds that a change may be planned ahead: a year; what is further away is a slip of the hand.
pub(crate) const PLAN_SECS_MAX: u64 = 31_557_600;
/// Seconds after which the writer looks at the clock again while an override is to end: clocks are
/// set back and forth.
pub(crate) const EXPIRY_LOOK_SECS: u64 = 30;
/// Milliseconds by which the wall clock may go another way than the steady one before it counts as
/// set: more than a second's rounding, and than what time daemons slew between two looks.
pub(crate) const CLOCK_STEP_MILLIS: i64 = 2_500;
/// Events that may wait for the disk: a storm of flapping PoPs; those past it are dropped and
/// counted.
pub(crate) const EVENT_QUEUE: usize = 4_096;
/// Seconds that a verb waits for the state disk before it is refused as not saved: an operator who
/// waits longer tries again.
pub(crate) const SAVE_SECS: u64 = 2;
/// Seconds for which the disk may owe an answer about one file before whoever reads it is given up:
/// longer than a network disk takes to come back, shorter than an operator's patience.
pub(crate) const DISK_ANSWER_SECS: u64 = 30;
/// Seconds that a reload, a comparison or the reading at a start may take in all: ten times what
/// the largest deployment has needed.
pub(crate) const ATTEMPT_SECS: u64 = 600;
/// Seconds between looks at the state folder: trouble of it is told within ten.
pub(crate) const STATE_LOOK_SECS: u64 = 5;
/// Seconds after which a look at the state folder that has no answer is an alarm.
pub(crate) const STATE_ANSWER_SECS: u64 = 4;
/// Milliseconds between beats of a task: so that an alert sees a task that stands within seconds.
pub(crate) const PULSE_MILLIS: u64 = 1_000;
/// Milliseconds without a beat after which a task stands: longer than a busy moment of two cores.
pub(crate) const STILL_MILLIS: u64 = 8_000;
/// Seconds within which ends of a task are counted together.
pub(crate) const FAULT_WINDOW_SECS: u64 = 600;
/// Ends of a task within the window that make its trouble an alarm that stays.
pub(crate) const FAULTS_MAX: usize = 3;
/// Longest pause before a task begins anew, in milliseconds: verdicts wait for the writer.
pub(crate) const RESTART_PAUSE_MILLIS_MAX: u64 = 10_000;
/// Reloads that were given up and still wait for the disk, before no more are begun: each holds a
/// thread, and what it has read.
pub(crate) const HUNG_ATTEMPTS_MAX: usize = 4;
/// Verbs that wait behind one that is being saved: more is a script gone wild.
pub(crate) const SAVES_WAITING_MAX: usize = 64;
/// Seconds until a ledger that the disk does not have is saved again.
pub(crate) const SAVE_RETRY_SECS: u64 = 10;
/// Lines that may wait for a slow log: a minute of a busy reload. Those past it are dropped and
/// counted.
pub(crate) const LOG_QUEUE: usize = 4_096;
/// Seconds after which a stop that does not end is cut off: beyond the time of running answers,
/// below that after which systemd kills.
pub(crate) const STOP_SECS: u64 = 9;
/// Longest line of the log in octets: a finding with its places fits many times.
pub(crate) const LOG_LINE_OCTETS_MAX: usize = 64 << 10;
/// Seconds that a stopping server waits for a slow log.
pub(crate) const LOG_FLUSH_SECS: u64 = 1;
/// Octets of the event log before it is turned over: some 100,000 events, and as much again in the
/// copy.
pub(crate) const EVENT_LOG_OCTETS_MAX: u64 = 32 << 20;
/// Probes of one deployment: kinds of checks, not targets; more are made by a program that should
/// share them.
pub(crate) const PROBES_MAX: usize = 4_096;
/// How deep groups of probes may contain each other: nobody reads more, and they are walked by
/// recursion.
pub(crate) const GROUP_DEPTH_MAX: usize = 16;
/// Checks that one address may hang on, groups counted through: groups of groups grow without
/// bound.
pub(crate) const FORMULA_CHECKS_MAX: usize = 64;
/// Canaries of one deployment: a few in each family are enough to know one's own network.
pub(crate) const CANARIES_MAX: usize = 64;
/// Octets of a text that a probe sends or looks for, of its headers and of its commands: requests
/// are short.
pub(crate) const PROBE_TEXT_OCTETS_MAX: usize = 4_096;
/// How many policies may stand behind each other by `use`: nobody reads more, and they are walked
/// by recursion.
pub(crate) const USE_DEPTH_MAX: usize = 8;
/// Safety rules of one deployment: each is asked at every override.
pub(crate) const SAFETY_RULES_MAX: usize = 64;
/// Octets of a file of certificates that probes trust: all roots that browsers trust are a quarter
/// of it.
pub(crate) const CERTIFICATES_OCTETS_MAX: usize = 1 << 20;
/// Names of single PoPs that `expose_pops` may make: a hundred PoPs behind each of a few thousand
/// owners.
pub(crate) const EXPOSED_MAX: usize = 500_000;
/// Milliseconds to a quick second run of a check: a lost packet is forgotten by then, a first round
/// is not held up.
pub(crate) const PROBE_QUICK_MS: u64 = 1_000;
/// Milliseconds between health states that differ in counters alone: a TTL has whole seconds.
pub(crate) const HEALTH_COUNTERS_MS: u64 = 1_000;
/// Milliseconds for which a target that turns too often is damped first: a few probes, and a TTL.
pub(crate) const FLAP_DAMP_MS: u64 = 60_000;
/// Milliseconds for which a target is damped at most, however often it was damped before: an
/// operator who has mended it need not wait longer.
pub(crate) const FLAP_DAMP_MAX_MS: u64 = 600_000;
/// Events about health that wait to be told: every PoP of a large deployment turns, with room; the
/// rest is counted.
pub(crate) const HEALTH_EVENTS_MAX: usize = 16_384;
/// Changes of slots that the panic guard can undo: 2,000 slots that each change a hundred times in
/// a window.
pub(crate) const HEALTH_CHANGES_MAX: usize = 200_000;
/// Share of its cells that a PoP sheds at most: whoever sheds all could never measure that it may
/// take some back.
pub(crate) const SHED_SHARE_MAX: f64 = 0.95;
/// Load feeds read at once: a thousand feeds of 100 ms each are read within two seconds.
pub(crate) const LOAD_FEEDS_AT_ONCE: usize = 64;
/// Longest time for one reading of a feed, in milliseconds: what comes later is about another
/// moment.
pub(crate) const LOAD_READING_MS_MAX: u64 = 10_000;
/// Shed shares are published at most once in this time, in milliseconds: each publication is a
/// snapshot.
pub(crate) const LOAD_PUBLISH_MS: u64 = 1_000;
/// Octets read off one probed connection in all, with headers, chunk marks and TLS: a body in
/// chunks of one octet is six times its size; a peer that sends more sends without end.
pub(crate) const PROBE_STREAM_OCTETS_MAX: usize = 512 << 10;
/// Pieces of one body: each chunk costs more than its octets do. The 64 KiB that a probe looks at
/// may come octet by octet, and a page of metrics in chunks of 128 octets.
pub(crate) const PROBE_PIECES_MAX: usize = 64 << 10;
/// Times that one probed connection is read, and once more for each so many octets that it may
/// bring: each time costs a system call, however little comes.
pub(crate) const PROBE_READS_MAX: usize = 4_096;
/// See [`PROBE_READS_MAX`]: less than a segment of TCP.
pub(crate) const PROBE_READ_OCTETS: usize = 1 << 10;
/// Octets of response headers that a probe reads, interim responses included: as curl takes.
pub(crate) const PROBE_HEADER_OCTETS_MAX: usize = 300 << 10;
/// Octets of one header line, continued lines included: as many as curl takes. All that a probe
/// keeps of a response, so 512 at once hold 50 MiB at the most.
pub(crate) const PROBE_LINE_OCTETS_MAX: usize = 100 << 10;
/// Octets of what a peer said that go into one line for the operator.
pub(crate) const PROBE_WORDS_MAX: usize = 120;
/// Programs that probes run at once: each is a process; a probe beyond it waits inside its own
/// time-out.
pub(crate) const PROGRAMS_AT_ONCE: usize = 64;
/// Milliseconds until what was killed is looked for again; longer each time, up to sixteen times.
pub(crate) const PROGRAM_SWEEP_MILLIS: u64 = 5;
/// Looks for what one program has left: what can be killed is gone by then, and what cannot is
/// looked for again after the next program.
pub(crate) const PROGRAM_SWEEPS_MAX: u32 = 8;
/// Milliseconds between two sweeps: each reads the whole table of processes.
pub(crate) const PROGRAM_SWEEP_PAUSE_MILLIS: u64 = 50;
/// Seconds that a stopping server waits for the last sweep.
pub(crate) const PROGRAM_END_SECS: u64 = 1;
/// Octets of a program's output that are kept for the line of its failure.
pub(crate) const PROGRAM_KEPT_OCTETS: usize = 1 << 10;
/// Octets that a program may print: past it it is killed, since reading on would cost as much as it
/// prints.
pub(crate) const PROGRAM_OUTPUT_OCTETS_MAX: usize = 64 << 10;
/// Octets of a health file that are read: it holds one or two words.
pub(crate) const PROBE_FILE_OCTETS_MAX: usize = 256;
/// Health files read at once: each takes a thread, and a dead network file system keeps it.
pub(crate) const PROBE_FILES_AT_ONCE: usize = 16;
/// Pinned certificate authorities whose settings are kept: more than any deployment has; past it
/// they are made anew.
pub(crate) const PINNED_KEPT_MAX: usize = 256;
/// Octets of a load feed's body that is one number or JSON: status pages are small.
pub(crate) const FEED_BODY_OCTETS_MAX: usize = 64 << 10;
/// Octets of a page of metrics: those of large exporters have some MiB, of which none is kept.
pub const FEED_PAGE_OCTETS_MAX: usize = 8 << 20;
/// Octets of a line of such a page that are kept: a name with sixty labels of two hundred octets.
pub(crate) const FEED_LINE_OCTETS_MAX: usize = 16 << 10;
/// Samples of a metric that are added up: a thousand servers of ten counters. Each costs as much as
/// the longest number.
pub(crate) const FEED_SAMPLES_MAX: usize = 10_000;
/// Octets of a number that a feed says: the longest that programs print have under thirty.
pub(crate) const FEED_NUMBER_OCTETS_MAX: usize = 64;
/// Times its capacity that a PoP can carry: a larger load is in another unit.
pub(crate) const LOAD_CAPACITIES_MAX: f64 = 100.0;
/// Octets of the file that remembers health: 65,536 targets with keys of some 200 octets.
pub(crate) const HEALTH_FILE_OCTETS_MAX: u64 = 32 << 20;
/// Seconds between writes of it while nothing turns: its stamps must not look old after a restart.
pub(crate) const HEALTH_SAVE_SECS: u64 = 30;
/// Threads that share the work of one reload: beyond this number it waits for disk and memory.
pub(crate) const RELOAD_THREADS_MAX: usize = 16;
/// Seconds until a write of it that failed is tried again: a full disk is not hammered, a verdict
/// not forgotten.
pub(crate) const HEALTH_RETRY_SECS: u64 = 5;
/// Octets that one load may make beyond [`LOAD_OCTETS_FACTOR`] for each octet of its files: what
/// aliases, templates and files included again may add. A /13 of reverse names from `$GENERATE` is
/// 140 MiB.
pub(crate) const LOAD_OCTETS_MAX: u64 = 256 << 20;
/// Octets of memory that each octet of a file may make: the densest plain text, a YAML list of
/// single digits or records of two words below a long `$ORIGIN`, makes some forty.
pub(crate) const LOAD_OCTETS_FACTOR: u64 = 64;
/// Steps that one load may take beyond [`LOAD_STEPS_FACTOR`] for each octet of its files. A step is
/// about an octet that is looked at, some 5 ns: with this, repetition costs less than a second.
pub(crate) const LOAD_STEPS_MAX: u64 = 128_000_000;
/// Steps that each octet of a file may take: every octet is looked at a few times.
pub(crate) const LOAD_STEPS_FACTOR: u64 = 16;
/// Parts of these budgets, of which one reader takes one at most; who would take more is a bomb,
/// and gives it back. A quarter is 64 MiB, and a /16 of reverse names 18; its work is that of 2 MB
/// of plain text.
pub(crate) const LOAD_PARTS: u64 = 4;
/// Times that zones are read again because faulty ones had left too little of the budget for
/// others. Bombs give back all that they take, so one time is enough but for zones that are large
/// and faulty otherwise.
pub(crate) const LOAD_STARVED_ROUNDS_MAX: usize = 4;
/// Octets that a reader takes from the budget of its load at once: a few records are not worth a
/// meeting of two cores.
pub(crate) const SHARE_OCTETS: u64 = 64 << 10;
/// Steps that a reader takes from the budget of its load at once, for the same reason.
pub(crate) const SHARE_STEPS: u64 = 64 << 10;

/// Longest RTT in ms that a sample may have: a slower one tells of a queue or a sleeping phone.
pub(crate) const LATENCY_RTT_MAX_MILLIS: u32 = 3000;
/// Samples of one network, PoP and hour that count: more would let one busy or hostile network
/// decide for its surroundings.
pub(crate) const LATENCY_SAMPLES_MAX: usize = 50;
/// Keys (network, PoP, hour) that an import holds before it writes them: about 200 MiB.
pub(crate) const LATENCY_KEYS_MAX: usize = 1 << 20;
/// Octets of a line of a log: request lines of web servers end at 8 KiB by default.
pub(crate) const LATENCY_LINE_OCTETS_MAX: usize = 64 << 10;
