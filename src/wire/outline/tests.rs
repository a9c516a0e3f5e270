//! Tests of `outline`.

use super::*;
use std::hash::{BuildHasher, RandomState};

/// A query with flags, name, type and an OPT with options.
fn query(id: u8, flags: u16, name: &[u8], rtype: u8, opt: Option<(u8, &[u8])>) -> Vec<u8> {
    let [f0, f1] = flags.to_be_bytes();
    let mut octets = vec![0, id, f0, f1, 0, 1, 0, 0, 0, 0, 0, u8::from(opt.is_some())];
    octets.extend_from_slice(name);
    octets.extend_from_slice(&[0, rtype, 0, 1]);
    if let Some((flags, options)) = opt {
        octets.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, flags, 0, 0, options.len() as u8]);
        octets.extend_from_slice(options);
    }
    octets
}

const NAME: &[u8] = b"\x03www\x04shop\x07example\x00";
const COOKIE: &[u8] = &[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
const ECS: &[u8] = &[0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2];

#[test]
fn retries_are_alike_and_other_questions_are_not() {
    let keys = RandomState::new();
    let hash = |octets: &[u8]| keys.hash_one(Outline::of(octets));
    let both = [COOKIE, ECS].concat();
    let asked = query(1, 0x0100, NAME, 1, Some((0, &both)));
    let other_order = [ECS, &[0, 10, 0, 8, 8, 8, 8, 8, 8, 8, 8, 8]].concat();
    let alike: [(&str, Vec<u8>); 2] = [
        ("another ID", query(2, 0x0100, NAME, 1, Some((0, &both)))),
        (
            "another case, cookie and order of options",
            query(3, 0x0100, b"\x03wWw\x04SHOP\x07example\x00", 1, Some((0, &other_order))),
        ),
    ];
    for (what, octets) in alike {
        assert_eq!(hash(&octets), hash(&asked), "{what}");
    }
    let different: [(&str, Vec<u8>); 8] = [
        ("another name", query(1, 0x0100, b"\x03wwx\x04shop\x07example\x00", 1, Some((0, &both)))),
        ("another type", query(1, 0x0100, NAME, 28, Some((0, &both)))),
        ("no RD", query(1, 0, NAME, 1, Some((0, &both)))),
        ("DO", query(1, 0x0100, NAME, 1, Some((0x80, &both)))),
        ("no ECS", query(1, 0x0100, NAME, 1, Some((0, COOKIE)))),
        ("no OPT", query(1, 0x0100, NAME, 1, None)),
        (
            "a shorter ECS",
            query(1, 0x0100, NAME, 1, Some((0, &[COOKIE, &[0, 8, 0, 4, 0, 1, 0, 0]].concat()))),
        ),
        ("an octet more", [asked.as_slice(), &[0]].concat()),
    ];
    for (what, octets) in different {
        assert_ne!(hash(&octets), hash(&asked), "{what}");
    }
}

#[test]
fn a_refusal_is_short_and_has_the_question() {
    let mut out = [0; 512];
    let asked = query(7, 0x0110, NAME, 1, Some((0x80, ECS)));
    let len = Outline::of(&asked).refuse(&mut out).expect("a query");
    let expected = [
        &[0, 7, 0x81, 0x15, 0, 1, 0, 0, 0, 0, 0, 1],
        NAME,
        &[0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 17, 0, 15, 0, 13, 0, 0],
        b"quarantined",
    ];
    assert_eq!(out[..len], expected.concat());
    let plain = query(7, 0, NAME, 1, None);
    assert_eq!(Outline::of(&plain).refuse(&mut out), Some(plain.len()));
    assert_eq!(Outline::of(&plain).refuse(&mut out[..20]), None, "no room");
}

#[test]
fn other_messages_get_no_reply() {
    let mut out = [0; 512];
    let asked = query(1, 0x0100, NAME, 1, Some((0, ECS)));
    for len in 0..asked.len() {
        assert_eq!(Outline::of(&asked[..len]).refuse(&mut out), None, "the first {len} octets");
    }
    let long = [&[63; 64], [63; 64].as_slice(), &[63; 64], &[63; 64], &[0]].concat();
    for octets in
        [query(1, 0x8100, NAME, 1, None), query(1, 0, &long, 1, None), query(1, 0, &[0xc0, 12], 1, None)]
    {
        assert_eq!(Outline::of(&octets).refuse(&mut out), None, "{octets:?}");
    }
}
