//! Certificates in a text file (RFC 7468).
//!
//! Read as openssl reads them: text around certificates is ignored, lines may end in any way, and a
//! byte order mark does not matter. `check` and probes share this reader, so a probe can use every
//! file that `check` accepts.

use super::certificate::Facts;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// Labels of certificates: current, old, and of `openssl x509 -trustout`.
const LABELS: [&[u8]; 3] = [b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"];

/// Certificates of a file in DER, in their order; at least one. The error is a predicate; the
/// caller adds the name of the file.
pub fn certificates(text: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut others: Option<String> = None;
    // Base64 of the current certificate, with the number of its first line.
    let mut begun: Option<(usize, Vec<u8>)> = None;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    for (number, line) in (1..).zip(text.split(|octet| matches!(octet, b'\n' | b'\r'))) {
        // Concatenated files have a mark before each.
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        if let Some(label) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES)) {
            if let Some((first, _)) = begun {
                return Err(format!("has a certificate without an end (line {first})"));
            }
            if LABELS.contains(&label) {
                begun = Some((number, Vec::new()));
            } else if others.is_none() {
                others = Some(label[..label.len().min(40)].escape_ascii().to_string());
            }
        } else if let Some(rest) = line.strip_prefix(END) {
            // In a concatenated file, the next first line may follow without a line end.
            if begun.is_some() && rest.strip_suffix(DASHES).is_none_or(|label| label.contains(&b'-')) {
                return Err(format!("has more behind the end of a certificate (line {number})"));
            }
            if let Some((first, base64)) = begun.take() {
                found.push(certificate(first, &base64)?);
            }
        } else if let Some((_, base64)) = &mut begun {
            base64.extend_from_slice(line);
        }
    }
    if let Some((first, _)) = begun {
        return Err(format!("has a certificate without an end (line {first})"));
    }
    match others {
        _ if !found.is_empty() => Ok(found),
        Some(label) => Err(format!("holds no certificate but a {label}")),
        None if text.starts_with(&[0x30, 0x82]) => {
            Err("holds no certificate in PEM but binary data, perhaps DER".to_owned())
        }
        None if text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]) => {
            Err("holds no certificate that can be read: it is UTF-16 text".to_owned())
        }
        None => Err("holds no certificate".to_owned()),
    }
}

/// True if the file has a private key.
pub(crate) fn has_private_key(text: &[u8]) -> bool {
    text.split(|octet| matches!(octet, b'\n' | b'\r')).any(|line| {
        line.trim_ascii().strip_prefix(BEGIN).is_some_and(|label| label.ends_with(b"PRIVATE KEY-----"))
    })
}

fn certificate(line: usize, base64: &[u8]) -> Result<Vec<u8>, String> {
    let mut der =
        decode(base64).ok_or_else(|| format!("has a certificate with broken Base64 (line {line})"))?;
    // `openssl x509 -trustout` writes more behind the certificate, which is cut here.
    let len = super::certificate::len(&der).filter(|len| *len <= der.len());
    der.truncate(len.unwrap_or(0));
    match Facts::read(&der) {
        Some(_) => Ok(der),
        None => Err(format!("has a certificate that cannot be read (line {line})")),
    }
}

/// Decodes Base64 with its padding (RFC 4648 section 4).
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut octets = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0u32, 0);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests;
