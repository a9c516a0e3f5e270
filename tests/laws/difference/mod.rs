//! The difference of a reload names every change: for each key of each file, a change of its value
//! gives a line that names it, and the line says what it was and what it is. A key that the schema
//! has and no row changes fails the test.

mod rows;
mod server_rows;

use meridian::testing::cli::schema::json;
use meridian::testing::config::catalogue::FILES;
use meridian::testing::impact::difference;
use rows::ROWS;
use server_rows::SERVER_ROWS;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use support::{Tree, certificate, load};

const SERVER: &str = r#"
node: { name: n1, site: p1 }
listen: { dns: ["127.0.0.1:0"], dot: ["127.0.0.1:0"], doh: ["127.0.0.1:0"],
  doq: ["127.0.0.1:0"] }
geoip: { databases: [one.csv, two.csv], accept_shrunk: off, networks: networks.yaml }
pops: pops.yaml
policies: policies.yaml
zones: zones/
state: state/
cookies: { secrets: secrets.txt }
tls: { certificate: one.pem, key: one.pem }
admin: { tls: { certificate: one.pem, key: one.pem }, tokens: tokens.txt, client_ca: one.pem }
rate_limit: { from_qps: 100 }
overload: { known_first: on }
access: { drop: [203.0.113.0/24] }
proxy_protocol: { from: [192.0.2.10] }
"#;

const NETWORKS: &str = r#"
office: { prefixes: [198.18.0.0/24], country: US, subdivision: CA, lat: 1, lon: 2, asn: 64500, site: p1 }
other: { prefixes: [198.18.1.0/24] }
"#;

const POPS: &str = r#"
probes:
  h: { https: { path: /a, port: 443, method: GET, host: h.test, headers: { x-a: "1" }, expect: 200,
       expect_headers: { x-b: "1" }, body: fine, sni: s.test, verify: on, warn_days: 14 },
       every: 5s, timeout: 2s, up_after: 3, down_after: 3, ok_after: 10 }
  plain: { http: { path: /b, host: b.test } }
  t: { tcp: { port: 1, send: hello, expect: world }, to: "192.0.2.9:1" }
  d: { dns: { name: a.test., type: A, rcode: NOERROR, answer: 192.0.2.1, port: 53, tcp: off } }
  e: { exec: { command: [/bin/true, b] } }
  f: { file: up.txt }
  p: { push: { ttl: 1m } }
  i: { icmp: {} }
  ga: { all_of: [h, t] }
  gb: { any_of: [h, t] }
  gn: { n_of: { n: 1, of: [h, t, d] } }
canaries: { probe: t, addresses: [192.0.2.250], freeze_max: 10m }
startup_wait: 3s
safety: [{ never_fewer_than: 1, of: all }, { never_more_off_than: 90%, of: { tag: eu } }]
safety_off_until: 2020-01-01
pops:
  p1:
    at: { lat: 50, lon: 8, country: DE }
    addresses: [{ address: 192.0.2.1, weight: 90 }, 192.0.2.2]
    weight: 100
    bias: 0
    state: auto
    tags: [eu]
    https: { alpn: [h3], port: 8443 }
    probe: [h]
    capacity: 100
    load: { http: { url: "http://192.0.2.9/load", pointer: /now, to: 192.0.2.8 }, every: 15s,
            stale_after: 40s, target: 80%, limit: 95%, gain: 0.08, smoothing: 0.5 }
    ramp: 5m
    services:
      video: { addresses: [192.0.2.5], probe: plain, capacity: 10, load: { push: {} } }
  p2: { at: { lat: 52, lon: 4 }, addresses: [192.0.2.3], https: {},
        probe: [t, d, e, f, p, i, ga, gb, gn], capacity: 1,
        load: { prometheus: { url: "http://192.0.2.9/metrics", metric: load, labels: { a: b } } } }
  p3: { at: { lat: 40, lon: -77 }, addresses: [192.0.2.4], https: {}, capacity: 1, load: { file: load.txt } }
"#;

const POLICIES: &str = r#"
policies:
  a:
    pops: [p1, p2, p3]
    service: default
    order: nearest
    band: 10%
    weights: { p1: 5 }
    share: sticky
    ttl: { min: 30, max: 60 }
    answers: 1
    when_all_down: as_if_up
    ecs: on
    depth: 8
    cell_max_v4: 20
    cell_max_v6: 40
    spill_max_km: 20000
    up_threshold: 50%
    panic: { share: 50%, window: 30s, hold: 60s }
    expose_pops: off
    rules:
      - { when: { country: DE, subdivision: [DE-BE, FR-75C, US-CA], continent: EU, asn: 64500,
          network: office, resolver_network: office, site: p1, not: { asn: 64501 } }, pops: [p1], fence: on }
      - { when: { country: CU }, cname: partner.test. }
  b: { use: a }
  t: { pops: { tag: eu } }
"#;

const ZONE: &str = r#"
zone: x.test.
ttl: 300
soa: { mname: ns1, rname: host, serial: 7, refresh: 7200, retry: 900, expire: 1209600, negative_ttl: 60 }
chain: full
records:
  "@": { NS: ns1 }
  ns1: { A: 192.0.2.53 }
  www: { TXT: '"a"' }
  a: { steer: a }
  b: { steer: b, ttl: 9 }
  t: { steer: t }
  own: { steer: own }
policies:
  own: { pops: [p1] }
"#;

/// Two certificates, each with its key.
static PAIRS: LazyLock<[String; 2]> = LazyLock::new(|| {
    [2039, 2040].map(|year| {
        let issued = certificate::issue((year, 1, 1));
        issued.certificate + &issued.key
    })
});

fn base() -> Tree {
    let table =
        "prefix,continent,country,subdivision,latitude,longitude,asn,city\n198.51.100.0/24,EU,DE,,50,8,,\n";
    Tree { base: "/nonexistent".into(), ..Tree::default() }
        .with("meridian.yaml", SERVER)
        .with("networks.yaml", NETWORKS)
        .with("pops.yaml", POPS)
        .with("policies.yaml", POLICIES)
        .with("zones/x.test.yaml", ZONE)
        .with("one.csv", table)
        .with("two.csv", table.replace("198.51", "203.0"))
        .with("one.pem", &*PAIRS[0])
        .with("two.pem", &*PAIRS[1])
        .with("tokens.txt", "ops 0123456789abcdef0123456789abcdef\n")
        .with("secrets.txt", "0123456789abcdef0123456789abcdef\n")
}

/// Keys that no reload takes over: a finding refuses them, or they only say where a file is.
const BY_RESTART: [&str; 31] = [
    "pid_file",
    "exit_on_fault",
    "user",
    "sandbox",
    "off",
    "listen",
    "dns",
    "control",
    "admin",
    "admin_hosts",
    "threads",
    "cpus",
    "socket_affinity",
    "batch",
    "receive_buffer",
    "send_buffer",
    "tcp_connections",
    "tcp_connections_per_prefix",
    "tcp_idle",
    "dot",
    "dot_connections",
    "dot_connections_per_prefix",
    "dot_idle",
    "doh",
    "doh_connections",
    "doh_connections_per_prefix",
    "doh_idle",
    "doq",
    "doq_connections",
    "doq_connections_per_prefix",
    "doq_idle",
];

#[test]
fn every_change_of_files_is_named() {
    let before = load(&base()).unwrap_or_else(|findings| panic!("{findings}")).snapshot;
    let mut faults = Vec::new();
    for (keys, file, from, to, line) in SERVER_ROWS.iter().chain(ROWS) {
        let after = match load(&base().replacing(file, from, to)) {
            Ok(world) => world.snapshot,
            Err(findings) => {
                faults.push(format!("{keys}: {findings}"));
                continue;
            }
        };
        let told = difference(&before, &after);
        if !told.lines().iter().any(|told| told.starts_with(line)) {
            faults
                .push(format!("{keys}: {file}, {from:?} -> {to:?}: no line {line:?} in {:?}", told.lines()));
        }
        let back = difference(&after, &before);
        if back.lines().len() != told.lines().len() {
            faults.push(format!("{keys}: forth {:?}, back {:?}", told.lines(), back.lines()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // What is written otherwise and read alike.
    for (file, from, to) in
        [("pops.yaml", "bias: 0", "bias: 0 # none"), ("zones/x.test.yaml", "ttl: 300", "ttl: 5m")]
    {
        let after = load(&base().replacing(file, from, to)).unwrap_or_else(|findings| panic!("{findings}"));
        let told = difference(&before, &after.snapshot);
        assert!(told.lines().len() == 1 && told.lines()[0].starts_with("files changed in nothing"), "{told}");
    }
    assert!(difference(&before, &before).is_empty());
}

/// Every key of the schema is changed by a row; record types are compared alike.
#[test]
fn every_key_has_a_row() {
    let mut keys = BTreeSet::new();
    for file in &FILES {
        let schema: serde_json::Value = serde_json::from_str(&json::of(file)).expect("JSON");
        collect(&schema, &mut keys);
    }
    let changed: BTreeSet<&str> =
        SERVER_ROWS.iter().chain(ROWS).flat_map(|(keys, ..)| keys.split(' ')).chain(BY_RESTART).collect();
    let is_type = |key: &String| key.chars().next().is_some_and(|c| c.is_ascii_uppercase());
    // The certificates of `ca` are files, tried with a probe of their own; `path` stands for the
    // rest.
    let missing: Vec<&String> =
        keys.iter().filter(|key| !changed.contains(key.as_str()) && !is_type(key) && *key != "ca").collect();
    assert!(missing.is_empty(), "no row changes {missing:?}");
}

fn collect(schema: &serde_json::Value, keys: &mut BTreeSet<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        keys.extend(properties.keys().cloned());
    }
    match schema {
        serde_json::Value::Object(map) => map.values().for_each(|value| collect(value, keys)),
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, keys)),
        _ => {}
    }
}
