//! Tests of `table`.

use super::*;
use crate::wire::hash;

/// Inserted numbers are found, also after growth and with equal hashes; no others are.
#[test]
fn numbers_are_found() {
    for room in [0, 100, 5_000] {
        let mut table = HashTable::with_room(room);
        let keys: Vec<NameHash> = (0..5_000).map(|i| NameHash::default().with(i / 2)).collect();
        for (number, key) in keys.iter().enumerate() {
            table.insert(*key, number as u32);
        }
        for (number, key) in keys.iter().enumerate() {
            assert_eq!(table.find(*key, |found| found == number as u32), Some(number as u32));
            assert!(table.find(*key, |found| found / 2 != number as u32 / 2).is_none());
        }
        assert_eq!(table.find(NameHash::default().with(5_000), |_| false), None);
    }
}

#[test]
fn letter_case_makes_no_difference() {
    assert_eq!(hash_of(b"\x03WwW\x01z\0"), hash_of(b"\x03www\x01Z\0"));
    assert_ne!(hash_of(b"\x03www\x01z\0"), hash_of(b"\x03www\x01y\0"));
}

/// Slots that are read to find a number by its hash.
fn steps(table: &HashTable, hash: NameHash, number: u32) -> usize {
    let mask = table.slots.len() - 1;
    let visited = (0..).map(|step| table.slots[(hash.tag() as usize + step) & mask]);
    visited.take_while(|entry| *entry as u32 != number + 1).count() + 1
}

/// A reading of a zone looks up its owners here.
#[test]
fn names_made_for_the_hash_of_sharing_cost_no_more_than_others() {
    let cost = |names: &[Vec<u8>]| -> usize {
        let mut table = HashTable::with_room(0);
        (0..).zip(names).for_each(|(number, name)| table.insert(hash_of(name), number));
        (0..).zip(names).map(|(number, name)| steps(&table, hash_of(name), number)).sum()
    };
    let ordinary: Vec<_> = (0..4_000).map(|i| format!("\x07h{i:06}\x07example\0").into_bytes()).collect();
    let made: Vec<_> = hash::tests::names_with_one_hash(b"\x07example\0").take(4_000).collect();
    assert!(cost(&made) <= 2 * cost(&ordinary), "{} {}", cost(&made), cost(&ordinary));
}
