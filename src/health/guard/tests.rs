//! The panic guard: rows of events at PoPs, and its decisions.

use super::*;
use crate::health::targets::{PopId, SlotId};
use proptest::prelude::*;

fn at(secs: u64) -> Moment {
    Moment(secs * 1000)
}

fn guard(share_percent: u8, capacities: &[Option<f64>]) -> Guard {
    let pops: Vec<PopCapacity> =
        capacities.iter().map(|capacity| PopCapacity { name: "pop".into(), capacity: *capacity }).collect();
    let rule = PanicGuard { share_percent, ..PanicGuard::default() };
    let members = (0..pops.len()).map(|pop| (PopId::at(pop), SlotId::at(pop))).collect();
    let policy =
        PolicyMembers { name: "web".into(), members, up_threshold_percent: 50, guard: rule, pools: vec![] };
    Guard::new(&policy, &pops)
}

enum Act {
    Down(usize),
    Up(usize),
    Override(usize),
}

#[test]
fn what_is_held_and_what_is_not() {
    use Act::{Down, Override, Up};
    use Judgement::{Held, Released};
    let held = |secs, fallen, of| {
        Some(Held { fallen, of, hold: Hold { since_ms: at(secs).clock_ms(), from: Moment(0) } })
    };
    let released =
        |release, since| Some(Released(release, Hold { since_ms: at(since).clock_ms(), from: Moment(0) }));
    let none = [None; 4];
    let equal = [Some(100.0); 4];
    let uneven = [Some(1000.0), Some(1.0), Some(1.0), Some(1.0)];
    let partly = [Some(1000.0), None, Some(1.0), Some(1.0)];
    #[allow(clippy::type_complexity)]
    let table: &[(&str, u8, &[Option<f64>], &[(u64, Act, Option<Judgement>)])] = &[
        ("Half is not more than half", 50, &none, &[(1, Down(0), None), (2, Down(1), None)]),
        (
            "More than half within the window is held",
            50,
            &none,
            &[(1, Down(0), None), (2, Down(1), None), (9, Down(2), held(9, 3, 4))],
        ),
        (
            "Past the window it is not",
            50,
            &none,
            &[(1, Down(0), None), (2, Down(1), None), (33, Down(2), None), (34, Down(3), None)],
        ),
        ("Equal capacities count as PoPs do", 50, &equal, &[(1, Down(0), None), (2, Down(1), None)]),
        (
            "Capacity alone can pass the share, but not the capacity of one PoP",
            50,
            &uneven,
            &[(1, Down(0), None), (2, Down(1), held(2, 2, 4))],
        ),
        ("Capacity counts only where all have one", 50, &partly, &[(1, Down(0), None), (2, Down(1), None)]),
        ("A policy of one PoP believes its probes", 50, &[None], &[(1, Down(0), None)]),
        ("So does one of two", 50, &[None, None], &[(1, Down(0), None), (1, Down(1), None)]),
        ("One of three is one fault, whatever the share", 20, &[None; 3], &[(1, Down(0), None)]),
        ("Two of three are held", 50, &[None; 3], &[(1, Down(0), None), (1, Down(1), held(1, 2, 3))]),
        (
            "100 % is off",
            100,
            &none,
            &[(1, Down(0), None), (1, Down(1), None), (1, Down(2), None), (1, Down(3), None)],
        ),
        (
            "It ends when enough came back",
            50,
            &none,
            &[
                (1, Down(0), None),
                (1, Down(1), None),
                (2, Down(2), held(2, 3, 4)),
                (5, Up(0), released(Release::Settled, 2)),
            ],
        ),
        (
            "It ends with its time, and what was taken over no longer counts",
            50,
            &none,
            &[
                (1, Down(0), None),
                (1, Down(1), None),
                (2, Down(2), held(2, 3, 4)),
                (61, Up(3), None),
                (62, Up(3), released(Release::Expired, 2)),
                (63, Down(3), None),
            ],
        ),
        (
            "What is overridden neither counts nor is held",
            50,
            &none,
            &[
                (1, Override(0), None),
                (1, Down(0), None),
                (2, Down(1), None),
                (3, Down(2), held(3, 2, 3)),
                (4, Override(1), None), // one of two is not more than half: released
            ],
        ),
        (
            "An override elsewhere brings nobody back who is down, but the next fall does",
            50,
            &none,
            &[(1, Down(0), None), (2, Down(1), None), (3, Override(3), None), (4, Down(2), held(4, 3, 3))],
        ),
    ];
    for (sentence, share, capacities, acts) in table {
        let mut guard = guard(*share, capacities);
        for (secs, act, expected) in *acts {
            match act {
                Down(member) => guard.handle(*member, true, true, at(*secs)),
                Up(member) => guard.handle(*member, false, true, at(*secs)),
                Override(member) => guard.handle_override(*member, true),
            }
            let judged = guard.judge(at(*secs));
            if matches!(act, Override(_)) && guard.hold().is_none() && judged.is_some() {
                assert_eq!(judged, released(Release::Settled, 3), "{sentence}, at {secs} s");
            } else {
                assert_eq!(judged, *expected, "{sentence}, at {secs} s");
            }
        }
    }
}

#[test]
fn what_never_served_does_not_fall() {
    let mut guard = guard(50, &[None; 2]);
    guard.handle(0, true, false, at(1));
    guard.handle(1, true, false, at(1));
    assert_eq!(guard.judge(at(1)), None);
}

proptest! {
    /// If a PoP falls and no hold begins, no more than the share fell within the window. A hold
    /// never lasts past its limit.
    #[test]
    fn never_more_than_the_share_at_once(
        acts in proptest::collection::vec(
            (0usize..8, any::<bool>(), 0u64..8, proptest::bool::weighted(0.1)),
            1..200,
        ),
        share in 10u8..100,
    ) {
        let mut guard = guard(share, &[None; 8]);
        let (mut down, mut fell, mut overridden) = ([false; 8], [None; 8], [false; 8]);
        let mut now = 100;
        for (member, is_down, pause, turns) in acts {
            now += pause;
            let mut has_fallen = false;
            if turns {
                overridden[member] = !overridden[member];
                guard.handle_override(member, overridden[member]);
                has_fallen = !overridden[member] && fell[member].is_some_and(|moment| now - moment <= 30);
            }
            guard.handle(member, is_down, true, at(now));
            if down[member] != is_down {
                down[member] = is_down;
                fell[member] = is_down.then_some(now);
                has_fallen |= is_down;
            }
            if let Some(Judgement::Released(Release::Expired, _)) = guard.judge(at(now)) {
                fell = [None; 8];
                continue;
            }
            let inside: Vec<usize> = (0..8).filter(|member| !overridden[*member]).collect();
            let fallen = inside
                .iter()
                .filter(|member| fell[**member].is_some_and(|moment| now - moment <= 30))
                .count();
            match guard.hold() {
                Some(hold) => prop_assert!(at(now).since_clock_ms(hold.since_ms) < 60_000),
                None => prop_assert!(
                    !has_fallen
                        || inside.len() < 3
                        || fallen < 2
                        || fallen * 100 <= inside.len() * usize::from(share),
                    "{} of {}",
                    fallen,
                    inside.len()
                ),
            }
        }
    }
}
