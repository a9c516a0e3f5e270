//! Tests of the ledger.

use super::*;
use crate::finding::{At, FileId};
use proptest::prelude::*;

fn pop(name: &str, tags: &[&str]) -> Pop {
    Pop { tags: tags.iter().map(|tag| Arc::from(*tag)).collect(), ..Pop::bare(name, At::whole(FileId(0))) }
}

fn pops() -> Vec<Pop> {
    vec![pop("eu-ams", &["eu"]), pop("eu-fra", &["eu", "big"]), pop("us-iad", &["big"])]
}

fn entry(selector: &str, action: Action, until: Option<u64>) -> Override {
    Override {
        id: 0,
        selector: Selector::parse(selector).unwrap(),
        action,
        author: "ann".into(),
        reason: "a test".into(),
        set_epoch_secs: 1,
        until_epoch_secs: until,
        transition: Transition::default(),
    }
}

fn ledger(entries: &[(&str, Action, Option<u64>)]) -> Ledger {
    let mut ledger = Ledger::default();
    for (selector, action, until) in entries {
        ledger.add(entry(selector, *action, *until)).unwrap();
    }
    ledger
}

use AdminState::{Auto, Down, Drain, Up};

/// Names, patterns and tags cover what they say.
#[test]
fn selectors_cover_what_they_say() {
    for (text, covered) in [
        ("eu-fra", &["eu-fra"][..]),
        ("eu-*", &["eu-ams", "eu-fra"]),
        ("*", &["eu-ams", "eu-fra", "us-iad"]),
        ("*a?", &["us-iad"]),
        ("??-?ra", &["eu-fra"]),
        ("*-*a*", &["eu-ams", "eu-fra", "us-iad"]),
        ("tag:big", &["eu-fra", "us-iad"]),
        ("eu", &[]),
        ("tag:none", &[]),
    ] {
        let selector = Selector::parse(text).unwrap();
        let names: Vec<_> =
            pops().iter().filter(|pop| selector.covers(pop)).map(|pop| pop.name.to_string()).collect();
        assert_eq!(names, covered, "{text}");
        assert_eq!(selector.to_string(), text);
    }
    for text in ["", "tag:", "tag:e*", "a b", "fra\n", "\u{e9}", &"x".repeat(64)] {
        assert!(Selector::parse(text).is_err(), "{text}");
    }
}

/// States and weights of the three PoPs after some entries, at second 10.
#[test]
fn the_last_one_wins() {
    let state = Action::State;
    let weight = |w| Action::Weight(Some(w));
    for (entries, states, weights) in [
        (&[][..], [Auto, Auto, Auto], [100, 100, 100]),
        (&[("eu-*", state(Drain), None), ("eu-fra", state(Up), None)], [Drain, Up, Auto], [100; 3]),
        (&[("eu-fra", state(Up), None), ("eu-*", state(Drain), None)], [Drain, Drain, Auto], [100; 3]),
        (&[("eu-*", state(Drain), None), ("eu-fra", state(Auto), None)], [Drain, Auto, Auto], [100; 3]),
        (&[("tag:big", weight(5), None), ("us-iad", state(Down), None)], [Auto, Auto, Down], [100, 5, 5]),
        (&[("tag:big", weight(5), None), ("us-iad", Action::Weight(None), None)], [Auto; 3], [100, 5, 100]),
        (&[("*", state(Down), None), ("*", state(Drain), Some(10))], [Down; 3], [100; 3]),
        (&[("*", state(Down), None), ("*", state(Drain), Some(11))], [Drain; 3], [100; 3]),
    ] {
        let effective = ledger(entries).effective(&pops(), 10);
        assert_eq!(effective.iter().map(|e| e.state).collect::<Vec<_>>(), states, "{entries:?}");
        assert_eq!(effective.iter().map(|e| e.weight).collect::<Vec<_>>(), weights, "{entries:?}");
    }
}

/// Taking back leaves nothing where nothing else was said.
#[test]
fn pruning_leaves_what_can_speak() {
    let state = Action::State;
    for (entries, left) in [
        (&[("eu-fra", state(Drain), None), ("eu-fra", state(Auto), None)][..], 0),
        (&[("eu-*", state(Drain), None), ("eu-fra", state(Auto), None)], 2),
        (&[("eu-*", state(Drain), None), ("us-iad", state(Auto), None)], 1),
        (&[("eu-fra", state(Drain), None), ("eu-*", state(Auto), None)], 0),
        (&[("eu-fra", state(Drain), None), ("eu-fra", state(Up), Some(5))], 2),
        (&[("eu-fra", state(Drain), Some(5)), ("eu-fra", state(Up), None)], 1),
        (&[("eu-fra", state(Drain), None), ("eu-fra", Action::Weight(Some(1)), None)], 2),
    ] {
        let mut ledger = ledger(entries);
        ledger.prune(0);
        assert_eq!(ledger.entries().len(), left, "{entries:?}");
    }
}

/// A ledger takes no texts that its file could not show on one line, and no more than it can hold.
#[test]
fn the_ledger_is_bounded() {
    let mut ledger = Ledger::default();
    let with = |reason: &str| Override { reason: reason.into(), ..entry("a", Action::State(Down), None) };
    assert!(ledger.add(with("two\nlines")).is_err());
    assert!(ledger.add(with(&"x".repeat(REASON_OCTETS_MAX + 1))).is_err());
    for _ in 0..OVERRIDES_MAX {
        ledger.add(with("fine")).unwrap();
    }
    assert!(ledger.add(with("fine")).is_err());
}

fn entries() -> impl Strategy<Value = Vec<(&'static str, Action, Option<u64>)>> {
    let selector =
        prop::sample::select(vec!["eu-ams", "eu-fra", "us-iad", "eu-*", "*", "tag:eu", "tag:big", "new"]);
    let action = prop_oneof![
        prop::sample::select(vec![Auto, Up, Down, Drain]).prop_map(Action::State),
        prop::option::of(0u32..3).prop_map(Action::Weight)
    ];
    prop::collection::vec((selector, action, prop::option::of(1u64..12)), 0..12)
}

fn said(ledger: &Ledger, now: u64) -> Vec<(AdminState, u32)> {
    let mut pops = pops();
    pops.push(pop("new", &["eu"]));
    ledger.effective(&pops, now).iter().map(|e| (e.state, e.weight)).collect()
}

proptest! {
    /// A later entry without an end decides for the PoPs it covers, and for no others.
    #[test]
    fn later_wins(entries in entries(), now in 0u64..12) {
        let before = ledger(&entries);
        let mut after = before.clone();
        after.add(entry("eu-*", Action::State(Down), None)).unwrap();
        for ((was, is), pop) in
            before.effective(&pops(), now).iter().zip(after.effective(&pops(), now)).zip(pops())
        {
            if pop.name.starts_with("eu-") {
                prop_assert_eq!(is.state, Down)
            } else {
                prop_assert_eq!(is.state, was.state)
            }
            prop_assert_eq!(is.weight, was.weight);
        }
    }

    /// Pruning changes no PoP at any moment, and expiring changes nothing from its moment on.
    #[test]
    fn pruning_and_expiring_change_nothing(entries in entries(), at in 0u64..12) {
        let whole = ledger(&entries);
        let mut pruned = whole.clone();
        pruned.prune(0);
        let mut expired = whole.clone();
        expired.expire(at);
        for now in 0..13 {
            prop_assert_eq!(said(&whole, now), said(&pruned, now));
            if now >= at {
                prop_assert_eq!(said(&whole, now), said(&expired, now));
            }
        }
    }

    /// Once an entry has ended, every PoP is as though it had never been said.
    #[test]
    fn expiry_restores(entries in entries()) {
        let before = ledger(&entries);
        let mut with = before.clone();
        with.add(entry("*", Action::State(Down), Some(5))).unwrap();
        prop_assert!(said(&with, 4).iter().all(|(state, _)| *state == Down));
        for now in 5..13 {
            prop_assert_eq!(said(&before, now), said(&with, now));
        }
    }
}

/// An entry that begins at second 10 and takes a time, said at second 1 unless it is gradual from
/// second 10 on.
fn gradual(action: Action, over_secs: u64, from: u32) -> Override {
    let transition = Transition { start_epoch_secs: 10, over_secs, from };
    Override { set_epoch_secs: 10, transition, ..entry("eu-fra", action, None) }
}

fn fra(ledger: &Ledger, now: u64) -> Effective {
    ledger.effective(&pops(), now)[1]
}

/// A drain lets cells leave and then drains; a ramp from where it stands brings back the same,
/// `auto` all at once; an end counts from the last step.
#[test]
fn a_gradual_drain_and_its_ramp() {
    let mut ledger = Ledger::default();
    ledger.add(Override { until_epoch_secs: Some(300), ..gradual(Action::State(Drain), 256, 0) }).unwrap();
    for (now, state, left) in [
        (9, Auto, 0),
        (10, Auto, 0),
        (11, Auto, 1),
        (138, Auto, 128),
        (265, Auto, 255),
        (266, Drain, 0),
        (300, Auto, 0),
    ] {
        let is = fra(&ledger, now);
        assert_eq!((is.state, is.left), (state, left), "{now}");
    }
    assert!(fra(&ledger, 299).is_off() && !fra(&ledger, 200).is_off());
    let mut ramped = ledger.clone();
    let transition = Transition { start_epoch_secs: 138, over_secs: 64, from: 128 };
    ramped
        .add(Override { set_epoch_secs: 138, transition, ..entry("eu-*", Action::State(Auto), None) })
        .unwrap();
    ramped.prune(138);
    for (now, left) in [(138, 128), (170, 64), (201, 2), (202, 0), (290, 0)] {
        assert_eq!((fra(&ramped, now).state, fra(&ramped, now).left), (Auto, left), "{now}");
    }
    ramped.prune(202);
    assert!(ramped.entries().is_empty());
    ledger.add(entry("eu-fra", Action::State(Auto), None)).unwrap();
    assert_eq!((fra(&ledger, 138).left, fra(&ledger, 266).state), (0, Auto));
}

/// While cells leave slowly, the end of the entry below, which still holds, is a change too.
#[test]
fn the_end_below_a_gradual_drain_is_a_change() {
    let mut ledger = ledger(&[("eu-fra", Action::State(Up), Some(1_500))]);
    ledger.add(gradual(Action::State(Drain), 256_000, 0)).unwrap();
    let next = |now| fra(&ledger, now).next_epoch_secs;
    assert_eq!([next(1_009), next(1_010), next(1_500)], [Some(1_010), Some(1_500), Some(2_010)]);
    assert_eq!((fra(&ledger, 1_499).state, fra(&ledger, 1_500).state), (Up, Auto));
    assert_eq!([ledger.next_step(1_010, 60), ledger.next_step(1_440, 60)], [Some(1_440), Some(1_500)]);
}

/// Before a plan begins, what stands below it holds, also through pruning; a word for now takes it
/// back.
#[test]
fn plans_wait() {
    let mut ledger = ledger(&[("eu-*", Action::State(Up), None)]);
    ledger.add(Override { set_epoch_secs: 1, ..gradual(Action::State(Down), 0, 0) }).unwrap();
    ledger.prune(5);
    for (now, state, next) in [(5, Up, Some(10)), (9, Up, Some(10)), (10, Down, None)] {
        assert_eq!((fra(&ledger, now).state, fra(&ledger, now).next_epoch_secs), (state, next), "{now}");
    }
    let horizon = |now| fra(&ledger, now).status(now, 3).horizon_secs;
    assert_eq!(
        [horizon(5), horizon(6), horizon(7), horizon(9), horizon(10)],
        [NO_HORIZON, NO_HORIZON, 0, 0, NO_HORIZON]
    );
    assert_eq!(
        [ledger.next_step(0, 3), ledger.next_step(7, 3), ledger.next_step(10, 3)],
        [Some(7), Some(10), None]
    );
    let mut back = ledger.clone();
    back.add(entry("eu-fra", Action::State(Auto), None)).unwrap();
    assert_eq!((fra(&back, 5).next_epoch_secs, fra(&back, 20).state), (None, Auto));
}

fn gradual_entries() -> impl Strategy<Value = Vec<Override>> {
    let transition =
        (prop::sample::select(vec![0u64, 0, 1, 5, 9]), prop::sample::select(vec![0u64, 1, 4, 7]), 0u32..=256);
    let one = (entries(), transition).prop_map(|(entries, (start_epoch_secs, over_secs, from))| {
        let transition = Transition {
            start_epoch_secs,
            over_secs: if start_epoch_secs == 0 { 0 } else { over_secs },
            from,
        };
        entries
            .first()
            .map(|(selector, action, until)| Override { transition, ..entry(selector, *action, *until) })
    });
    prop::collection::vec(one, 0..8).prop_map(|all| all.into_iter().flatten().collect())
}

proptest! {
    /// Pruning changes no PoP from its moment on, whatever is planned and on its way.
    #[test]
    fn pruning_keeps_courses(entries in gradual_entries(), at in 0u64..20) {
        let mut whole = Ledger::default();
        for entry in entries {
            whole.add(entry).unwrap();
        }
        let mut pruned = whole.clone();
        pruned.prune(at);
        for now in at..25 {
            let said = |ledger: &Ledger| ledger
                .effective(&pops(), now)
                .iter()
                .map(|is| (is.state, is.weight, is.left))
                .collect::<Vec<_>>();
            prop_assert_eq!(said(&whole), said(&pruned), "at {}", now);
        }
    }

    /// In a drain no cell comes back, and in the ramp that follows none leaves again: each moves
    /// once in each direction.
    #[test]
    fn each_cell_moves_once(
        over in 1u64..600,
        turn in 0u64..700,
        cells in prop::collection::vec(any::<u64>(), 20),
    ) {
        let mut ledger = Ledger::default();
        ledger.add(gradual(Action::State(Drain), over, 0)).unwrap();
        let turn = 10 + turn;
        let from = if fra(&ledger, turn).is_off() { 256 } else { u32::from(fra(&ledger, turn).left) };
        let transition = Transition { start_epoch_secs: turn, over_secs: over, from };
        let mut ramped = ledger.clone();
        ramped
            .add(Override { set_epoch_secs: turn, transition, ..entry("eu-fra", Action::State(Auto), None) })
            .unwrap();
        let away = |ledger: &Ledger, now: u64, cell: u64| {
            let is = fra(ledger, now).status(now, 0);
            is.state == Drain || is.is_left_by(|| cell, 7)
        };
        for cell in cells {
            let leaves: Vec<bool> = (0..turn).map(|now| away(&ledger, now, cell)).collect();
            prop_assert!(leaves.is_sorted());
            let returns: Vec<bool> = (turn..turn + over + 1).map(|now| !away(&ramped, now, cell)).collect();
            prop_assert!(returns.is_sorted() && returns.last() == Some(&true));
            prop_assert!(away(&ramped, turn, cell) == away(&ledger, turn, cell), "nothing jumps at the turn");
        }
    }
}
