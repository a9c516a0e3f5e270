//! Tests of the way back.

use super::*;

const HOLD_MS: u64 = 60_000;

fn pool(share_percent: u8, probe_ms: u64) -> WayBack {
    WayBack::new(PanicGuard { share_percent, ..PanicGuard::default() }, probe_ms)
}

fn census(up: u32, of: u32) -> Census {
    Census { of, up, fallen: of - up, is_served: false }
}

/// Rows of moment, PoPs that are up, PoPs that count, and true if the pool returns then.
#[test]
fn it_begins_with_the_first_and_ends_with_the_share_or_the_time() {
    for (what, share, rows) in [
        (
            "more than half are up",
            50,
            &[(0, 0, 5, false), (1, 1, 5, true), (2, 2, 5, true), (3, 3, 5, false)][..],
        ),
        ("half is not more than half", 50, &[(0, 0, 4, false), (1, 2, 4, true), (2, 3, 4, false)]),
        (
            "the time is over",
            50,
            &[(0, 0, 5, false), (1, 1, 5, true), (10_000, 1, 5, true), (10_001, 1, 5, false)],
        ),
        (
            "all fall again: it begins anew",
            50,
            &[
                (0, 0, 3, false),
                (1, 1, 3, true),
                (2, 0, 3, false),
                (9_000, 1, 3, true),
                (19_000, 1, 3, false),
            ],
        ),
        ("all come at once", 50, &[(0, 0, 3, false), (1, 3, 3, false)]),
        ("two PoPs believe their probes", 50, &[(0, 0, 2, false), (1, 1, 2, false)]),
        (
            "an operator decides about the others",
            50,
            &[(0, 0, 3, false), (1, 1, 3, true), (2, 1, 2, true), (3, 1, 1, false)],
        ),
        ("nothing was down", 50, &[(0, 3, 3, false), (1, 1, 3, false)]),
        ("a share of its own", 30, &[(0, 0, 10, false), (1, 3, 10, true), (2, 4, 10, false)]),
        ("the guard is off", 100, &[(0, 0, 5, false), (1, 1, 5, false)]),
    ] {
        let mut way_back = pool(share, 10_000);
        for (now, up, of, returns) in rows {
            way_back.judge(census(*up, *of), GuardState::Idle, Moment(*now));
            assert_eq!(way_back.returns_since_ms().is_some(), *returns, "{what}, at {now}");
        }
    }
}

/// Its limit is that of the slowest probe, and at most that of a hold.
#[test]
fn its_time() {
    for (probe_ms, expected) in [(10_000, 10_000), (3_600_000, HOLD_MS)] {
        let mut way_back = pool(50, probe_ms);
        way_back.judge(census(0, 3), GuardState::Idle, Moment(5));
        let begun = way_back.judge(census(1, 3), GuardState::Idle, Moment(7));
        assert_eq!(begun, Some(WayBackChange::Begun { at_most_ms: expected }));
        assert_eq!(way_back.next_wake(), Some(Moment(7 + expected)));
        let ended = way_back.judge(census(1, 3), GuardState::Idle, Moment(7 + expected));
        assert_eq!(ended, Some(WayBackChange::Ended { lasted_ms: expected }));
    }
}

/// While the guard holds the policy no way back begins; it begins at the end of the hold, if all
/// were down meanwhile.
#[test]
fn behind_a_hold() {
    let mut way_back = pool(50, 10_000);
    way_back.judge(census(0, 3), GuardState::Holding, Moment(0));
    assert_eq!(way_back.judge(census(1, 3), GuardState::Holding, Moment(1_000)), None);
    assert!(matches!(
        way_back.judge(census(1, 3), GuardState::Idle, Moment(2_000)),
        Some(WayBackChange::Begun { .. })
    ));
    let mut recovered = pool(50, 10_000);
    recovered.judge(census(0, 3), GuardState::Holding, Moment(0));
    recovered.judge(census(2, 3), GuardState::Holding, Moment(1_000));
    assert_eq!(recovered.judge(census(1, 3), GuardState::Idle, Moment(2_000)), None);
}

/// A hold that settles because PoPs came back needs no way back, also if exactly the share is back.
/// A fence with more than the share still down is on its way back.
#[test]
fn a_hold_that_settles_is_no_way_back() {
    for (what, share, back, returns) in [
        ("half of four", 50, census(2, 4), false),
        ("one of three, the share is 70 per cent", 70, census(1, 3), false),
        ("one of five, of which two were down before", 50, Census { fallen: 2, ..census(1, 5) }, false),
        ("one of a fence's three, by PoPs outside it", 50, census(1, 3), true),
        ("none of a fence's three", 50, census(0, 3), false),
    ] {
        let mut way_back = pool(share, 10_000);
        way_back.judge(census(0, back.of), GuardState::Holding, Moment(0));
        way_back.judge(back, GuardState::Holding, Moment(1_000));
        let change = way_back.judge(back, GuardState::Settled, Moment(1_000));
        assert_eq!(matches!(change, Some(WayBackChange::Begun { .. })), returns, "{what}");
        // No way back begins later.
        let change = way_back.judge(back, GuardState::Idle, Moment(2_000));
        assert_eq!(change, None, "{what}");
    }
}

/// With a PoP that serves by an operator's decision, the pool is not all down, and a way back ends.
#[test]
fn decisions_end_it() {
    let served = Census { is_served: true, ..census(0, 3) };
    let mut way_back = pool(50, 10_000);
    way_back.judge(served, GuardState::Idle, Moment(0));
    way_back.judge(census(1, 3), GuardState::Idle, Moment(1));
    assert_eq!(way_back.returns_since_ms(), None, "it was never all down");
    way_back.judge(census(0, 3), GuardState::Idle, Moment(2));
    way_back.judge(census(1, 3), GuardState::Idle, Moment(3));
    way_back.judge(Census { is_served: true, ..census(1, 3) }, GuardState::Idle, Moment(4));
    assert_eq!(way_back.returns_since_ms(), None);
}
