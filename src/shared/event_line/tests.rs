//! Lines of the event log: the keys that programs read.

use super::*;
use crate::health::canary::IpFamily;
use crate::health::health_state::Verdict;
use crate::shared::command::Origin;
use crate::steer::ledger::{Action, Override, Selector};
use crate::steer::pop::AdminState;
use crate::steer::transition::Transition;

/// Lines of events with and without fields of their own: programs read these keys.
#[test]
fn a_line_is_an_object_with_the_fields_of_its_kind() {
    let entry = Override {
        id: 1,
        selector: Selector::Pop("fra".into()),
        action: Action::State(AdminState::Drain),
        author: "ops".into(),
        reason: "works".into(),
        set_epoch_secs: 1_000_000_000,
        until_epoch_secs: None,
        transition: Transition::default(),
    };
    let target = TargetName {
        probe: "web".into(),
        pop: "fra".into(),
        service: "default".into(),
        address: "192.0.2.1".parse().unwrap(),
    };
    let rows = [
        (Event::Stopped, r#"{"kind":"stopped","sequence":7,"text":"stopped","time":"2001-09-09T01:46:40Z"}"#),
        (
            Event::Refused { errors: 2, sequence: 7 },
            concat!(
                r#"{"errors":2,"kind":"refused","sequence":7,"#,
                r#""text":"reload refused, errors: 2; snapshot 7 stays in service","#,
                r#""time":"2001-09-09T01:46:40Z"}"#,
            ),
        ),
        (
            Event::OverrideSet { entry, pops: vec!["fra".to_owned()] },
            concat!(
                r#"{"kind":"override_set","override":{"action":"drain","author":"ops","done":null,"#,
                r#""over_secs":0,"pops":"fra","reason":"works","set":"2001-09-09T01:46:40Z","#,
                r#""start":null,"until":null},"pops":["fra"],"sequence":7,"#,
                r#""text":"override set: fra drain, by ops: works; PoPs: fra","#,
                r#""time":"2001-09-09T01:46:40Z"}"#,
            ),
        ),
        (
            Event::Health(HealthEvent::Turned {
                subject: target,
                before: Verdict::Up,
                now: Verdict::Down,
                lasted_ms: 1_500,
                reason: None,
            }),
            concat!(
                r#""lasted_ms":1500,"reason":null,"sequence":7,"#,
                r#""target":{"address":"192.0.2.1","pop":"fra","probe":"web","service":"default"},"#,
            ),
        ),
        (
            Event::Health(HealthEvent::Thawed { family: IpFamily::V4, lasted_ms: 9 }),
            r#"{"family":"IPv4","kind":"health_thawed","lasted_ms":9,"#,
        ),
        (
            Event::Load(LoadEvent::FeedLost {
                subject: LoadSubject { pop: "fra".into(), service: None },
                reason: Some("refused".into()),
            }),
            r#"{"feed":{"pop":"fra","service":null},"kind":"feed_lost","reason":"refused","#,
        ),
    ];
    for (event, expected) in rows {
        let line = event.line(1_000_000_000, 7);
        assert!(line.contains(expected), "{line}\nlacks\n{expected}");
    }
}

/// The public form of an event has no author, no reason, no client address, no path and no text of
/// a fault.
#[test]
fn public_events_have_no_secrets() {
    let entry = Override {
        id: 1,
        selector: Selector::Pop("fra".into()),
        action: Action::State(AdminState::Drain),
        author: "SECRET".into(),
        reason: "SECRET".into(),
        set_epoch_secs: 1_000_000_000,
        until_epoch_secs: None,
        transition: Transition::default(),
    };
    let subject = || TargetName {
        probe: "web".into(),
        pop: "fra".into(),
        service: "default".into(),
        address: "192.0.2.1".parse().unwrap(),
    };
    let load = || LoadSubject { pop: "fra".into(), service: None };
    let (secret, sentence) = (|| "SECRET".to_owned(), || "SECRET".to_owned());
    let events = [
        Event::ReloadStarted { origin: Origin::Control("SECRET".into()), requests: 1 },
        Event::OverrideSet { entry: entry.clone(), pops: vec!["fra".to_owned()] },
        Event::OverrideProgress { entry: entry.clone(), percent: 50 },
        Event::OverrideExpired { entry },
        Event::TaskEnded { task: "events", why: secret() },
        Event::StateFolder { sentence: sentence() },
        Event::Zone { zone: "z.example.".to_owned(), standing: "kept", sentence: sentence() },
        Event::StrayFile { file: secret(), standing: "stray", sentence: sentence() },
        Event::LedgerAlarm { sentence: sentence() },
        Event::LedgerAcknowledged { author: secret() },
        Event::MemoryFault { sentence: sentence() },
        Event::Quarantined { sentence: sentence() },
        Event::DescriptorsShort { sentence: sentence() },
        Event::Health(HealthEvent::OwnFault { why: "SECRET".into() }),
        Event::Health(HealthEvent::Turned {
            subject: subject(),
            before: Verdict::Up,
            now: Verdict::Down,
            lasted_ms: 1,
            reason: Some("SECRET".into()),
        }),
        Event::Load(LoadEvent::FeedLost { subject: load(), reason: Some("SECRET".into()) }),
    ];
    for event in events {
        let (whole, public) = (event.line(1_000_000_000, 7), event.public().line(1_000_000_000, 7));
        assert!(whole.contains("SECRET") && !public.contains("SECRET"), "{public}");
        assert_eq!(event.public().kind(), event.kind());
        let public: serde_json::Value = serde_json::from_str(&public).expect("JSON");
        assert!(public["text"].as_str().is_some_and(|text| !text.is_empty()), "{public}");
    }
    assert_eq!(Event::Stopped.public(), Event::Stopped);
}
