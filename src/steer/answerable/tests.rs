//! Which addresses may be answered, and which of them are picked.

use super::*;
use crate::wire::hash;

fn address(n: u8, weight: u32) -> SharedAddress<u8> {
    SharedAddress { address: n, weight, seed: hash::octets(&[n]) }
}

/// The picked addresses, in their order.
fn picked(list: &[SharedAddress<u8>], down: u64, answers: u8, key: u64) -> Vec<u8> {
    let picked = Answerable::of(list, down).pick(list, answers, &|| key);
    picked.indexes().iter().map(|index| list[usize::from(*index)].address).collect()
}

/// Addresses: as many as asked for, each once, those of weight 0 only among themselves.
#[test]
fn addresses_are_picked() {
    let sorted = |list: &[SharedAddress<u8>], down, answers, key| {
        let mut all = picked(list, down, answers, key);
        all.sort_unstable();
        all
    };
    let mixed = [address(1, 100), address(2, 100), address(3, 0), address(4, 100)];
    let mut counts = [0; 5];
    for key in 0..3_000 {
        assert_eq!(sorted(&mixed, 0, 16, key), [1, 2, 4], "weight 0 is left out");
        assert_eq!(sorted(&mixed[2..3], 0, 1, key), [3], "unless all are 0");
        assert_eq!(sorted(&mixed, 0b1011, 2, key), [3], "or all others are down");
        let two = sorted(&mixed, 0, 2, key);
        assert!(two.len() == 2 && two[0] < two[1]);
        two.iter().for_each(|n| counts[usize::from(*n)] += 1);
        // Without an address only its own places move.
        let without = sorted(&[mixed[0], mixed[1]], 0, 1, key);
        let one = sorted(&mixed, 0, 1, key);
        assert!(one == [4] || one == without);
        assert_eq!(sorted(&mixed, 0b1000, 16, key), [1, 2], "an address that is down is left out");
    }
    assert!([1, 2, 4].iter().all(|n| (1_850..2_150).contains(&counts[*n])), "{counts:?}");
    assert!(picked(&[], 0, 3, 1).is_empty());
    assert!(picked(&mixed, u64::MAX, 3, 1).is_empty());
}

/// The picked addresses have the highest scores, and of equal scores those that come first.
#[test]
fn the_highest_scores_are_picked() {
    for key in 0..500 {
        let n = 2 + mix(key, 1) % 63;
        // Equal seeds and weights make equal scores.
        let list: Vec<_> = (0..n)
            .map(|i| {
                let address = address((mix(key, i) % 24) as u8, 1 + (mix(key, i) % 3) as u32);
                SharedAddress { address: i as u8, ..address }
            })
            .collect();
        let mut expected: Vec<u8> = Vec::new();
        for (index, one) in (0..).zip(&list) {
            let score = |a: &SharedAddress<u8>| Score::new(mix(key, ADDRESS_SALT), a.seed, a.weight);
            let beaten = expected.iter().position(|of| score(one).beats(score(&list[usize::from(*of)])));
            expected.insert(beaten.unwrap_or(expected.len()), index);
        }
        for answers in [1, 2, 3, 16] {
            let wanted = usize::from(answers).min(list.len());
            if wanted < list.len() {
                assert_eq!(picked(&list, 0, answers, key), expected[..wanted], "{key}, {answers}");
            }
        }
    }
}

/// A key is read only where there are more addresses than an answer takes.
#[test]
fn a_key_is_read_for_a_choice_alone() {
    let list: Vec<_> = (0..64).map(|n| address(n, 1)).collect();
    let reads = |down: u64, answers| {
        let read = std::cell::Cell::new(false);
        let key = || {
            read.set(true);
            1
        };
        let picked = Answerable::of(&list, down).pick(&list, answers, &key);
        (picked.indexes().len(), read.get())
    };
    let rows = [(0, 16, (16, true)), (u64::MAX << 16, 16, (16, false)), (u64::MAX << 3, 2, (2, true))];
    for (down, answers, expected) in rows {
        assert_eq!(reads(down, answers), expected, "{down:x}");
    }
    assert_eq!(reads(!(1 << 63), 16), (1, false));
    assert_eq!(Answerable::of(&list, !(1 << 63)).only(), Some(63));
}
