//! Tests of `name_hash`.

use super::*;
use crate::wire::hash::tests::{names_with_one_hash, names_with_one_hash_from_the_end};
use std::collections::HashSet;

/// Eight octets, so that the ends of blocks are known.
const PARENT: &[u8] = b"\x06abcdef\0";

/// Names with equal hashes if the key were known: half of their block cancels the key's word, so
/// that the product is zero whatever the other half is. And names that had equal hashes before
/// there was a key.
#[test]
fn names_made_for_a_known_key_differ_under_another() {
    let known = NameKey { start: 0x243f_6a88_85a3_08d3, block: u64::from_le_bytes(*b"abcdefgh"), end: 1 };
    let at_will =
        |number: u64| [format!("\x17{number:07x}").as_bytes(), b"abcdefgh", b"in-block", PARENT].concat();
    let made: Vec<_> = (0..1_000).map(at_will).collect();
    assert!(made.iter().all(|name| name.len() == made[0].len()));
    assert!(made.iter().all(|name| known.whole(name) == known.whole(&made[0])));
    for words in [[1, 2, 3], [u64::MAX, 0xd6e8_feb8_6659_fd93, 0x9e37_79b9_7f4a_7c15]] {
        let key = NameKey::from_words(words.map(|word| mix(word, 0)));
        let by_labels = names_with_one_hash(PARENT).take(1_000).collect();
        let from_the_end = names_with_one_hash_from_the_end(PARENT).take(1_000).collect();
        for names in [&made, &by_labels, &from_the_end] {
            let hashes: HashSet<u64> = names.iter().map(|name| key.whole(name).0).collect();
            assert_eq!(hashes.len(), names.len());
        }
    }
}

/// Padding a name with zeros gives other blocks than a name with these zeros.
#[test]
fn the_number_of_octets_over_counts() {
    let key = NameKey::of_process();
    let names = [&b"\x09a\0\0bcdefgh"[..], b"\x09a\0bcdefgh", b"\x09abcdefgh"];
    let hashes: HashSet<u64> = names.iter().map(|name| key.whole(name).0).collect();
    assert_eq!(hashes.len(), names.len());
}

#[test]
fn a_process_has_one_key() {
    assert_eq!(NameKey::of_process(), NameKey::default());
    assert_ne!(NameKey::of_process(), NameKey::from_words([0, 0, 0]));
}
