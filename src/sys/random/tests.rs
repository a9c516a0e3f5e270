//! Tests of `random`.

/// Two draws of 128 bits are never equal, and none is all zero.
#[test]
fn draws_differ() {
    let (one, two) = (super::octets::<16>().unwrap(), super::octets::<16>().unwrap());
    assert!(one != two && one != [0; 16] && two != [0; 16]);
}
