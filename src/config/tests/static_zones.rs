//! A server of static zones, without PoPs and policies; and PoPs that all have `state: down`.

use super::*;
use crate::finding::code;
use crate::snapshot;

const SERVER: &str = "node: { name: n1 }\nlisten: { dns: '127.0.0.1:5300' }\nzones: zones\n";
const ZONE: &str = "zone: z.example\nsoa: { mname: ns1, rname: host }\nrecords: { '@': { NS: ns1 }, \
                    ns1: { A: 203.0.113.1 } }\n";

fn load_files(files: &[(&str, &str)]) -> ReadResult {
    let files = files.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec()));
    load_memory(&Memory(files.collect()))
}

#[test]
fn static_zones_need_no_pops() {
    let loaded = load_files(&[("meridian.yaml", SERVER), ("zones/z.yaml", ZONE)]);
    assert!(loaded.findings.is_empty(), "{}", shown(&loaded));
    let (snapshot, findings) = snapshot::compile::compile(&loaded.deployment.unwrap(), None, 1);
    assert!(snapshot.is_some() && findings.is_empty(), "{findings:?}");
    let server = format!("{SERVER}pops: pops.yaml\n");
    let loaded =
        load_files(&[("meridian.yaml", &server), ("pops.yaml", "pops: {}\n"), ("zones/z.yaml", ZONE)]);
    assert!(loaded.deployment.is_some(), "{}", shown(&loaded));
    assert_eq!(loaded.findings.iter().next().map(|f| f.code), Some(code::EMPTY_DEPLOYMENT));
}

/// Without PoPs a policy has no candidates, and the name of a PoP is unknown.
#[test]
fn policies_need_pops() {
    let server = format!("{SERVER}policies: policies.yaml\n");
    for (policy, code) in [("all", code::NO_CANDIDATES), ("[fra]", code::NO_SUCH_POP)] {
        let policies = format!("policies: {{ web: {{ pops: {policy} }} }}\n");
        let loaded =
            load_files(&[("meridian.yaml", &server), ("policies.yaml", &policies), ("zones/z.yaml", ZONE)]);
        let errors: Vec<_> =
            loaded.findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.code).collect();
        assert_eq!(errors, [code], "{}", shown(&loaded));
    }
}

/// An empty key names no file, and causes no findings about the objects that the file would define.
#[test]
fn an_empty_key_is_one_error() {
    for key in ["pops", "policies"] {
        let server = format!("{SERVER}{key}:\n");
        let zone = format!("{ZONE}policies: {{ web: {{ pops: [fra] }} }}\n");
        let zone = if key == "pops" { zone } else { ZONE.replace("ns1: {", "www: { steer: web }, ns1: {") };
        let loaded = load_files(&[("meridian.yaml", &server), ("zones/z.yaml", &zone)]);
        let errors: Vec<_> =
            loaded.findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.code).collect();
        assert_eq!(errors, [code::BAD_VALUE], "{}", shown(&loaded));
    }
}

#[test]
fn all_pops_off_is_one_warning() {
    let server = format!("{SERVER}pops: pops.yaml\npolicies: policies.yaml\n");
    let pops =
        "pops: { fra: { addresses: 192.0.2.1, state: down }, ams: { addresses: 192.0.2.2, state: down } }";
    let policies = "policies: { web: { pops: all, order: listed } }\n";
    let zone = ZONE.replace("ns1: {", "www: { steer: web }, ns1: {");
    let loaded = load_files(&[
        ("meridian.yaml", &server),
        ("pops.yaml", pops),
        ("policies.yaml", policies),
        ("zones/z.yaml", &zone),
    ]);
    let found: Vec<_> = loaded.findings.iter().map(|f| (f.severity, f.code)).collect();
    assert_eq!(found, [(Severity::Warning, code::ALL_OFF)], "{}", shown(&loaded));
}
