//! Tests of queries.

use super::*;

/// One message behind its length, with the ID 0 and without the keepalive option.
#[test]
fn streams_have_one_message() {
    let rows: [(&[u8], bool); 9] = [
        (&[], false),
        (&[0], false),
        (&[0, 0], true),
        (&[0, 1], false),
        (&[0, 1, 0], true),
        (&[0, 1, 1], false),
        (&[0, 2, 0, 1], false),
        (&[0, 3, 0, 0, 1], true),
        (&[0, 2, 0, 0, 1], false),
    ];
    for (octets, is_sound) in rows {
        assert_eq!(check(octets).is_ok(), is_sound, "{octets:?}");
    }
    let mut query = vec![0, 26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    query.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 4, 0, 12, 0]);
    query.push(0);
    query[1] = 27;
    assert_eq!(check(&query), Ok(()));
    query[26] = 11;
    assert!(check(&query).is_err(), "keepalive");
}
