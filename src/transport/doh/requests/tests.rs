//! Tests of the time for which caches keep an answer.

use super::*;
use crate::answer::{Decided, Reason};
use crate::steer::policy::PolicyId;

/// A reply to a question of the root with these records, by type, all with a TTL of 60 seconds.
fn reply(types: &[u16]) -> Vec<u8> {
    let mut octets = vec![0, 0, 0x84, 0, 0, 1, 0, types.len() as u8, 0, 0, 0, 0, 0, 0, 1, 0, 1];
    for rtype in types {
        octets.push(0);
        octets.extend(rtype.to_be_bytes());
        octets.extend([0, 1, 0, 0, 0, 60, 0, 1, 0]);
    }
    octets
}

/// An answer is shared only if no fact about the client had a part in it.
#[test]
fn answers_for_one_client_are_private() {
    let decided = |evidence| {
        let policy = PolicyId(0);
        Outcome {
            decided: Some(Decided { policy, reason: Reason::Regular, evidence, pop: None }),
            ..Outcome::default()
        }
    };
    let plain = Outcome::default();
    let (a, alias): (&[u16], &[u16]) = (&[1], &[5, 1]);
    let rows = [
        ("a static name", plain, a, "max-age=60"),
        ("an alias", plain, alias, "max-age=60"),
        ("a choice that is the same for all", decided(Evidence::Nothing), a, "max-age=60"),
        ("a choice behind another", decided(Evidence::Nothing), alias, "private, max-age=60"),
        ("a choice by client subnet", decided(Evidence::Ecs), a, "private, max-age=60"),
        ("a choice by resolver", decided(Evidence::Resolver), a, "private, max-age=60"),
        ("a scope", Outcome { scope: 24, ..plain }, a, "private, max-age=60"),
        ("a cookie", Outcome { cookie: CookieStatus::Client, ..plain }, a, "private, max-age=60"),
        ("no records", plain, &[], "no-store"),
        ("a fault", Outcome { rcode: Rcode::SERVFAIL, ..plain }, a, "no-store"),
    ];
    for (what, outcome, types, expected) in rows {
        assert_eq!(cache_control(&outcome, &reply(types), false), expected, "{what}");
    }
    assert_eq!(cache_control(&plain, &[0; 3], false), "no-store");
    // With access lists, an answer is for its client alone.
    let text = cache_control(&plain, &reply(a), true);
    assert!(text.to_str().unwrap().starts_with("private, max-age="), "{text:?}");
}
