//! Tests of `zone_alarms`.

use super::*;
use crate::zone::source::{Standing, StrayFile, ZoneSource};

fn zone(apex: &str, standing: Standing) -> ZoneSource {
    ZoneSource { apex: Name::parse(apex, None).unwrap(), texts: Default::default(), standing }
}

fn stray(path: &str, why: &str) -> StrayFile {
    StrayFile { path: path.into(), zone: None, why: why.into() }
}

/// Zones with their standing, stray files with their reason, the expected events, and the start of
/// the active alarms.
type Step<'a> = (&'a [(&'a str, Standing)], &'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], &'a [u64]);

/// Each change is one event. An alarm keeps the time at which its zone or file first had a fault.
#[test]
fn what_is_new_is_told_once() {
    let kinds = |events: Vec<Event>| -> Vec<(String, &'static str)> {
        let of = |event| match event {
            Event::Zone { zone, standing, .. } => (zone, standing),
            Event::StrayFile { file, standing, .. } => (file, standing),
            other => panic!("{other}"),
        };
        events.into_iter().map(of).collect()
    };
    let mut alarms = ZoneAlarms::default();
    let current = |apex| (apex, Standing::Current);
    let steps: &[Step<'_>] = &[
        (&[current("a."), current("b.")], &[], &[], &[]),
        (&[("a.", Standing::Kept("x".into())), current("b.")], &[], &[("a.", "kept")], &[11]),
        (
            &[("a.", Standing::Kept("x".into())), ("b.", Standing::Dead("y".into()))],
            &[("a2.yaml", "a copy")],
            &[("b.", "dead"), ("a2.yaml", "stray")],
            &[11, 12, 12],
        ),
        // Another fault of the same zone.
        (
            &[("a.", Standing::Kept("z".into())), ("b.", Standing::Dead("y".into()))],
            &[("a2.yaml", "a copy")],
            &[("a.", "kept")],
            &[11, 12, 12],
        ),
        (
            &[current("b.")],
            &[("a2.yaml", "another reason"), ("a3.yaml", "a copy")],
            &[("a.", "gone"), ("b.", "current"), ("a2.yaml", "stray"), ("a3.yaml", "stray")],
            &[12, 14],
        ),
        (&[current("b.")], &[("a3.yaml", "a copy")], &[("a2.yaml", "gone")], &[14]),
    ];
    for (now, (zones, strays, told, since)) in (10..).zip(steps) {
        let folder = FolderStanding {
            zones: zones.iter().map(|(apex, standing)| zone(apex, standing.clone())).collect(),
            strays: strays.iter().map(|(path, why)| stray(path, why)).collect(),
        };
        let events = kinds(alarms.see(&folder, now));
        let told: Vec<(String, &str)> = told.iter().map(|(zone, is)| ((*zone).to_owned(), *is)).collect();
        assert_eq!(events, told, "at {now}");
        let mut view = OperatorView::default();
        alarms.show(&mut view);
        let stand: Vec<u64> = view.alarms.iter().map(|alarm| alarm.since_epoch_secs).collect();
        assert_eq!(&stand, since, "at {now}");
    }
}
