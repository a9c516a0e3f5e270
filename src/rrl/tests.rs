//! Tests of `rrl`.

use super::*;
use crate::wire::query::parse;
use crate::wire::reject::Parsed;
use crate::wire::rr::RrType;
use std::cell::Cell;

/// The limits of a test: 20 a second in each class.
fn limits() -> RateLimit {
    RateLimit {
        is_log_only: false,
        from_qps: 0,
        per_second: [20; Class::ALL.len()],
        answers_per_name: 500,
        prefix_per_second: None,
        zone_nxdomain_per_second: None,
        slip: 2,
        exempt: Vec::new(),
    }
}

/// A query message for a name of one label under `example.`, with a client subnet if it has one.
fn query(label: &str, subnet: Option<[u8; 3]>) -> Query {
    let mut message = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(subnet.is_some())];
    message.push(label.len() as u8);
    message.extend_from_slice(label.as_bytes());
    message.extend_from_slice(b"\x07example\0\0\x01\0\x01");
    if let Some([a, b, c]) = subnet {
        message.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0, a, b, c]);
    }
    let mut query = Query::default();
    assert!(matches!(parse(&message, &mut query), Parsed::Query));
    assert_eq!(query.qtype, RrType::A);
    query
}

/// Headers of replies, one for each class.
const ANSWER: [u8; 12] = [0, 1, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0];
const NODATA: [u8; 12] = [0, 1, 0x84, 0, 0, 1, 0, 0, 0, 1, 0, 0];
/// TC in place of records, and TC in place of a denial.
const TC: [u8; 12] = [0, 1, 0x86, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const TC_DENIAL: [u8; 12] = [0, 1, 0x86, 3, 0, 1, 0, 0, 0, 0, 0, 0];
/// A reply without a question.
const COOKIE: [u8; 12] = [0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const REFERRAL: [u8; 12] = [0, 1, 0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0];

fn ready<'a>(query: &'a Query, address: &str, reply: &'a [u8], rcode: Rcode) -> Ready<'a> {
    Ready { address: address.parse().unwrap(), query, reply, rcode, scope: 24, zone: Some(0), node: &|| 7 }
}

/// Counts a reply.
fn counted(limiter: &Limiter, limits: &RateLimit, now: u32, ready: &Ready<'_>) -> Option<Limit> {
    let busy = limiter.count(&limits.of_batch(), now, (&ready.address, ready.rcode))?;
    limiter.look_closer(limits, now, ready, busy)
}

/// Answers that pass among `count` in one second.
fn passing(limiter: &Limiter, limits: &RateLimit, now: u32, count: u32, ready: &Ready<'_>) -> u32 {
    (0..count).filter(|_| counted(limiter, limits, now, ready).is_none()).count() as u32
}

#[test]
fn equal_answers_have_the_limit_in_every_second() {
    let (limiter, limits, www) = (Limiter::default(), limits(), query("www", None));
    let flood = ready(&www, "192.0.2.1", &ANSWER, Rcode::NOERROR);
    let passed: Vec<u32> = (100..105).map(|now| passing(&limiter, &limits, now, 1000, &flood)).collect();
    assert_eq!(passed, [20; 5], "the first second is no exception");
    let neighbour = ready(&www, "192.0.2.254", &ANSWER, Rcode::NOERROR);
    assert_eq!(passing(&limiter, &limits, 104, 1, &neighbour), 0, "a prefix shares its accounts");
    let stranger = ready(&www, "192.0.3.1", &ANSWER, Rcode::NOERROR);
    assert_eq!(passing(&limiter, &limits, 104, 20, &stranger), 20);
}

/// Workers read the clock at different moments. Those that are a second behind do not open another
/// account.
#[test]
fn a_second_has_one_boundary() {
    let (limiter, limits, www) = (Limiter::default(), limits(), query("www", None));
    let flood = ready(&www, "192.0.2.1", &ANSWER, Rcode::NOERROR);
    assert_eq!(passing(&limiter, &limits, 100, 100, &flood), 20);
    let passed = (0..256).filter(|n| counted(&limiter, &limits, 101 - n % 2, &flood).is_none()).count();
    assert_eq!(passed, 20, "the limit of second 101");
}

#[test]
fn every_class_is_limited() {
    let www = query("www", None);
    let rows: [(&[u8], Rcode, Limit); 8] = [
        (&ANSWER, Rcode::NOERROR, Limit::Class(Class::Answer)),
        (&NODATA, Rcode::NOERROR, Limit::Class(Class::NoData)),
        (&NODATA, Rcode::NXDOMAIN, Limit::Class(Class::NxDomain)),
        (&REFERRAL, Rcode::NOERROR, Limit::Class(Class::Referral)),
        (&REFERRAL, Rcode::REFUSED, Limit::Class(Class::Error)),
        (&COOKIE, Rcode::NOERROR, Limit::Class(Class::Error)),
        (&TC, Rcode::NOERROR, Limit::Class(Class::Answer)),
        (&TC_DENIAL, Rcode::NXDOMAIN, Limit::Class(Class::Answer)),
    ];
    for (reply, rcode, limit) in rows {
        let Limit::Class(class) = limit else { panic!("{limit:?}") };
        let mut limits = limits();
        limits.per_second = [30; Class::ALL.len()];
        limits.per_second[class as usize] = 8;
        let (limiter, flood) = (Limiter::default(), ready(&www, "2001:db8::1", reply, rcode));
        let outcome: Vec<Option<Limit>> = (0..10).map(|_| counted(&limiter, &limits, 7, &flood)).collect();
        assert_eq!(outcome, [[None; 8].as_slice(), &[Some(limit); 2]].concat(), "{limit:?}");
    }
}

#[test]
fn a_resolver_that_asks_for_many_names_is_no_flood() {
    let (limiter, limits) = (Limiter::default(), limits());
    let names: Vec<Query> = (0..1000).map(|n| query(&format!("n{n}"), None)).collect();
    let subnets: Vec<Query> = (0..200).map(|n| query("www", Some([10, n, 7]))).collect();
    for now in 50..53 {
        for (node, query) in names.iter().enumerate().chain(subnets.iter().map(|query| (5000, query))) {
            let node = &|| node as u64;
            let answer = Ready { node, ..ready(query, "198.51.100.7", &ANSWER, Rcode::NOERROR) };
            assert_eq!(counted(&limiter, &limits, now, &answer), None, "{now}");
        }
    }
    // Denials of types and delegations too: names with A alone, and names without HTTPS.
    for reply in [&NODATA, &REFERRAL, &TC] {
        for (node, query) in names.iter().enumerate() {
            let node = &|| node as u64;
            let answer = Ready { node, ..ready(query, "198.51.100.8", reply, Rcode::NOERROR) };
            assert_eq!(counted(&limiter, &limits, 53, &answer), None);
        }
    }
    // Invented names have one account in each zone.
    for zone in 1..=100 {
        let denial = ready(&names[0], "198.51.100.9", &NODATA, Rcode::NXDOMAIN);
        assert_eq!(passing(&limiter, &limits, 53, 9, &Ready { zone: Some(zone), ..denial }), 9);
    }
    let denied = names.iter().filter(|query| {
        let denial = ready(query, "198.51.100.7", &NODATA, Rcode::NXDOMAIN);
        counted(&limiter, &limits, 53, &denial).is_some()
    });
    assert_eq!(denied.count(), 980);
}

/// A forger invents client subnets, names below a wildcard, and types. All of them are of one node.
#[test]
fn invented_questions_have_the_limit_of_their_name() {
    let limits = limits();
    let subnets = (0..=255).flat_map(|a| (0..4).map(move |b| query("www", Some([10, a, b]))));
    let labels = (0..1024).map(|n| query(&format!("n{n}"), None));
    let types = (0..1024).map(|n| {
        let mut query = query("www", None);
        query.qtype = RrType(n);
        query
    });
    for queries in [subnets.collect(), labels.collect(), types.collect::<Vec<Query>>()] {
        let limiter = Limiter::default();
        for now in 50..53 {
            let of =
                |query| counted(&limiter, &limits, now, &ready(query, "192.0.2.1", &ANSWER, Rcode::NOERROR));
            let outcome: Vec<Option<Limit>> = queries.iter().map(of).collect();
            assert_eq!(outcome.iter().filter(|limit| limit.is_none()).count(), 500);
            assert_eq!(outcome[1023], Some(Limit::Name));
        }
    }
}

/// A strict limit of one class holds from the first second on, and costs other answers nothing.
#[test]
fn each_class_is_watched_from_half_of_its_own_limit() {
    let mut limits = limits();
    limits.per_second[Class::Error as usize] = 1;
    let (limiter, www, asked) = (Limiter::default(), query("www", None), Cell::new(0));
    let node = &|| {
        asked.set(asked.get() + 1);
        7
    };
    let answer = Ready { node, ..ready(&www, "192.0.2.1", &ANSWER, Rcode::NOERROR) };
    let refusal = ready(&www, "192.0.2.1", &REFERRAL, Rcode::REFUSED);
    for now in 1..5 {
        assert_eq!(passing(&limiter, &limits, now, 7, &refusal), 1);
        assert_eq!(passing(&limiter, &limits, now, 3, &answer), 3);
        assert_eq!(asked.get(), 0, "answers up to half of their limit need no look at their node");
    }
    assert_eq!(passing(&limiter, &limits, 5, 30, &answer), 20);
    assert!(asked.get() > 0);
}

#[test]
fn the_case_of_a_name_opens_no_account() {
    let (limiter, limits) = (Limiter::default(), limits());
    let names = [query("www", None), query("WwW", None)];
    let passed: u32 = (0..100)
        .map(|n| {
            passing(&limiter, &limits, 9, 1, &ready(&names[n % 2], "192.0.2.1", &ANSWER, Rcode::NOERROR))
        })
        .sum();
    assert_eq!(passed, 20);
}

#[test]
fn the_whole_prefix_and_the_zone_have_limits() {
    let mut limits = limits();
    limits.prefix_per_second = Some(100);
    let limiter = Limiter::default();
    let names: Vec<Query> = (0..500).map(|n| query(&format!("n{n}"), None)).collect();
    let of = |query| counted(&limiter, &limits, 1, &ready(query, "192.0.2.1", &ANSWER, Rcode::NOERROR));
    let outcome: Vec<Option<Limit>> = names.iter().map(of).collect();
    assert_eq!(outcome.iter().filter(|limit| limit.is_none()).count(), 100);
    assert_eq!(outcome[499], Some(Limit::Prefix));

    limits.zone_nxdomain_per_second = Some(50);
    let passed = |zone, address: &dyn Fn(u8) -> String| {
        let of = |n: u8| {
            let denial = ready(&names[0], &address(n), &NODATA, Rcode::NXDOMAIN);
            counted(&limiter, &limits, 2, &Ready { zone: Some(zone), ..denial })
        };
        let outcome: Vec<Option<Limit>> = (0..100).map(of).collect();
        assert!(outcome.iter().flatten().all(|limit| *limit == Limit::Zone));
        outcome.iter().filter(|limit| limit.is_none()).count()
    };
    assert_eq!(passed(0, &|n| format!("10.0.{n}.1")), 50, "many prefixes, one zone");
    assert_eq!(passed(1, &|n| format!("10.1.{n}.1")), 50, "another zone has its own account");
    let answer = ready(&names[1], "10.0.0.1", &ANSWER, Rcode::NOERROR);
    assert_eq!(counted(&limiter, &limits, 2, &answer), None, "names that exist are answered");
}

/// A client with a valid cookie has the limit of its prefix alone, and forged queries do not use it
/// up.
#[test]
fn proven_clients_have_the_limit_of_the_prefix() {
    let (limiter, mut limits, www) = (Limiter::default(), limits(), query("www", None));
    let flood = ready(&www, "192.0.2.1", &ANSWER, Rcode::NOERROR);
    let proven = |limits: &RateLimit, now| {
        let of = |_: &u32| limiter.count_proven(limits, now, flood.address).is_none();
        (0..1000).filter(of).count()
    };
    assert_eq!(proven(&limits, 1), 1000);
    limits.prefix_per_second = Some(100);
    assert_eq!(passing(&limiter, &limits, 2, 1000, &flood), 20);
    assert_eq!(proven(&limits, 2), 100);
    limits.exempt = vec![Prefix::of_client(flood.address)];
    assert_eq!(proven(&limits, 3), 1000);
}

/// Words of client prefixes lead back to them.
#[test]
fn words_are_prefixes() {
    assert_eq!(prefix(0), None);
    for (address, of) in [
        ("0.0.0.1", "0.0.0.0/24"),
        ("255.255.255.255", "255.255.255.0/24"),
        ("::ffff:192.0.2.1", "192.0.2.0/24"),
        ("::1", "::/56"),
        ("ffff:ffff:ffff:ffff::1", "ffff:ffff:ffff:ff00::/56"),
    ] {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(prefix(word(&address)), Some(Prefix::of_client(address)));
        assert_eq!(Prefix::of_client(address).to_string(), of);
    }
}

#[test]
fn limits_are_counted() {
    assert_eq!(Limit::all().count(), Limit::COUNT);
}

#[test]
fn exempt_prefixes_and_quiet_seconds() {
    let mut limits = limits();
    limits.exempt = vec![Prefix::host("192.0.2.77".parse().unwrap())];
    let (limiter, www) = (Limiter::default(), query("www", None));
    let exempt = ready(&www, "192.0.2.77", &ANSWER, Rcode::NOERROR);
    assert_eq!(passing(&limiter, &limits, 1, 100, &exempt), 100);
    let mapped = ready(&www, "::ffff:192.0.2.77", &ANSWER, Rcode::NOERROR);
    assert_eq!(passing(&limiter, &limits, 1, 100, &mapped), 100, "IPv4 inside IPv6 is IPv4");
    let other = ready(&www, "192.0.2.78", &ANSWER, Rcode::NOERROR);
    assert_eq!(passing(&limiter, &limits, 1, 100, &other), 0);
    // Clocks step.
    assert_eq!(passing(&limiter, &limits, u32::MAX, 100, &other), 20);
    assert_eq!(passing(&limiter, &limits, u32::MAX - 7, 100, &other), 20);
}

#[test]
fn treatments() {
    let mut limits = limits();
    let share = |limits: &RateLimit, treatment| {
        (0..3000).filter(|draw| limits.treatment(*draw) == treatment).count() as f64 / 3000.0
    };
    for (slip, slipped) in [(0, 0.0), (1, 1.0), (2, 0.5), (10, 0.1)] {
        limits.slip = slip;
        assert!((share(&limits, Treatment::Slipped) - slipped).abs() < 0.03, "{slip}");
        assert_eq!(share(&limits, Treatment::Passed), 0.0);
    }
    limits.is_log_only = true;
    assert_eq!(share(&limits, Treatment::Passed), 1.0);
}
