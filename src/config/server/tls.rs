//! `tls`: certificate and private key of the encrypted transports, two files in PEM.
//!
//! Findings never quote the key, because they go into logs and tickets.

use super::secret_file::{contents, warn_of_readers};
use super::{WrittenPath, path};
use crate::config::table::MapReader;
use crate::config::tree::Node;
use crate::config::{ServerCertificate, Sources};
use crate::finding::{At, Finding, Findings, code};
use crate::health::pem;
use crate::limits::CERTIFICATES_OCTETS_MAX;
use crate::tls::{Fault, Pair};
use std::path::Path;
use std::sync::Arc;

/// Files of the pair.
pub(crate) struct TlsFiles {
    /// Certificate with its chain.
    certificate: WrittenPath,
    /// Private key.
    key: WrittenPath,
}

/// `tls` of the server file, with the transports that need it.
#[derive(Default)]
pub(crate) struct Tls {
    /// The files; `None` without the key, or after a finding.
    pub(crate) files: Option<TlsFiles>,
    /// Place of the key.
    pub(crate) at: Option<At>,
    /// First key of `listen` with addresses of an encrypted transport, and its place.
    pub(crate) needed_by: Option<(&'static str, At)>,
}

/// Reads `tls`.
pub(super) fn lower(node: &Node, folder: &Path, out: &mut Findings) -> Option<TlsFiles> {
    let mut table = MapReader::open(node, "`tls`", out)?;
    let mut file = |key| table.need(key, out).and_then(|node| path(node, key, folder, out));
    let (certificate, key) = (file("certificate"), file("key"));
    table.finish(out);
    Some(TlsFiles { certificate: certificate?, key: key? })
}

/// Reads the pair that the server file asks for, and reports a transport without one.
pub(crate) fn read(asked: &Tls, sources: &dyn Sources, out: &mut Findings) -> Option<ServerCertificate> {
    match (asked.needed_by, asked.at) {
        (Some((key, at)), None) => out.push(
            Finding::error(
                code::MISSING_KEY,
                format!("`listen.{key}` needs a certificate: `tls` is missing"),
            )
            .at(at, "encrypted")
            .help("add `tls: { certificate: FILE, key: FILE }` to the server file"),
        ),
        (None, Some(at)) => out.push(
            Finding::note(code::BAD_CERTIFICATE, "no transport uses the certificate of `tls`")
                .at(at, "not used")
                .help("add `dot: [\"192.0.2.53:853\"]` (or `doh`, `doq`) to `listen`, or remove `tls`"),
        ),
        _ => {}
    }
    asked.files.as_ref().and_then(|files| read_pair(files, sources, out))
}

/// Reads the pair of these files.
pub(super) fn read_pair(
    files: &TlsFiles,
    sources: &dyn Sources,
    out: &mut Findings,
) -> Option<ServerCertificate> {
    let certificate = contents(&files.certificate, CERTIFICATES_OCTETS_MAX, sources, out);
    let key = contents(&files.key, CERTIFICATES_OCTETS_MAX, sources, out);
    let harm = (code::BAD_CERTIFICATE, "of the key can pose as this server");
    warn_of_readers(&files.key, harm, sources, out);
    let (certificate, key) = (certificate?, key?);
    if files.certificate.path != files.key.path && pem::has_private_key(&certificate) {
        warn_of_readers(&files.certificate, harm, sources, out);
    }
    match Pair::read(&certificate, &key) {
        Ok(pair) => Some(ServerCertificate { pair: Arc::new(pair), at: files.certificate.at }),
        Err(fault) => {
            out.push(finding(files, fault));
            None
        }
    }
}

/// Finding for a fault of the pair, at the path of the faulty file.
fn finding(files: &TlsFiles, fault: Fault) -> Finding {
    let TlsFiles { certificate, key } = files;
    let error = |written: &WrittenPath, why: &str, label: &str| {
        let message = format!("`{}` {why}", written.path.display());
        Finding::error(code::BAD_CERTIFICATE, message).at(written.at, label)
    };
    match fault {
        Fault::Certificate(why) => error(certificate, &why, "not a certificate for TLS").help(
            "write the server's own certificate in PEM, then those of its issuers, as in `fullchain.pem` of \
             an ACME client",
        ),
        Fault::Key(why) => error(key, &why, "not a key for TLS").help(
            "write a key of P-256, P-384, Ed25519 or RSA (2048 bits or more) in PEM, without a passphrase: \
             `openssl pkey -in FILE` removes one",
        ),
        Fault::Mismatch { is_out_of_order: true } => {
            error(certificate, "does not begin with the certificate of the key", "in another order")
                .help("put the server's own certificate first, then those of its issuers")
        }
        Fault::Mismatch { is_out_of_order: false } => {
            let other = format!("belongs to another certificate than `{}`", certificate.path.display());
            error(key, &other, "not the key of the certificate")
                .related(certificate.at, "the certificate")
                .help("write both files from one issue, and reload when both are in place")
        }
    }
}
