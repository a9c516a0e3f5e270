//! Tests of damping.

use super::*;
use proptest::prelude::*;

const LIMITS: FlapLimits = FlapLimits { turns: 6, window_ms: 600_000 };

fn at(secs: u64) -> Moment {
    Moment(secs * 1_000)
}

/// Six turns in ten minutes are allowed, the seventh damps; turns that have left the window do not
/// count.
#[test]
fn more_turns_than_the_limit_within_the_window() {
    let mut flap = Flap::default();
    for turn in 0..6 {
        assert_eq!(flap.turn(LIMITS, at(turn * 90)), None);
    }
    let mut slow = flap.clone();
    assert_eq!(flap.turn(LIMITS, at(600)), Some(FlapChange::Damped { turns: 7, for_ms: 60_000 }));
    assert_eq!(slow.turn(LIMITS, at(601)), None, "the first has left the window");
    let mut off = Flap::default();
    for turn in 0..100 {
        assert_eq!(off.turn(FlapLimits { turns: 0, ..LIMITS }, at(turn)), None);
    }
}

/// Each damping lasts twice as long, up to ten minutes; a calm window resets the length.
#[test]
fn the_time_grows_and_is_forgotten() {
    let mut flap = Flap::default();
    let mut now = 0;
    for expected in [60, 120, 240, 480, 600, 600] {
        let mut change = None;
        while change.is_none() {
            now += 10;
            change = flap.turn(LIMITS, at(now));
        }
        assert_eq!(change, Some(FlapChange::Damped { turns: 7, for_ms: expected * 1_000 }));
        assert_eq!(flap.advance(LIMITS, at(now + expected - 1)), None);
        now += expected;
        let over = flap.advance(LIMITS, at(now));
        assert_eq!(over, Some(FlapChange::Over { lasted_ms: expected * 1_000 }));
    }
    now += 600;
    let changes: Vec<FlapChange> = (1..=7).filter_map(|turn| flap.turn(LIMITS, at(now + turn))).collect();
    assert_eq!(changes, [FlapChange::Damped { turns: 7, for_ms: 60_000 }]);
}

/// A target that flaps during its damping is damped longer, without an end between.
#[test]
fn flapping_goes_on() {
    let mut flap = Flap::default();
    (0..7).for_each(|turn| _ = flap.turn(LIMITS, at(turn)));
    (10..20).for_each(|turn| assert_eq!(flap.turn(LIMITS, at(turn)), None));
    assert_eq!(flap.advance(LIMITS, at(66)), Some(FlapChange::Damped { turns: 7, for_ms: 120_000 }));
    assert_eq!(flap.damping.unwrap().since_ms, 6_000);
    assert_eq!(flap.advance(LIMITS, at(186)), Some(FlapChange::Over { lasted_ms: 180_000 }));
    (190..197).for_each(|turn| _ = flap.turn(LIMITS, at(turn)));
    assert_eq!(flap.clear(at(200)), Some(FlapChange::Over { lasted_ms: 4_000 }));
    assert_eq!((flap.clear(at(201)), &flap), (None, &Flap::default()));
}

/// A later episode, hours after the first, grows in the same way.
#[test]
fn a_later_episode_grows_as_the_first() {
    let mut flap = Flap::default();
    let turns =
        |from: u64, flap: &mut Flap| (from..from + 7).filter_map(|turn| flap.turn(LIMITS, at(turn))).next();
    assert!(turns(0, &mut flap).is_some());
    assert!(matches!(flap.advance(LIMITS, at(100)), Some(FlapChange::Over { .. })));
    assert_eq!(turns(10_000, &mut flap), Some(FlapChange::Damped { turns: 7, for_ms: 60_000 }));
    assert_eq!(turns(10_020, &mut flap), None);
    assert_eq!(flap.advance(LIMITS, at(10_066)), Some(FlapChange::Damped { turns: 7, for_ms: 120_000 }));
}

proptest! {
    /// A damping ends within ten minutes of its last prolongation, and only as many turns are kept
    /// as are needed.
    #[test]
    fn bounded(pauses in prop::collection::vec(0u64..200, 1..200)) {
        let (mut flap, mut now) = (Flap::default(), 0);
        for pause in pauses {
            now += pause;
            flap.advance(LIMITS, at(now));
            flap.turn(LIMITS, at(now));
            prop_assert!(flap.turns_ms.len() <= 7);
            let ends = flap.damping.map(|damping| damping.until_ms - at(now).clock_ms());
            prop_assert!(ends.is_none_or(|ends| (1..=600_000).contains(&ends)));
        }
    }
}
