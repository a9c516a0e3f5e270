//! Deployments with encrypted transports, and their certificate.

use crate::certificate::Issued;
use crate::deployment::Deployment;
use crate::program;
use std::fs::{Permissions, create_dir_all, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// The small deployment with this pair, and with further keys of `listen`.
pub fn encrypted(listen: &str, pair: &Issued) -> Deployment {
    let deployment = Deployment::new(&["127.0.0.1:0"], listen);
    with_pair(&deployment, pair);
    deployment
}

/// Gives a deployment this pair.
pub fn with_pair(deployment: &Deployment, pair: &Issued) {
    deployment
        .edit("meridian.yaml", |server| server + "tls: { certificate: tls/cert.pem, key: tls/key.pem }\n");
    write_pair(deployment, &pair.certificate, &pair.key);
}

/// Writes certificate and key.
pub fn write_pair(deployment: &Deployment, certificate: &str, key: &str) {
    create_dir_all(deployment.path("tls")).expect("ours");
    deployment.write("tls/cert.pem", certificate);
    deployment.write("tls/key.pem", key);
    set_permissions(deployment.path("tls/key.pem"), Permissions::from_mode(0o600)).expect("ours");
}

/// Output and errors of `kdig` with these words, which asks for an address of the small deployment
/// at a port of loopback, and checks the certificate; `None`, and the reason printed, where there
/// is no `kdig`.
pub fn kdig(deployment: &Deployment, port: u16, words: &[&str]) -> Option<(String, String)> {
    if !program::has("kdig", "-V") {
        println!("skipped: kdig (knot-dnsutils) is not installed");
        return None;
    }
    let output = Command::new("kdig")
        .args(["@127.0.0.1", "-p", &port.to_string()])
        .arg(format!("+tls-ca={}", deployment.path("tls/cert.pem").display()))
        .arg("+tls-hostname=dns.example")
        // Behind the keys of TLS, because these choose TCP.
        .args(words)
        .args(["www.cdn.example", "A"])
        .output()
        .expect("kdig runs");
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    Some((text(&output.stdout), text(&output.stderr)))
}
