//! Counting by index, summing by name.

use super::*;
use crate::health::targets::PolicyId;
use crate::snapshot::locate::Evidence;
use crate::steer::choose::Resort;
use crate::steer::pop::PopId;

fn names(list: &[&str]) -> Box<[Arc<str>]> {
    list.iter().map(|n| Arc::from(*n)).collect()
}

fn decided(policy: u32, pop: Option<u16>, reason: Reason) -> Decided {
    let pop = pop.map(|pop| (PopId(pop), Resort::Regular));
    Decided { policy: PolicyId(policy), reason, evidence: Evidence::Ecs, pop }
}

const OWNED: WorkerId = WorkerId { index: 0, is_multi_writer: false };
const SHARED: WorkerId = WorkerId { index: 1, is_multi_writer: true };

/// Two snapshots with different indexes are summed by name.
#[test]
fn counts_are_kept_by_name() {
    let mut decisions = Decisions::default();
    let first = DecisionCounters::laid_out(names(&["web", "dns"]), names(&["fra", "iad"]), 2, 100);
    first.count(OWNED, &decided(0, Some(0), Reason::Regular));
    first.count(SHARED, &decided(0, Some(0), Reason::Regular));
    first.count(OWNED, &decided(1, Some(1), Reason::LastResort));
    first.count(OWNED, &decided(1, None, Reason::Cname));
    first.fold_into(&mut decisions);
    let second = DecisionCounters::laid_out(names(&["dns", "web"]), names(&["ams", "fra"]), 2, 100);
    second.count(OWNED, &decided(1, Some(1), Reason::Regular));
    second.fold_into(&mut decisions);
    assert_eq!(decisions.by_pop().collect::<Vec<_>>(), [("dns", "iad", 1), ("web", "fra", 3)]);
    let reasons: Vec<_> = decisions.by_reason().filter(|(.., n)| *n > 0).collect();
    assert_eq!(
        reasons,
        [("dns", Reason::LastResort, 1), ("dns", Reason::Cname, 1), ("web", Reason::Regular, 3)]
    );
    // Policies without a decision are listed with zeros, so that a rate has a start.
    assert_eq!(decisions.by_reason().count(), 2 * REASONS);
}

/// Past the limit, the last policies share a row.
#[test]
fn past_the_limit_policies_share_a_row() {
    let mut decisions = Decisions::default();
    let decision_counters =
        DecisionCounters::laid_out(names(&["a", "b", "c", "d"]), names(&["fra", "iad"]), 1, 4);
    for policy in 0..4 {
        decision_counters.count(OWNED, &decided(policy, Some(1), Reason::Regular));
    }
    // Indexes that this layout lacks change no counter.
    decision_counters
        .count(WorkerId { index: 7, is_multi_writer: false }, &decided(0, Some(0), Reason::Regular));
    decision_counters.fold_into(&mut decisions);
    assert_eq!(decisions.by_pop().collect::<Vec<_>>(), [("a", "iad", 1), ("other", "iad", 3)]);
    let (empty, mut nothing) =
        (DecisionCounters::laid_out(names(&[]), names(&[]), 1, 4), Decisions::default());
    empty.count(OWNED, &decided(0, Some(0), Reason::Regular));
    empty.fold_into(&mut nothing);
    assert_eq!(nothing, Decisions::default());
}
