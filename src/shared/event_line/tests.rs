//! Lines of the event log: the keys that programs read.

use super::*;
use crate::health::canary::IpFamily;
use crate::health::health_state::Verdict;
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
