//! Tests of `transition`.

use super::*;
use proptest::prelude::*;

proptest! {
    /// From its beginning to its end a transition goes one way, ends at its goal, and stands still
    /// between the moments that it names.
    #[test]
    fn a_course_goes_one_way(
        start in 0u64..50,
        over in 0u64..2_000,
        from in 0u32..2_000,
        to in 0u32..2_000,
    ) {
        let transition = Transition { start_epoch_secs: start, over_secs: over, from };
        prop_assert_eq!(transition.position(to, transition.end()), to);
        prop_assert_eq!(
            transition.position(to, start.saturating_sub(1)),
            if transition.is_over(start.saturating_sub(1)) { to } else { from }
        );
        let mut next = transition.next(0);
        for now in 1..=transition.end() + 2 {
            let (was, is) = (transition.position(to, now - 1), transition.position(to, now));
            prop_assert!(is.abs_diff(to) <= was.abs_diff(to) && is >= from.min(to) && is <= from.max(to));
            if next.is_some_and(|at| at <= now) {
                next = transition.next(now);
                prop_assert!(next.is_none_or(|at| at > now));
            } else {
                prop_assert_eq!(was, is, "at {} without a word", now);
            }
        }
        prop_assert_eq!(next, None);
    }
}
