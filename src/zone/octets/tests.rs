//! Tests of `octets`.

use super::*;

/// Octets survive storing, below and above the inline limit, and the limit costs no memory.
#[test]
fn octets_are_kept() {
    for len in [0, 1, HERE_MAX - 1, HERE_MAX, HERE_MAX + 1, 60_000] {
        let octets: Vec<u8> = (0..len).map(|i| i as u8).collect();
        assert_eq!(&*Octets::from(octets.as_slice()), octets);
        assert_eq!(&*Octets::from(octets.clone()).clone(), octets);
    }
    assert_eq!(size_of::<Octets>(), 24);
}
