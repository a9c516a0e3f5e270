//! `ca` of an HTTPS check: a file of certificates that a probe can trust by.

use crate::config::scalar::text;
use crate::config::tree::Node;
use crate::finding::{Finding, Findings, code};
use crate::health::certificate::Facts;
use crate::health::pem;
use std::sync::Arc;

/// Reads the certificate files that probes name: path as written to octets, or a sentence.
pub(crate) type Certificates<'a> = dyn FnMut(&str) -> Result<Arc<[u8]>, String> + 'a;

/// Reads `ca`.
pub(super) fn certificate(
    node: &Node,
    certificates: &mut Certificates<'_>,
    out: &mut Findings,
) -> Option<Arc<[u8]>> {
    let path = text(node, "ca", out)?;
    match certificates(path) {
        Ok(text) => usable(path, &text, node, out).then_some(text),
        Err(why) => {
            out.push(
                Finding::error(code::UNREADABLE, format!("`{path}` cannot be read: {why}"))
                    .at(node.at, "named here"),
            );
            None
        }
    }
}

/// Whether a probe can trust by a file of certificates; what it would stumble over is told.
fn usable(path: &str, text: &[u8], node: &Node, out: &mut Findings) -> bool {
    let found = match pem::certificates(text) {
        Ok(found) => found,
        Err(why) => {
            out.push(
                Finding::error(code::BAD_VALUE, format!("`{path}` {why}"))
                    .at(node.at, "not a certificate in PEM")
                    .help(
                        "it needs lines from `-----BEGIN CERTIFICATE-----` to `-----END CERTIFICATE-----`; \
                        `openssl x509 -inform der -in FILE` makes them of DER",
                    ),
            );
            return false;
        }
    };
    let odd: Vec<String> = found
        .iter()
        .filter_map(|der| Facts::read(der))
        .filter_map(|facts| facts.unverifiable_key())
        .collect();
    if let Some(key) = odd.first() {
        let message = format!("`{path}` has a certificate with {key}, which this server cannot verify");
        let finding = if odd.len() == found.len() {
            Finding::error(code::BAD_VALUE, message).at(node.at, "no handshake would succeed")
        } else {
            Finding::warning(code::BAD_VALUE, message).at(node.at, "trusts nothing by it")
        };
        out.push(finding.help("keys on P-256 and P-384, Ed25519, and RSA of 2048 bits or more are verified"));
        if odd.len() == found.len() {
            return false;
        }
    }
    if pem::has_private_key(text) {
        out.push(
            Finding::warning(code::BAD_VALUE, format!("`{path}` holds a private key too"))
                .at(node.at, "needs certificates only")
                .help("take the key out: whoever reads this file could pass for the server"),
        );
    }
    true
}
