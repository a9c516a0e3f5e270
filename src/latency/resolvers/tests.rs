//! Mixes of clients as data.

use super::*;
use crate::latency::ranking::Ranked;
use std::net::IpAddr;

fn prefix(text: &str) -> Prefix {
    text.parse::<ipnet::IpNet>().unwrap().into()
}

fn row(resolver: &str, clients: &str, weight: f64) -> ClientRow {
    ClientRow { resolver: prefix(resolver), clients: prefix(clients), weight }
}

/// Three units: places 1, 1 and 2, and one without coordinates of its own.
fn units() -> Vec<Unit> {
    let unit = |text: &str, place| Unit::new(prefix(text), Some(place));
    vec![unit("20.0.0.0/16", 1), unit("20.1.0.0/16", 1), unit("20.2.0.0/16", 2), unit("2a00::/32", 2)]
}

/// Clients at place 1 are 10 ms from PoP 0 and 50 ms from PoP 1, those at place 2 the other way.
fn ranked(rows: &[ClientRow]) -> (Resolvers, Vec<Vec<Ranked>>) {
    let before = |_| Before::default();
    let units = units();
    let mut resolvers = Resolvers::new(rows.to_vec(), &units).unwrap();
    let estimates = |unit: &Unit| {
        let (near, far) = if unit.spot() == Some(1) { (0, 1) } else { (1, 0) };
        let estimate = |pop, rtt_ms, source| Estimate { pop, rtt_ms, source, samples: 1 };
        Some(vec![estimate(near, 10.0, RttSource::Measured), estimate(far, 50.0, RttSource::Distance)])
    };
    let rankings = resolvers.ranked(&units, 2, estimates, before).unwrap();
    let rankings = (0..rankings.len()).map(|at| rankings.of(at)).collect();
    (resolvers, rankings)
}

/// Rows of clients, and the RTTs of the resolver 30.0.0.0/24 to PoPs 0 and 1.
#[test]
fn the_mean_of_the_clients_decides() {
    type Case<'c> = (&'c str, &'c [(&'c str, f64)], Option<[u16; 2]>);
    let cases: &[Case<'_>] = &[
        ("all in one place", &[("20.2.0.0/22", 1.0)], Some([50, 10])),
        ("by weight", &[("20.0.0.0/22", 3.0), ("20.2.0.0/22", 1.0)], Some([20, 40])),
        (
            "repeated rows add up",
            &[("20.0.0.0/22", 1.0), ("20.0.0.0/22", 2.0), ("20.2.0.0/22", 1.0)],
            Some([20, 40]),
        ),
        ("one prefix over units, by their addresses", &[("20.0.0.0/14", 4.0)], Some([23, 37])),
        (
            "three networks are enough",
            &[("20.2.1.0/24", 1.0), ("20.2.2.0/24", 1.0), ("20.2.3.0/24", 1.0)],
            Some([50, 10]),
        ),
        ("two are not", &[("20.2.1.0/24", 9.0), ("20.2.2.0/24", 9.0)], None),
        (
            "nor is one that repeats",
            &[("20.2.1.0/24", 9.0), ("20.2.1.0/24", 9.0), ("20.2.1.0/24", 9.0)],
            None,
        ),
        ("most have no place", &[("20.2.0.0/22", 1.0), ("99.0.0.0/16", 2.0)], Some([0, 0])),
        ("few have none", &[("20.2.0.0/22", 3.0), ("99.0.0.0/16", 1.0)], Some([50, 10])),
        ("IPv6", &[("2a00::/46", 1.0)], Some([50, 10])),
    ];
    for (name, clients, expected) in cases {
        let rows: Vec<ClientRow> =
            clients.iter().map(|(clients, weight)| row("30.0.0.0/24", clients, *weight)).collect();
        let (resolvers, rankings) = ranked(&rows);
        let Some(expected) = expected else {
            assert_eq!((resolvers.list.len(), resolvers.too_few), (0, 1), "{name}");
            continue;
        };
        let rtt = |pop| rankings[0].iter().find(|ranked| ranked.pop == pop).map_or(0, |ranked| ranked.rtt_ms);
        assert_eq!([rtt(0), rtt(1)], *expected, "{name}");
    }
}

/// Resolvers and means do not depend on the order of rows.
#[test]
fn the_order_of_rows_is_no_input() {
    let mut rows = vec![
        row("30.0.0.0/24", "20.0.0.0/20", 0.1),
        row("30.0.0.0/16", "20.2.0.0/20", 0.7),
        row("30.0.0.0/24", "20.2.0.0/20", 0.2),
        row("30.0.0.0/24", "20.1.0.0/20", 0.3),
    ];
    let (first, rankings) = ranked(&rows);
    let prefixes: Vec<Prefix> = first.list.iter().map(|resolver| resolver.prefix).collect();
    assert_eq!(prefixes, [prefix("30.0.0.0/16"), prefix("30.0.0.0/24")], "wider ones first");
    for _ in 0..4 {
        rows.rotate_left(1);
        assert_eq!(ranked(&rows).1, rankings);
    }
}

/// Lines, and the row or the fault that each is.
#[test]
fn lines() {
    let cases = [
        ("192.0.2.53,198.51.100.7,12", Ok(("192.0.2.0/24,198.51.100.0/24,12\n", 12.0))),
        ("8.8.8.0/20, 198.51.0.0/16 ,0.5", Ok(("8.8.0.0/20,198.51.0.0/16,0.5\n", 0.5))),
        ("2001:db8::53,2001:db8:1:2::7,1", Ok(("2001:db8::/48,2001:db8:1::/48,1\n", 1.0))),
        ("192.0.2.53,198.51.100.7", Err("fewer than three columns")),
        ("10.0.0.1,198.51.100.7,1", Err("no resolver of the internet")),
        ("192.0.2.53,localhost,1", Err("no client network of the internet")),
        ("192.0.2.53,198.51.100.7,0", Err("no weight above 0")),
        ("192.0.2.53,198.51.100.7,inf", Err("no weight above 0")),
        ("192.0.2.53,198.51.100.7,NaN", Err("no weight above 0")),
    ];
    for (line, expected) in cases {
        let read = ClientRow::read(line);
        let shown = read.map(|row| {
            let mut text = String::new();
            row.write(&mut text);
            (text, row.weight)
        });
        assert_eq!(shown, expected.map(|(text, weight)| (text.to_owned(), weight)), "{line}");
    }
}

/// No client weighs more than its bound in an hour, and hours add up.
#[test]
fn samples_are_bounded() {
    let (resolver, client) = (prefix("192.0.2.0/24"), prefix("198.51.100.0/24"));
    let mut clients = Clients::default();
    clients.add(resolver, client, 1, 10);
    clients.add(resolver, client, 2, u32::MAX);
    clients.add(resolver, client, 2, 7);
    let weight = 10.0 + LATENCY_SAMPLES_MAX as f64;
    assert_eq!(clients.take(), [ClientRow { resolver, clients: client, weight }]);
    assert_eq!(clients.take(), []);
}

/// A prefix, and the addresses of the units that share addresses with it.
#[test]
fn units_of_a_prefix() {
    let units = units();
    let cases: [(&str, &[&str]); 5] = [
        ("20.1.3.0/24", &["20.1.0.0"]),
        ("20.1.0.0/16", &["20.1.0.0"]),
        ("20.0.0.0/15", &["20.0.0.0", "20.1.0.0"]),
        ("21.0.0.0/8", &[]),
        ("2a00:0:1::/48", &["2a00::"]),
    ];
    for (text, expected) in cases {
        let found: Vec<IpAddr> =
            units_of(&units, prefix(text)).map(|at| units[at].prefix.address()).collect();
        let expected: Vec<IpAddr> = expected.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(found, expected, "{text}");
    }
}
