//! Tests of `hash`.

use super::*;

/// Golden values: a change moves clients between PoPs on every upgraded node.
#[test]
fn golden_hashes() {
    assert_eq!(name(b"\0"), ROOT);
    assert_eq!(name(b"\x07example\0"), label(ROOT, b"example"));
    assert_eq!(name(b"\x03www\x07example\0"), label(label(ROOT, b"example"), b"www"));
    assert_eq!(
        [name(b"\x03www\x07example\0"), octets(b"fra"), octets(b"a rather long name of a pop"), mix(1, 2)],
        [
            13_265_956_241_902_219_297,
            7_141_542_258_116_184_952,
            2_818_919_020_462_943_718,
            6_301_933_300_163_915_788
        ]
    );
}

#[test]
fn hashes_differ_by_label_boundary() {
    assert_ne!(name(b"\x02ab\x01c\0"), name(b"\x01a\x02bc\0"));
    assert_ne!(octets(b"a"), octets(b"a\0"));
}

/// Collisions that anyone can construct for [`fold`] with a known multiplier: pairs of words, of
/// which the second cancels the freely chosen first, so that the state after both is always the
/// same. The words are octets of lower-case names.
pub(crate) fn equal_pairs(begin: u64) -> impl Iterator<Item = (u64, u64)> {
    let letters = |number: u64| (0..8).fold(0, |word, place| word << 8 | (97 + (number >> (4 * place) & 15)));
    let pairs = (0..).map(letters).map(move |word| (word, fold(begin ^ word, K0) ^ 0x6d65_7269_6469_616e));
    pairs.filter(|(_, second)| !second.to_le_bytes().iter().any(u8::is_ascii_uppercase))
}

/// Names below a parent with equal [`name`] hashes.
pub(crate) fn names_with_one_hash(parent: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let begin = name(parent) ^ 16u64.wrapping_mul(K1);
    equal_pairs(begin)
        .map(|(first, second)| [&[16], &first.to_le_bytes()[..], &second.to_le_bytes(), parent].concat())
}

/// Names below a parent with equal hashes under [`name_hash`] if its key were known: it takes words
/// of eight octets from the end, of which `parent` must fill some.
///
/// [`name_hash`]: crate::wire::name_hash
pub(crate) fn names_with_one_hash_from_the_end(parent: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let (rest, words) = parent.as_rchunks();
    assert!(rest.is_empty(), "whole words");
    let begin = words.iter().rev().fold(ROOT, |hash, word| fold(hash ^ u64::from_le_bytes(*word), K0));
    equal_pairs(begin)
        .map(|(last, before)| [&[16], &before.to_le_bytes()[..], &last.to_le_bytes(), parent].concat())
}

/// The reason why no table uses these hashes.
#[test]
fn equal_hashes_are_made_at_will() {
    let names: Vec<_> = names_with_one_hash(b"\x07example\0").take(1_000).collect();
    assert!(names.iter().all(|made| name(made) == name(&names[0])));
    assert!(names.iter().skip(1).all(|made| *made != names[0]));
}
