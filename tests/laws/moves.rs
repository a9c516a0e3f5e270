//! Law 5, exactly: which cells move, counted one by one, and no others. Over the scores themselves,
//! and over answers.

use meridian::testing::answer::{self, Client, Disposition, QueryContext, Transport};
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::health::health_state::{HealthState, SlotHealth};
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::pop::AdminState;
use meridian::testing::steer::pop_status::{ALL_CELLS, PopStatus};
use meridian::testing::steer::rendezvous::{Score, cell_key};
use meridian::testing::steer::status::Status;
use meridian::testing::wire::hash;
use meridian::testing::wire::rr::RrType;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use support::dice::Dice;
use support::{ServerFile, Tree, World, load, query};

const CELLS: usize = 100_000;
const OWNER: &str = "to.even.example.";

/// Cells by number, as clients of 20.0.0.0/8 and what follows it are in them.
fn address_of(cell: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits((20 << 24) + ((cell as u32) << 12))
}

/// Who has the highest score for each cell, by the rule alone: no preference list, no status, no
/// packet.
fn by_scores(pops: &[(&str, u32)], cells: usize) -> Vec<usize> {
    let owner = hash::name(b"\x02to\x04even\x07example\0");
    let seeds: Vec<u64> = pops.iter().map(|(name, _)| hash::octets(name.as_bytes())).collect();
    let best = |cell: usize| {
        let key = cell_key(4, u128::from(address_of(cell).to_bits()), owner);
        let score = |pop: usize| Score::new(key, seeds[pop], pops[pop].1);
        (0..pops.len())
            .filter(|pop| pops[*pop].1 > 0)
            .reduce(|high, pop| if score(pop).beats(score(high)) { pop } else { high })
            .unwrap()
    };
    (0..cells).map(best).collect()
}

/// So many equals, PoP `pN` at 192.0.2.N, with these weights; one of them may be left out of the
/// policy.
fn equals(weights: &[u32], left_out: Option<usize>) -> World {
    let mut pops = "pops:\n".to_owned();
    for (pop, weight) in weights.iter().enumerate() {
        pops.push_str(&format!("  p{pop}: {{ weight: {weight}, addresses: [192.0.2.{pop}] }}\n"));
    }
    let members: Vec<String> =
        (0..weights.len()).filter(|pop| left_out != Some(*pop)).map(|pop| format!("p{pop}")).collect();
    let tree = Tree::of(ServerFile::default())
        .with("pops.yaml", pops)
        .with(
            "policies.yaml",
            format!("policies:\n  even: {{ pops: [[{}]], order: listed }}\n", members.join(", ")),
        )
        .with(
            "zones/even.example.yaml",
            "zone: even.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  \"@\": { NS: ns }\n  ns: { A: \
             192.0.2.200 }\n  to: { steer: even }\n",
        );
    load(&tree).unwrap_or_else(|findings| panic!("{findings}"))
}

/// Whose address each cell is answered, as the reply has it.
fn by_answers(snapshot: &Snapshot, cells: usize) -> Vec<usize> {
    let mut packet = query(OWNER, RrType::A, Some(Prefix::new(address_of(0).into(), 24)));
    let client = Client { address: [192, 0, 2, 77].into(), transport: Transport::Udp };
    let mut out = [0; 512];
    // The client subnet stands last in the query; behind the question of the reply stand the owner
    // as a pointer, type and class, TTL, length, address.
    let (subnet, address) = (packet.len() - 3, 12 + OWNER.len() + 1 + 4 + 12);
    let one = |cell: usize| {
        packet[subnet..].copy_from_slice(&address_of(cell).octets()[..3]);
        let outcome = answer::respond(
            snapshot,
            &packet,
            &client,
            QueryContext { draw: cell as u64, epoch_secs: 0 },
            &mut out,
        );
        assert!(
            matches!(outcome.disposition, Disposition::Send(_)) && outcome.rcode.0 == 0 && out[7] == 1,
            "cell {cell}: {outcome:?}"
        );
        assert_eq!(out[address..address + 3], [192, 0, 2], "cell {cell}: {outcome:?}");
        usize::from(out[address + 3])
    };
    (0..cells).map(one).collect()
}

/// The snapshot with what is said of one PoP changed.
fn with(world: &World, pop: usize, change: impl Fn(&mut PopStatus)) -> Arc<Snapshot> {
    let steering = &world.snapshot.steering;
    let mut pops = world.snapshot.status.pops().to_vec();
    change(&mut pops[pop]);
    let status = Status::new(pops, &steering.slots, &steering.policies, &HealthState::default(), vec![]);
    Arc::new(world.snapshot.with_status(status, 2))
}

/// The snapshot with a PoP down by probes.
fn without(world: &World, pop: usize) -> Arc<Snapshot> {
    let steering = &world.snapshot.steering;
    let mut slots = vec![SlotHealth::default(); steering.slots.len()];
    slots[pop].down_v4 = u64::MAX;
    let health_state = HealthState { slots, ..HealthState::default() };
    let status = Status::new(
        world.snapshot.status.pops().to_vec(),
        &steering.slots,
        &steering.policies,
        &health_state,
        vec![],
    );
    Arc::new(world.snapshot.with_status(status, 2))
}

/// Cells of a PoP.
fn count(served: &[usize], pop: usize) -> usize {
    served.iter().filter(|is| **is == pop).count()
}

/// A PoP that is gone moved its own cells, all of them, and no other.
fn only_its_own(before: &[usize], after: &[usize], gone: usize, how: &str) {
    for (cell, (was, is)) in before.iter().zip(after).enumerate() {
        assert_eq!(was != is, *was == gone, "{how}: cell {cell} went from p{was} to p{is}");
    }
}

/// A PoP that has another weight took cells from others, or gave them cells, one way only, and as
/// many as its count says.
fn only_the_difference(before: &[usize], after: &[usize], pop: usize, is_more: bool, how: &str) {
    let mut moved = 0;
    for (cell, (was, is)) in before.iter().zip(after).enumerate().filter(|(_, (was, is))| was != is) {
        assert_eq!(if is_more { *is } else { *was }, pop, "{how}: cell {cell} went from p{was} to p{is}");
        moved += 1;
    }
    assert_eq!(count(before, pop).abs_diff(count(after, pop)), moved, "{how}");
}

/// Shares of weights 1, 2 and 5 in 100,000 cells are right to within one per cent of all cells.
/// Scores and answers agree about every cell.
#[test]
fn shares_are_true_to_one_per_cent_of_the_cells() {
    let weights = [1, 2, 5];
    let served = by_answers(&equals(&weights, None).snapshot, CELLS);
    assert!(
        served == by_scores(&[("p0", 1), ("p1", 2), ("p2", 5)], CELLS),
        "answers are not what the scores say"
    );
    for (pop, weight) in weights.into_iter().enumerate() {
        let (is, ought) = (count(&served, pop), CELLS * weight as usize / 8);
        assert!(is.abs_diff(ought) * 100 < CELLS, "p{pop}: {is} of {ought}");
    }
}

/// Of any number of PoPs with any weights one goes: out of the list, by its probes, drained,
/// switched off, or of weight 0. Whichever it is, only its own cells move, and they move alike.
#[test]
fn a_pop_that_goes_moves_its_own_cells() {
    for seed in 0..24 {
        let dice = &mut Dice(seed);
        let weights: Vec<u32> = (0..2 + dice.below(8))
            .map(|_| 1 + dice.below(*dice.clone().pick(&[1, 10, 1_000])) as u32)
            .collect();
        let gone = dice.below(weights.len());
        let how = format!("seed {seed}, {weights:?} without p{gone}");
        let names: Vec<String> = (0..weights.len()).map(|pop| format!("p{pop}")).collect();
        let mut pops: Vec<(&str, u32)> =
            names.iter().map(String::as_str).zip(weights.iter().copied()).collect();
        let before = by_scores(&pops, 4_000);
        pops[gone].1 = 0;
        let after = by_scores(&pops, 4_000);
        only_its_own(&before, &after, gone, &how);
        let world = equals(&weights, None);
        assert!(by_answers(&world.snapshot, 1_000) == before[..1_000], "{how}");
        let ways = [
            equals(&weights, Some(gone)).snapshot,
            without(&world, gone),
            with(&world, gone, |pop| pop.state = AdminState::Drain),
            with(&world, gone, |pop| pop.state = AdminState::Down),
            with(&world, gone, |pop| pop.weight = 0),
            with(&world, gone, |pop| pop.left = ALL_CELLS),
        ];
        for (way, snapshot) in ways.iter().enumerate() {
            assert!(by_answers(snapshot, 1_000) == after[..1_000], "{how}, way {way}");
        }
    }
}

/// A weight goes from anything to anything: cells move to the PoP, or away from it, and nowhere
/// else; as many as its share has changed by; and from each of the others in proportion to what it
/// had.
#[test]
fn a_weight_moves_its_difference() {
    for seed in 0..24 {
        let dice = &mut Dice(1_000 + seed);
        let weights: Vec<u32> = (0..2 + dice.below(6)).map(|_| 1 + dice.below(100) as u32).collect();
        let (pop, to) =
            (dice.below(weights.len()), 1 + dice.below(*dice.clone().pick(&[10, 100, 1_000_000])) as u32);
        let how = format!("seed {seed}, {weights:?}, p{pop} of weight {to}");
        let names: Vec<String> = (0..weights.len()).map(|pop| format!("p{pop}")).collect();
        let mut pops: Vec<(&str, u32)> =
            names.iter().map(String::as_str).zip(weights.iter().copied()).collect();
        let before = by_scores(&pops, 20_000);
        let share = |pops: &[(&str, u32)]| {
            f64::from(pops[pop].1) / pops.iter().map(|(_, weight)| f64::from(*weight)).sum::<f64>()
        };
        let was = share(&pops);
        pops[pop].1 = to;
        let after = by_scores(&pops, 20_000);
        only_the_difference(&before, &after, pop, to > weights[pop], &how);
        let moved = before.iter().zip(&after).filter(|(was, is)| was != is).count();
        let ought = (share(&pops) - was).abs() * 20_000.0;
        // Five standard deviations of a draw of that many.
        assert!(
            (moved as f64 - ought).abs() <= 5.0 * ought.sqrt() + 5.0,
            "{how}: {moved} moved of {ought:.0}"
        );
        let world = equals(&weights, None);
        assert!(by_answers(&world.snapshot, 1_000) == before[..1_000], "{how}");
        assert!(by_answers(&with(&world, pop, |pop| pop.weight = to), 1_000) == after[..1_000], "{how}");
    }
}

/// Step by step out and in again: each cell leaves once, at the step at which it comes back, and
/// none but the PoP's own moves.
#[test]
fn a_gradual_drain_moves_each_cell_once() {
    let world = equals(&[10, 10, 30, 10], None);
    let steps: Vec<Vec<usize>> = (0..=ALL_CELLS)
        .step_by(4)
        .map(|left| by_answers(&with(&world, 2, |pop| pop.left = left), 1_000))
        .collect();
    let mut left_at: BTreeMap<usize, usize> = BTreeMap::new();
    for (step, pair) in steps.windows(2).enumerate() {
        only_the_difference(&pair[0], &pair[1], 2, false, &format!("step {step}"));
        for cell in (0..1_000).filter(|cell| pair[0][*cell] != pair[1][*cell]) {
            assert_eq!(left_at.insert(cell, step), None, "cell {cell} leaves twice");
        }
    }
    assert_eq!((left_at.len(), count(steps.last().unwrap(), 2)), (count(&steps[0], 2), 0));
    // Never more at once than four of 256 may bring, give or take.
    let most = (0..steps.len()).map(|step| left_at.values().filter(|at| **at == step).count()).max().unwrap();
    assert!(most * 12 < left_at.len(), "{most} of {} cells at once", left_at.len());
}
