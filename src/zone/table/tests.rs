//! Tests of `table`.

use super::*;

/// What is put in is found, also after growing and where whole hashes agree; nothing else is.
#[test]
fn numbers_are_found() {
    for room in [0, 100, 5_000] {
        let mut table = HashTable::with_room(room);
        let keys: Vec<u64> = (0..5_000).map(|i| hash::mix(i / 2, 7)).collect();
        for (number, key) in keys.iter().enumerate() {
            table.insert(*key, number as u32);
        }
        for (number, key) in keys.iter().enumerate() {
            assert_eq!(table.find(*key, |found| found == number as u32), Some(number as u32));
            assert!(table.find(*key, |found| found / 2 != number as u32 / 2).is_none());
        }
        assert_eq!(table.find(hash::mix(5_000, 7), |_| false), None);
    }
}

#[test]
fn letter_case_makes_no_difference() {
    assert_eq!(hash_of(b"\x03WwW\x01z\0"), hash_of(b"\x03www\x01Z\0"));
    assert_ne!(hash_of(b"\x03www\x01z\0"), hash_of(b"\x03www\x01y\0"));
}
