//! Secrets of DNS cookies: a file with one on each line, which a fleet shares.
//!
//! Findings never quote its contents, because they go into logs and tickets.

use super::secret_file::{unreadable, warn_of_readers};
use crate::config::Sources;
use crate::config::server::{Cookies, WrittenPath};
use crate::finding::{At, Files, Finding, Findings, code};
use crate::limits::{COOKIE_FILE_OCTETS_MAX, COOKIE_SECRETS_MAX};
use crate::wire::cookie::{SECRET_LEN, Secrets};
use std::sync::Arc;

/// Reads the secrets that the server file asks for.
pub(crate) fn read(asked: &Cookies, sources: &dyn Sources, files: &mut Files, out: &mut Findings) -> Secrets {
    let written = match asked {
        Cookies::Off => return Secrets::off(),
        Cookies::Own => {
            return sources.own_secret().map_or_else(Secrets::off, |secret| Secrets::new(&[secret]));
        }
        Cookies::File(written) => written,
    };
    let shown = written.path.display().to_string();
    let Some(octets) = contents(written, &shown, sources, out) else { return Secrets::off() };
    // Add the file without its text, so that no finding can show a line of it.
    let at = At::whole(files.add(shown.as_str(), ""));
    if octets.len() > COOKIE_FILE_OCTETS_MAX {
        let message = format!("`{shown}` has {} octets, more than {COOKIE_FILE_OCTETS_MAX}", octets.len());
        out.push(Finding::error(code::TOO_LARGE, message).at(at, ""));
        return Secrets::off();
    }
    let harm = (code::BAD_SECRETS, "of a secret can make cookies for any address");
    warn_of_readers(written, harm, sources, out);
    let (secrets, faults) = lines(&octets);
    for fault in faults {
        let finding = Finding::error(code::BAD_SECRETS, fault).at(at, "");
        out.push(finding.help(
            "write 32 hexadecimal digits on each line, as `openssl rand -hex 16` prints \
            them; `#` begins a comment",
        ));
    }
    Secrets::new(&secrets)
}

/// Contents of the file; `None` after a finding.
fn contents(
    written: &WrittenPath,
    shown: &str,
    sources: &dyn Sources,
    out: &mut Findings,
) -> Option<Arc<[u8]>> {
    let why = match sources.read(&written.path) {
        Ok(octets) => return Some(octets),
        Err(why) => why,
    };
    // The path itself may be a secret, which must not be shown.
    if secret(shown.rsplit('/').next().unwrap_or_default().as_bytes()).is_some() {
        let finding = Finding::error(code::BAD_SECRETS, "`cookies.secrets` is a secret itself")
            .at(At::whole(written.at.file), "");
        out.push(finding.help(
            "write the path of a file with the secrets, and use a new secret: this one is exposed in a file \
             that others read",
        ));
        return None;
    }
    out.push(unreadable(written, &why, sources));
    None
}

/// Secrets, and the faults of the file.
fn lines(octets: &[u8]) -> (Vec<[u8; SECRET_LEN]>, Vec<String>) {
    let (mut secrets, mut faults) = (Vec::new(), Vec::new());
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    for (line, octets) in (1..).zip(octets.split(|octet| *octet == b'\n')) {
        let text = octets.split(|octet| *octet == b'#').next().unwrap_or_default().trim_ascii();
        if text.is_empty() {
            continue;
        }
        match secret(text) {
            None => faults.push(format!("line {line} is not a secret")),
            Some(secret) if secrets.contains(&secret) => {
                faults.push(format!("line {line} repeats a secret from above"))
            }
            Some(secret) => secrets.push(secret),
        }
    }
    if secrets.is_empty() && faults.is_empty() {
        faults.push("there is no secret in this file".to_owned());
    }
    if secrets.len() > COOKIE_SECRETS_MAX {
        faults.push(format!("{} secrets are more than {COOKIE_SECRETS_MAX}", secrets.len()));
    }
    (secrets, faults)
}

fn secret(hex: &[u8]) -> Option<[u8; SECRET_LEN]> {
    let digit = |octet: u8| char::from(octet).to_digit(16).map(|digit| digit as u8);
    let mut secret = [0; SECRET_LEN];
    let (pairs, []) = hex.as_chunks::<2>() else { return None };
    if pairs.len() != SECRET_LEN {
        return None;
    }
    for (octet, [high, low]) in secret.iter_mut().zip(pairs) {
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    Some(secret)
}
