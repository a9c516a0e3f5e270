//! The ring: events by number, until newer ones replace them.

use super::*;

fn line(events: &RecentEvents, number: u64) -> Option<String> {
    match events.get(number) {
        Recent::Event(event) => Some(event.line.to_string()),
        Recent::NotYet | Recent::Gone => None,
    }
}

/// The ring keeps the newest events, and tells events that are gone from those to come.
#[test]
fn the_newest_are_kept() {
    let (events, most) = (RecentEvents::default(), RECENT_EVENTS as u64);
    assert_eq!((events.newest(), events.oldest(), events.get(1)), (0, 1, Recent::NotYet));
    (1..=most + 3).for_each(|number| events.push("zone", &number.to_string(), None, String::new));
    assert_eq!((events.newest(), events.oldest()), (most + 3, 4));
    assert_eq!(events.get(3), Recent::Gone);
    assert_eq!(line(&events, 4).as_deref(), Some("4"));
    assert_eq!(line(&events, most + 3), Some((most + 3).to_string()));
    assert_eq!(events.get(most + 4), Recent::NotYet);
}

/// A long line takes no more memory than a short one.
#[test]
fn long_lines_are_left_out() {
    let events = RecentEvents::default();
    events.push("zone", &"x".repeat(RECENT_EVENT_OCTETS_MAX), None, || "short".to_owned());
    events.push("zone", &"x".repeat(RECENT_EVENT_OCTETS_MAX + 1), None, || "short".to_owned());
    assert_eq!(line(&events, 1).map(|line| line.len()), Some(RECENT_EVENT_OCTETS_MAX));
    assert_eq!(line(&events, 2).as_deref(), Some("short"));
}

/// The name of a run stays.
#[test]
fn the_first_name_of_a_run_counts() {
    let events = RecentEvents::default();
    assert_eq!(events.run(), "0");
    events.name_run("a".to_owned());
    events.name_run("b".to_owned());
    assert_eq!(events.run(), "a");
}

/// An event keeps its public line beside the whole one.
#[test]
fn the_public_line_is_kept() {
    let events = RecentEvents::default();
    events.push("zone", "whole", Some("public"), String::new);
    let Recent::Event(event) = events.get(1) else { panic!("the event is there") };
    assert_eq!((&*event.line, event.public.as_deref()), ("whole", Some("public")));
}
