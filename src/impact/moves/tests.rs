//! Tests of the weighting of moves.

use super::*;
use crate::impact::flow::Flow;

fn pop(name: &str) -> Answered {
    Answered::Pop(name.into())
}

/// Names of `policy` whose clients had `from`; a share of them goes to another PoP, the same in
/// both flows.
fn passage(policy: &str, names: usize, from: &str, share: f64) -> Passage<2> {
    let flow = Flow {
        whole: 8.0,
        before: [(pop(from), 8.0)].into(),
        moves: [((pop(from), pop("other")), 8.0 * share)].into(),
    };
    Passage { policy: policy.into(), to: Some(policy.into()), names, flows: [flow.clone(), flow] }
}

/// Names weigh space, queries weigh themselves: two passages of one policy share its queries by
/// names, and queries of a policy that is gone count for nothing.
#[test]
fn space_is_weighed_by_names_and_queries_by_their_number() {
    let passages =
        vec![passage("a", 1, "one", 1.0), passage("a", 3, "one", 0.0), passage("b", 4, "two", 0.5)];
    let counted = [("a", "one", 80), ("b", "two", 20), ("gone", "one", 900)];
    let queries = CountedQueries::new(counted.into_iter(), &passages);
    let moves = Moves::new(passages, &queries);
    assert_eq!(moves.moved.space, [3.0 / 8.0; 2], "one of eight names, and half of four");
    assert_eq!(moves.moved.queries, Some(0.3), "20 of 80 for one name in four, and 10 of 20");
    let ways: Vec<_> = moves.moves.iter().map(|way| (way.from.clone(), way.share.queries)).collect();
    assert_eq!(ways, [(pop("two"), Some(0.1)), (pop("one"), Some(0.2))], "the largest share first");
    let of_passages: Vec<_> = moves.passages.iter().map(|passage| passage.moved.queries).collect();
    assert_eq!(of_passages, [Some(1.0), Some(0.0), Some(0.5)]);
}

/// Without counted queries there are no shares of them.
#[test]
fn queries_that_were_not_counted_have_no_share() {
    let passages = vec![passage("a", 1, "one", 1.0)];
    let queries = CountedQueries::new(std::iter::empty(), &passages);
    let moves = Moves::new(passages, &queries);
    assert_eq!((moves.moved.queries, moves.moves[0].share.queries), (None, None));
    assert_eq!(moves.moved.space, [1.0; 2]);
}
