//! Tests of skimming.

use super::*;

/// A message with one question and one OPT, whose options are these octets.
fn message(options: &[u8]) -> Vec<u8> {
    let mut octets = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, b'a', 0, 0, 1, 0, 1];
    octets.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, options.len() as u8]);
    octets.extend(options);
    octets
}

/// Options are found wherever they stand, and octets cut anywhere have none, or the same.
#[test]
fn options_are_found() {
    let rows: [(&[u8], bool); 8] = [
        (&[], false),
        (&[0, 11], false),
        (&[0, 11, 0, 0], true),
        (&[0, 11, 0, 9], true),
        (&[0, 12, 0, 2, 0, 11, 0, 11, 0, 2, 1, 1], true),
        (&[0, 12, 0, 4, 0, 11, 0, 0], false),
        (&[0, 12, 0, 9, 0, 11, 0, 0], false),
        (&[11, 0, 0, 0], false),
    ];
    for (options, is_found) in rows {
        let octets = message(options);
        assert_eq!(has_option(&octets, 11), is_found, "{options:?}");
        for end in 0..octets.len() {
            assert!(!has_option(&octets[..end], 11), "{end} octets of {octets:?}");
        }
    }
    // A record of another type has no options, and no pointer is followed.
    let mut other = message(&[0, 11, 0, 0]);
    other[21] = 16;
    assert!(!has_option(&other, 11));
    let mut looped = message(&[0, 11, 0, 0]);
    looped[12..15].copy_from_slice(&[0xc0, 12, 0]);
    assert!(!has_option(&looped, 11));
}
