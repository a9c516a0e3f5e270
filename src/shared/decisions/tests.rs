//! Counting by index, summing by name.

use super::*;
use crate::health::targets::PolicyId;
use crate::snapshot::locate::Evidence;
use crate::steer::choose::Resort;
use crate::steer::pop::PopId;

fn names(list: &[&str]) -> Box<[Arc<str>]> {
    list.iter().map(|n| Arc::from(*n)).collect()
}

fn apexes(list: &[&str]) -> Box<[Box<[u8]>]> {
    list.iter().map(|name| Box::from(Name::parse(name, None).expect("a name").as_wire())).collect()
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
    let first =
        DecisionCounters::laid_out(names(&["web", "dns"]), names(&["fra", "iad"]), apexes(&[]), 2, 100);
    first.count(OWNED, &decided(0, Some(0), Reason::Regular));
    first.count(SHARED, &decided(0, Some(0), Reason::Regular));
    first.count(OWNED, &decided(1, Some(1), Reason::LastResort));
    first.count(OWNED, &decided(1, None, Reason::Cname));
    first.fold_into(&mut decisions);
    let second =
        DecisionCounters::laid_out(names(&["dns", "web"]), names(&["ams", "fra"]), apexes(&[]), 2, 100);
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
        DecisionCounters::laid_out(names(&["a", "b", "c", "d"]), names(&["fra", "iad"]), apexes(&[]), 1, 6);
    for policy in 0..4 {
        decision_counters.count(OWNED, &decided(policy, Some(1), Reason::Regular));
    }
    // Indexes that this layout lacks change no counter.
    decision_counters
        .count(WorkerId { index: 7, is_multi_writer: false }, &decided(0, Some(0), Reason::Regular));
    decision_counters.fold_into(&mut decisions);
    assert_eq!(decisions.by_pop().collect::<Vec<_>>(), [("(other)", "iad", 3), ("a", "iad", 1)]);
    let (empty, mut nothing) =
        (DecisionCounters::laid_out(names(&[]), names(&[]), apexes(&[]), 1, 4), Decisions::default());
    empty.count(OWNED, &decided(0, Some(0), Reason::Regular));
    empty.fold_into(&mut nothing);
    let rows = (nothing.by_pop().count(), nothing.by_reason().count(), nothing.by_zone().count());
    assert_eq!(rows, (0, 0, 0));
}

/// Policies and zones that the newest snapshot lacks keep their counts while there is room, in
/// whichever order the snapshots are added; else they are summed as [`OTHER`], and give their
/// places to those that it has.
#[test]
fn names_that_are_gone_give_their_places_away() {
    let zone = |layout: usize, number: usize| format!("z{layout}-{number}.example.");
    let layouts: Vec<DecisionCounters> = (0..4)
        .map(|layout| {
            let names = names(&["stays", &format!("web{layout}")]);
            let zones: Vec<String> =
                (0..ZONES_COUNTED_MAX).map(|number| zone(layout.min(2), number)).collect();
            let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
            let counters = DecisionCounters::laid_out(names, names_of_pops(), apexes(&zones), 1, 100);
            counters.count(OWNED, &decided(0, Some(0), Reason::Regular));
            counters.count(OWNED, &decided(1, Some(1), Reason::Regular));
            counters.count_zone(OWNED, ZoneId(7), Rcode::NOERROR);
            counters
        })
        .collect();
    for order in [[0, 1, 2, 3], [2, 0, 3, 1], [3, 2, 1, 0]] {
        let mut decisions = Decisions::default();
        order.into_iter().for_each(|index: usize| layouts[index].fold_into(&mut decisions));
        let web = ["web0", "web1", "web2", "web3"];
        let pops: Vec<_> = [("stays", "fra", 4)].into_iter().chain(web.map(|web| (web, "iad", 1))).collect();
        assert_eq!(decisions.by_pop().collect::<Vec<_>>(), pops, "{order:?}");
        let reasons: Vec<_> = decisions.by_reason().filter(|(.., count)| *count > 0).collect();
        let regular: Vec<_> =
            pops.iter().map(|(policy, _, count)| (*policy, Reason::Regular, *count)).collect();
        assert_eq!(reasons, regular, "{order:?}");
        let zones: Vec<_> = decisions.by_zone().filter(|(.., count)| *count > 0).collect();
        let row = |zone, count| (zone, ZoneAnswer::NoError, count);
        assert_eq!(zones, [row("(other)", 2), row(&zone(2, 7), 2)], "{order:?}");
        assert_eq!(decisions.zones.len(), ZONES_COUNTED_MAX + 1);
    }
}

/// Past the limit, policies that are gone are summed as [`OTHER`], with their PoPs.
#[test]
fn policies_that_are_gone_give_their_places_away() {
    let mut decisions = Decisions::default();
    let mut layout = |generation: usize| {
        let policies: Vec<String> =
            (0..POLICIES_SHOWN_MAX / 2).map(|number| format!("p{generation}-{number:03}")).collect();
        let policies: Vec<&str> = policies.iter().map(String::as_str).collect();
        let counters = DecisionCounters::laid_out(
            names(&policies),
            names_of_pops(),
            apexes(&[]),
            1,
            2 * POLICIES_SHOWN_MAX,
        );
        counters.count(OWNED, &decided(1, Some(1), Reason::Regular));
        counters.fold_into(&mut decisions);
        let counted =
            decisions.by_pop().map(|(policy, pop, count)| (policy.to_owned(), pop.to_owned(), count));
        (counted.collect::<Vec<_>>(), decisions.reasons.len())
    };
    let row = |policy: &str, count| (policy.to_owned(), "iad".to_owned(), count);
    assert_eq!(layout(0).0, [row("p0-001", 1)]);
    assert_eq!(layout(1), (vec![row("p0-001", 1), row("p1-001", 1)], POLICIES_SHOWN_MAX));
    let (counted, rows) = layout(2);
    assert_eq!(counted, [row("(other)", 2), row("p2-001", 1)]);
    assert!(rows <= POLICIES_SHOWN_MAX + 1, "{rows}");
}

/// Past the limit of pairs, PoPs that are gone are summed as [`OTHER`] of their policy: no count
/// goes back, and each pair of the newest snapshot has a row.
#[test]
fn pops_that_are_gone_give_their_places_away() {
    const POLICIES: usize = 100;
    let policies: Vec<String> = (0..POLICIES).map(|number| format!("p{number:02}")).collect();
    let policies: Vec<&str> = policies.iter().map(String::as_str).collect();
    let pops_of = |generation: usize| -> Vec<String> {
        let last = DECISION_PAIRS_MAX / POLICIES / 2;
        (0..last).map(|number| format!("g{generation}-{number:03}")).chain(["stays".to_owned()]).collect()
    };
    let mut decisions = Decisions::default();
    for generation in 0..4 {
        let pops = pops_of(generation);
        let pops: Vec<&str> = pops.iter().map(String::as_str).collect();
        let counters =
            DecisionCounters::laid_out(names(&policies), names(&pops), apexes(&[]), 1, DECISION_PAIRS_MAX);
        for (policy, pop) in (0..POLICIES).flat_map(|policy| (0..pops.len()).map(move |pop| (policy, pop))) {
            counters.count(OWNED, &decided(policy as u32, Some(pop as u16), Reason::Regular));
        }
        let before = decisions.clone();
        counters.fold_into(&mut decisions);
        assert!(decisions.pops.len() <= DECISION_PAIRS_MAX, "{}", decisions.pops.len());
        let of = |decisions: &Decisions, policy: &str, pop: &str| {
            decisions.pops.get(&(policy.into(), pop.into())).copied().unwrap_or_default()
        };
        for policy in &policies {
            assert!(pops.iter().all(|pop| of(&decisions, policy, pop) > 0), "each pair has a row");
            assert_eq!(of(&decisions, policy, "stays"), generation as u64 + 1);
            assert!(of(&decisions, policy, OTHER) >= of(&before, policy, OTHER));
            let sum = |decisions: &Decisions| -> u64 {
                decisions.by_pop().filter(|(of, ..)| of == policy).map(|(.., count)| count).sum()
            };
            assert_eq!(sum(&decisions), sum(&before) + pops.len() as u64, "no count is lost");
        }
    }
    assert!(decisions.by_pop().all(|(policy, ..)| policy != OTHER), "every policy is in service");
}

fn names_of_pops() -> Box<[Arc<str>]> {
    names(&["fra", "iad"])
}

/// Zones are summed by name over layouts; a zone without a row, and a name past the limit, counts
/// as [`OTHER`].
#[test]
fn zones_are_counted_by_name() {
    let laid_out = |zones: &[&str]| DecisionCounters::laid_out(names(&[]), names(&[]), apexes(zones), 2, 4);
    let mut decisions = Decisions::default();
    let first = laid_out(&["a.example.", "b.example."]);
    first.count_zone(OWNED, ZoneId(0), Rcode::NOERROR);
    first.count_zone(SHARED, ZoneId(0), Rcode::NXDOMAIN);
    first.count_zone(OWNED, ZoneId(1), Rcode::SERVFAIL);
    first.fold_into(&mut decisions);
    let second = laid_out(&["b.example."]);
    second.count_zone(OWNED, ZoneId(0), Rcode::SERVFAIL);
    second.count_zone(OWNED, ZoneId(1), Rcode::NOERROR);
    second.count_zone(OWNED, ZoneId(70_000), Rcode::NOERROR);
    second.fold_into(&mut decisions);
    let counted = |decisions: &Decisions| {
        let all = decisions.by_zone().filter(|(.., count)| *count > 0);
        all.map(|(zone, answer, count)| (zone.to_owned(), answer.word(), count)).collect::<Vec<_>>()
    };
    let row = |zone: &str, answer, count| (zone.to_owned(), answer, count);
    let expected = [
        row("(other)", "NOERROR", 2),
        row("a.example.", "NOERROR", 1),
        row("a.example.", "NXDOMAIN", 1),
        row("b.example.", "other", 2),
    ];
    assert_eq!(counted(&decisions), expected);
    for number in 0..ZONES_COUNTED_MAX {
        decisions.add_zone(format!("z{number}.example.").into(), &[1, 0, 0]);
    }
    assert!(decisions.zones.len() <= ZONES_COUNTED_MAX + 1, "{}", decisions.zones.len());
    let all: u64 = decisions.by_zone().map(|(.., count)| count).sum();
    assert_eq!(all, 6 + ZONES_COUNTED_MAX as u64, "no count is lost");
}
