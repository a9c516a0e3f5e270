//! The verdict machine: rows of results, and a plain reference without states.

use super::*;
use proptest::prelude::*;

const LIMITS: Thresholds = Thresholds { up_after: 2, down_after: 3, ok_after: 4 };

/// `+` success, `-` failure.
fn run(from: VerdictState, results: &str, limits: Thresholds) -> VerdictState {
    results.chars().fold(from, |verdict_state, result| match result {
        '+' => verdict_state.succeed(limits),
        _ => verdict_state.fail(limits, Moment(0)).confirm(),
    })
}

const UP: VerdictState = VerdictState::Up { failures: 0, successes: 0 };
const DOWN: VerdictState = VerdictState::Down { successes: 0 };

#[test]
fn results_make_verdicts() {
    let cold = VerdictState::default();
    for (sentence, from, results, expected, flip) in [
        ("A first success is enough", cold, "+", UP, None),
        (
            "One failure from cold is not",
            cold,
            "-",
            VerdictState::Cold { shown: Verdict::Unknown, failures: 1 },
            Some(1),
        ),
        ("Two are", cold, "--", DOWN, None),
        (
            "A failure before the first success counts",
            cold,
            "-+",
            VerdictState::Up { failures: 1, successes: 1 },
            Some(2),
        ),
        ("Failures count with successes between", UP, "-+-++-", DOWN, None),
        (
            "Fewer successes than ok_after clear nothing",
            UP,
            "--+++",
            VerdictState::Up { failures: 2, successes: 3 },
            Some(1),
        ),
        ("ok_after successes in a row clear the count", UP, "--++++", UP, None),
        ("A success while down is pending", DOWN, "+", VerdictState::Down { successes: 1 }, Some(1)),
        ("One failure resets it", DOWN, "+-", DOWN, None),
        ("up_after successes in a row bring it up", DOWN, "+-++", UP, None),
        (
            "An inherited verdict goes with the first success",
            VerdictState::inherited(Verdict::Down),
            "+",
            UP,
            None,
        ),
        ("An inherited down stays with a failure", VerdictState::inherited(Verdict::Down), "-", DOWN, None),
        (
            "An inherited up is shown after one failure",
            VerdictState::inherited(Verdict::Up),
            "-",
            VerdictState::Cold { shown: Verdict::Up, failures: 1 },
            Some(1),
        ),
    ] {
        let verdict_state = run(from, results, LIMITS);
        assert_eq!((verdict_state, verdict_state.checks_to_flip(LIMITS)), (expected, flip), "{sentence}");
    }
}

#[test]
fn a_suspect_waits_and_may_be_withdrawn() {
    let suspect = UP.fail(LIMITS, Moment(1)).fail(LIMITS, Moment(2)).fail(LIMITS, Moment(3));
    assert_eq!(suspect, VerdictState::Suspect { shown: Verdict::Up, is_cold: false, failed_at: Moment(3) });
    assert_eq!(suspect.verdict(), Verdict::Up);
    assert_eq!(suspect.fail(LIMITS, Moment(9)), suspect, "later failures do not move the proof away");
    assert_eq!(suspect.confirm(), DOWN);
    assert_eq!(suspect.withdraw(LIMITS), VerdictState::Up { failures: 2, successes: 0 });
    assert_eq!(suspect.succeed(LIMITS), VerdictState::Up { failures: 2, successes: 1 });
}

/// The rules of verdicts in their plainest form: two counters and a flag, over all results since
/// the last change.
fn reference(results: &[bool], limits: Thresholds) -> Verdict {
    let mut verdict = Verdict::Unknown;
    let mut since: Vec<bool> = Vec::new();
    for result in results {
        since.push(*result);
        let tail = since.iter().rev().take_while(|well| **well).count();
        let cleared =
            since.windows(usize::from(limits.ok_after)).rposition(|run| run.iter().all(|well| *well));
        let from = cleared.map_or(0, |at| at + usize::from(limits.ok_after));
        let failures = since[from..].iter().filter(|well| !**well).count();
        let turned = match verdict {
            Verdict::Unknown if *result => Some(Verdict::Up),
            Verdict::Unknown if failures >= usize::from(limits.down_after.min(2)) => Some(Verdict::Down),
            Verdict::Up if failures >= usize::from(limits.down_after) => Some(Verdict::Down),
            Verdict::Down if tail >= usize::from(limits.up_after) => Some(Verdict::Up),
            _ => None,
        };
        if let Some(turned) = turned {
            // From unknown to up, earlier failures still count.
            if verdict != Verdict::Unknown || turned == Verdict::Down {
                since.clear();
            }
            verdict = turned;
        }
    }
    verdict
}

proptest! {
    /// For any results under any thresholds, the machine agrees with the reference, and never
    /// changes the verdict sooner than `checks_to_flip` says.
    #[test]
    fn the_machine_agrees_with_the_reference(
        results in proptest::collection::vec(proptest::bool::weighted(0.6), 1..80),
        up_after in 1u16..5, down_after in 1u16..5, ok_after in 1u16..6,
    ) {
        let limits = Thresholds { up_after, down_after, ok_after };
        let mut verdict_state = VerdictState::default();
        let mut soonest = 0;
        for (at, well) in results.iter().enumerate() {
            let before = verdict_state.verdict();
            verdict_state =
                if *well { verdict_state.succeed(limits) }
                else { verdict_state.fail(limits, Moment(0)).confirm() };
            prop_assert_eq!(verdict_state.verdict(), reference(&results[..=at], limits));
            if before != Verdict::Unknown && verdict_state.verdict() != before {
                prop_assert!(at >= soonest, "flipped at {} before {}", at, soonest);
            }
            soonest = verdict_state.checks_to_flip(limits).map_or(0, |checks| at + usize::from(checks));
            prop_assert_eq!(verdict_state.adapt(limits), verdict_state);
        }
    }
}
