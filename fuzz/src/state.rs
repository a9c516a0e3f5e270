//! Files of the server itself, which another hand may have changed: the ledger, what was remembered
//! of health and of load, secrets of cookies, messages in quarantine.

use super::sample::{Replaced, SMALL};
use meridian::testing::config::ledger_file;
use meridian::testing::finding::render;
use meridian::testing::health::saved::SavedHealth;
use meridian::testing::live::SavedLoadAndRamps;
use meridian::testing::shared::captured::Captured;
use std::path::Path;

/// Reads the octets as each of them.
pub fn state(data: &[u8]) {
    ledger(data);
    if let Ok(text) = std::str::from_utf8(data) {
        remembered(text);
        quarantined(text);
    }
    // They are read with a whole deployment, which costs a hundred times as much.
    if data.len().is_multiple_of(16) {
        secrets(data);
    }
}

/// A ledger that is read, written and read again is the same.
fn ledger(data: &[u8]) {
    match ledger_file::read_alone(data, "overrides.yaml") {
        Ok(ledger) => {
            let again = ledger_file::read_alone(ledger_file::print(&ledger).as_bytes(), "overrides.yaml");
            assert_eq!(again.ok(), Some(ledger));
        }
        Err(refused) => {
            let (findings, files) = *refused;
            assert!(findings.has_errors());
            render::text(&findings, &files, false);
        }
    }
}

/// So is what was remembered.
fn remembered(text: &str) {
    let health = SavedHealth::from_lines(text.lines());
    let lines = health.to_lines();
    assert_eq!(SavedHealth::from_lines(lines.iter().map(String::as_str)), health);
    let load = SavedLoadAndRamps::from_lines(text.lines());
    let lines = load.to_lines();
    assert_eq!(SavedLoadAndRamps::from_lines(lines.iter().map(String::as_str)), load);
}

/// A file of the quarantine that is read, written and read again is the same, and short.
fn quarantined(text: &str) {
    match Captured::read(text) {
        Ok(captured) => {
            let again = captured.text();
            assert!(again.len() <= 140 << 10, "{}", again.len());
            assert_eq!(Captured::read(&again), Ok(captured));
        }
        Err(sentence) => assert!(sentence.len() < 200, "{sentence}"),
    }
}

/// No finding shows what may be a secret.
fn secrets(data: &[u8]) {
    const CONFIG: &[u8] = b"node: { name: n1, site: fra }\nlisten: { dns: \"127.0.0.1:5300\" }\n\
        geoip: { networks: networks.yaml }\npops: pops.yaml\npolicies: policies.yaml\nzones: zones\n\
        cookies: { secrets: secrets }\n";
    let mut files = SMALL.to_vec();
    files[0].1 = CONFIG;
    files.push(("secrets", b""));
    let loaded = meridian::testing::config::read_deployment(
        Path::new("meridian.yaml"),
        &Replaced { files: &files, path: "secrets", content: data },
    );
    let shown = render::text(&loaded.findings, &loaded.files, false);
    let lines = data.split(|octet| *octet == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    for line in lines.map(str::trim).filter(|line| line.len() >= 16) {
        assert!(!shown.contains(line), "a line of the secrets is shown");
    }
}
