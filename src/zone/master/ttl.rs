//! Times to live in zone text.

use crate::wire::rr::Ttl;

/// A 32-bit TTL with the highest bit set; treated as 0 (RFC 2181 section 8), as BIND and resolvers
/// do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Parses seconds, or numbers with units as in BIND (`1w2d3h4m5s`).
pub(super) fn ttl_of(word: &[u8]) -> Option<Result<Ttl, TooLong>> {
    let (mut total, mut number, mut digits) = (0u64, 0u64, false);
    let mut unit_seen = false;
    for octet in word {
        match octet {
            b'0'..=b'9' => {
                number = number.checked_mul(10)?.checked_add(u64::from(octet - b'0'))?;
                digits = true;
            }
            unit if digits => {
                let secs = match unit.to_ascii_lowercase() {
                    b's' => 1,
                    b'm' => 60,
                    b'h' => 3_600,
                    b'd' => 86_400,
                    b'w' => 604_800,
                    _ => return None,
                };
                total = total.checked_add(number.checked_mul(secs)?)?;
                (number, digits, unit_seen) = (0, false, true);
            }
            _ => return None,
        }
    }
    if !digits && !unit_seen {
        return None;
    }
    u32::try_from(total.checked_add(number)?).ok().map(|secs| Ttl::from_secs(secs).ok_or(TooLong))
}
