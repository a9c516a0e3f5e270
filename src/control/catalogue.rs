//! The catalogue of metrics: every family with its name, kind, labels and help, in one table.
//!
//! `/metrics` can show nothing that is not here, docs/metrics.md is printed from here, and tests
//! hold the three together. Labels take values from fixed sets and from the operator's files;
//! nothing a client sends becomes one.

/// Kind of a number over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows, from 0 at the start of the process.
    Counter,
    /// The state now.
    Gauge,
}

impl MetricKind {
    /// The word of the exposition format.
    pub fn word(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
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
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// Meaning of the number, and the values of its labels.
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
        "Messages received, by transport (udp, tcp).";
    REPLIES = Counter "meridian_replies_total" ["transport", "rcode"]
        "Replies made, by transport and response code.";
    QUESTIONS = Counter "meridian_questions_total" ["transport", "type"]
        "Replies to questions, by transport and query type; types that are not counted by themselves are \
         `other`, and so are questions that cannot be read.";
    TRUNCATED = Counter "meridian_truncated_replies_total" ["transport"]
        "Replies with TC set, by transport.";
    DROPPED = Counter "meridian_dropped_total" ["transport", "reason"]
        "Messages and connections dropped, by transport and reason.";
    COOKIES = Counter "meridian_cookies_total" ["transport", "cookie"]
        "Replies, by transport and the DNS cookie of the query: none (no cookie, or cookies are off), \
         client (no server cookie yet), valid, invalid (made with other secrets than ours, too old, or \
         forged).";
    CONNECTIONS = Counter "meridian_connections_total" ["transport"]
        "Connections admitted, by transport.";
    DECISIONS_BY_POP = Counter "meridian_pop_answers_total" ["policy", "pop"]
        "Answers with the addresses of a PoP, by policy and PoP. Pairs past a limit are counted under \
         `other`.";
    DECISIONS = Counter "meridian_decisions_total" ["policy", "reason"]
        "Answers that a policy decided (the last one on a chain), by policy and reason: regular, last_resort \
         (drained or of weight 0), as_if_up (everything is down), cname, nodata, servfail.";
    EVIDENCE = Counter "meridian_decision_evidence_total" ["transport", "evidence"]
        "Answers that a policy decided, by what located the client: ecs (client subnet), resolver (its \
         address), nothing (the policy gives every client the same preference list).";
    RELOADS = Counter "meridian_reloads_total" ["outcome"]
        "Reloads, by outcome (published, refused).";
    RELOADS_GIVEN_UP = Counter "meridian_reloads_given_up_total" []
        "Reloads that were given up because the disk did not answer, or by an operator; they count as \
         refused too.";
    RELOAD_AGE = Gauge "meridian_reload_running_seconds" []
        "How long the reload that runs has taken so far; 0 while none does.";
    STATE_FOLDER_OK = Gauge "meridian_state_folder_ok" []
        "1 while the state folder is ours and takes files; 0 while it is gone, taken, full, read-only, or \
         hangs.";
    HEARTBEAT_AGE = Gauge "meridian_heartbeat_age_seconds" ["task"]
        "How long ago a task of the control plane, or a UDP worker, last moved (of several TCP \
         listeners, the one that has stood still the longest); they move every second.";
    TASK_ENDS = Counter "meridian_task_ends_total" ["task"]
        "Ends of a task of the control plane by a fault; it is begun anew each time.";
    LAST_RELOAD_OK = Gauge "meridian_last_reload_ok" []
        "1 if the last reload was published, 0 if it was refused and the snapshot before stays.";
    LAST_RELOAD_PUBLISHED = Gauge "meridian_last_reload_published_timestamp_seconds" []
        "When a reload was last published, in seconds since 1970; the start counts as one.";
    LAST_RELOAD_DURATION = Gauge "meridian_last_reload_duration_seconds" []
        "How long the last reload took, from its beginning to its publication or refusal.";
    READY = Gauge "meridian_ready" []
        "1 while `/readyz` is 200: queries are answered.";
    POP_STATE = Gauge "meridian_pop_state" ["pop", "state"]
        "State of each PoP in force, by file and overrides, before probes; 1 for the state it has (auto, up, \
         down, drain), 0 for the others.";
    POP_WEIGHT = Gauge "meridian_pop_weight" ["pop"]
        "Weight of each PoP in force, by file and overrides.";
    OVERRIDES = Gauge "meridian_overrides" ["state"]
        "PoPs whose state an override decides, by that state (up, down, drain), and as `weight` those whose \
         weight one decides.";
    ALARMS = Gauge "meridian_ledger_alarm" []
        "1 while the ledger of overrides could not be read and no operator has acknowledged it.";
    POP_HEALTH = Gauge "meridian_pop_health" ["pop", "health"]
        "1 for what probes make of a PoP over all its services (no probe, unknown, up, partial, \
         down), 0 for the rest.";
    TARGET_UP = Gauge "meridian_target_up" ["pop", "service", "probe", "address"]
        "Verdict of a probed target: 1 up or not known yet, 0 down. A target that PoPs share stands with \
         each.";
    TARGET_FAILURES = Gauge "meridian_target_failures" ["pop", "service", "probe", "address"]
        "Failures of a target that count towards going down.";
    TARGET_DAMPED = Gauge "meridian_target_damped" ["pop", "service", "probe", "address"]
        "1 for a target that turned too often, so that it is a last resort, else 0.";
    TARGET_LATENCY = Gauge "meridian_target_latency_seconds" ["pop", "service", "probe", "address"]
        "How long the last result of a target took.";
    TARGET_CERTIFICATE = Gauge "meridian_target_certificate_days" ["pop", "service", "probe", "address"]
        "Whole days until the certificate of a target ends; negative once it has.";
    LOAD_UTILISATION = Gauge "meridian_pop_utilisation" ["pop", "service"]
        "Smoothed load of a feed divided by its capacity; service is empty for the whole PoP.";
    LOAD_SHED = Gauge "meridian_pop_shed_share" ["pop", "service"]
        "Share of cells that load may send elsewhere, 0 to 1.";
    LOAD_STALE = Gauge "meridian_load_feed_stale" ["pop", "service"]
        "1 for a feed that gave no reading for longer than its stale_after.";
    LOAD_OSCILLATES = Gauge "meridian_load_oscillates" ["pop", "service"]
        "1 for a feed whose shedding turned too often, so that its gain is halved.";
    LOAD_NO_ROOM = Gauge "meridian_load_no_room" ["pop", "service"]
        "1 for a feed above its target whose cells should leave, while no PoP takes them.";
    RAMP_LEFT = Gauge "meridian_pop_ramp_left" ["pop"]
        "Share of cells that a ramp has not brought back to a PoP that came up, 0 to 1.";
    ALARMS_STANDING = Gauge "meridian_alarms" []
        "Alarms that stand; `meridian pop list` and `/readyz` have their sentences.";
    PROBES_WITHOUT_RESULT = Gauge "meridian_probes_without_result" []
        "Targets whose last check had no result, because this node lacks descriptors, memory, a permission, \
         a route or a program. Their verdicts stay as they are.";
    HEALTH_FROZEN = Gauge "meridian_health_frozen" ["family"]
        "1 while all canaries of a family (ipv4, ipv6) fail and its verdicts do not move.";
    POLICY_HELD = Gauge "meridian_policy_held" ["policy"]
        "1 for a policy that the panic guard keeps at the state before, else 0.";
    TARGETS_DAMPED = Gauge "meridian_targets_damped" []
        "Targets that turned too often, so that they are last resorts.";
    POLICY_RETURNING = Gauge "meridian_policy_returning" ["policy"]
        "1 for a policy with a pool on its way back from all down, else 0.";
    EVENTS_DROPPED = Counter "meridian_events_dropped_total" []
        "Events that the event log has lost, because too many waited or the disk took none.";
    LOG_DROPPED = Counter "meridian_log_lines_dropped_total" []
        "Lines that the log on stderr has lost, because its reader was slow, blocked or gone.";
    SNAPSHOT_SEQUENCE = Gauge "meridian_snapshot_sequence" []
        "Sequence number of the snapshot in service.";
    FILES_INFO = Gauge "meridian_files_info" ["digest", "node"]
        "The files in service, by files digest; always 1. Nodes of one fleet that were given the same files \
         have equal ones, whatever their probes and overrides say.";
    SNAPSHOT_INFO = Gauge "meridian_snapshot_info" ["digest", "node"]
        "The snapshot in service, by state digest; always 1. Nodes of one fleet with equal inputs and states \
         have equal ones.";
    ZONES = Gauge "meridian_zones" []
        "Zones in service.";
    ZONE_STANDING = Gauge "meridian_zone_not_current" ["zone", "standing"]
        "A zone that is not served as its files say; always 1. `kept`: from its last good texts, since its \
         files are faulty; `vanished`: from them, since its files are gone and other zones need it; `dead`: \
         SERVFAIL, since it has none.";
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
        "When the data of a GeoIP database was built, in seconds since 1970, by the path of the database. \
         One without a date, such as a geofeed, is not shown.";
    DATABASE_AGE = Gauge "meridian_database_age_seconds" ["name"]
        "How old the data of a GeoIP database is, by the path of the database. One without a date, such as a \
         geofeed, is not shown.";
    DESCRIPTORS_OPEN = Gauge "process_open_fds" []
        "Descriptors that are open (0 where the system does not tell).";
    DESCRIPTORS_LIMIT = Gauge "process_max_fds" []
        "Descriptors that the process may open.";
    DESCRIPTORS = Gauge "meridian_descriptors" ["use"]
        "Descriptors that are open, by the part that holds them: tcp (DNS over TCP), pages (control socket \
         and admin address), probes (checks, load feeds, programs), own (the rest).";
    DESCRIPTORS_SHARE = Gauge "meridian_descriptors_share" ["use"]
        "Descriptors that each part may hold; the shares together are the limit at most.";
    DESCRIPTORS_EXHAUSTED = Counter "meridian_descriptors_exhausted_total" []
        "Connections that could not be accepted for want of descriptors or memory. They wait in the kernel.";
    DESCRIPTORS_SHORT = Gauge "meridian_descriptors_short" []
        "1 while the process's own descriptors are more than their share, or the system gave none within the \
         last minute.";
    BUILD_INFO = Gauge "meridian_build_info" ["version", "engine"]
        "The program; always 1.";
    UPTIME = Gauge "meridian_uptime_seconds" []
        "Seconds since the server was started.";
    RESIDENT = Gauge "process_resident_memory_bytes" []
        "Resident memory of the process (0 where the system does not tell).";
    STARTED = Gauge "process_start_time_seconds" []
        "When the server was started, in seconds since 1970.";
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
         `MERIDIAN_PRINT=1 cargo test --test program metrics`.\n\n\
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
    text.push_str(&format!(
        "\n## Limits\n\nPairs of policy and PoP that are counted each for itself: {}. In a larger\n\
         deployment the policies behind those that fit are counted together as the policy `other`.\n",
        crate::limits::DECISION_PAIRS_MAX
    ));
    text
}

#[cfg(test)]
mod tests;
