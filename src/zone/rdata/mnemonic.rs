//! Mnemonics for numbers in record data: DNSSEC algorithms and certificate types.

use super::RdataError;
use super::token::Token;

/// DNSSEC algorithms (RFC 8624 section 3.1 and the IANA registry).
pub(super) const ALGORITHMS: &[(&str, u16)] = &[
    ("DELETE", 0),
    ("RSAMD5", 1),
    ("DH", 2),
    ("DSA", 3),
    ("RSASHA1", 5),
    ("DSA-NSEC3-SHA1", 6),
    ("RSASHA1-NSEC3-SHA1", 7),
    ("RSASHA256", 8),
    ("RSASHA512", 10),
    ("ECC-GOST", 12),
    ("ECDSAP256SHA256", 13),
    ("ECDSAP384SHA384", 14),
    ("ED25519", 15),
    ("ED448", 16),
    ("INDIRECT", 252),
    ("PRIVATEDNS", 253),
    ("PRIVATEOID", 254),
];

/// Certificate types (RFC 4398 section 2.1).
pub(super) const CERTIFICATES: &[(&str, u16)] = &[
    ("PKIX", 1),
    ("SPKI", 2),
    ("PGP", 3),
    ("IPKIX", 4),
    ("ISPKI", 5),
    ("IPGP", 6),
    ("ACPKIX", 7),
    ("IACPKIX", 8),
    ("URI", 253),
    ("OID", 254),
];

/// Parses a number, or a mnemonic in any case.
pub(super) fn number<T: TryFrom<u16>>(
    names: &[(&str, u16)],
    token: &Token,
    what: &str,
) -> Result<T, RdataError> {
    let is_number = !token.raw.is_empty() && token.raw.bytes().all(|octet| octet.is_ascii_digit());
    let found = match is_number {
        true => token.raw.parse::<u16>().ok(),
        false => {
            names.iter().find(|(name, _)| name.eq_ignore_ascii_case(&token.raw)).map(|(_, number)| *number)
        }
    };
    found
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| RdataError::new(format!("`{}` is not the number or the name of {what}", token.raw)))
}
