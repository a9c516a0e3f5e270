//! Broken inputs, each with the code and the place that an operator sees.
//!
//! A row replaces one file of a small valid deployment. The mark `¦` stands before the place of the
//! finding, and is removed before the text is read.

use super::faults::{self, POLICIES, POPS, ZONE};
use super::{Memory, load_memory, shown};
use crate::finding::Severity::{self, Error, Warning};
use std::path::PathBuf;
use std::sync::LazyLock;

const SERVER: &str = "\
node: { name: n1, site: fra }
listen: { dns: \"127.0.0.1:5300\" }
geoip: { databases: g.mmdb, networks: networks.yaml }
pops: pops.yaml
policies: policies.yaml
zones: zones
";
const NETWORKS: &str = "office: [198.18.0.0/24]\n";

pub(super) fn sound() -> Memory {
    let mut memory = Memory::default();
    let files = [
        ("meridian.yaml", SERVER),
        ("networks.yaml", NETWORKS),
        ("pops.yaml", POPS),
        ("policies.yaml", POLICIES),
        ("zones/z.yaml", ZONE),
    ];
    // Files that only a broken row names.
    let broken = "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
    let others =
        [("g.mmdb", "x"), ("broken.pem", broken), ("p521.pem", super::probes::P521), ("tls.pem", &*BOTH)];
    for (path, text) in files.into_iter().chain(others) {
        memory.0.insert(PathBuf::from(path), text.into());
    }
    memory
}

/// Loads the valid deployment with one file replaced, and expects the finding at the mark. No other
/// errors may occur, because one fault must be reported once.
pub(super) fn check(file: &str, marked: &str, code: &str, severity: Severity) {
    // Without a mark, the finding is about the whole file.
    let (line, column) = marked.find('¦').map_or((0, 0), |at| {
        let before = &marked[..at];
        (
            1 + before.matches('\n').count() as u32,
            1 + before.rsplit('\n').next().unwrap_or_default().chars().count() as u32,
        )
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

/// The server file with these addresses for DNS over TLS.
fn dot(addresses: &str) -> String {
    SERVER.replace("listen: {", &format!("listen: {{ dot: {addresses},"))
}

/// The server file with DNS over TLS and this certificate.
fn tls(files: &str) -> String {
    format!("{}tls: {files}\n", dot("\"127.0.0.1:853\""))
}

/// Certificate and key in one file.
pub(super) static BOTH: LazyLock<String> =
    LazyLock::new(|| [&*crate::tls::tests::PAIR.0, &*crate::tls::tests::PAIR.1].concat());

/// One policy `web` with the given body.
fn policy(body: &str) -> String {
    format!("policies:\n  web: {{ {body} }}\n")
}

/// The policy `web` over all PoPs, with one rule.
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
    let both = "{ certificate: tls.pem, key: tls.pem }";
    for (text, code) in [
        (
            "node: { name: n1 }\nlisten: { dns: ¦127.0.0.1 }\npops: pops.yaml\nzones: zones\npolicies: \
             policies.yaml\n",
            "MRD0107",
        ),
        (&SERVER.replace("site: fra", "site: ¦fre"), "MRD0314"),
        (
            &SERVER.replace("policies:", "¦polices:").replace("policies: policies", "polices: policies"),
            "MRD0102",
        ),
        (&SERVER.replace("zones: zones", "zones: zones\n¦zones: other"), "MRD0103"),
        (&SERVER.replace("g.mmdb", "¦none.mmdb"), "MRD0100"),
        (&SERVER.replace("pops: pops.yaml", "pops: ¦none.yaml"), "MRD0100"),
        (&SERVER.replace("listen: {", "listen: { threads: ¦0,"), "MRD0104"),
        (&SERVER.replace("listen: {", "listen: { tcp_idle: ¦5 minutes,"), "MRD0104"),
        (&SERVER.replace("listen: {", "listen: { threads: ¦513,"), "MRD0104"),
        (&SERVER.replace("listen: {", "listen: { cpus: ¦all,"), "MRD0104"),
        (&SERVER.replace("listen: {", "listen: { cpus: ¦[],"), "MRD0104"),
        (&SERVER.replace("listen: {", "listen: { cpus: [0, ¦1024],"), "MRD0104"),
        (&SERVER.replace("listen: {", "listen: { cpus: [3, 1, ¦3],"), "MRD0104"),
        (&SERVER.replace("listen: {", "listen: { socket_affinity: ¦cpu,"), "MRD0104"),
        (&SERVER.replace("listen: {", "listen: { batch: ¦0,"), "MRD0104"),
        (&SERVER.replace("listen: {", "listen: { batch: ¦1025,"), "MRD0104"),
        (&SERVER.replace("listen: {", "listen: { receive_buffer: ¦65535,"), "MRD0104"),
        (&SERVER.replace("listen: {", "listen: { send_buffer: ¦1073741824,"), "MRD0104"),
        (&SERVER.replace("zones: zones", "zones: zones\ncookies: ¦on"), "MRD0104"),
        (&SERVER.replace("zones: zones", "zones: zones\nrate_limit: { per_second: ¦0 }"), "MRD0104"),
        (&SERVER.replace("zones: zones", "zones: zones\nrate_limit: { nxdomain: ¦60001 }"), "MRD0104"),
        (&SERVER.replace("zones: zones", "zones: zones\nrate_limit: { mode: ¦log }"), "MRD0104"),
        (&SERVER.replace("zones: zones", "zones: zones\nrate_limit: { slip: ¦11 }"), "MRD0104"),
        (&SERVER.replace("zones: zones", "zones: zones\nrate_limit: { answers_per_name: ¦0 }"), "MRD0104"),
        (&SERVER.replace("zones: zones", "zones: zones\nrate_limit: { exempt: [¦office] }"), "MRD0107"),
        (&SERVER.replace("zones: zones", "zones: zones\ncookies: { secrets: ¦none.secrets }"), "MRD0100"),
        (&SERVER.replace("listen: {", "listen: { dot_idle: ¦0s,"), "MRD0104"),
        (&tls(both).replace("dot:", "doh: ¦\"127.0.0.1:853\", dot:"), "MRD0310"),
        (&SERVER.replace("listen: {", "listen: { doq_idle: ¦2h,"), "MRD0104"),
        (&tls(both).replace("dot:", "doq: ¦\"127.0.0.1:5300\", dot:"), "MRD0310"),
        (
            &dot("\"127.0.0.1:¦853\"").replace('¦', "").replace("\"127.0.0.1:853", "¦\"127.0.0.1:853"),
            "MRD0105",
        ),
        (&dot("¦[]").replace("\nzones", "\ntls: { certificate: tls.pem, key: tls.pem }\nzones"), "MRD0104"),
        (&tls(both).replace("\"127.0.0.1:853\"", "¦\"127.0.0.1:5300\""), "MRD0310"),
        (&tls(both).replace("dot:", "admin: ¦\"127.0.0.1:853\", dot:"), "MRD0310"),
        (&tls("¦{ certificate: tls.pem }"), "MRD0105"),
        (&tls("{ certificate: ¦none.pem, key: tls.pem }"), "MRD0100"),
        (&tls("{ certificate: tls.pem, key: ¦none.pem }"), "MRD0100"),
        (&tls("{ certificate: ¦broken.pem, key: tls.pem }"), "MRD0113"),
        (&tls("{ certificate: tls.pem, key: ¦broken.pem }"), "MRD0113"),
    ] {
        // A deployment without its policies has dangling names, which is another fault.
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
fn access_lists() {
    let v4 = |count: u32| (0..count).map(|n| format!("10.{}.{}.0/24", n >> 8, n & 255)).collect::<Vec<_>>();
    // Hosts that are spread over the whole space.
    let v6 = |count: u128| (0..count).map(|n| format!("'{}'", std::net::Ipv6Addr::from_bits(n << 110)));
    let many = format!("¦{{ drop: [{}] }}", v4(16_385).join(", "));
    let spread = format!("¦{{ drop: [{}] }}", v6(9_000).collect::<Vec<_>>().join(", "));
    for (access, code, severity) in [
        ("{ drop: [10.0.0.0/8], allow: [¦10.0.0.0/8] }", "MRD0403", Error),
        ("{ drop: [10.0.0.0/8, ¦10.0.0.0/8] }", "MRD0403", Warning),
        ("{ refuse: [198.18.0.0/24], drop: [¦office] }", "MRD0403", Error),
        ("{ drop: [¦10.0.0.0/8], refuse: ['::ffff:10.0.0.0/104'] }", "MRD0403", Error),
        ("{ drop: [11.0.0.0/8], allow: [¦10.0.0.1] }", "MRD0516", Warning),
        ("{ drop: [10.0.0.0/9], allow: [¦10.0.0.0/8] }", "MRD0516", Warning),
        ("{ drop: [¦offic] }", "MRD0304", Error),
        ("{ drop: [¦10.0.0.0/33] }", "MRD0107", Error),
        ("¦drop", "MRD0104", Error),
        (&many, "MRD0106", Error),
        (&spread, "MRD0106", Error),
    ] {
        let text = SERVER.replace("zones: zones", &format!("zones: zones\naccess: {access}"));
        check("meridian.yaml", &text, code, severity);
    }
    // Exceptions of any depth have an effect; empty lists are none.
    for (access, entries) in [
        ("{ drop: ['0.0.0.0/0', '::/0'], allow: [office, 10.0.0.0/8], refuse: 10.1.0.0/16 }", Some(5)),
        ("{ drop: [] }", None),
    ] {
        let mut memory = sound();
        let text = SERVER.replace("zones: zones", &format!("zones: zones\naccess: {access}"));
        memory.0.insert("meridian.yaml".into(), text.into());
        let loaded = load_memory(&memory);
        assert!(loaded.findings.is_empty(), "{}", shown(&loaded));
        let access = loaded.deployment.expect("sound").access;
        assert_eq!(access.map(|access| access.entries().len()), entries);
    }
}

/// IPv4 inside IPv6 is IPv4 in the files, because a client is.
#[test]
fn mapped_prefixes_are_ipv4() {
    for (written, read) in [
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::/0", "::/0"),
        ("2001:db8::/32", "2001:db8::/32"),
    ] {
        let keys = format!("zones: zones\nrate_limit: {{ exempt: ['{written}'] }}");
        let mut memory = sound();
        memory.0.insert("meridian.yaml".into(), SERVER.replace("zones: zones", &keys).into());
        let limits = load_memory(&memory).deployment.expect("sound").rate_limit.expect("limits");
        assert_eq!(limits.exempt[0].to_string(), read, "{written}");
    }
}

#[test]
fn pop_files() {
    for &(find, put, code, severity) in faults::IN_POPS {
        let mut text = POPS.replace(find, put);
        if !text.contains('¦') {
            // A missing key is reported at its surroundings.
            text = if code == "MRD0105" {
                text.replace("lon: -77", "lon: ¦-77")
            } else {
                text.replace("  iad:", "  ¦iad:")
            };
        }
        check("pops.yaml", &text, code, severity);
    }
    check("pops.yaml", "pops: { fra: ¦[", "MRD0101", Error);
    check("pops.yaml", "pops: ¦[fra]\n", "MRD0104", Error);
}

#[test]
fn policy_files() {
    for &(body, code, severity) in faults::POLICY_BODIES {
        check("policies.yaml", &policy(body), code, severity);
    }
    for &(body, code, severity) in faults::RULES {
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
        let text = if body.starts_with('¦') {
            text.replace('¦', "").replace("- { when", "- ¦{ when")
        } else {
            text
        };
        let text = if code == "MRD0321" {
            text.replace('¦', "").replace("{ use: web", "{ use: ¦web")
        } else {
            text
        };
        check("policies.yaml", &text, code, Error);
    }
    // Too long a chain.
    let chain: String = (2..9).map(|i| format!("  p{i}: {{ use: p{} }}\n", i + 1)).collect();
    for (first, refused) in [(3, false), (2, true)] {
        let mut memory = sound();
        memory.0.insert(
            "policies.yaml".into(),
            format!("policies:\n  web: {{ use: p{first} }}\n{chain}  p9: {{ pops: all }}\n").into(),
        );
        // Unused policies have the same limit.
        let text = shown(&load_memory(&memory));
        assert_eq!(text.contains("error[MRD0321]: more than 8"), refused, "{text}");
    }
    // A used policy is a fence for families: PoPs outside it are not answered.
    let mut memory = sound();
    memory.0.insert("pops.yaml".into(), POPS.replace("192.0.2.2, '2001:db8::2'", "192.0.2.2").into());
    memory.0.insert(
        "policies.yaml".into(),
        format!("{}  b: {{ pops: iad }}\n", rule("when: { country: US }, use: b")).into(),
    );
    assert!(shown(&load_memory(&memory)).contains("error[MRD0307]"), "{}", shown(&load_memory(&memory)));
    // A fence must have every family that the policy offers.
    let v4_only = POPS.replace("192.0.2.2, '2001:db8::2'", "192.0.2.2");
    let mut memory = sound();
    memory.0.insert("pops.yaml".into(), v4_only.into());
    memory.0.insert("policies.yaml".into(), rule("when: { country: US }, pops: [iad], fence: true").into());
    let loaded = load_memory(&memory);
    assert!(shown(&loaded).contains("error[MRD0307]"), "{}", shown(&loaded));
    // A policy whose PoPs all have `state: down`.
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
    for &(records, code, severity) in faults::RECORDS {
        check("zones/z.yaml", &zone(records), code, severity);
    }
    for (text, code) in [
        (
            ZONE.replace("soa: { mname: ns1, rname: host }\n", "").replace("z.example.", "¦z.example."),
            "MRD0204",
        ),
        (ZONE.replace("  '@': { NS: ns1 }\n", "").replace("z.example.", "¦z.example."), "MRD0205"),
        (ZONE.replace("rname: host", "rname: ¦host@z.example"), "MRD0108"),
        (ZONE.replace("mname: ns1, ", "").replace("soa: ", "soa: ¦"), "MRD0105"),
    ] {
        check("zones/z.yaml", &text, code, Error);
    }
}

/// Faults that only several files together show.
#[test]
fn faults_between_files() {
    let other = |apex: &str, records: &str| {
        format!(
            "zone: {apex}\nsoa: {{ mname: ns1.z.example., rname: h }}\nrecords:\n  '@': {{ NS: \
             ns1.z.example. }}\n{records}"
        )
    };
    // The order of names decides which of two files is the first.
    let mut memory = sound();
    memory.0.insert("zones/y.yaml".into(), other("Z.example", "").into());
    let loaded = load_memory(&memory);
    assert!(
        shown(&loaded).contains("error[MRD0209]") && shown(&loaded).contains("zones/z.yaml:1:7"),
        "{}",
        shown(&loaded)
    );
    check("zones/y.yaml", &other("y.example", "  a: { CNAME: ¦b.z.example. }\n"), "MRD0214", Warning);
    // A loop across two zones.
    let mut memory = sound();
    memory.0.insert("zones/z.yaml".into(), zone("  a: { CNAME: a.y.example. }\n").into());
    memory.0.insert("zones/y.yaml".into(), other("y.example", "  '*': { CNAME: a.z.example. }\n").into());
    assert!(shown(&load_memory(&memory)).contains("warning[MRD0203]"));
    // A policy that may answer a CNAME, at an apex and beside other data; and one that leads back.
    for (place, code) in [
        ("'@': { NS: ns1, steer: web }", "error[MRD0218]"),
        ("a: { TXT: x, steer: web }", "error[MRD0218]"),
        ("back: { CNAME: www }", "warning[MRD0203]"),
    ] {
        let mut memory = sound();
        let text = if place.starts_with('\'') {
            ZONE.replace("'@': { NS: ns1 }", place)
        } else {
            zone(&format!("  {place}\n"))
        };
        memory.0.insert("zones/z.yaml".into(), text.into());
        memory.0.insert("policies.yaml".into(), rule("when: { country: DE }, cname: back.z.example.").into());
        let loaded = load_memory(&memory);
        assert!(shown(&loaded).contains(code), "{place}\n{}", shown(&loaded));
    }
    // A chain longer than the server follows.
    let chain: String = (0..9).map(|i| format!("  c{i}: {{ CNAME: c{} }}\n", i + 1)).collect();
    check(
        "zones/z.yaml",
        &zone(&format!("{chain}  c9: {{ A: 192.0.2.1 }}\n").replace("c0: { CNAME: ", "c0: { CNAME: ¦")),
        "MRD0213",
        Warning,
    );
    // Distances without a database.
    let mut memory = sound();
    memory.0.insert("meridian.yaml".into(), SERVER.replace("databases: g.mmdb, ", "").into());
    assert!(shown(&load_memory(&memory)).contains("warning[MRD0405]"));
    // Octets that are not text.
    let mut memory = sound();
    memory.0.insert("pops.yaml".into(), vec![0xff, 0xfe, 0]);
    assert!(shown(&load_memory(&memory)).contains("error[MRD0109]"));
}

/// One fault is one finding. Each row replaces or removes a file, and lists all findings.
#[test]
fn nothing_is_told_that_only_follows() {
    let alias = "  a: { CNAME: www }\n";
    let rows: [(&str, Option<String>, &[&str]); 7] = [
        // Without policies, the alias has no steered name as its target.
        ("policies.yaml", None, &["MRD0100"]),
        ("zones/z.yaml", Some(zone(alias).replace("steer: web", "steer: wbe")), &["MRD0302", "MRD0312"]),
        ("zones/z.yaml", Some(zone("  a: { CNAME: b }\n  b: { A: 192.0.2 }\n")), &["MRD0206"]),
        // Data of a name outside the zone does not conflict with the data of the apex.
        ("zones/z.yaml", Some(zone("  o.other.: { A: 192.0.2.1, steer: web }\n")), &["MRD0201"]),
        // An unreadable address does not count as a missing family.
        ("pops.yaml", Some(POPS.replace("'2001:db8::2'", "'2001:db8:::2'")), &["MRD0107"]),
        (
            "pops.yaml",
            Some(POPS.replace(
                "iad: { at: { lat: 39, lon: -77 }, addresses",
                "iad: { at: { lat: 39, lon: -77 }, adresses",
            )),
            &["MRD0102"],
        ),
        ("zones/z.yaml", Some(ZONE.replace("mname:", "mnane:")), &["MRD0102"]),
    ];
    for (path, text, codes) in rows {
        let mut memory = sound();
        memory.0.insert("zones/z.yaml".into(), zone(alias).into());
        match &text {
            Some(text) => drop(memory.0.insert(path.into(), text.clone().into())),
            None => drop(memory.0.remove(std::path::Path::new(path))),
        }
        let loaded = load_memory(&memory);
        let mut told: Vec<&str> = loaded.findings.iter().map(|finding| finding.code.id).collect();
        told.sort_unstable();
        assert_eq!(told, codes, "{path}\n{}", shown(&loaded));
    }
}

/// The help about a final dot is for names without one.
#[test]
fn a_final_dot_that_is_there_is_not_missed() {
    for (target, helped) in
        [("www.z.example", true), ("www.z.example.z.example.", false), ("no.such.z.example.", false)]
    {
        let mut memory = sound();
        memory.0.insert("zones/z.yaml".into(), zone(&format!("  a: {{ CNAME: {target} }}\n")).into());
        let loaded = load_memory(&memory);
        assert!(shown(&loaded).contains("MRD0214"), "{target}\n{}", shown(&loaded));
        assert_eq!(
            shown(&loaded).contains("did you forget the final dot"),
            helped,
            "{target}\n{}",
            shown(&loaded)
        );
    }
}

/// Verbs agree with their subjects.
#[test]
fn sentences_agree() {
    for (without, words) in
        [(&["'2001:db8::2'"][..], "but `iad` has none"), (&["'2001:db8::1'", "'2001:db8::2'"], "")]
    {
        let mut memory = sound();
        let mut pops =
            POPS.to_owned() + "  nrt: { at: { lat: 35, lon: 139 }, addresses: [192.0.2.5, '2001:db8::5'] }\n";
        without.iter().for_each(|address| pops = pops.replace(&format!(", {address}"), ""));
        memory.0.insert("pops.yaml".into(), pops.into());
        let words = if words.is_empty() { "but `fra` and `iad` have none" } else { words };
        let loaded = load_memory(&memory);
        assert!(shown(&loaded).contains(words), "{words}\n{}", shown(&loaded));
    }
}

/// The finding about a key of another product names our key.
#[test]
fn words_of_other_products() {
    for (file, text, help) in [
        ("pops.yaml", POPS.replace("tags: [na]", "healthcheck: web"), "`probe`"),
        ("pops.yaml", POPS.replace("tags: [na]", "status: up"), "`state`"),
        ("pops.yaml", POPS.replace("tags: [na]", "region: eu"), "`tags`"),
        ("pops.yaml", format!("probes: {{ a: {{ icmp: {{}}, interval: 5 }} }}\n{POPS}"), "`every`"),
        ("pops.yaml", format!("probes: {{ a: {{ icmp: {{}}, retries: 5 }} }}\n{POPS}"), "`down_after`"),
        (
            "pops.yaml",
            format!("probes: {{ a: {{ icmp: {{}}, healthy_threshold: 5 }} }}\n{POPS}"),
            "`up_after`",
        ),
        ("pops.yaml", format!("probes: {{ a: {{ http: {{ status: 200 }} }} }}\n{POPS}"), "`expect`"),
        ("policies.yaml", policy("pool: all"), "`pops`"),
        ("policies.yaml", rule("match: { country: DE }, pops: fra"), "`when`"),
        ("zones/z.yaml", zone("  a: { DYNA: web }\n"), "`steer`"),
    ] {
        let mut memory = sound();
        memory.0.insert(file.into(), text.clone().into());
        let told = shown(&load_memory(&memory));
        assert!(told.contains(&format!("here it is called {help}")), "{text}\n{told}");
    }
}

/// An asterisk begins an alias: the finding explains how to write a wildcard.
#[test]
fn a_wildcard_wants_quotes() {
    for record in ["  *.apps: { A: 192.0.2.1 }\n", "  a: { CNAME: *.apps }\n"] {
        let mut memory = sound();
        memory.0.insert("zones/z.yaml".into(), zone(record).into());
        let told = shown(&load_memory(&memory));
        assert!(told.contains(r#"write a wildcard in quotes, as `"*.apps"`"#), "{told}");
    }
}
