//! NSAP: addresses of OSI networks (RFC 1706 section 5), `0x47.0005.80.005a00.0000.0001.e133`.

use super::RdataError;
use super::token::Token;
use std::fmt::Write as _;

/// Octets of an address in text: `0x` and hexadecimal digits, with dots anywhere between them.
pub(super) fn encode(tokens: &[Token]) -> Result<Vec<u8>, RdataError> {
    let bad = || {
        RdataError::new(
            "the data must be one address, as in `0x47.0005.80.005a00.0000.0001.e133.ffffff000162.00`",
        )
        .help("it begins with `0x`, then come pairs of hexadecimal digits (RFC 1706 section 5)")
    };
    let [token] = tokens else { return Err(bad()) };
    let digits = token.raw.get(..2).filter(|start| start.eq_ignore_ascii_case("0x")).ok_or_else(bad)?;
    let mut octets = Vec::with_capacity(token.raw.len() / 2);
    let mut high = None;
    for digit in token.raw.chars().skip(digits.len()).filter(|c| *c != '.') {
        let value = digit.to_digit(16).ok_or_else(bad)? as u8;
        match high.take() {
            None => high = Some(value),
            Some(high) => octets.push(high << 4 | value),
        }
    }
    if high.is_some() || octets.is_empty() { Err(bad()) } else { Ok(octets) }
}

/// True for an address: any number of octets except none.
pub(super) fn is_valid(rdata: &[u8]) -> bool {
    !rdata.is_empty()
}

/// Address as text.
pub(super) fn decode(rdata: &[u8]) -> Option<String> {
    let mut text = "0x".to_owned();
    rdata.iter().try_for_each(|octet| write!(text, "{octet:02x}")).ok()?;
    is_valid(rdata).then_some(text)
}
