//! Broken inputs, each with the code and the place that an operator is shown.
//!
//! A row replaces one file of a small sound deployment. The mark `¦` stands before the place that
//! must be blamed and is taken out before loading.

use super::{Memory, load_memory, shown};
use crate::finding::Severity::{self, Error, Note, Warning};
use std::path::PathBuf;

const SERVER: &str = "\
node: { name: n1, site: fra }
listen: { dns: \"127.0.0.1:5353\" }
geoip: { databases: g.mmdb, networks: networks.yaml }
pops: pops.yaml
policies: policies.yaml
zones: zones
";
const NETWORKS: &str = "office: [198.18.0.0/24]\n";
const POPS: &str = "\
pops:
  fra: { at: { lat: 50, lon: 8 }, addresses: [192.0.2.1, '2001:db8::1'], tags: [eu], services: { video: { addresses: 192.0.2.9 } } }
  iad: { at: { lat: 39, lon: -77 }, addresses: [192.0.2.2, '2001:db8::2'], tags: [na] }
";
const POLICIES: &str = "policies:\n  web: { pops: all }\n";
const ZONE: &str = "\
zone: z.example.
soa: { mname: ns1, rname: host }
records:
  '@': { NS: ns1 }
  ns1: { A: 203.0.113.1 }
  www: { steer: web }
";

pub(super) fn sound() -> Memory {
    let mut memory = Memory::default();
    let files =
        [("meridian.yaml", SERVER), ("networks.yaml", NETWORKS), ("pops.yaml", POPS), ("policies.yaml", POLICIES), ("zones/z.yaml", ZONE)];
    for (path, text) in files.into_iter().chain([("g.mmdb", "x")]) {
        memory.0.insert(PathBuf::from(path), text.into());
    }
    memory
}

/// Loads the sound deployment with one file replaced, and asks for the finding at the mark. Errors
/// of other kinds must not come along: one fault is told once.
pub(super) fn check(file: &str, marked: &str, code: &str, severity: Severity) {
    // Without a mark the file as a whole is blamed.
    let (line, column) = marked.find('¦').map_or((0, 0), |at| {
        let before = &marked[..at];
        (1 + before.matches('\n').count() as u32, 1 + before.rsplit('\n').next().unwrap_or_default().chars().count() as u32)
    });
    let mut memory = sound();
    memory.0.insert(PathBuf::from(file), marked.replace('¦', "").into());
    let loaded = load_memory(&memory);
    let met = loaded.findings.iter().any(|f| {
        let place = f.at.map(|at| (loaded.files.path(at.file), at.line, at.column));
        f.code.id == code && f.severity == severity && place == Some((file, line, column))
    });
    assert!(met, "no {code} at {file}:{line}:{column} in\n{marked}\n{}", shown(&loaded));
    let others = loaded.findings.iter().any(|f| f.severity == Error && f.code.id != code);
    assert!(!others, "other errors than {code} in\n{marked}\n{}", shown(&loaded));
    assert_eq!(loaded.deployment.is_none(), loaded.findings.has_errors());
}

/// The zone with more records, or with `www` replaced.
fn zone(records: &str) -> String {
    format!("{ZONE}{records}")
}

/// One policy `web` with the given body.
fn policy(body: &str) -> String {
    format!("policies:\n  web: {{ {body} }}\n")
}

/// The policy `web` over all PoPs with one rule.
fn rule(body: &str) -> String {
    format!("policies:\n  web:\n    pops: all\n    rules:\n      - {{ {body} }}\n")
}

#[test]
fn the_base_is_sound() {
    let loaded = load_memory(&sound());
    assert!(loaded.findings.is_empty(), "{}", shown(&loaded));
}

#[test]
fn server_files() {
    for (text, code) in [
        ("node: { name: n1 }\nlisten: { dns: ¦127.0.0.1 }\npops: pops.yaml\nzones: zones\npolicies: policies.yaml\n", "MRD0107"),
        (&SERVER.replace("site: fra", "site: ¦fre"), "MRD0314"),
        (&SERVER.replace("policies:", "¦polices:").replace("policies: policies", "polices: policies"), "MRD0102"),
        (&SERVER.replace("zones: zones", "zones: zones\n¦zones: other"), "MRD0103"),
        (&SERVER.replace("g.mmdb", "¦none.mmdb"), "MRD0100"),
        (&SERVER.replace("pops: pops.yaml", "pops: ¦none.yaml"), "MRD0100"),
        (&SERVER.replace("listen: {", "listen: { threads: ¦0,"), "MRD0104"),
        (&SERVER.replace("listen: {", "listen: { tcp_idle: ¦5 minutes,"), "MRD0104"),
    ] {
        // Without its policies a deployment has names that point nowhere, which is another fault.
        if code == "MRD0102" {
            let mut memory = sound();
            memory.0.insert("meridian.yaml".into(), text.replace('¦', "").into());
            let loaded = load_memory(&memory);
            assert!(shown(&loaded).contains("did you mean `policies`?"), "{}", shown(&loaded));
            continue;
        }
        check("meridian.yaml", text, code, Error);
    }
}

#[test]
fn pop_files() {
    for (find, put, code, severity) in [
        ("192.0.2.2", "¦192.0.2.256", "MRD0107", Error),
        ("192.0.2.2", "¦192.0.2.2/32", "MRD0107", Error),
        ("192.0.2.2", "192.0.2.2, ¦192.0.2.2", "MRD0310", Error),
        ("192.0.2.2", "¦192.0.2.1", "MRD0310", Warning),
        ("192.0.2.2", "¦10.0.0.1", "MRD0315", Warning),
        ("lat: 39", "lat: ¦93", "MRD0104", Error),
        ("lat: 39, ", "", "MRD0105", Error),
        ("tags: [na]", "¦wieght: 5", "MRD0102", Error),
        ("tags: [na]", "weight: ¦-1", "MRD0104", Error),
        ("tags: [na]", "weight: ¦1e3", "MRD0104", Error),
        ("tags: [na]", "state: ¦donw", "MRD0104", Error),
        ("tags: [na]", "bias: ¦far", "MRD0104", Error),
        ("tags: [na]", "services: { ¦default: { addresses: 192.0.2.3 } }", "MRD0103", Error),
        ("tags: [na]", "services: { video: { addresses: ¦[] } }", "MRD0104", Error),
        ("tags: [na]", "probe: ¦web", "MRD0319", Error),
        ("tags: [na]", "capacity: ¦0", "MRD0104", Error),
        ("tags: [na]", "capacity: ¦many", "MRD0104", Error),
        ("at: { lat: 39, lon: -77 }, ", "", "MRD0309", Error),
        ("  iad:", "  ¦fra:", "MRD0103", Error),
        ("  iad:", "  ¦I_D:", "MRD0104", Error),
    ] {
        let mut text = POPS.replace(find, put);
        if !text.contains('¦') {
            // What is missing is blamed on what stands around it.
            text = if code == "MRD0105" { text.replace("lon: -77", "lon: ¦-77") } else { text.replace("  iad:", "  ¦iad:") };
        }
        check("pops.yaml", &text, code, severity);
    }
    check("pops.yaml", "pops: { fra: ¦[", "MRD0101", Error);
    check("pops.yaml", "pops: ¦[fra]\n", "MRD0104", Error);
}

#[test]
fn policy_files() {
    for (body, code, severity) in [
        ("pops: [fra, ¦fro]", "MRD0301", Error),
        ("pops: [fra, iad, ¦fra]", "MRD0316", Error),
        ("pops: ¦[]", "MRD0306", Error),
        ("pops: { tag: ¦ue }", "MRD0305", Error),
        ("pops: [fra, ¦iad], service: video", "MRD0303", Error),
        ("pops: all, service: ¦vidoe", "MRD0303", Error),
        ("pops: all, order: ¦latency", "MRD0104", Error),
        ("pops: all, band: ¦10", "MRD0104", Error),
        ("pops: all, ttl: { min: ¦60, max: 20 }", "MRD0104", Error),
        ("pops: all, answers: ¦0", "MRD0104", Error),
        ("pops: all, depth: ¦65", "MRD0104", Error),
        ("pops: all, cell_max_v4: ¦32", "MRD0104", Error),
        ("pops: all, up_threshold: ¦2.5", "MRD0104", Error),
        ("pops: all, weights: { ¦fro: 1 }", "MRD0301", Error),
        ("pops: [fra], weights: { ¦iad: 1 }", "MRD0104", Warning),
        ("pops: ¦[[fra, iad]]", "MRD0104", Warning),
        ("pops: all, when_all_down: ¦nodta", "MRD0104", Error),
        ("pops: all, ¦ordr: nearest", "MRD0102", Error),
        ("pops: all, panic: ¦on", "MRD0104", Error),
        ("pops: all, panic: { share: ¦0% }", "MRD0104", Error),
        ("pops: all, panic: { window: ¦0s }", "MRD0104", Error),
        ("pops: all, panic: { ¦holds: 5s }", "MRD0102", Error),
        ("use: ¦wbe", "MRD0302", Error),
        ("use: ¦web", "MRD0321", Error),
        ("use: b, ¦pops: all }\n  b: { pops: all", "MRD0104", Error),
        ("use: b, ¦ttl: 5 }\n  b: { pops: all", "MRD0104", Error),
        ("use: b }\n  b: { use: c }\n  c: { use: ¦web", "MRD0321", Error),
        ("use: ¦b, service: video }\n  b: { pops: all", "MRD0322", Error),
        ("pops: all }\n  ¦spare: { pops: all", "MRD0312", Note),
    ] {
        check("policies.yaml", &policy(body), code, severity);
    }
    for (body, code, severity) in [
        ("when: { country: ¦Germany }, pops: fra", "MRD0406", Error),
        ("when: { continent: ¦XX }, pops: fra", "MRD0406", Error),
        ("when: { subdivision: ¦CA }, pops: fra", "MRD0406", Error),
        ("when: { network: ¦offcie }, pops: fra", "MRD0304", Error),
        ("when: { site: ¦nowhere }, pops: fra", "MRD0314", Error),
        ("when: { country: ¦[] }, pops: fra", "MRD0104", Error),
        ("when: { ¦land: DE }, pops: fra", "MRD0102", Error),
        ("pops: fra, ¦cname: x.example.", "MRD0104", Error),
        ("pops: fra }\n      - ¦{ when: { country: DE }, pops: iad", "MRD0308", Warning),
        ("pops: fra, fence: true, when_all_down: ¦{ cname: other.example. }", "MRD0313", Error),
        ("when: { country: DE }, pops: fra }\n      - ¦{ pops: iad, when_all_down: nodata", "MRD0104", Error),
    ] {
        check("policies.yaml", &rule(body), code, severity);
    }
    for (body, others, code) in [
        ("when: { country: DE }, use: b, ¦fence: true", "  b: { pops: fra }\n", "MRD0104"),
        ("when: { country: DE }, use: b, ¦ttl: 5", "  b: { pops: fra }\n", "MRD0104"),
        ("when: { country: DE }, use: ¦b", "  b: { pops: fra, rules: [{ use: web }] }\n", "MRD0321"),
        ("¦when: { country: DE }, use: b", "  b: { pops: fra, when_all_down: nodata }\n", "MRD0104"),
    ] {
        let text = format!("{}{others}", rule(body));
        // The place of a rule is its first key or its braces.
        let text = if body.starts_with('¦') { text.replace('¦', "").replace("- { when", "- ¦{ when") } else { text };
        let text = if code == "MRD0321" { text.replace('¦', "").replace("{ use: web", "{ use: ¦web") } else { text };
        check("policies.yaml", &text, code, Error);
    }
    // Too many behind each other.
    let chain: String = (2..9).map(|i| format!("  p{i}: {{ use: p{} }}\n", i + 1)).collect();
    for (first, refused) in [(3, false), (2, true)] {
        let mut memory = sound();
        memory.0.insert("policies.yaml".into(), format!("policies:\n  web: {{ use: p{first} }}\n{chain}  p9: {{ pops: all }}\n").into());
        // Those that nobody uses are as deep as they are.
        let text = shown(&load_memory(&memory));
        assert_eq!(text.contains("error[MRD0321]: more than 8"), refused, "{text}");
    }
    // What is used is a fence for families: nobody outside it answers.
    let mut memory = sound();
    memory.0.insert("pops.yaml".into(), POPS.replace("192.0.2.2, '2001:db8::2'", "192.0.2.2").into());
    memory.0.insert("policies.yaml".into(), format!("{}  b: {{ pops: iad }}\n", rule("when: { country: US }, use: b")).into());
    assert!(shown(&load_memory(&memory)).contains("error[MRD0307]"), "{}", shown(&load_memory(&memory)));
    // A fence must hold every family that the policy offers.
    let v4_only = POPS.replace("192.0.2.2, '2001:db8::2'", "192.0.2.2");
    let mut memory = sound();
    memory.0.insert("pops.yaml".into(), v4_only.into());
    memory.0.insert("policies.yaml".into(), rule("when: { country: US }, pops: [iad], fence: true").into());
    let loaded = load_memory(&memory);
    assert!(shown(&loaded).contains("error[MRD0307]"), "{}", shown(&loaded));
    // A policy whose PoPs are all switched off.
    let mut memory = sound();
    memory.0.insert("pops.yaml".into(), POPS.replace("tags: [", "state: down, tags: [").into());
    assert!(shown(&load_memory(&memory)).contains("warning[MRD0311]"));
}

#[test]
fn network_files() {
    for (text, code, severity) in [
        ("office: { prefixes: [198.18.0.0/24] }\nlab: { prefixes: [¦198.18.0.0/24] }\n", "MRD0403", Error),
        ("office: { prefixes: [¦198.18.0.0/33] }\n", "MRD0107", Error),
        ("office: { prefixes: [¦198.18.0.1/24] }\n", "MRD0107", Warning),
        ("office: { prefixes: 198.18.0.0/24, asn: ¦0 }\n", "MRD0406", Error),
        ("office: ¦{ country: DE }\n", "MRD0105", Error),
        ("¦office: { prefixes: 198.18.0.0/24, site: fro }\n", "MRD0314", Error),
    ] {
        check("networks.yaml", text, code, severity);
    }
}

#[test]
fn zone_files() {
    for (records, code, severity) in [
        ("  ¦www.other.example.: { A: 192.0.2.1 }\n", "MRD0201", Error),
        ("  ¦a..b: { A: 192.0.2.1 }\n", "MRD0108", Error),
        ("  a: { A: ¦192.0.2 }\n", "MRD0206", Error),
        ("  a: { A: [192.0.2.1, ¦192.0.2.1] }\n", "MRD0208", Warning),
        ("  a: { ¦AAA: 192.0.2.1 }\n", "MRD0207", Error),
        ("  a: { ¦ANY: 192.0.2.1 }\n", "MRD0207", Error),
        ("  a: { TYPE65280: ¦'\\# 2 00' }\n", "MRD0206", Error),
        ("  a: { TXT: ¦v=spf1 -all }\n", "MRD0206", Warning),
        ("  a: { CNAME: ¦ns1, TXT: x }\n", "MRD0202", Error),
        ("  a: { CNAME: b }\n  b: { CNAME: c }\n  c: { CNAME: ¦a }\n", "MRD0203", Error),
        ("  '*.w': { CNAME: ¦x.w }\n", "MRD0203", Error),
        ("  a: { CNAME: ¦nowhere }\n", "MRD0214", Warning),
        ("  a: { CNAME: ¦www.z.example }\n", "MRD0214", Warning),
        ("  a: { MX: ¦10 b }\n  b: { CNAME: ns1 }\n", "MRD0215", Warning),
        ("  a: { steer: ¦wbe }\n", "MRD0302", Error),
        ("  a: { steer: web, A: ¦192.0.2.1 }\n", "MRD0217", Error),
        ("  d: { NS: ¦ns.d }\n", "MRD0210", Warning),
        ("  d: { NS: ns1 }\n  x.d: { TXT: ¦x }\n", "MRD0211", Warning),
        ("  a: { A: 192.0.2.1, ttl: 5 }\n  A: { A: ¦192.0.2.2, ttl: 6 }\n", "MRD0212", Warning),
        ("  a: { A: 192.0.2.1, ttl: ¦-5 }\n", "MRD0104", Error),
        ("  a: { A: 192.0.2.1, ttl: ¦{ min: 1, max: 2 } }\n", "MRD0104", Error),
        ("¦record: {}\n", "MRD0102", Error),
        ("  ¦www: { steer: web }\n", "MRD0103", Error),
        ("  WWW: { ¦steer: web }\n", "MRD0217", Error),
    ] {
        check("zones/z.yaml", &zone(records), code, severity);
    }
    for (text, code) in [
        (ZONE.replace("soa: { mname: ns1, rname: host }\n", "").replace("z.example.", "¦z.example."), "MRD0204"),
        (ZONE.replace("  '@': { NS: ns1 }\n", "").replace("z.example.", "¦z.example."), "MRD0205"),
        (ZONE.replace("rname: host", "rname: ¦host@z.example"), "MRD0108"),
        (ZONE.replace("mname: ns1, ", "").replace("soa: ", "soa: ¦"), "MRD0105"),
    ] {
        check("zones/z.yaml", &text, code, Error);
    }
}

/// What only shows when several files are seen together.
#[test]
fn faults_between_files() {
    let other = |apex: &str, records: &str| {
        format!("zone: {apex}\nsoa: {{ mname: ns1.z.example., rname: h }}\nrecords:\n  '@': {{ NS: ns1.z.example. }}\n{records}")
    };
    // Which of two files is the first is the order of their names.
    let mut memory = sound();
    memory.0.insert("zones/y.yaml".into(), other("Z.example", "").into());
    let loaded = load_memory(&memory);
    assert!(shown(&loaded).contains("error[MRD0209]") && shown(&loaded).contains("zones/z.yaml:1:7"), "{}", shown(&loaded));
    check("zones/y.yaml", &other("y.example", "  a: { CNAME: ¦b.z.example. }\n"), "MRD0214", Warning);
    // A loop across two zones.
    let mut memory = sound();
    memory.0.insert("zones/z.yaml".into(), zone("  a: { CNAME: a.y.example. }\n").into());
    memory.0.insert("zones/y.yaml".into(), other("y.example", "  '*': { CNAME: a.z.example. }\n").into());
    assert!(shown(&load_memory(&memory)).contains("error[MRD0203]"));
    // A policy that may answer a CNAME, at an apex and beside other data; and one that leads back.
    for (place, code) in
        [("'@': { NS: ns1, steer: web }", "MRD0218"), ("a: { TXT: x, steer: web }", "MRD0218"), ("back: { CNAME: www }", "MRD0203")]
    {
        let mut memory = sound();
        let text = if place.starts_with('\'') { ZONE.replace("'@': { NS: ns1 }", place) } else { zone(&format!("  {place}\n")) };
        memory.0.insert("zones/z.yaml".into(), text.into());
        memory.0.insert("policies.yaml".into(), rule("when: { country: DE }, cname: back.z.example.").into());
        let loaded = load_memory(&memory);
        assert!(shown(&loaded).contains(&format!("error[{code}]")), "{place}\n{}", shown(&loaded));
    }
    // A chain longer than the server follows.
    let chain: String = (0..9).map(|i| format!("  c{i}: {{ CNAME: c{} }}\n", i + 1)).collect();
    check(
        "zones/z.yaml",
        &zone(&format!("{chain}  c9: {{ A: 192.0.2.1 }}\n").replace("c0: { CNAME: ", "c0: { CNAME: ¦")),
        "MRD0213",
        Warning,
    );
    // No database, but distances.
    let mut memory = sound();
    memory.0.insert("meridian.yaml".into(), SERVER.replace("databases: g.mmdb, ", "").into());
    assert!(shown(&load_memory(&memory)).contains("warning[MRD0405]"));
    // Not text at all.
    let mut memory = sound();
    memory.0.insert("pops.yaml".into(), vec![0xff, 0xfe, 0]);
    assert!(shown(&load_memory(&memory)).contains("error[MRD0109]"));
}
