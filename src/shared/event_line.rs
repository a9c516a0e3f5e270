//! Line of the event log: an event as one JSON object, for programs.

use crate::health::event::{HealthEvent, TargetName};
use crate::health::load::event::{LoadEvent, LoadSubject};
use crate::rfc3339;
use crate::shared::event::Event;
use crate::shared::override_entry::OverrideEntry;
use serde::Serialize;
use std::net::IpAddr;

/// Line of an event. Its keys come out in alphabetical order, because it goes through a `Value`.
#[derive(Serialize)]
struct Line<'e> {
    time: String,
    sequence: u64,
    kind: &'static str,
    text: String,
    #[serde(flatten)]
    fields: Fields<'e>,
}

/// Fields of a kind of event, behind those of every line.
#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'e> {
    None {},
    Serving {
        digest: &'e str,
        files_digest: &'e str,
    },
    ReloadStarted {
        origin: String,
        requests: usize,
    },
    Published {
        digest: &'e str,
        files_digest: &'e str,
        changes: usize,
        took_millis: u64,
    },
    Refused {
        errors: usize,
    },
    OverrideSet {
        #[serde(rename = "override")]
        entry: OverrideEntry,
        pops: &'e [String],
    },
    OverrideProgress {
        #[serde(rename = "override")]
        entry: OverrideEntry,
        percent: u8,
    },
    OverrideExpired {
        #[serde(rename = "override")]
        entry: OverrideEntry,
    },
    ClockStepped {
        secs: i64,
    },
    TaskEnded {
        task: &'e str,
        why: &'e str,
    },
    TaskWell {
        task: &'e str,
    },
    Zone {
        zone: &'e str,
        standing: &'e str,
    },
    StrayFile {
        file: &'e str,
        standing: &'e str,
    },
    LedgerAcknowledged {
        author: &'e str,
    },
    OverloadBegan {
        shed: u64,
        known_prefixes: usize,
        share_percent: u32,
    },
    OverloadEnded {
        shed: u64,
        lasted_secs: u64,
        share_percent: u32,
    },
    Stopping {
        signal: &'e str,
    },
    FeedLost {
        feed: Feed<'e>,
        reason: Option<&'e str>,
    },
    Shedding {
        feed: Feed<'e>,
        utilisation_percent: u32,
    },
    Feed {
        feed: Feed<'e>,
    },
    Turned {
        target: Target<'e>,
        lasted_ms: u64,
        reason: Option<&'e str>,
    },
    Frozen {
        family: String,
        canaries: u32,
        at_most_ms: u64,
    },
    FreezeOver {
        family: String,
        lasted_ms: u64,
    },
    Held {
        policy: &'e str,
        fallen: u32,
        of: u32,
        at_most_ms: u64,
    },
    Released {
        policy: &'e str,
        lasted_ms: u64,
    },
    Damped {
        target: Target<'e>,
        turns: u16,
        window_ms: u64,
        for_ms: u64,
    },
    DampingOver {
        target: Target<'e>,
        lasted_ms: u64,
    },
    Returning {
        policy: &'e str,
        fence: &'e str,
        up: u32,
        of: u32,
        at_most_ms: u64,
    },
    Returned {
        policy: &'e str,
        fence: &'e str,
        lasted_ms: u64,
    },
    OwnFault {
        why: &'e str,
    },
    Certificate {
        target: Target<'e>,
        days: i32,
    },
    Lost {
        events: u64,
    },
}

/// Load feed of an event.
#[derive(Serialize)]
struct Feed<'e> {
    pop: &'e str,
    service: Option<&'e str>,
}

impl<'e> Feed<'e> {
    fn of(subject: &'e LoadSubject) -> Feed<'e> {
        Feed { pop: &subject.pop, service: subject.service.as_deref() }
    }
}

/// Target of a probe, of an event.
#[derive(Serialize)]
struct Target<'e> {
    probe: &'e str,
    pop: &'e str,
    service: &'e str,
    address: IpAddr,
}

impl<'e> Target<'e> {
    fn of(subject: &'e TargetName) -> Target<'e> {
        let TargetName { probe, pop, service, address } = subject;
        Target { probe, pop, service, address: *address }
    }
}

impl Event {
    /// One line of the event log, without its end: time, snapshot, kind, sentence, and the fields
    /// of the kind.
    pub(crate) fn line(&self, epoch_secs: u64, sequence: u64) -> String {
        let line = Line {
            time: rfc3339::date_time(epoch_secs),
            sequence,
            kind: self.kind(),
            text: self.to_string(),
            fields: self.fields(),
        };
        // Strings and numbers always have a JSON form.
        serde_json::to_value(line).unwrap_or_default().to_string()
    }

    /// The line without its sentence and its fields, for readers that take no long lines.
    pub(crate) fn short_line(&self, epoch_secs: u64, sequence: u64) -> String {
        let line = Line {
            time: rfc3339::date_time(epoch_secs),
            sequence,
            kind: self.kind(),
            text: "the event log has this event, which is too long".to_owned(),
            fields: Fields::None {},
        };
        serde_json::to_value(line).unwrap_or_default().to_string()
    }

    fn fields(&self) -> Fields<'_> {
        match self {
            Event::Serving { digest, files_digest } => Fields::Serving { digest, files_digest },
            Event::ReloadStarted { origin, requests } => {
                Fields::ReloadStarted { origin: origin.to_string(), requests: *requests }
            }
            Event::Published { digest, files_digest, changes, took_millis, .. } => {
                Fields::Published { digest, files_digest, changes: *changes, took_millis: *took_millis }
            }
            Event::Refused { errors, .. } => Fields::Refused { errors: *errors },
            Event::OverrideSet { entry, pops } => {
                Fields::OverrideSet { entry: OverrideEntry::of(entry), pops }
            }
            Event::OverrideProgress { entry, percent } => {
                Fields::OverrideProgress { entry: OverrideEntry::of(entry), percent: *percent }
            }
            Event::OverrideExpired { entry } => Fields::OverrideExpired { entry: OverrideEntry::of(entry) },
            Event::ClockStepped { secs } => Fields::ClockStepped { secs: *secs },
            Event::TaskEnded { task, why } => Fields::TaskEnded { task, why },
            Event::TaskWell { task } => Fields::TaskWell { task },
            Event::Zone { zone, standing, .. } => Fields::Zone { zone, standing },
            Event::StrayFile { file, standing, .. } => Fields::StrayFile { file, standing },
            Event::LedgerAcknowledged { author } => Fields::LedgerAcknowledged { author },
            Event::OverloadBegan { shed, known, percent } => {
                Fields::OverloadBegan { shed: *shed, known_prefixes: *known, share_percent: *percent }
            }
            Event::OverloadEnded { shed, secs, percent } => {
                Fields::OverloadEnded { shed: *shed, lasted_secs: *secs, share_percent: *percent }
            }
            Event::Health(event) => of_health(event),
            Event::Load(event) => of_load(event),
            Event::Stopping { signal } => Fields::Stopping { signal },
            Event::StateFolder { .. }
            | Event::LedgerAlarm { .. }
            | Event::MemoryFault { .. }
            | Event::Quarantined { .. }
            | Event::DescriptorsShort { .. }
            | Event::DescriptorsEnough
            | Event::Stopped => Fields::None {},
        }
    }
}

fn of_load(event: &LoadEvent) -> Fields<'_> {
    match event {
        LoadEvent::FeedLost { subject, reason } => {
            Fields::FeedLost { feed: Feed::of(subject), reason: reason.as_deref() }
        }
        LoadEvent::Began { subject, utilisation_percent }
        | LoadEvent::NoRoom { subject, utilisation_percent } => {
            Fields::Shedding { feed: Feed::of(subject), utilisation_percent: *utilisation_percent }
        }
        LoadEvent::FeedBack { subject }
        | LoadEvent::HasRoom { subject }
        | LoadEvent::Ended { subject }
        | LoadEvent::Oscillates { subject }
        | LoadEvent::Calm { subject } => Fields::Feed { feed: Feed::of(subject) },
        LoadEvent::Lost { events } => Fields::Lost { events: *events },
    }
}

fn of_health(event: &HealthEvent) -> Fields<'_> {
    match event {
        HealthEvent::Turned { subject, lasted_ms, reason, .. } => {
            Fields::Turned { target: Target::of(subject), lasted_ms: *lasted_ms, reason: reason.as_deref() }
        }
        HealthEvent::Frozen { family, canaries, at_most_ms } => {
            Fields::Frozen { family: family.to_string(), canaries: *canaries, at_most_ms: *at_most_ms }
        }
        HealthEvent::Thawed { family, lasted_ms } | HealthEvent::FreezeSpent { family, lasted_ms } => {
            Fields::FreezeOver { family: family.to_string(), lasted_ms: *lasted_ms }
        }
        HealthEvent::Held { policy, fallen, of, at_most_ms } => {
            Fields::Held { policy, fallen: *fallen, of: *of, at_most_ms: *at_most_ms }
        }
        HealthEvent::Released { policy, lasted_ms, .. } => Fields::Released { policy, lasted_ms: *lasted_ms },
        HealthEvent::Damped { subject, turns, window_ms, for_ms } => Fields::Damped {
            target: Target::of(subject),
            turns: *turns,
            window_ms: *window_ms,
            for_ms: *for_ms,
        },
        HealthEvent::DampingOver { subject, lasted_ms } => {
            Fields::DampingOver { target: Target::of(subject), lasted_ms: *lasted_ms }
        }
        HealthEvent::Returning { policy, pool, up, of, at_most_ms } => {
            Fields::Returning { policy, fence: pool, up: *up, of: *of, at_most_ms: *at_most_ms }
        }
        HealthEvent::Returned { policy, pool, lasted_ms } => {
            Fields::Returned { policy, fence: pool, lasted_ms: *lasted_ms }
        }
        HealthEvent::OwnFault { why } => Fields::OwnFault { why },
        HealthEvent::OwnFaultOver => Fields::None {},
        HealthEvent::Certificate { subject, days } => {
            Fields::Certificate { target: Target::of(subject), days: *days }
        }
        HealthEvent::Lost { events } => Fields::Lost { events: *events },
    }
}

#[cfg(test)]
mod tests;
