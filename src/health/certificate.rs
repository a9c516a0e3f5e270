//! Fields of a certificate (RFC 5280 section 4.1) that an operator sees: its end, its names and the
//! kind of its key.
//!
//! webpki decides about trust, except for pinned certificates. A parser of whole certificates would
//! add ten crates for these few fields.

const SECS_PER_DAY: i64 = 86_400;

/// Fields of a certificate in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts<'d> {
    /// `notBefore` and `notAfter`, in seconds since 1970; `None` if they cannot be read.
    pub validity: Option<(i64, i64)>,
    issuer: &'d [u8],
    subject: &'d [u8],
    /// Content of the subject's AlgorithmIdentifier.
    pub key_algorithm: &'d [u8],
    /// The subject's public key, without the count of unused bits.
    pub key: &'d [u8],
    /// SubjectPublicKeyInfo with its tag.
    pub key_info: &'d [u8],
    extensions: &'d [u8],
}

/// Tags of DER.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;

/// Most names that are shown: a certificate of a CDN may have hundreds.
const NAMES_SHOWN: usize = 4;

impl<'d> Facts<'d> {
    /// Parses a certificate of any version.
    pub fn read(der: &'d [u8]) -> Option<Facts<'d>> {
        const VERSION: u8 = 0xa0;
        const EXTENSIONS: u8 = 0xa3;
        let (certificate, _) = element(der, SEQUENCE)?;
        let (mut fields, _) = element(certificate, SEQUENCE)?;
        if let Some((_, rest)) = element(fields, VERSION) {
            fields = rest;
        }
        let (_serial, fields) = element(fields, INTEGER)?;
        let (_algorithm, fields) = element(fields, SEQUENCE)?;
        let (issuer, fields) = element(fields, SEQUENCE)?;
        let (validity, fields) = element(fields, SEQUENCE)?;
        let (subject, fields) = element(fields, SEQUENCE)?;
        let (key_content, mut rest) = element(fields, SEQUENCE)?;
        let key_info = &fields[..fields.len() - rest.len()];
        let (key_algorithm, key) = element(key_content, SEQUENCE)?;
        let (_unused_bits, key) = element(key, BIT_STRING)?.0.split_first()?;
        let mut extensions: &[u8] = &[];
        while let Some((tag, content, behind)) = any(rest) {
            if tag == EXTENSIONS {
                extensions = element(content, SEQUENCE)?.0;
            }
            rest = behind;
        }
        let validity = any(validity).and_then(|(tag, begin, rest)| {
            let (end_tag, end, _) = any(rest)?;
            Some((time(tag, begin)?, time(end_tag, end)?))
        });
        Some(Facts { validity, issuer, subject, key_algorithm, key, key_info, extensions })
    }

    /// Name of the issuer: its common name, or its organisation.
    pub fn issuer(&self) -> Option<String> {
        attribute(self.issuer, COMMON_NAME).or_else(|| attribute(self.issuer, ORGANISATION))
    }

    /// Common name of the subject.
    pub fn common_name(&self) -> Option<String> {
        attribute(self.subject, COMMON_NAME)
    }

    /// True if issuer and subject are the same.
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// True if there are subject alternative names of any kind.
    pub fn has_alternative_names(&self) -> bool {
        self.alternative_names().is_some()
    }

    /// Names of the certificate, as `"a.example", "b.example"`: the host names and addresses among
    /// its subject alternative names (RFC 5280 section 4.2.1.6).
    pub fn names(&self) -> String {
        const DNS_NAME: u8 = 0x82;
        const IP_ADDRESS: u8 = 0x87;
        let mut rest = self.alternative_names().unwrap_or_default();
        let (mut shown, mut more) = (Vec::new(), 0);
        while let Some((tag, content, behind)) = any(rest) {
            rest = behind;
            let name = match tag {
                DNS_NAME => format!("\"{}\"", content.escape_ascii()),
                IP_ADDRESS => match (<[u8; 4]>::try_from(content), <[u8; 16]>::try_from(content)) {
                    (Ok(octets), _) => std::net::Ipv4Addr::from(octets).to_string(),
                    (_, Ok(octets)) => std::net::Ipv6Addr::from(octets).to_string(),
                    _ => continue,
                },
                _ => continue,
            };
            if shown.len() < NAMES_SHOWN { shown.push(name) } else { more += 1 }
        }
        match (shown.is_empty(), more) {
            (true, _) => "no name".to_owned(),
            (_, 0) => shown.join(", "),
            _ => format!("{} and {more} more", shown.join(", ")),
        }
    }

    /// Content of the GeneralNames.
    fn alternative_names(&self) -> Option<&'d [u8]> {
        const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
        let mut rest = self.extensions;
        while let Some((extension, behind)) = element(rest, SEQUENCE) {
            rest = behind;
            let (oid, mut value) = element(extension, OID)?;
            if oid == SUBJECT_ALT_NAME {
                // The `critical` flag may precede the value.
                if let Some((0x01, _, behind)) = any(value) {
                    value = behind;
                }
                return element(element(value, OCTET_STRING)?.0, SEQUENCE).map(|(names, _)| names);
            }
        }
        None
    }

    /// Kind of a key whose signatures this program cannot verify, as `a P-521 key`. `None` for the
    /// keys that ring verifies: P-256, P-384, Ed25519, and RSA of 2,048 bits or more.
    pub fn unverifiable_key(&self) -> Option<String> {
        const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
        const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
        const ED448: &[u8] = &[0x2b, 0x65, 0x71];
        const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
        let Some((kind, parameters)) = element(self.key_algorithm, OID) else {
            return Some("a key of an unknown kind".to_owned());
        };
        match kind {
            EC => match element(parameters, OID).map(|(curve, _)| curve) {
                Some([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07] | [0x2b, 0x81, 0x04, 0x00, 0x22]) => {
                    None
                }
                Some([0x2b, 0x81, 0x04, 0x00, 0x23]) => Some("a P-521 key".to_owned()),
                _ => Some("a key on a curve other than P-256 and P-384".to_owned()),
            },
            RSA => {
                let modulus = element(self.key, SEQUENCE).and_then(|(key, _)| element(key, INTEGER));
                let (modulus, _) = modulus?;
                let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
                let zeros = modulus.first().map_or(0, |octet| octet.leading_zeros() as usize);
                let bits = (8 * modulus.len()).saturating_sub(zeros);
                (bits < 2_048).then(|| format!("an RSA key of {bits} bits"))
            }
            ED25519 => None,
            ED448 => Some("an Ed448 key".to_owned()),
            DSA => Some("a DSA key".to_owned()),
            _ => Some("a key of an unknown kind".to_owned()),
        }
    }
}

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];

/// First value of an attribute in a Name (RFC 5280 section 4.1.2.4).
fn attribute(mut name: &[u8], wanted: &[u8]) -> Option<String> {
    while let Some((mut set, behind)) = element(name, SET) {
        name = behind;
        while let Some((pair, behind)) = element(set, SEQUENCE) {
            set = behind;
            let (oid, value) = element(pair, OID)?;
            if oid == wanted {
                let (_, text, _) = any(value)?;
                return Some(String::from_utf8_lossy(&text[..text.len().min(128)]).into_owned());
            }
        }
    }
    None
}

/// `notAfter` of a certificate in DER, in seconds since 1970; `None` if it cannot be read.
pub fn not_after(der: &[u8]) -> Option<i64> {
    Facts::read(der)?.validity.map(|(_, end)| end)
}

/// Whole days from now until `not_after`; negative once it has passed.
pub(crate) fn days_left(not_after: i64, now: i64) -> i32 {
    let days = not_after.saturating_sub(now).div_euclid(SECS_PER_DAY);
    i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX })
}

/// Length of the first element of an encoding, with tag and length octets.
pub(crate) fn len(der: &[u8]) -> Option<usize> {
    any(der).map(|(_, _, rest)| der.len() - rest.len())
}

/// Tag, content and rest of the first element.
fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // TLS gives the length of a certificate in three octets (RFC 8446 section 4.4.2), so no
        // certificate needs more.
        0x81..=0x83 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (octets.iter().fold(0, |len, octet| len << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

fn element(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    any(der).filter(|(tag, _, _)| *tag == wanted).map(|(_, content, rest)| (content, rest))
}

/// Parses UTCTime `YYMMDDHHMMSSZ` or GeneralizedTime `YYYYMMDDHHMMSSZ`, the only valid forms.
fn time(tag: u8, text: &[u8]) -> Option<i64> {
    let (_, digits) = text.split_last().filter(|(last, _)| **last == b'Z')?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |octets: &[u8]| octets.iter().fold(0i64, |n, octet| n * 10 + i64::from(octet - b'0'));
    let (year, rest) = match (tag, digits.len()) {
        (0x17, 12) => match number(&digits[..2]) {
            year @ 50.. => (1900 + year, &digits[2..]),
            year => (2000 + year, &digits[2..]),
        },
        (0x18, 14) => (number(&digits[..4]), &digits[4..]),
        _ => return None,
    };
    let part = |at: usize| number(&rest[2 * at..2 * at + 2]);
    let (month, day, hour, minute, second) = (part(0), part(1), part(2), part(3), part(4));
    let is_sound =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    is_sound.then(|| days_from_civil(year, month, day) * SECS_PER_DAY + hour * 3_600 + minute * 60 + second)
}

/// Days since 1970 of a Gregorian date. Years begin in March, so that the leap day is the last day.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests;
