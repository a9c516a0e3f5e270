//! APL: lists of address prefixes (RFC 3123), `1:192.0.2.0/24 !2:2001:db8::/32`.
//!
//! In wire form each item has a family, a prefix length, a negation bit, and the octets of the
//! address without trailing zeros.

use super::RdataError;
use super::token::Token;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Octets of a list in text; the list may be empty.
pub(super) fn encode(tokens: &[Token]) -> Result<Vec<u8>, RdataError> {
    let mut octets = Vec::new();
    for token in tokens {
        let bad = || {
            RdataError::new(format!(
                "`{}` is not a prefix such as `1:192.0.2.0/24` or `!2:2001:db8::/32`",
                token.raw
            ))
            .help("1 stands for IPv4, 2 for IPv6 (RFC 3123 section 5)")
        };
        let (negated, item) =
            token.raw.strip_prefix('!').map_or((false, token.raw.as_str()), |item| (true, item));
        let (family, prefix) = item.split_once(':').ok_or_else(bad)?;
        let (address, length) = prefix.split_once('/').ok_or_else(bad)?;
        let length: u8 = length.parse().ok().filter(|_| !length.starts_with('+')).ok_or_else(bad)?;
        let (family, address, most) = match (family, address.parse::<IpAddr>().map_err(|_| bad())?) {
            ("1", IpAddr::V4(address)) => (1u16, address.octets().to_vec(), 32),
            ("2", IpAddr::V6(address)) => (2, address.octets().to_vec(), 128),
            _ => return Err(bad()),
        };
        if length > most {
            return Err(RdataError::new(format!("the prefix `{}` is longer than {most} bits", token.raw)));
        }
        let used = address.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
        octets.extend(family.to_be_bytes());
        octets.push(length);
        octets.push(used as u8 | if negated { 0x80 } else { 0 });
        octets.extend(address.iter().take(used));
    }
    Ok(octets)
}

/// True for items of a list, also of unknown families.
pub(super) fn is_valid(rdata: &[u8]) -> bool {
    items(rdata).is_some()
}

/// List as text; `None` if a family has no text form.
pub(super) fn decode(rdata: &[u8]) -> Option<String> {
    let mut text = String::new();
    for (family, length, negated, octets) in items(rdata)? {
        let address = match family {
            1 => IpAddr::V4(Ipv4Addr::from(padded::<4>(octets)?)),
            2 => IpAddr::V6(Ipv6Addr::from(padded::<16>(octets)?)),
            _ => return None,
        };
        let blank = if text.is_empty() { "" } else { " " };
        write!(text, "{blank}{}{family}:{address}/{length}", if negated { "!" } else { "" }).ok()?;
    }
    Some(text)
}

/// Family, prefix length, negation, and octets of the address.
type Item<'r> = (u16, u8, bool, &'r [u8]);

fn items(mut rest: &[u8]) -> Option<Vec<Item<'_>>> {
    let mut items = Vec::new();
    while let Some((head, behind)) = rest.split_first_chunk::<4>() {
        let [high, low, length, used] = *head;
        let (octets, behind) = behind.split_at_checked(usize::from(used & 0x7f))?;
        let family = u16::from_be_bytes([high, low]);
        let fits = match family {
            1 => length <= 32 && octets.len() <= 4,
            2 => length <= 128 && octets.len() <= 16,
            _ => true,
        };
        // Trailing zeros are not sent (RFC 3123 section 4).
        if !fits || octets.last() == Some(&0) {
            return None;
        }
        items.push((family, length, used & 0x80 != 0, octets));
        rest = behind;
    }
    rest.is_empty().then_some(items)
}

fn padded<const N: usize>(octets: &[u8]) -> Option<[u8; N]> {
    let mut all = [0; N];
    all.get_mut(..octets.len())?.copy_from_slice(octets);
    Some(all)
}
