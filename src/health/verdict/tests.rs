//! The verdict machine: rows of results, and a plain reference that knows nothing of states.

use super::*;
use proptest::prelude::*;

const LIMITS: Thresholds = Thresholds { up_after: 2, down_after: 3, ok_after: 4 };

/// `+` success, `-` failure.
fn run(from: Standing, results: &str, limits: Thresholds) -> Standing {
    results.chars().fold(from, |standing, result| match result {
        '+' => standing.succeed(limits),
        _ => standing.fail(limits, Moment(0)).confirm(),
    })
}

const UP: Standing = Standing::Up { failures: 0, successes: 0 };
const DOWN: Standing = Standing::Down { successes: 0 };

#[test]
fn results_make_verdicts() {
    let cold = Standing::default();
    for (sentence, from, results, expected, flip) in [
        ("A first success is enough", cold, "+", UP, None),
        (
            "One failure from cold is not",
            cold,
            "-",
            Standing::Cold { shown: Verdict::Unknown, failures: 1 },
            Some(1),
        ),
        ("Two are", cold, "--", DOWN, None),
        (
            "A failure before the first success counts",
            cold,
            "-+",
            Standing::Up { failures: 1, successes: 1 },
            Some(2),
        ),
        ("Failures count with successes between", UP, "-+-++-", DOWN, None),
        (
            "Fewer successes than ok_after clear nothing",
            UP,
            "--+++",
            Standing::Up { failures: 2, successes: 3 },
            Some(1),
        ),
        ("ok_after successes in a row clear the count", UP, "--++++", UP, None),
        ("A success while down is pending", DOWN, "+", Standing::Down { successes: 1 }, Some(1)),
        ("One failure resets it", DOWN, "+-", DOWN, None),
        ("up_after successes in a row bring it up", DOWN, "+-++", UP, None),
        (
            "An inherited verdict goes with the first success",
            Standing::inherited(Verdict::Down),
            "+",
            UP,
            None,
        ),
        ("An inherited down stays with a failure", Standing::inherited(Verdict::Down), "-", DOWN, None),
        (
            "An inherited up is shown after one failure",
            Standing::inherited(Verdict::Up),
            "-",
            Standing::Cold { shown: Verdict::Up, failures: 1 },
            Some(1),
        ),
    ] {
        let standing = run(from, results, LIMITS);
        assert_eq!((standing, standing.checks_to_flip(LIMITS)), (expected, flip), "{sentence}");
    }
}

#[test]
fn a_suspect_waits_and_may_be_withdrawn() {
    let suspect = UP.fail(LIMITS, Moment(1)).fail(LIMITS, Moment(2)).fail(LIMITS, Moment(3));
    assert_eq!(suspect, Standing::Suspect { shown: Verdict::Up, is_cold: false, failed_at: Moment(3) });
    assert_eq!(suspect.verdict(), Verdict::Up);
    assert_eq!(suspect.fail(LIMITS, Moment(9)), suspect, "later failures do not move the proof away");
    assert_eq!(suspect.confirm(), DOWN);
    assert_eq!(suspect.withdraw(LIMITS), Standing::Up { failures: 2, successes: 0 });
    assert_eq!(suspect.succeed(LIMITS), Standing::Up { failures: 2, successes: 1 });
}

/// The rules of verdicts in the plainest form: two counters and a flag, all results from the last
/// change on.
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
            // From unknown to up, what failed before still counts.
            if verdict != Verdict::Unknown || turned == Verdict::Down {
                since.clear();
            }
            verdict = turned;
        }
    }
    verdict
}

proptest! {
    /// Any results under any thresholds: the machine says what the reference says, and never flips
    /// sooner than it says.
    #[test]
    fn the_machine_agrees_with_the_reference(
        results in proptest::collection::vec(proptest::bool::weighted(0.6), 1..80),
        up_after in 1u16..5, down_after in 1u16..5, ok_after in 1u16..6,
    ) {
        let limits = Thresholds { up_after, down_after, ok_after };
        let mut standing = Standing::default();
        let mut soonest = 0;
        for (at, well) in results.iter().enumerate() {
            let before = standing.verdict();
            standing =
                if *well { standing.succeed(limits) } else { standing.fail(limits, Moment(0)).confirm() };
            prop_assert_eq!(standing.verdict(), reference(&results[..=at], limits));
            if before != Verdict::Unknown && standing.verdict() != before {
                prop_assert!(at >= soonest, "flipped at {} before {}", at, soonest);
            }
            soonest = standing.checks_to_flip(limits).map_or(0, |checks| at + usize::from(checks));
            prop_assert_eq!(standing.adapt(limits), standing);
        }
    }
}
