//! A running server against broken files: each is told at its place, and what was served is served
//! on, because all is refused, or a zone goes on from its last good texts.
//!
//! The broken inputs are those of the loader's own tests.

#[path = "../../src/config/tests/faults.rs"]
mod faults;

use faults::*;
use meridian::testing::finding::Severity;
use meridian::testing::server::Engine;
use serde_json::Value;
use std::net::SocketAddr;
use support::deployment::*;
use support::program::{self, Process, until};

const TEXT: &str = "zones/x.example.zone";
const YAML: &str = "zones/z.yaml";
const A: u16 = 1;

/// A sound deployment with a YAML zone, a zone of text, a steered name, and all files apart.
fn sound() -> Deployment {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    deployment.write(
        "meridian.yaml",
        "node: { name: n1, site: fra }\nlisten: { dns: \"127.0.0.1:0\", control: control.sock, threads: 1 }\n\
         geoip: { networks: networks.yaml }\npops: pops.yaml\npolicies: policies.yaml\nzones: zones\nstate: \
         state\n",
    );
    deployment.write("networks.yaml", "office: [198.18.0.0/24]\n");
    std::fs::remove_file(deployment.path("zones/cdn.example.yaml")).expect("there");
    for (path, text) in
        [("pops.yaml", POPS), ("policies.yaml", POLICIES), (YAML, ZONE), (TEXT, ZONE_TEXT_HEAD)]
    {
        deployment.write(path, text);
    }
    deployment
}

/// `meridian reload --format json`.
fn reload(deployment: &Deployment) -> Value {
    let (code, stdout, stderr) = deployment.run(&["reload", "--format", "json"]);
    let told: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    let others = told["zones"]["others"].as_array().map_or(0, Vec::len);
    let status = match told["ok"] == true {
        true if others > 0 => 3,
        is_published => i32::from(!is_published),
    };
    assert_eq!(code, status);
    told
}

/// What each zone answers: of the zone of text, of the YAML zone, and of a steered name.
fn answers(dns: SocketAddr) -> [Vec<String>; 3] {
    ["ns1.x.example", "ns1.z.example", "www.z.example"].map(|name| {
        let (_, rcode, addresses) = decode(&ask_udp(dns, &query(1, name, A)));
        assert_eq!(rcode, 0, "{name}");
        addresses
    })
}

/// One broken file: path, text with a mark, code.
fn broken() -> Vec<(&'static str, String, &'static str)> {
    let mut rows = Vec::new();
    rows.extend(ZONE_TEXT.iter().map(|(lines, code)| (TEXT, format!("{ZONE_TEXT_HEAD}{lines}\n"), *code)));
    let errors = |severity: &Severity| *severity == Severity::Error;
    for (find, put, code, _) in
        IN_POPS.iter().filter(|(_, put, _, severity)| put.contains('¦') && errors(severity))
    {
        rows.push(("pops.yaml", POPS.replace(find, put), *code));
    }
    for (body, code, _) in POLICY_BODIES.iter().filter(|(.., severity)| errors(severity)) {
        rows.push(("policies.yaml", format!("policies:\n  web: {{ {body} }}\n"), *code));
    }
    for (body, code, _) in RULES.iter().filter(|(.., severity)| errors(severity)) {
        rows.push((
            "policies.yaml",
            format!("policies:\n  web:\n    pops: all\n    rules:\n      - {{ {body} }}\n"),
            *code,
        ));
    }
    for (records, code, _) in RECORDS.iter().filter(|(.., severity)| errors(severity)) {
        rows.push((YAML, format!("{ZONE}{records}"), *code));
    }
    rows
}

/// Addresses of the sound files and others of the same length: would a broken file be taken over,
/// even in part, answers would show it.
const OTHER: [(&str, &str); 3] = [
    ("ns1 A 192.0.2.1\n", "ns1 A 192.0.2.7\n"),
    ("203.0.113.1 }", "203.0.113.7 }"),
    ("[192.0.2.1,", "[192.0.2.7,"),
];

fn with_others(text: &str) -> String {
    OTHER.iter().fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
}

#[test]
fn every_broken_file_is_told_at_its_place_and_changes_nothing() {
    let deployment = sound();
    let server = deployment.start(Engine::Fast);
    let dns = server.dns()[0];
    let before = answers(dns);
    assert_eq!(
        before,
        [vec!["192.0.2.1".to_owned()], vec!["203.0.113.1".to_owned()], vec!["192.0.2.1".to_owned()]]
    );

    let (mut of_text, mut of_yaml, mut sequence) = (0, 0, 1);
    for (path, marked, code) in broken() {
        let at = marked.find('¦').expect("a mark");
        let line = 1 + marked[..at].matches('\n').count() as u64;
        let column = 1 + marked[..at].rsplit('\n').next().unwrap_or_default().chars().count() as u64;
        let good = std::fs::read_to_string(deployment.path(path)).expect("there");
        deployment.write(path, &with_others(&marked.replace('¦', "")));
        let told = reload(&deployment);
        // A zone that is put aside is published from its last good texts.
        let is_of_zone = path == TEXT || path == YAML;
        sequence += u64::from(is_of_zone);
        assert_eq!(
            (told["ok"].as_bool(), told["sequence"].as_u64()),
            (Some(is_of_zone), Some(sequence)),
            "{marked}\n{told:#}"
        );
        let findings = told["findings"].as_array().expect("a list");
        let met = findings.iter().any(|finding| {
            finding["code"] == code
                && finding["severity"] == "error"
                && finding["path"].as_str().is_some_and(|shown| shown.ends_with(path))
                && (finding["line"].as_u64(), finding["column"].as_u64()) == (Some(line), Some(column))
        });
        assert!(
            met,
            "no {code} at {path}:{line}:{column} for\n{marked}\n{}",
            told["text"].as_str().unwrap_or_default()
        );
        assert_eq!(answers(dns), before, "{marked}");
        deployment.write(path, &good);
        if path == TEXT { of_text += 1 } else { of_yaml += 1 }
    }
    assert!(of_text >= 25 && of_yaml >= 25, "{of_text} of text, {of_yaml} of YAML");

    // The same change without a fault is taken over.
    for (path, text) in [("pops.yaml", POPS), (YAML, ZONE), (TEXT, ZONE_TEXT_HEAD)] {
        deployment.write(path, &with_others(text));
    }
    let told = reload(&deployment);
    assert_eq!(
        (told["ok"].as_bool(), told["sequence"].as_u64()),
        (Some(true), Some(sequence + 1)),
        "{told:#}"
    );
    assert_eq!(
        answers(dns),
        [vec!["192.0.2.7".to_owned()], vec!["203.0.113.7".to_owned()], vec!["192.0.2.7".to_owned()]]
    );
}

/// Ends with its exit status and what it said; a server that starts is stopped.
fn run(deployment: &Deployment, command: &str) -> (Option<i32>, String) {
    let mut process = Process::start(program::meridian_over(&deployment.config(), &[command]));
    let status = until(&format!("an end of {command}, or a start"), PATIENCE, || {
        // What is served says so in its log.
        if process.stderr().contains("files_digest") {
            process.kill();
        }
        process.status()
    });
    (status.code(), process.stderr())
}

/// What `serve` refuses, `check` refuses as well, with the same code.
#[test]
fn check_refuses_what_serve_refuses() {
    let deployment = sound();
    let server = std::fs::read_to_string(deployment.path("meridian.yaml")).expect("there");
    let long = "x".repeat(120);
    deployment.write("garbage.pem", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    let probe = |probe: &str| format!("probes: {{ a: {probe} }}\n{POPS}");
    let rows = [
        ("meridian.yaml", format!("{server}cookies: {{ secrets: none.secrets }}\n"), "MRD0100"),
        (
            "meridian.yaml",
            server.replace("\"127.0.0.1:0\"", "[\"127.0.0.1:59053\", \"0.0.0.0:59053\"]"),
            "MRD0310",
        ),
        (
            "meridian.yaml",
            server.replace("\"127.0.0.1:0\"", "\"127.0.0.1:59053\", admin: \"127.0.0.1:59053\""),
            "MRD0310",
        ),
        ("meridian.yaml", server.replace("control.sock", &format!("/tmp/{long}.sock")), "MRD0106"),
        ("meridian.yaml", server.replace("control.sock", "pops.yaml"), "MRD0503"),
        ("meridian.yaml", server.replace("control.sock", "pops.yaml/control.sock"), "MRD0503"),
        ("meridian.yaml", server.replace("threads: 1", "threads: 1, cpus: [1023]"), "MRD0507"),
        ("pops.yaml", probe("{ file: '/run/{pops}' }"), "MRD0104"),
        ("pops.yaml", probe("{ file: /run/ }"), "MRD0104"),
        ("pops.yaml", probe("{ https: { ca: none.pem } }"), "MRD0100"),
        ("pops.yaml", probe("{ https: { ca: garbage.pem } }"), "MRD0104"),
        ("pops.yaml", probe("{ https: healthz }"), "MRD0104"),
    ];
    for (path, text, code) in rows {
        let good = std::fs::read_to_string(deployment.path(path)).expect("there");
        deployment.write(path, &text);
        for command in ["check", "serve"] {
            let (status, told) = run(&deployment, command);
            assert!(status == Some(1) && told.contains(code), "{command} of {text}: {status:?}\n{told}");
        }
        deployment.write(path, &good);
    }
    assert_eq!(run(&deployment, "check").0, Some(0));
}

/// `--strict` takes warnings for errors.
#[test]
fn a_strict_check_fails_on_warnings() {
    let deployment = sound();
    deployment.write("pops.yaml", &POPS.replace("192.0.2.2", "10.0.0.1"));
    let check = |arguments: &[&str]| {
        let (status, stdout, _) = deployment.run(&[&["check"], arguments].concat());
        (Some(status), stdout)
    };
    let (status, told) = check(&[]);
    assert!(status == Some(0) && told.contains("ok: errors 0, warnings 2"), "{told}");
    let (status, told) = check(&["--strict"]);
    assert!(status == Some(1) && told.contains("refused: errors 2, warnings 0"), "{told}");
}
