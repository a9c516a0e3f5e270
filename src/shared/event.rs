//! Events of a server, in words: one line each, the same in every log.

use crate::health::event::HealthEvent;
use crate::health::health_state::Verdict;
use crate::health::load::event::LoadEvent;
use crate::rfc3339;
use crate::shared::command::Origin;
use crate::snapshot::Snapshot;
use crate::steer::ledger::Override;
use crate::steer::transition::Transition;
use std::fmt;

/// Author in events for readers that may be anyone.
const AN_OPERATOR: &str = "an operator";

/// Event for the logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server answers queries.
    Serving {
        /// State digest of the first snapshot.
        digest: String,
        /// Its files digest.
        files_digest: String,
    },
    /// A reload begins.
    ReloadStarted {
        /// Sender of the first request.
        origin: Origin,
        /// Number of requests that this run answers.
        requests: usize,
    },
    /// A reload put a new snapshot into service.
    Published {
        /// Its sequence number.
        sequence: u64,
        /// Its state digest.
        digest: String,
        /// Its files digest.
        files_digest: String,
        /// Lines of the difference.
        changes: usize,
        /// Duration of reading and compiling, in milliseconds.
        took_millis: u64,
    },
    /// A reload was refused; the snapshot before stays.
    Refused {
        /// Number of errors that refused it.
        errors: usize,
        /// Sequence number of the snapshot that stays.
        sequence: u64,
    },
    /// An override was set, or one that clears another.
    OverrideSet {
        /// Entry of the ledger.
        entry: Override,
        /// PoPs that it covers now.
        pops: Vec<String>,
    },
    /// A planned override begins, or a gradual one advances.
    OverrideProgress {
        /// Entry of the ledger.
        entry: Override,
        /// Part that has taken effect, in percent: 0 at the start, 100 when complete.
        percent: u8,
    },
    /// An override has reached its end.
    OverrideExpired {
        /// Entry of the ledger.
        entry: Override,
    },
    /// The wall clock was set.
    ClockStepped {
        /// Seconds of the change; negative for back.
        secs: i64,
    },
    /// End of a supervised task while the server runs. The task is restarted; with `exit_on_fault`
    /// the process ends.
    TaskEnded {
        /// Name of the task.
        task: &'static str,
        /// Reason, in words.
        why: String,
    },
    /// A task that had ended runs well again.
    TaskWell {
        /// Name of the task.
        task: &'static str,
    },
    /// The state folder has changed while the server runs, or is as before again.
    StateFolder {
        /// Sentence for the operator.
        sentence: String,
    },
    /// A zone is no longer served from its files, or is so again.
    Zone {
        /// Apex of the zone.
        zone: String,
        /// `kept`, `vanished`, `dead`, `current` or `gone`.
        standing: &'static str,
        /// Sentence for the operator.
        sentence: String,
    },
    /// A file in the folder of zones is not in force, but no zone fails for that; or this state has
    /// ended.
    StrayFile {
        /// Path of the file.
        file: String,
        /// `stray`, or `gone` if it was removed or is in force.
        standing: &'static str,
        /// Sentence for the operator.
        sentence: String,
    },
    /// The ledger of overrides needs an operator.
    LedgerAlarm {
        /// Sentence for the operator.
        sentence: String,
    },
    /// An operator has acknowledged the alarm.
    LedgerAcknowledged {
        /// User who acknowledged it.
        author: String,
    },
    /// Event of health.
    Health(HealthEvent),
    /// Event of load.
    Load(LoadEvent),
    /// The files for remembered health or load could not be read or written.
    MemoryFault {
        /// Sentence for the operator.
        sentence: String,
    },
    /// A question was put into quarantine, because the program panicked on a message.
    Quarantined {
        /// Sentence for the operator.
        sentence: String,
    },
    /// Strangers are shed for a while now, because more queries come than the workers take.
    OverloadBegan {
        /// Datagrams dropped so far.
        shed: u64,
        /// Known prefixes.
        known: usize,
        /// Lowest share of strangers that passed a filter so far, in percent.
        percent: u32,
    },
    /// No stranger is shed any more.
    OverloadEnded {
        /// Datagrams dropped.
        shed: u64,
        /// Seconds that it lasted.
        secs: u64,
        /// Lowest share of strangers that passed a filter, in percent.
        percent: u32,
    },
    /// Descriptors are short: a part uses the reserve of others, or the system refuses more.
    DescriptorsShort {
        /// Sentence for the operator.
        sentence: String,
    },
    /// Descriptors are no longer short.
    DescriptorsEnough,
    /// A signal stops the server.
    Stopping {
        /// Name of the signal.
        signal: &'static str,
    },
    /// The server has stopped.
    Stopped,
}

/// Saved state that an event of live state changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    /// Health.
    Health,
    /// Load, ramps, and the progress of overrides.
    Load,
}

impl Event {
    /// Saved state that must be written after the event.
    pub(crate) fn saved_in(&self) -> Option<Saved> {
        match self {
            Event::Health(_) => Some(Saved::Health),
            Event::OverrideProgress { .. } | Event::OverrideExpired { .. } => Some(Saved::Load),
            // Steps that move load save it.
            Event::Load(_)
            | Event::Serving { .. }
            | Event::ReloadStarted { .. }
            | Event::Published { .. }
            | Event::Refused { .. }
            | Event::OverrideSet { .. }
            | Event::ClockStepped { .. }
            | Event::TaskEnded { .. }
            | Event::TaskWell { .. }
            | Event::StateFolder { .. }
            | Event::Zone { .. }
            | Event::StrayFile { .. }
            | Event::LedgerAlarm { .. }
            | Event::LedgerAcknowledged { .. }
            | Event::MemoryFault { .. }
            | Event::Quarantined { .. }
            | Event::OverloadBegan { .. }
            | Event::OverloadEnded { .. }
            | Event::DescriptorsShort { .. }
            | Event::DescriptorsEnough
            | Event::Stopping { .. }
            | Event::Stopped => None,
        }
    }

    /// The event without authors, reasons, addresses of clients, paths and texts of faults, for
    /// readers that may be anyone.
    pub(crate) fn public(&self) -> Event {
        let anonymous = |entry: &Override| Override {
            author: AN_OPERATOR.into(),
            reason: "not shown".into(),
            ..entry.clone()
        };
        let mut public = self.clone();
        match &mut public {
            Event::ReloadStarted { origin: Origin::Control(author), .. } => *author = AN_OPERATOR.into(),
            Event::LedgerAcknowledged { author } => *author = AN_OPERATOR.to_owned(),
            Event::OverrideSet { entry, .. }
            | Event::OverrideProgress { entry, .. }
            | Event::OverrideExpired { entry } => *entry = anonymous(entry),
            Event::TaskEnded { why, .. } => *why = "a fault".to_owned(),
            Event::StateFolder { sentence } => *sentence = "the state folder has changed".to_owned(),
            Event::Zone { zone, standing, sentence } => {
                *sentence = format!("the zone `{zone}` is {standing}")
            }
            Event::StrayFile { file, standing, sentence } => {
                *sentence = format!("a file in the folder of zones is {standing}");
                file.clear();
            }
            Event::LedgerAlarm { sentence } => *sentence = "the ledger needs an operator".to_owned(),
            Event::MemoryFault { sentence } => {
                *sentence = "a file of remembered state could not be read or written".to_owned();
            }
            Event::Quarantined { sentence } => {
                *sentence = "a message made the program panic; questions like it are refused".to_owned();
            }
            Event::DescriptorsShort { sentence } => *sentence = "descriptors are short".to_owned(),
            Event::Health(HealthEvent::Turned { reason, .. }) => *reason = None,
            Event::Health(HealthEvent::OwnFault { why }) => *why = "a fault of this node".into(),
            Event::Load(LoadEvent::FeedLost { reason: Some(reason), .. }) => *reason = "a fault".into(),
            // These have numbers, digests, and names of PoPs, policies, probes and tasks.
            Event::ReloadStarted { origin: Origin::Signal, .. }
            | Event::Serving { .. }
            | Event::Published { .. }
            | Event::Refused { .. }
            | Event::ClockStepped { .. }
            | Event::TaskWell { .. }
            | Event::Health(_)
            | Event::Load(_)
            | Event::OverloadBegan { .. }
            | Event::OverloadEnded { .. }
            | Event::DescriptorsEnough
            | Event::Stopping { .. }
            | Event::Stopped => {}
        }
        public
    }

    /// Event of a server that starts to answer from a snapshot.
    pub(crate) fn serving(snapshot: &Snapshot) -> Event {
        Event::Serving {
            digest: snapshot.digest().to_string(),
            files_digest: snapshot.files_digest().to_string(),
        }
    }
}

impl Event {
    /// Begin or end of an overload in words.
    fn overload_words(&self) -> String {
        match self {
            Event::OverloadBegan { shed, known, percent } => format!(
                "overload of UDP: {known} known prefixes pass, of the others down to {percent} %; {shed} \
                 datagrams shed so far"
            ),
            Event::OverloadEnded { shed, secs, percent } => format!(
                "the overload of UDP ended after {secs} s: {shed} datagrams shed, of prefixes that are not \
                 known down to {percent} % passed"
            ),
            _ => String::new(),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Serving { digest, files_digest } => {
                write!(f, "serving snapshot 1, digest {digest}, files {files_digest}")
            }
            Event::ReloadStarted { origin, requests: 1 } => write!(f, "reload requested by {origin}"),
            Event::ReloadStarted { origin, requests } => {
                write!(f, "reload requested by {origin}, {requests} requests at once")
            }
            Event::Published { sequence, digest, files_digest, changes, took_millis } => {
                let changes = match changes {
                    0 => "nothing changed".to_owned(),
                    changes => format!("lines of difference: {changes}"),
                };
                write!(
                    f,
                    "published snapshot {sequence}, digest {digest}, files {files_digest}, {changes}, \
                     {took_millis} ms"
                )
            }
            Event::Refused { errors, sequence } => {
                write!(f, "reload refused, errors: {errors}; snapshot {sequence} stays in service")
            }
            Event::OverrideSet { entry, pops } => {
                let verb = if entry.action.hands_back() { "taken back" } else { "set" };
                let Override { author, reason, .. } = entry;
                let (words, pops) = (words(entry), pops.join(", "));
                write!(f, "override {verb}: {words}, by {author}: {reason}; PoPs: {pops}")
            }
            Event::OverrideProgress { entry, percent } => {
                write!(f, "override {}: {}, set by {}", stage(*percent), words(entry), entry.author)
            }
            Event::OverrideExpired { entry } => {
                write!(f, "override ended: {}, set by {}", words(entry), entry.author)
            }
            Event::ClockStepped { secs } => {
                let (way, secs) = (if *secs < 0 { "back" } else { "forward" }, secs.unsigned_abs());
                write!(f, "the wall clock was set {way} by {secs} s; overrides follow the new time")
            }
            Event::TaskEnded { task, why } => {
                write!(f, "the task `{task}` has ended: {why}; the server restarts the task")
            }
            Event::TaskWell { task } => write!(f, "the task `{task}` runs well again"),
            Event::StateFolder { sentence }
            | Event::Zone { sentence, .. }
            | Event::StrayFile { sentence, .. }
            | Event::LedgerAlarm { sentence }
            | Event::MemoryFault { sentence }
            | Event::Quarantined { sentence }
            | Event::DescriptorsShort { sentence } => f.write_str(sentence),
            Event::OverloadBegan { .. } | Event::OverloadEnded { .. } => f.write_str(&self.overload_words()),
            Event::LedgerAcknowledged { author } => write!(f, "ledger alarm acknowledged by {author}"),
            Event::Health(event) => event.fmt(f),
            Event::Load(event) => event.fmt(f),
            Event::DescriptorsEnough => f.write_str("descriptors are no longer short"),
            Event::Stopping { signal } => write!(f, "stopping on {signal}"),
            Event::Stopped => f.write_str("stopped"),
        }
    }
}

/// Progress of an override that takes effect.
fn stage(percent: u8) -> String {
    match percent {
        0 => "begins".to_owned(),
        100 => "in force".to_owned(),
        _ => format!("at {percent} %"),
    }
}

fn words(entry: &Override) -> String {
    let until = entry
        .until_epoch_secs
        .map(|until| format!(" until {}", rfc3339::date_time(until)))
        .unwrap_or_default();
    let Transition { start_epoch_secs, over_secs, .. } = entry.transition;
    let over = if over_secs > 0 { format!(" over {over_secs} s") } else { String::new() };
    let start = if start_epoch_secs > entry.set_epoch_secs {
        format!(" from {} on", rfc3339::date_time(start_epoch_secs))
    } else {
        String::new()
    };
    format!("{} {}{over}{start}{until}", entry.selector, entry.action)
}

impl Event {
    /// Kind of the event, a name for programs.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Event::Serving { .. } => "serving",
            Event::ReloadStarted { .. } => "reload_started",
            Event::Published { .. } => "published",
            Event::Refused { .. } => "refused",
            Event::OverrideSet { entry, .. } if entry.action.hands_back() => "override_cleared",
            Event::OverrideSet { .. } => "override_set",
            Event::OverrideProgress { percent: 0, .. } => "override_begun",
            Event::OverrideProgress { percent: 100, .. } => "override_done",
            Event::OverrideProgress { .. } => "override_progress",
            Event::OverrideExpired { .. } => "override_expired",
            Event::ClockStepped { .. } => "clock_stepped",
            Event::TaskEnded { .. } => "task_ended",
            Event::TaskWell { .. } => "task_well",
            Event::StateFolder { .. } => "state_folder",
            Event::Zone { .. } => "zone",
            Event::StrayFile { .. } => "stray_file",
            Event::LedgerAlarm { .. } => "ledger_alarm",
            Event::LedgerAcknowledged { .. } => "ledger_acknowledged",
            Event::Health(event) => match event {
                HealthEvent::Turned { now: Verdict::Down, .. } => "target_down",
                HealthEvent::Turned { .. } => "target_up",
                HealthEvent::Frozen { .. } => "health_frozen",
                HealthEvent::Thawed { .. } => "health_thawed",
                HealthEvent::FreezeSpent { .. } => "freeze_spent",
                HealthEvent::Held { .. } => "policy_held",
                HealthEvent::Released { .. } => "policy_released",
                HealthEvent::Damped { .. } => "target_damped",
                HealthEvent::DampingOver { .. } => "damping_over",
                HealthEvent::Returning { .. } => "policy_returning",
                HealthEvent::Returned { .. } => "policy_returned",
                HealthEvent::Certificate { .. } => "certificate",
                HealthEvent::OwnFault { .. } => "probes_without_result",
                HealthEvent::OwnFaultOver => "probes_with_result",
                HealthEvent::Lost { .. } => "events_lost",
            },
            Event::Load(event) => match event {
                LoadEvent::FeedLost { .. } => "feed_lost",
                LoadEvent::FeedBack { .. } => "feed_back",
                LoadEvent::Began { .. } => "shedding_began",
                LoadEvent::Ended { .. } => "shedding_ended",
                LoadEvent::NoRoom { .. } => "shedding_no_room",
                LoadEvent::HasRoom { .. } => "shedding_has_room",
                LoadEvent::Oscillates { .. } => "shedding_oscillates",
                LoadEvent::Calm { .. } => "shedding_calm",
                LoadEvent::Lost { .. } => "events_lost",
            },
            Event::MemoryFault { .. } => "memory_fault",
            Event::Quarantined { .. } => "quarantined",
            Event::OverloadBegan { .. } => "overload_began",
            Event::OverloadEnded { .. } => "overload_ended",
            Event::DescriptorsShort { .. } => "descriptors_short",
            Event::DescriptorsEnough => "descriptors_enough",
            Event::Stopping { .. } => "stopping",
            Event::Stopped => "stopped",
        }
    }
}
