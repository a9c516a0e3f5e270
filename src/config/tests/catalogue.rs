//! The catalogue and the reader know the same keys.

use super::*;
use crate::config::catalogue::{Absent, FILES, KeyEntry, KeySection, Shape};
use crate::config::table::asked;
use crate::health::spec::{CheckKind, Kind};
use std::collections::BTreeSet;

/// Names of each section's map in findings of the reader.
const READ_AS: &[(&str, &str)] = &[
    ("server", "the server file"),
    ("node", "`node`"),
    ("listen", "`listen`"),
    ("geoip", "`geoip`"),
    ("sandbox", "`sandbox`"),
    ("cookies", "`cookies`"),
    ("tls", "`tls`"),
    ("admin", "`admin`"),
    ("rate_limit", "`rate_limit`"),
    ("overload", "`overload`"),
    ("access", "`access`"),
    ("proxy_protocol", "`proxy_protocol`"),
    ("pops", "the PoP file"),
    ("pop", "the PoP"),
    ("at", "`at`"),
    ("address", "an address"),
    ("service", "the service"),
    ("https", "`https`"),
    ("canaries", "`canaries`"),
    ("safety", "a safety rule"),
    ("safety_of", "`of`"),
    ("load", "`load`"),
    ("http_feed", "an HTTP feed"),
    ("prometheus_feed", "a Prometheus feed"),
    ("push_feed", "a push feed"),
    ("probe", "the probe"),
    ("https_check", "an HTTPS check"),
    ("http_check", "an HTTP check"),
    ("tcp_check", "a TCP check"),
    ("dns_check", "a DNS check"),
    ("exec_check", "an exec check"),
    ("file_check", "a file check"),
    ("push_check", "a push check"),
    ("icmp_check", "an ICMP check"),
    ("n_of", "an n_of group"),
    ("policies", "the policy file"),
    ("policy", "the policy"),
    ("panic", "`panic`"),
    ("candidates", "`pops`"),
    ("candidate", "a candidate"),
    ("ttl", "`ttl`"),
    ("band", "`band`"),
    ("when_all_down", "`when_all_down`"),
    ("rule", "a rule"),
    ("when", "`when`"),
    ("networks", "the networks file"),
    ("network", "the network"),
    ("zones_folder", "`zones`"),
    ("zone", "a zone file"),
    ("soa", "`soa`"),
    ("owner", "the owner"),
];

fn read_as(section: &KeySection) -> &'static str {
    let known = READ_AS.iter().find(|(id, _)| *id == section.id);
    known.unwrap_or_else(|| panic!("the section `{}` has no line in READ_AS", section.id)).1
}

/// Every reachable section, each once.
fn sections() -> Vec<&'static KeySection> {
    fn walk(section: &'static KeySection, found: &mut Vec<&'static KeySection>) {
        if found.iter().any(|known| known.id == section.id) {
            return;
        }
        found.push(section);
        section.entries.iter().for_each(|entry| shape(entry.shape, found));
        if let crate::config::catalogue::Others::Named(other) = &section.others {
            shape(other, found);
        }
    }
    fn shape(of: &'static Shape, found: &mut Vec<&'static KeySection>) {
        match of {
            Shape::Map(section) => walk(section, found),
            Shape::List(inner) | Shape::Names(_, inner) => shape(inner, found),
            Shape::Either(shapes) => shapes.iter().for_each(|inner| shape(inner, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    FILES.iter().for_each(|file| walk(file.root, &mut found));
    FILES.iter().flat_map(|file| file.sections).for_each(|section| walk(section, &mut found));
    found
}

/// A deployment that opens every kind of map, so that the reader takes all keys of each.
fn everything() -> Memory {
    let mut memory = sample();
    let pops = "probes:\n  a: { https: { headers: {}, expect_headers: {} } }\n  b: { http: { path: / } }\n  \
        c: { tcp: { port: 1 } }\n  \
                d: { dns: {} }\n  e: { exec: { command: x } }\n  f: { file: { path: x } }\n  g: { push: {} \
                }\n  h: { icmp: {} }\n  \
                i: { n_of: { n: 1, of: [a] } }\ncanaries: {}\nsafety: [{ of: { tag: x } }]\npops:\n  \
                fra:\n    at: {}\n    \
                addresses: [{ address: 192.0.2.1 }]\n    https: {}\n    load: { push: {} }\n    \
                services: { video: { addresses: 192.0.2.2, https: {}, load: { http: {} } }, v2: { load: { \
                prometheus: { labels: {} } } }, \
                v3: { load: { push: {} } } }\n";
    let policies = "policies:\n  web:\n    pops: { tag: x }\n    order: latency\n    band: {}\n    \
        ttl: { min: 1 }\n    panic: {}\n    \
        when_all_down: { cname: x. }\n    rules:\n      \
                    - { when: { not: {} }, pops: [fra, { cname: x. }] }\n      - { pops: { cname: x. } }\n";
    let server = memory.0.entry("meridian.yaml".into()).or_default();
    let text = String::from_utf8_lossy(server).replace("zones: zones", "zones: { folder: zones }\n#");
    let maps = ["cookies", "tls", "rate_limit", "overload", "access", "proxy_protocol", "sandbox"];
    let maps: String = maps.iter().map(|key| format!("{key}: {{}}\n")).collect();
    *server = format!("{text}\n{maps}admin: {{ tls: {{}} }}\n").into_bytes();
    memory.0.insert("pops.yaml".into(), pops.into());
    memory.0.insert("policies.yaml".into(), policies.into());
    memory.0.insert("geoip/networks.yaml".into(), "office: { prefixes: 192.0.2.0/24 }\n".into());
    memory
}

#[test]
fn the_catalogue_knows_what_the_reader_asks_for() {
    load_memory(&everything());
    let asked = asked::keys();
    let mut faults = Vec::new();
    let sections = sections();
    for section in &sections {
        let known: BTreeSet<&str> = section.entries.iter().map(|entry: &KeyEntry| entry.key).collect();
        let Some(read) = asked.get(read_as(section)) else {
            faults.push(format!("{}: no map was read as {}", section.id, read_as(section)));
            continue;
        };
        faults.extend(
            read.difference(&known).map(|key| format!("{}: `{key}` is read but not told", section.id)),
        );
        faults.extend(
            known.difference(read).map(|key| format!("{}: `{key}` is told but not read", section.id)),
        );
    }
    let told: BTreeSet<&str> = sections.iter().map(|section| read_as(section)).collect();
    // Maps from names only: the section above them describes them.
    let named = [
        "`pops`",
        "`policies`",
        "`records`",
        "`services`",
        "`weights`",
        "`probes`",
        "`headers`",
        "`expect_headers`",
        "`labels`",
    ];
    let untold = asked.keys().filter(|kind| !told.contains(kind.as_str()) && !named.contains(&kind.as_str()));
    faults.extend(untold.map(|kind| format!("{kind} is read but not told")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The example of each kind of check is a check of that kind, with the port that the catalogue
/// gives: the default, or the one of the example.
#[test]
fn examples_of_kinds_are_checks_with_their_ports() {
    let probe = sections().into_iter().find(|section| section.id == "probe").unwrap();
    for kind in CheckKind::ALL {
        let word = kind.word();
        let entry = probe.entries.iter().find(|entry| entry.key == word).unwrap();
        let settings = match entry.shape {
            Shape::Map(section) | Shape::Either([_, Shape::Map(section)]) => section,
            other => panic!("{word}: {other:?}"),
        };
        let mut memory = broken::sound();
        let pops = memory.0.get_mut(Path::new("pops.yaml")).unwrap();
        pops.extend(format!("probes: {{ a: {{ {word}: {} }} }}\n", entry.example).into_bytes());
        let loaded = load_memory(&memory);
        let text = shown(&loaded);
        let deployment = loaded.deployment.unwrap_or_else(|| panic!("{word}: {text}"));
        let Kind::Check(spec) = &deployment.probes[0].kind else { panic!("{word} is a group") };
        assert_eq!(spec.check.kind(), kind);
        let port = settings.entries.iter().find(|entry| entry.key == "port");
        match port.map(|port| port.absent) {
            None => assert_eq!((spec.check.port(), kind.facts().port), (0, 0), "{word}"),
            Some(Absent::Default(default)) => {
                assert_eq!(spec.check.port().to_string(), default, "{word}");
                assert_eq!(spec.check.port(), kind.facts().port, "{word}");
            }
            Some(_) => assert!(spec.check.port() > 0 && kind.facts().port == 0, "{word}"),
        }
    }
}
