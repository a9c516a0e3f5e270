//! `admin`: TLS of the admin address, and the holders of tokens and certificates that may change
//! something over it.
//!
//! Findings never quote a token, because they go into logs and tickets.

use super::secret_file::{contents, warn_of_readers};
use super::tls::{self, TlsFiles};
use super::{ServerFile, WrittenPath, path};
use crate::admin::{AdminAccess, Tokens};
use crate::config::table::MapReader;
use crate::config::tree::Node;
use crate::config::{ServerCertificate, Sources};
use crate::finding::{At, Files, Finding, Findings, code};
use crate::limits::{ADMIN_TOKENS_MAX, CERTIFICATES_OCTETS_MAX, COOKIE_FILE_OCTETS_MAX};
use crate::tls::client_authority::ClientAuthority;
use std::path::Path;
use std::sync::Arc;

/// Files of `admin`.
pub(crate) struct AdminFiles {
    /// Place of the key.
    at: At,
    /// Certificate and key of the server.
    tls: Option<TlsFiles>,
    /// Tokens.
    tokens: Option<WrittenPath>,
    /// Authority of client certificates.
    client_ca: Option<WrittenPath>,
}

/// Reads `admin`.
pub(super) fn lower(node: &Node, folder: &Path, out: &mut Findings) -> Option<AdminFiles> {
    let mut table = MapReader::open(node, "`admin`", out)?;
    let tls = table.need("tls", out).and_then(|node| tls::lower(node, folder, out));
    let mut file = |key| table.take(key).and_then(|node| path(node, key, folder, out));
    let (tokens, client_ca) = (file("tokens"), file("client_ca"));
    table.finish(out);
    Some(AdminFiles { at: node.at, tls, tokens, client_ca })
}

/// Reads the files of `admin`; `None` without the key, after a finding, or for an inspection that
/// may not read them.
pub(crate) fn read(
    server: &ServerFile,
    sources: &dyn Sources,
    files: &mut Files,
    out: &mut Findings,
) -> Option<AdminAccess> {
    let asked = server.admin.as_ref()?;
    if server.listen.admin.is_none() {
        let finding =
            Finding::note(code::BAD_CERTIFICATE, "no address uses `admin`").at(asked.at, "not used");
        out.push(finding.help("add `admin: \"127.0.0.1:8053\"` to `listen`, or remove `admin`"));
    }
    let pair = asked.tls.as_ref().and_then(|files| tls::read_pair(files, sources, out));
    let tokens = asked.tokens.as_ref().map(|written| tokens(written, sources, files, out));
    let authority = asked.client_ca.as_ref().map(|written| authority(written, sources, out));
    let tokens = tokens.unwrap_or_else(|| Some(Tokens::default()))?;
    let authority = match &authority {
        None => None,
        Some(None) => return None,
        Some(Some((text, clients))) => Some((&**text, clients.clone())),
    };
    let ServerCertificate { pair, at } = pair?;
    match AdminAccess::new(pair, at, tokens, authority) {
        Ok(access) => Some(access),
        Err(error) => {
            // Without the access, the address would speak plain HTTP.
            let finding = Finding::error(code::BAD_CERTIFICATE, format!("TLS cannot use `admin`: {error}"));
            out.push(finding.at(asked.at, "not usable").help("write another certificate and key"));
            None
        }
    }
}

fn tokens(
    written: &WrittenPath,
    sources: &dyn Sources,
    files: &mut Files,
    out: &mut Findings,
) -> Option<Tokens> {
    let octets = contents(written, COOKIE_FILE_OCTETS_MAX, sources, out)?;
    warn_of_readers(written, (code::BAD_SECRETS, "of a token can change this node"), sources, out);
    match Tokens::read(&octets, ADMIN_TOKENS_MAX) {
        Ok(tokens) => Some(tokens),
        Err(faults) => {
            // Added without its text, so that no finding can show a line of it.
            let at = At::whole(files.add(written.path.display().to_string(), ""));
            for fault in faults {
                let finding = Finding::error(code::BAD_SECRETS, fault).at(at, "");
                out.push(finding.help(
                    "write a name and a token of 32 characters or more on each line: `ops` and what \
                     `openssl rand -hex 32` prints; `#` begins a comment",
                ));
            }
            None
        }
    }
}

fn authority(
    written: &WrittenPath,
    sources: &dyn Sources,
    out: &mut Findings,
) -> Option<(Arc<[u8]>, ClientAuthority)> {
    let octets = contents(written, CERTIFICATES_OCTETS_MAX, sources, out)?;
    match ClientAuthority::read(&octets) {
        Ok(clients) => Some((octets, clients)),
        Err(why) => {
            let message = format!("`{}` {why}", written.path.display());
            let finding = Finding::error(code::BAD_CERTIFICATE, message).at(written.at, "not an authority");
            out.push(
                finding.help("write the certificate, in PEM, of the authority that signs those of clients"),
            );
            None
        }
    }
}
