//! `ca` of an HTTPS check: a file of trusted certificates.

use crate::config::scalar::text;
use crate::config::tree::Node;
use crate::finding::{Finding, Findings, code};
use crate::health::certificate::Facts;
use crate::health::pem;
use std::sync::Arc;

/// Reads the certificate file at this path, as the PoP file has it. The error is a sentence.
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

/// True if a probe can use a file of certificates as trust anchors; reports its faults.
fn usable(path: &str, text: &[u8], node: &Node, out: &mut Findings) -> bool {
    let found = match pem::certificates(text) {
        Ok(found) => found,
        Err(why) => {
            out.push(
                Finding::error(code::BAD_VALUE, format!("`{path}` {why}"))
                    .at(node.at, "not a certificate in PEM")
                    .help(
                        "use lines from `-----BEGIN CERTIFICATE-----` to `-----END CERTIFICATE-----`; \
                         `openssl x509 -inform der -in FILE` makes them from DER",
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
            Finding::warning(code::BAD_VALUE, message).at(node.at, "does not extend the trust")
        };
        out.push(finding.help("supported keys: P-256, P-384, Ed25519, and RSA of 2048 bits or more"));
        if odd.len() == found.len() {
            return false;
        }
    }
    if pem::has_private_key(text) {
        out.push(
            Finding::warning(code::BAD_VALUE, format!("`{path}` also contains a private key"))
                .at(node.at, "needs certificates only")
                .help("remove the key: every reader of this file could impersonate the server"),
        );
    }
    true
}
