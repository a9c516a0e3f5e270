//! Shares come out as weighted, and only what must move moves.

use super::*;

fn winner(cell: u32, candidates: &[(u64, u32)]) -> u64 {
    let key = cell_key(4, u128::from(cell), 99);
    let mut best: Option<(u64, Score)> = None;
    for &(id, weight) in candidates.iter().filter(|(_, weight)| *weight > 0) {
        let score = Score::new(key, id, weight);
        if best.is_none_or(|(_, high)| score.beats(high)) {
            best = Some((id, score));
        }
    }
    best.unwrap().0
}

const CELLS: u32 = 100_000;

#[test]
fn shares_follow_weights_within_one_per_cent_of_cells() {
    let candidates = [(11, 1), (22, 2), (33, 5)];
    let mut counts = std::collections::BTreeMap::new();
    for cell in 0..CELLS {
        *counts.entry(winner(cell, &candidates)).or_insert(0u32) += 1;
    }
    for (id, weight) in candidates {
        let expected = CELLS * weight / 8;
        assert!(counts[&id].abs_diff(expected) < CELLS / 100, "{id}: {} of {expected}", counts[&id]);
    }
}

#[test]
fn extreme_weights_share_truly_too() {
    let candidates = [(1, 1_000_000), (2, 1_000)];
    let rare = (0..1_000_000u32).filter(|&cell| winner(cell, &candidates) == 2).count();
    assert!((900..1100).contains(&rare), "{rare} of about 999");
}

#[test]
fn removing_a_candidate_moves_only_its_cells() {
    let all = [(1, 3), (2, 1), (3, 2), (4, 9)];
    for gone in 1..=4 {
        let left: Vec<_> = all.into_iter().filter(|(id, _)| *id != gone).collect();
        for cell in 0..10_000 {
            let before = winner(cell, &all);
            assert!(before == gone || before == winner(cell, &left));
        }
    }
}

#[test]
fn a_higher_weight_only_draws_cells_to_itself() {
    let before = [(1, 10), (2, 10), (3, 10)];
    let after = [(1, 10), (2, 25), (3, 10)];
    let mut moved = 0u32;
    for cell in 0..CELLS {
        let (from, to) = (winner(cell, &before), winner(cell, &after));
        if from != to {
            assert_eq!(to, 2);
            moved += 1;
        }
    }
    // 25/45 - 10/30 of all cells.
    assert!(moved.abs_diff(CELLS * 2 / 9) < CELLS / 100, "{moved}");
}

#[test]
fn names_share_independently() {
    let candidates = [(1u64, 1u32), (2, 1)];
    let pick = |owner: u64, cell: u32| {
        let key = cell_key(4, u128::from(cell), owner);
        Score::new(key, candidates[0].0, 1).beats(Score::new(key, candidates[1].0, 1))
    };
    let agree = (0..CELLS).filter(|&c| pick(7, c) == pick(8, c)).count() as u32;
    assert!(agree.abs_diff(CELLS / 2) < CELLS / 100, "{agree}");
}

/// Golden: a change here moves clients between PoPs on every node that is upgraded.
#[test]
fn golden_logarithms() {
    let shown: Vec<u64> =
        [0, 1, 2, u64::MAX / 2, u64::MAX - 1, u64::MAX, 0x0123_4567_89ab_cdef].map(neg_log2).into();
    assert_eq!(shown[..2], [64 << 32, 63 << 32]);
    assert_eq!(shown[3], 1 << 32);
    assert_eq!((shown[2], shown[4], shown[5], shown[6]), (268_070_544_838, 1, 0, 33_559_934_851));
}

#[test]
fn logarithms_are_true_to_a_ten_millionth() {
    for i in 1..10_000u64 {
        let hash = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let exact = 64.0 - libm::log2(hash as f64 + 1.0);
        let ours = neg_log2(hash) as f64 / 4_294_967_296.0;
        assert!((exact - ours).abs() < 2e-7, "{hash}: {exact} {ours}");
    }
}
