//! dnspython over aioquic as the client: QUIC, TLS and the DNS by another hand (`dnspython.py`).

use super::*;
use std::ffi::OsString;
use std::process::Command;
use support::program;

/// Replies of the west and of the east, in the order of the questions of the program.
const REPLIES: [(&str, &str); 8] = [
    ("an address", "NOERROR 198.51.100.10, as over UDP"),
    ("without EDNS", "NOERROR 198.51.100.10, as over UDP"),
    ("a subnet in the west", "NOERROR 198.51.100.10 scope 24, as over UDP"),
    ("a subnet in the east", "NOERROR 198.51.100.20 scope 24, as over UDP"),
    ("no such name", "NXDOMAIN, as over UDP"),
    ("no such type", "NOERROR, as over UDP"),
    ("no zone", "REFUSED, as over UDP"),
    ("a large answer", "NOERROR 40 records, as over TCP"),
];
/// Rules of connections that the program tries.
const RULES: &str = "an ID: DOQ_PROTOCOL_ERROR\na ticket: resumed, without early data\n";

/// A Python with both packages, `MERIDIAN_PYTHON` or the one of the path; `None`, and the reason
/// printed, where it lacks them.
fn python() -> Option<OsString> {
    let python = std::env::var_os("MERIDIAN_PYTHON").unwrap_or_else(|| "python3".into());
    let imports = "import dns.quic; assert dns.quic.have_quic, 'aioquic is not installed'";
    let output = Command::new(&python).args(["-c", imports]).output();
    let why = match output {
        Ok(output) if output.status.success() => return Some(python),
        Ok(output) => String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned(),
        Err(error) => error.to_string(),
    };
    println!(
        "skipped: {python:?} has no dnspython with aioquic, and `MERIDIAN_PYTHON` names no other: {why}"
    );
    None
}

/// The answer depends on the network of the client, and another one has no room in a datagram.
fn steered(pair: &Issued) -> Deployment {
    let deployment = deployment("", pair);
    deployment.edit("meridian.yaml", |text| text + "geoip: { networks: networks.yaml }\n");
    deployment.write("networks.yaml", "east: { prefixes: [203.0.113.0/24] }\n");
    deployment.edit("pops.yaml", |text| {
        text + "  east: { at: { lat: 1, lon: 2, country: DE }, addresses: [198.51.100.20] }\n"
    });
    deployment.edit("zones/cdn.example.yaml", |text| {
        let texts: Vec<String> = (10..50).map(|number| "x".repeat(200) + &number.to_string()).collect();
        let rule = "order: listed, rules: [{ when: { network: east }, pops: [east] }]";
        text.replace("  www:", &format!("  large: {{ TXT: [{}] }}\n  www:", texts.join(", ")))
            .replace("order: listed", rule)
    });
    deployment
}

/// dnspython gets the answers of UDP and TCP over QUIC, octet for octet, one by one and many at
/// once on a connection; aioquic is cut off for an ID, and resumes a session without early data.
#[test]
fn dnspython_is_answered() {
    let Some(python) = python() else { return };
    let pair = sound();
    let deployment = steered(&pair);
    let server = deployment.start(Engine::Fast);
    let mut command = Command::new(python);
    command.arg(support::top().join("tests/program/doq/dnspython.py")).arg("127.0.0.1");
    command.args([doq(&server).port().to_string(), server.dns()[0].port().to_string()]);
    command.arg(deployment.path("tls/cert.pem"));
    let (status, printed, errors) = program::run(command);
    let one_by_one = REPLIES.iter().map(|(what, reply)| format!("{what}: {reply}\n"));
    let at_once = REPLIES.iter().rev().map(|(what, reply)| format!("{what}, at once: {reply}\n"));
    let expected: String = one_by_one.chain(at_once).chain([RULES.to_owned()]).collect();
    assert_eq!((status, printed), (0, expected), "{errors}");
    // Two more answers around the resumption; the breach is a connection without an answer.
    let replied = server.shared().counters.fold(Transport::Doq).replied();
    assert_eq!((replied, dropped(&server, Dropped::ProtocolError)), (2 * REPLIES.len() as u64 + 2, 1));
    deployment.has_metrics(&["meridian_connections_total{transport=\"doq\"} 4"]);
    server.stop();
}
