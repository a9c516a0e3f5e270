//! Tests of `zone_alarms`.

use super::*;
use crate::zone::source::Standing;

fn zone(apex: &str, standing: Standing) -> ZoneSource {
    ZoneSource { apex: Name::parse(apex, None).unwrap(), texts: Default::default(), standing }
}

/// Zones with their standing, the events that follow, and since when alarms stand.
type Step<'a> = (&'a [(&'a str, Standing)], &'a [(&'a str, &'a str)], &'a [u64]);

/// What is new is an event, once; an alarm keeps the moment at which its zone left its files.
#[test]
fn what_is_new_is_told_once() {
    let kinds = |events: Vec<Event>| -> Vec<(String, &'static str)> {
        let of = |event| match event {
            Event::Zone { zone, standing, .. } => (zone, standing),
            other => panic!("{other}"),
        };
        events.into_iter().map(of).collect()
    };
    let mut alarms = ZoneAlarms::default();
    let steps: &[Step<'_>] = &[
        (&[("a.", Standing::Current), ("b.", Standing::Current)], &[], &[]),
        (&[("a.", Standing::Kept("x".into())), ("b.", Standing::Current)], &[("a.", "kept")], &[11]),
        (
            &[("a.", Standing::Kept("x".into())), ("b.", Standing::Dead("y".into()))],
            &[("b.", "dead")],
            &[11, 12],
        ),
        // Another fault of the same zone.
        (
            &[("a.", Standing::Kept("z".into())), ("b.", Standing::Dead("y".into()))],
            &[("a.", "kept")],
            &[11, 12],
        ),
        (&[("b.", Standing::Current)], &[("a.", "gone"), ("b.", "current")], &[]),
    ];
    for (now, (zones, told, since)) in (10..).zip(steps) {
        let sources: Vec<ZoneSource> =
            zones.iter().map(|(apex, standing)| zone(apex, standing.clone())).collect();
        let events = kinds(alarms.see(&sources, now));
        let told: Vec<(String, &str)> = told.iter().map(|(zone, is)| ((*zone).to_owned(), *is)).collect();
        assert_eq!(events, told, "at {now}");
        let mut view = OperatorView::default();
        alarms.show(&mut view);
        let stand: Vec<u64> = view.alarms.iter().map(|alarm| alarm.since_epoch_secs).collect();
        assert_eq!(&stand, since, "at {now}");
    }
}
