//! Each event is one line.

use super::*;

#[test]
fn events_read_as_sentences() {
    let subject = TargetName {
        probe: "web".into(),
        pop: "fra".into(),
        service: "default".into(),
        address: [192, 0, 2, 1].into(),
    };
    let turned = |reason: Option<&str>| HealthEvent::Turned {
        subject: subject.clone(),
        before: Verdict::Up,
        now: Verdict::Down,
        lasted_ms: 200_000,
        reason: reason.map(Arc::from),
    };
    for (event, line) in [
        (
            turned(Some("status 503")),
            "probe web of fra (default, 192.0.2.1) is down, was up for 3 min 20 s: status 503",
        ),
        (turned(None), "probe web of fra (default, 192.0.2.1) is down, was up for 3 min 20 s"),
        (
            HealthEvent::Frozen { family: IpFamily::V4, canaries: 2, at_most_ms: 7_320_000 },
            "all 2 canaries of IPv4 fail: its verdicts are frozen for at most 2 h 2 min",
        ),
        (
            HealthEvent::Thawed { family: IpFamily::V6, lasted_ms: 850 },
            "a canary of IPv6 answers after 850 ms: its verdicts move again",
        ),
        (
            HealthEvent::Held { policy: "web".into(), fallen: 3, of: 5, at_most_ms: 59_000 },
            "policy web: 3 of 5 PoPs went down together: it keeps the state before for at most 59 s",
        ),
        (
            HealthEvent::Damped { subject: subject.clone(), turns: 7, window_ms: 600_000, for_ms: 60_000 },
            "probe web of fra (default, 192.0.2.1) flaps, 7 turns within 10 min 0 s: it is a last resort for \
             1 min 0 s",
        ),
        (
            HealthEvent::DampingOver { subject: subject.clone(), lasted_ms: 60_000 },
            "probe web of fra (default, 192.0.2.1) is no last resort any more, after 1 min 0 s",
        ),
        (
            HealthEvent::Certificate { subject: subject.clone(), days: -1 },
            "probe web of fra (default, 192.0.2.1): the certificate has expired",
        ),
    ] {
        assert_eq!(event.to_string(), line);
        assert_eq!(
            event.is_alarm(),
            matches!(
                event,
                HealthEvent::Frozen { .. } | HealthEvent::Held { .. } | HealthEvent::Damped { .. }
            )
        );
    }
}
