//! Identifiers of events, and the place where a reader goes on.

use super::*;
use crate::limits::RECENT_EVENTS;

#[test]
fn identifiers_are_read() {
    for (text, read) in [
        ("65a.1-7", Some(("65a.1", 7))),
        ("0-0", Some(("0", 0))),
        ("", None),
        ("7", None),
        ("-7", None),
        ("a-", None),
        ("a-x", None),
        ("a--1", None),
        ("g-1", None),
        ("a-18446744073709551616", None),
    ] {
        assert_eq!(Id::read(text), read.map(|(run, number)| Id { run, number }), "{text}");
    }
}

/// A reader goes on behind its last event, and learns that events are lost.
#[test]
fn readers_go_on() {
    let (events, most) = (RecentEvents::default(), RECENT_EVENTS as u64);
    events.name_run("a".to_owned());
    (0..most + 5).for_each(|_| events.push("zone", "{}", None, String::new));
    for (id, next, is_gap) in [
        (Id { run: "a", number: most + 5 }, most + 6, false),
        (Id { run: "a", number: most }, most + 1, false),
        (Id { run: "a", number: 5 }, 6, false),
        (Id { run: "a", number: 4 }, 6, true),
        (Id { run: "a", number: most + 6 }, 6, true),
        (Id { run: "a", number: u64::MAX }, 6, true),
        (Id { run: "b", number: most + 5 }, 6, true),
    ] {
        assert_eq!(id.start(&events), Start { next, is_gap });
    }
}
