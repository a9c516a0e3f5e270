//! The search for an expected text.

use super::*;

/// A text is found wherever it stands and however it is cut, and only if it is there.
#[test]
fn a_text_is_found_in_pieces() {
    for (expected, came, is_there) in [
        ("", "", true),
        ("ok", "", false),
        ("ok", "o", false),
        ("ok", "look", true),
        ("aab", "aaab", true),
        ("abab", "abaabab", true),
        ("abab", "abaaba", false),
        ("aabaaa", "aabaabaaa", true),
    ] {
        for piece in 1..=came.len().max(1) {
            let mut sought = Sought::new(expected.as_bytes());
            let found = came.as_bytes().chunks(piece).any(|octets| sought.take(octets)) || sought.take(b"");
            assert_eq!(found, is_there, "{expected} in {came} by {piece}");
        }
    }
    let mut sought = Sought::new(b"ok");
    assert!(!sought.take(&[b'.'; PROBE_BODY_OCTETS_MAX - 1]) && !sought.is_full());
    assert!(!sought.take(b"ok") && sought.is_full(), "the end is not looked at");
}

/// A stream of near matches takes at most two comparisons for each octet.
#[test]
fn the_work_is_linear() {
    let expected = [&[b'a'; 1_000][..], b"b"].concat();
    let mut sought = Sought::new(&expected);
    let before = sought.compared;
    assert!(before <= 2 * expected.len());
    for _ in 0..PROBE_BODY_OCTETS_MAX {
        assert!(!sought.take(b"a"));
    }
    assert!(sought.compared - before <= 2 * PROBE_BODY_OCTETS_MAX, "{}", sought.compared);
}
