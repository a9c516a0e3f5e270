//! Tests of `hash`.

use super::*;

/// Golden: a change here moves clients between PoPs on every node that is upgraded.
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
