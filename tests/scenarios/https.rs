//! Steered HTTPS records: well-formed, and one decision with A and AAAA.
//!
//! They are read by hickory-proto and not by `support::reply`: it gives their parameters as values,
//! and is a second judge of their form.

use hickory_proto::op::Message;
use hickory_proto::rr::RData;
use hickory_proto::rr::rdata::svcb::{SvcParamKey, SvcParamValue};
use meridian::testing::cli::verify::verify_scopes;
use meridian::testing::wire::rr::RrType;
use std::collections::BTreeSet;
use std::net::IpAddr;
use support::{Tree, World, ask, load, prefix, query};

/// The sample, with parameters for every PoP.
fn world() -> World {
    let tree = Tree::sample().replacing(
        "pops.yaml",
        "    tags: [",
        "    https: { alpn: [h3, h2], port: 8443, ech: AAT+DQAA }\n    tags: [",
    );
    load(&tree).unwrap_or_else(|findings| panic!("{findings}"))
}

/// TTL, ECS scope and decoded data of every answer record.
fn asked(world: &World, name: &str, rtype: RrType, network: &str) -> (u8, Vec<(u32, RData)>) {
    let resolver: IpAddr = "192.0.2.53".parse().unwrap();
    let (outcome, reply) = ask(&world.snapshot, &query(name, rtype, Some(prefix(network))), resolver, 7);
    let message = Message::from_vec(&reply).unwrap();
    (outcome.scope, message.answers.into_iter().map(|record| (record.ttl, record.data)).collect())
}

const NAMES: [&str; 2] = ["global.edge.cdn.example.", "www.edge.cdn.example."];
const NETWORKS: [&str; 6] = [
    "198.51.100.0/24",
    "203.0.113.0/24",
    "192.0.2.0/24",
    "2001:db8:1000::/40",
    "2001:db8:2000::/40",
    "100.64.0.0/24",
];

#[test]
fn one_decision_for_three_types() {
    let world = world();
    let mut seen = 0;
    for name in NAMES {
        for network in NETWORKS {
            let (scope, https) = asked(&world, name, RrType::HTTPS, network);
            let Some((ttl, RData::HTTPS(record))) =
                https.iter().find(|(_, data)| matches!(data, RData::HTTPS(_)))
            else {
                continue;
            };
            seen += 1;
            let record = &record.0;
            assert_eq!((record.svc_priority, record.target_name.to_string().as_str()), (1, "."));
            let keys: Vec<u16> = record.svc_params.iter().map(|(key, _)| u16::from(*key)).collect();
            assert_eq!(keys, [1, 3, 4, 5, 6], "ascending keys (RFC 9460 section 2.2)");
            let mut hints: [BTreeSet<IpAddr>; 2] = Default::default();
            for (key, value) in &record.svc_params {
                match (key, value) {
                    (SvcParamKey::Alpn, SvcParamValue::Alpn(alpn)) => assert_eq!(alpn.0, ["h3", "h2"]),
                    (SvcParamKey::Port, SvcParamValue::Port(port)) => assert_eq!(*port, 8443),
                    (SvcParamKey::Ipv4Hint, SvcParamValue::Ipv4Hint(list)) => {
                        hints[0].extend(list.0.iter().map(|a| IpAddr::V4(a.0)))
                    }
                    (SvcParamKey::Ipv6Hint, SvcParamValue::Ipv6Hint(list)) => {
                        hints[1].extend(list.0.iter().map(|a| IpAddr::V6(a.0)))
                    }
                    (SvcParamKey::EchConfigList, _) => {}
                    other => panic!("{other:?}"),
                }
            }
            for (rtype, hints) in [(RrType::A, &hints[0]), (RrType::AAAA, &hints[1])] {
                let (address_scope, records) = asked(&world, name, rtype, network);
                let addresses: BTreeSet<IpAddr> =
                    records.iter().filter_map(|(_, data)| data.ip_addr()).collect();
                assert_eq!(&addresses, hints, "{name} {rtype} {network}");
                assert_eq!(address_scope, scope);
                assert!(records.iter().all(|(other, _)| other == ttl));
            }
        }
    }
    assert!(seen >= 6, "{seen} records");
}

#[test]
fn the_scopes_of_https_are_true() {
    let report = verify_scopes(&world().snapshot, 2).unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    let plain = verify_scopes(&support::sample().snapshot, 2)
        .unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    assert!(report.pairs > plain.pairs, "HTTPS is walked too");
}
