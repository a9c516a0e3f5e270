//! The catalogue of metrics: one table of every family with its name, kind, labels and help.
//!
//! `/metrics` shows only families of the catalogue, and docs/metrics.md is generated from it; tests
//! compare the three. Label values come from fixed sets and from the operator's files, never from
//! clients.

use crate::limits::{
    DECISION_PAIRS_MAX, PAIRS_SHOWN_MAX, POLICIES_SHOWN_MAX, POPS_WHOLE_MAX, SERIES_MAX, ZONES_COUNTED_MAX,
};

/// Kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only increases, from 0 at the start of the process.
    Counter,
    /// The current state.
    Gauge,
    /// Counts of times by upper bound (`_bucket`, label `le`), with `_sum` and `_count`.
    Histogram,
}

impl MetricKind {
    /// Name in the exposition format.
    pub fn word(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        }
    }
}

/// A family of metrics.
#[derive(Debug)]
pub struct MetricFamily {
    /// Name.
    pub name: &'static str,
    /// Kind.
    pub kind: MetricKind,
    /// Names of the labels.
    pub labels: &'static [&'static str],
    /// Meaning of the value, and values of the labels.
    pub help: &'static str,
}

macro_rules! families {
    ($($id:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub(crate) const $id: MetricFamily =
                MetricFamily { name: $name, kind: MetricKind::$kind, labels: &[$($label),*], help: $help };
        )*
        /// Every family, in the order of the page.
        pub const CATALOGUE: &[&MetricFamily] = &[$(&$id),*];
    };
}

families! {
    QUERIES = Counter "meridian_queries_total" ["transport"]
        "Messages received, by transport (udp, tcp, dot: DNS over TLS, doh: DNS over HTTPS, doq: DNS over \
         QUIC).";
    REPLIES = Counter "meridian_replies_total" ["transport", "rcode"]
        "Replies made, by transport and response code.";
    QUESTIONS = Counter "meridian_questions_total" ["transport", "type"]
        "Replies, by transport and query type; `other` is for types without a counter of their own and for \
         questions that cannot be parsed.";
    TRUNCATED = Counter "meridian_truncated_replies_total" ["transport"]
        "Replies with TC set, by transport.";
    DROPPED = Counter "meridian_dropped_total" ["transport", "reason"]
        "Messages and connections dropped, by transport and reason.";
    COOKIES = Counter "meridian_cookies_total" ["transport", "cookie"]
        "Replies, by transport and the DNS cookie of the query: none (no cookie, or cookies are off), \
         client (no server cookie yet), valid, invalid (made with an unknown secret, too old, or forged).";
    ANSWER_TIMES = Histogram "meridian_answer_duration_seconds" ["transport"]
        "Times from the receipt of a message to the sending of its answer, in this process, by transport. \
         It is a sample: over UDP one batch of datagrams in 64, with all its answers, until the kernel has \
         taken them; over connections one message in 64, until its answer waits to be written. Times in \
         the queues of the kernel are not part of it.";
    WORKER_QUERIES = Counter "meridian_worker_queries_total" ["worker"]
        "Datagrams received by each UDP worker with a thread of its own; the names are those of \
         `meridian_heartbeat_age_seconds`.";
    ZONE_REPLIES = Counter "meridian_zone_replies_total" ["zone", "rcode"]
        "Replies, by zone of the question and response code: NOERROR, NXDOMAIN, other. Zones past a limit \
         are counted under the zone `(other)`.";
    ACCESS_REFUSED = Counter "meridian_access_refused_total" ["transport"]
        "Messages refused by the access lists (`access`), by transport; those dropped are counted in \
         `meridian_dropped_total`.";
    PROXY_HEADERS = Counter "meridian_proxy_headers_total" ["transport"]
        "PROXY headers read from addresses in `proxy_protocol`, by transport: one of each datagram and of \
         each connection. Faulty ones are counted in `meridian_dropped_total`.";
    QUARANTINED = Counter "meridian_quarantined_total" []
        "Questions put into quarantine, each because the program panicked on a message; please report it. \
         Messages like it are refused for ten minutes.";
    QUARANTINE_QUESTIONS = Gauge "meridian_quarantine_questions" []
        "Questions that are refused now, because the program has panicked on messages like them.";
    QUARANTINE_REFUSED = Counter "meridian_quarantine_refused_total" ["transport"]
        "Messages that got REFUSED, or no reply if they are no query, because the program has panicked on a \
         message like them, by transport.";
    QUARANTINE_LOST = Counter "meridian_quarantine_files_lost_total" []
        "Messages on which the program panicked that have no file in `state/quarantine`, because too many \
         waited or the disk accepted no write.";
    RATE_LIMITED = Counter "meridian_rate_limited_total" ["transport", "limit", "treatment"]
        "Answers past a rate limit, by transport, limit (answers, answers_per_name, nodata, nxdomain, \
         referrals, errors, prefix, zone) and treatment: dropped, slipped (a short reply: TC or BADCOOKIE), \
         log_only (sent whole).";
    OVERLOAD_SHARE = Gauge "meridian_overload_share" []
        "Lowest share, at any UDP socket, of the queries of prefixes that are not known that pass its filter \
         (`overload`); 1 while no socket has a filter.";
    OVERLOAD_KNOWN = Gauge "meridian_overload_known_prefixes" []
        "Client prefixes that are known (`overload`); 0 while `overload` is off.";
    OVERLOAD_REFUSED = Gauge "meridian_overload_refused" []
        "1 if the kernel took no filter of `overload` within the last minute, so that nothing is shed.";
    CONNECTIONS = Counter "meridian_connections_total" ["transport"]
        "Connections admitted, by transport.";
    DECISIONS_BY_POP = Counter "meridian_pop_answers_total" ["policy", "pop"]
        "Answers with the addresses of a PoP, by policy and PoP. Policies past a limit are summed in the \
         policy `(other)`.";
    DECISIONS = Counter "meridian_decisions_total" ["policy", "reason"]
        "Answers that a policy decided (of a CNAME chain, the last policy), by policy and reason: regular, \
         last_resort (drained or of weight 0), last_good (everything is down: the PoP that went down last), \
         as_if_up (everything is down), cname, nodata, servfail.";
    EVIDENCE = Counter "meridian_decision_evidence_total" ["transport", "evidence"]
        "Answers that a policy decided, by the source of the client's location: ecs (client subnet), \
         resolver (the resolver's address), nothing (the policy gives every client the same preference \
         list).";
    RELOADS = Counter "meridian_reloads_total" ["outcome"]
        "Reloads, by outcome (published, refused).";
    RELOADS_GIVEN_UP = Counter "meridian_reloads_given_up_total" []
        "Reloads given up because the disk did not answer or an operator cancelled them; they also count as \
         refused.";
    RELOAD_AGE = Gauge "meridian_reload_running_seconds" []
        "Time since the running reload began; 0 if no reload runs.";
    STATE_FOLDER_OK = Gauge "meridian_state_folder_ok" []
        "1 while the server owns the state folder and can write to it; 0 while the folder is missing, taken \
         by another server, full or read-only, or the disk hangs.";
    HEARTBEAT_AGE = Gauge "meridian_heartbeat_age_seconds" ["task"]
        "Time since the last heartbeat of a control-plane task or UDP worker (of several TCP listeners, the \
         oldest heartbeat); each beats every second.";
    TASK_ENDS = Counter "meridian_task_ends_total" ["task"]
        "Ends of a control-plane task by a fault; the server restarts the task each time.";
    LAST_RELOAD_OK = Gauge "meridian_last_reload_ok" []
        "1 if the last reload was published, 0 if it was refused, so that the previous snapshot stays in \
         service.";
    LAST_RELOAD_PUBLISHED = Gauge "meridian_last_reload_published_timestamp_seconds" []
        "Unix time of the last published reload, in seconds; the start of the server counts as a reload.";
    LAST_RELOAD_DURATION = Gauge "meridian_last_reload_duration_seconds" []
        "Duration of the last reload, from its beginning to its publication or refusal.";
    READY = Gauge "meridian_ready" []
        "1 while `/readyz` returns 200, because the server answers queries.";
    POP_STATE = Gauge "meridian_pop_state" ["pop", "state"]
        "State of each PoP by file and overrides, without probes: 1 for the state in force (auto, up, down, \
         drain), 0 for the others.";
    POP_WEIGHT = Gauge "meridian_pop_weight" ["pop"]
        "Weight in force of each PoP, by file and overrides.";
    OVERRIDES = Gauge "meridian_overrides" ["state"]
        "PoPs with an override of their state, by that state (up, down, drain); `weight` counts the PoPs \
         with an override of their weight.";
    ALARMS = Gauge "meridian_ledger_alarm" []
        "1 after the ledger of overrides could not be read, until an operator acknowledges it; else 0.";
    POP_HEALTH = Gauge "meridian_pop_health" ["pop", "health"]
        "Health of each PoP by the probes of all its services: 1 for its health (no probe, unknown, up, \
         partial, down), 0 for the others.";
    TARGET_UP = Gauge "meridian_target_up" ["pop", "service", "probe", "address"]
        "Verdict of a probed target: 1 up or not known yet, 0 down. A target that several PoPs share has a \
         sample for each PoP.";
    TARGET_FAILURES = Gauge "meridian_target_failures" ["pop", "service", "probe", "address"]
        "Failures of a target that count towards going down.";
    TARGET_DAMPED = Gauge "meridian_target_damped" ["pop", "service", "probe", "address"]
        "1 for a target whose verdict changed too often, so that it is only a last resort, else 0.";
    TARGET_LATENCY = Gauge "meridian_target_latency_seconds" ["pop", "service", "probe", "address"]
        "Duration of the check that gave a target its last result.";
    TARGETS_NOT_SHOWN = Gauge "meridian_targets_not_shown" []
        "Targets without samples here, because the page has no room for more series. Targets that are \
         down, damped or failing, and those whose certificate expires within 30 days, come first.";
    TARGET_CERTIFICATE = Gauge "meridian_target_certificate_days" ["pop", "service", "probe", "address"]
        "Whole days until the certificate of a target expires; negative after its expiry.";
    LOAD_UTILISATION = Gauge "meridian_pop_utilisation" ["pop", "service"]
        "Smoothed load of a feed divided by its capacity; service is empty for the whole PoP.";
    LOAD_SHED = Gauge "meridian_pop_shed_share" ["pop", "service"]
        "Share of a PoP's cells that load shedding may send to other PoPs, 0 to 1.";
    LOAD_STALE = Gauge "meridian_load_feed_stale" ["pop", "service"]
        "1 for a feed that gave no reading for longer than its stale_after.";
    LOAD_OSCILLATES = Gauge "meridian_load_oscillates" ["pop", "service"]
        "1 for a feed whose shed share changed direction too often, so that its gain is halved.";
    LOAD_NO_ROOM = Gauge "meridian_load_no_room" ["pop", "service"]
        "1 for a feed above its target whose cells should be shed, while no other PoP takes them.";
    RAMP_LEFT = Gauge "meridian_pop_ramp_left" ["pop"]
        "Share of cells that a ramp has not yet brought back to a PoP that came up, 0 to 1.";
    ALARMS_STANDING = Gauge "meridian_alarms" []
        "Active alarms; `meridian pop list` and `/readyz` show their texts.";
    PROBES_WITHOUT_RESULT = Gauge "meridian_probes_without_result" []
        "Targets whose last check had no result, because this node lacks descriptors, memory, a permission, \
         a route or a program. Their verdicts stay as they are.";
    HEALTH_FROZEN = Gauge "meridian_health_frozen" ["family"]
        "1 while all canaries of an address family (ipv4, ipv6) fail, so that the verdicts of the family \
         are frozen.";
    POLICY_HELD = Gauge "meridian_policy_held" ["policy"]
        "1 for a policy that the panic guard keeps at its previous state, else 0.";
    TARGETS_DAMPED = Gauge "meridian_targets_damped" []
        "Targets whose verdict changed too often, so that they are only last resorts.";
    POLICY_RETURNING = Gauge "meridian_policy_returning" ["policy"]
        "1 for a policy with a pool that recovers after all its PoPs were down, else 0.";
    EVENTS_DROPPED = Counter "meridian_events_dropped_total" []
        "Events that the event log dropped, because too many waited or the disk accepted no write.";
    UNPROVEN = Counter "meridian_admin_refused_total" ["reason"]
        "Requests that the admin address refused because no known client sent them, by reason (plain_http: \
         over plain HTTP nothing is changed; not_taken: there are no tokens and no client certificates; \
         no_token, bad_token: no token, or one that is not valid; foreign_origin: from a page of another \
         origin; outdated: the access has changed since the connection began).";
    UNOPENED = Counter "meridian_admin_unopened_total" ["reason"]
        "Connections over TLS that the admin address closed before their first request, by reason \
         (handshake_failed: the handshake failed or was broken off; slow_handshake: it took more than five \
         seconds; handshakes_full: it was unfinished when another connection needed its place; client_full: \
         the client has too many connections).";
    LOG_DROPPED = Counter "meridian_log_lines_dropped_total" []
        "Lines that the log on stderr dropped, because its reader was slow, blocked or gone.";
    SNAPSHOT_SEQUENCE = Gauge "meridian_snapshot_sequence" []
        "Sequence number of the snapshot in service.";
    FILES_INFO = Gauge "meridian_files_info" ["digest", "node"]
        "The files in service, by files digest; always 1. Nodes of one fleet with the same files have the \
         same digest, whatever their probes and overrides are.";
    SNAPSHOT_INFO = Gauge "meridian_snapshot_info" ["digest", "node"]
        "The snapshot in service, by state digest; always 1. Nodes of one fleet with the same inputs and \
         states have the same digest.";
    ZONES = Gauge "meridian_zones" []
        "Zones in service.";
    ZONE_STANDING = Gauge "meridian_zone_not_current" ["zone", "standing"]
        "A zone that is not served from its current files; always 1. `kept`: served from its last good \
         texts, because its files are faulty; `vanished`: served from its last good texts, because its \
         files are gone and other zones need the zone; `dead`: answered with SERVFAIL, because the zone has \
         no last good texts.";
    NAMES = Gauge "meridian_names" []
        "Owner names in service, empty non-terminals among them.";
    RRSETS = Gauge "meridian_rrsets" []
        "RRsets in service, steered ones not counted.";
    STEERED_NAMES = Gauge "meridian_steered_names" []
        "Owner names whose addresses a policy decides.";
    ROUTE_LEAVES = Gauge "meridian_route_leaves" []
        "Leaves of all tables of routes, tables that policies share counted once.";
    PREFERENCE_LISTS = Gauge "meridian_preference_lists" []
        "Distinct preference lists of all policies.";
    SNAPSHOT_BYTES = Gauge "meridian_snapshot_bytes" ["table"]
        "Octets that the snapshot in service holds, by table (images, links, texts, routes, \
         preference_lists, addresses).";
    DATABASE_BUILT = Gauge "meridian_database_build_timestamp_seconds" ["name"]
        "Unix time at which the data of a GeoIP database was built, in seconds, by path of the database. A \
         database without a date, such as a geofeed, has no sample.";
    DATABASE_AGE = Gauge "meridian_database_age_seconds" ["name"]
        "Age of the data of a GeoIP database, by path of the database. A database without a date, such as a \
         geofeed, has no sample.";
    CERTIFICATE_EXPIRY = Gauge "meridian_tls_certificate_expiry_timestamp_seconds" ["use"]
        "Unix time at which a certificate of the server expires, in seconds: that of the encrypted \
         transports (transports), and that of the admin address (admin). A server without `tls` or \
         `admin` has no sample there.";
    LATENCY_SAMPLE = Gauge "meridian_latency_map_newest_sample_timestamp_seconds" ["name"]
        "Unix time of the newest sample in a latency map, to the hour, in seconds, by path of the map. A map \
         in which no network has samples of its own has no sample here. The age of its build is in \
         `meridian_database_age_seconds`.";
    LATENCY_SAMPLE_AGE = Gauge "meridian_latency_map_newest_sample_age_seconds" ["name"]
        "Age of the newest sample in a latency map, by path of the map.";
    LATENCY_NETWORKS = Gauge "meridian_latency_map_networks" ["name", "source"]
        "Leaves of a latency map that have RTTs, by path of the map and evidence of the first RTT (measured, \
         neighbours, distance).";
    LATENCY_RESOLVERS = Gauge "meridian_latency_map_resolver_networks" ["name"]
        "Leaves of a latency map that have RTTs of the clients behind the resolvers there, by path of the \
         map.";
    LATENCY_ADDRESSES = Gauge "meridian_latency_address_share" ["policy", "family", "source"]
        "Share of the addresses with a known place that a policy ranks by latency, by address family and \
         evidence of the RTT to the PoP that leads (measured, neighbours, distance; none: the map has no \
         RTT there, so distance decides), 0 to 1. It is counted when the files are compiled, over client \
         addresses and not over queries, so that answers cost nothing for it.";
    DESCRIPTORS_OPEN = Gauge "process_open_fds" []
        "Open file descriptors (0 where the system does not report them).";
    DESCRIPTORS_LIMIT = Gauge "process_max_fds" []
        "File descriptors that the process may open.";
    DESCRIPTORS = Gauge "meridian_descriptors" ["use"]
        "Open file descriptors, by the part of the server that holds them: tcp (DNS over TCP), dot (DNS over \
         TLS), doh (DNS over HTTPS), pages (control socket and admin address), probes (checks, load feeds, \
         programs), own (the rest).";
    DESCRIPTORS_SHARE = Gauge "meridian_descriptors_share" ["use"]
        "File descriptors that each part of the server may hold; the sum of the shares is at most the \
         limit.";
    DESCRIPTORS_EXHAUSTED = Counter "meridian_descriptors_exhausted_total" []
        "Failed attempts to accept a connection, for lack of descriptors or memory. The connections wait in \
         the kernel.";
    DESCRIPTORS_SHORT = Gauge "meridian_descriptors_short" []
        "1 while the process's own descriptors exceed their share, or the system refused a descriptor \
         within the last minute.";
    BUILD_INFO = Gauge "meridian_build_info" ["version", "engine"]
        "Version and engine of the program; always 1.";
    UPTIME = Gauge "meridian_uptime_seconds" []
        "Seconds since the server was started.";
    RESIDENT = Gauge "process_resident_memory_bytes" []
        "Resident memory of the process (0 where the system does not report it).";
    STARTED = Gauge "process_start_time_seconds" []
        "Unix time of the start of the server, in seconds.";
}

/// docs/metrics.md.
pub fn document() -> String {
    let mut text = String::from(
        "# Metrics\n\n\
         `GET /metrics` on the admin address (`listen.admin`) and on the control socket gives these\n\
         families as Prometheus text. Labels take their values from fixed sets and from the files of the\n\
         deployment; nothing that a client sends becomes a label. Counters survive reloads: policies and\n\
         PoPs are counted by name.\n\n\
         This file is printed from the catalogue in `src/control/catalogue.rs`; a test compares the two,\n\
         and both with a scrape of a running server. After a change:\n\
         `MERIDIAN_WRITE=1 cargo test --test program metrics`.\n\n\
         | name | kind | labels | meaning |\n|---|---|---|---|\n",
    );
    for family in CATALOGUE {
        let labels = family.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        text.push_str(&format!(
            "| `{}` | {} | {labels} | {} |\n",
            family.name,
            family.kind.word(),
            family.help
        ));
    }
    text.push_str("\n## Reasons of `meridian_dropped_total`\n\n| reason | meaning |\n|---|---|\n");
    for reason in crate::shared::counters::Dropped::ALL {
        text.push_str(&format!("| `{}` | {} |\n", reason.word(), reason.about()));
    }
    text.push_str(&limits());
    text
}

/// Section about the limits of the page.
fn limits() -> String {
    format!(
        "\n## Limits\n\n\
         - Pairs of policy and PoP that are shown: {PAIRS_SHOWN_MAX}. In a larger deployment the first\n  \
         policies that fit have rows of their own, and the others are summed in the policy `(other)`.\n\
         - Zones that are counted each for itself: {ZONES_COUNTED_MAX}, the first by apex; the others\n  \
         are counted in the zone `(other)`.\n\
         - Policies whose reasons are shown: {POLICIES_SHOWN_MAX}, those in service first; the others are\n  \
         summed in the policy `(other)`.\n\
         - Policies, PoPs and zones that a reload removes keep their counts while there is room, for\n  \
         {DECISION_PAIRS_MAX} pairs of policy and PoP; then their counts are added to `(other)`.\n\
         - With more than {POPS_WHOLE_MAX} PoPs, the samples of PoPs, feeds and targets that are 0 are\n  \
         left out, except those of `meridian_target_up`. Write\n  \
         `meridian_pop_state{{state=\"down\"}} == 1`, and not `== 0` of another state.\n\
         - Targets of checks have room up to {SERIES_MAX} series; `meridian_targets_not_shown` counts the\n  \
         others. With this, the page of 1,000 PoPs and 200 policies has at most {SERIES_MAX} series.\n"
    )
}

#[cfg(test)]
mod tests;
