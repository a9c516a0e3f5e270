//! Type bitmaps (RFC 4034 section 4.1.2): windows of 256 types, each as long as needed.

use super::RdataError;
use super::token::Token;
use crate::wire::rr::RrType;
use std::collections::BTreeMap;

/// Bitmap of types in text, in any order.
pub(super) fn encode(tokens: &[Token]) -> Result<Vec<u8>, RdataError> {
    let mut windows: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    for token in tokens {
        let RrType(number) = RrType::from_text(&token.raw)
            .ok_or_else(|| RdataError::new(format!("`{}` is not a record type", token.raw)))?;
        let [window, bit] = number.to_be_bytes();
        let octets = windows.entry(window).or_default();
        let at = usize::from(bit / 8);
        octets.resize(octets.len().max(at + 1), 0);
        octets[at] |= 0x80 >> (bit % 8);
    }
    // A window has at most 32 octets, since a bit number is at most 255.
    Ok(windows
        .into_iter()
        .flat_map(|(window, octets)| [window, octets.len() as u8].into_iter().chain(octets))
        .collect())
}

/// Types of a bitmap in ascending order; `None` if the encoding is not the canonical one.
pub(super) fn decode(mut rest: &[u8]) -> Option<Vec<RrType>> {
    let mut types = Vec::new();
    let mut last = None;
    while let Some((head, behind)) = rest.split_first_chunk::<2>() {
        let [window, length] = *head;
        if !(1..=32).contains(&length) || last.is_some_and(|last| window <= last) {
            return None;
        }
        let (octets, behind) = behind.split_at_checked(usize::from(length))?;
        if octets.last() == Some(&0) {
            return None;
        }
        for (number, octet) in (0u8..).zip(octets) {
            types.extend(
                (0..8)
                    .filter(|bit| octet & 0x80 >> bit != 0)
                    .map(|bit| RrType(u16::from_be_bytes([window, number * 8 + bit]))),
            );
        }
        (last, rest) = (Some(window), behind);
    }
    rest.is_empty().then_some(types)
}
