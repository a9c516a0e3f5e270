//! Alarm: a sentence that stands until its cause is gone, with the key of its cause.

use crate::health::canary::IpFamily;
use crate::health::load::event::LoadSubject;
use crate::shared::task::Task;
use crate::wire::name::Name;
use std::sync::Arc;

/// Cause of an alarm. Alarms of one part of the server stand in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AlarmKey {
    /// Health.
    Health(HealthAlarm),
    /// A load feed gives no readings.
    FeedLost(LoadSubject),
    /// Cells should leave a PoP, and no other has room for them.
    NoRoom(LoadSubject),
    /// The shed share of a PoP turns too often.
    ShedOscillates(LoadSubject),
    /// Overrides break a safety rule, which is named by its words.
    SafetyRule(String),
    /// A zone is not served as its files say.
    Zone(Name),
    /// A file in the folder of zones is not in force.
    StrayFile(Arc<str>),
    /// The ledger of overrides was damaged (`meridian_ledger_alarm`).
    LedgerDamaged,
    /// The disk of the state folder does not answer.
    StateDiskHangs,
    /// The disk does not have the overrides in force.
    LedgerUnsaved,
    /// The state folder is not as it should be.
    StateFolder,
    /// Descriptors are short.
    DescriptorsShort,
    /// Questions are refused, because the program has panicked on messages like them.
    Quarantine,
    /// A supervised task has ended by a fault.
    TaskEnded(Task),
    /// A supervised task has not moved for long.
    TaskStill(Task),
    /// A UDP worker, by its number, has not moved for long.
    WorkerStill(usize),
}

/// Cause of an alarm of health.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HealthAlarm {
    /// All canaries of an address family fail.
    CanariesFail(IpFamily),
    /// Targets flap: one alarm for all, because a broken path makes many flap.
    TargetsFlap,
    /// Checks have no result, by the node's own trouble.
    NoResults,
    /// The panic guard holds a policy.
    PolicyHeld(Arc<str>),
}

/// Part of the server that raises an alarm, and that alone ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlarmOwner {
    /// Health of live state: by events of the monitor, and by its state at each view.
    Health,
    /// Load of live state: by events of feeds, and by their state at each view.
    Load,
    /// Derived parts of the operator view: made anew for each view.
    Standing,
    /// Alarms of zones of the writer: by the zone folder of each snapshot.
    Zones,
    /// Alarms of the ledger of the writer: by saves, and by the keeper of the state folder.
    Ledger,
    /// Watch of the descriptors.
    Descriptors,
    /// Quarantine: by panics of the transports, until the last entry ends.
    Quarantine,
    /// Board of tasks: by the supervisor, and by the heartbeats.
    Tasks,
}

impl AlarmKey {
    /// Part of the server that raises and ends the alarm.
    pub(crate) fn owner(&self) -> AlarmOwner {
        match self {
            AlarmKey::Health(_) => AlarmOwner::Health,
            AlarmKey::FeedLost(_) | AlarmKey::NoRoom(_) | AlarmKey::ShedOscillates(_) => AlarmOwner::Load,
            AlarmKey::SafetyRule(_) => AlarmOwner::Standing,
            AlarmKey::Zone(_) | AlarmKey::StrayFile(_) => AlarmOwner::Zones,
            AlarmKey::LedgerDamaged
            | AlarmKey::StateDiskHangs
            | AlarmKey::LedgerUnsaved
            | AlarmKey::StateFolder => AlarmOwner::Ledger,
            AlarmKey::DescriptorsShort => AlarmOwner::Descriptors,
            AlarmKey::Quarantine => AlarmOwner::Quarantine,
            AlarmKey::TaskEnded(_) | AlarmKey::TaskStill(_) | AlarmKey::WorkerStill(_) => AlarmOwner::Tasks,
        }
    }
}

/// Alarm that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    /// Cause.
    pub(crate) key: AlarmKey,
    /// Sentence for operators.
    pub(crate) sentence: String,
    /// Moment at which it was raised, in seconds since 1970.
    pub(crate) since_epoch_secs: u64,
}
