//! Tests of the weighting of moves.

use super::*;
use crate::impact::flow::Flow;

fn pop(name: &str) -> Answered {
    Answered::Pop(name.into())
}

/// Names of `policy` whose clients had `from`; a share of them goes to another PoP, the same in
/// both flows.
fn policy_change(policy: &str, names: usize, from: &str, share: f64) -> PolicyChange<2> {
    let flow = Flow {
        whole: 8.0,
        before: [(pop(from), 8.0)].into(),
        moves: [((pop(from), pop("other")), 8.0 * share)].into(),
    };
    PolicyChange { policy: policy.into(), to: Some(policy.into()), names, flows: [flow.clone(), flow] }
}

/// Space is weighted by names, and queries by their number. Two changes of one policy share its
/// queries by names. Queries of a policy that is gone do not count.
#[test]
fn space_is_weighed_by_names_and_queries_by_their_number() {
    let policy_changes = vec![
        policy_change("a", 1, "one", 1.0),
        policy_change("a", 3, "one", 0.0),
        policy_change("b", 4, "two", 0.5),
    ];
    let counted = [("a", "one", 80), ("b", "two", 20), ("gone", "one", 900)];
    let queries = CountedQueries::new(counted.into_iter(), &policy_changes);
    let moves = Moves::new(policy_changes, &queries);
    assert_eq!(moves.moved.space, [3.0 / 8.0; 2], "one of eight names, and half of four");
    assert_eq!(moves.moved.queries, Some(0.3), "20 of 80 for one name in four, and 10 of 20");
    let ways: Vec<_> = moves.moves.iter().map(|way| (way.from.clone(), way.share.queries)).collect();
    assert_eq!(ways, [(pop("two"), Some(0.1)), (pop("one"), Some(0.2))], "the largest share first");
    let of_policy_changes: Vec<_> =
        moves.policy_changes.iter().map(|policy_change| policy_change.moved.queries).collect();
    assert_eq!(of_policy_changes, [Some(1.0), Some(0.0), Some(0.5)]);
}

/// Without counted queries there are no shares of them.
#[test]
fn queries_that_were_not_counted_have_no_share() {
    let policy_changes = vec![policy_change("a", 1, "one", 1.0)];
    let queries = CountedQueries::new(std::iter::empty(), &policy_changes);
    let moves = Moves::new(policy_changes, &queries);
    assert_eq!((moves.moved.queries, moves.moves[0].share.queries), (None, None));
    assert_eq!(moves.moved.space, [1.0; 2]);
}
