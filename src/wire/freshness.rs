//! Freshness of a reply: what a cache that reads no DNS messages must know of its records (RFC 8484
//! section 5.1).

use super::rr::RrType;

/// Facts of the records of a reply, the OPT apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Freshness {
    /// Smallest TTL in seconds, where an SOA counts with its MINIMUM too (RFC 2308 section 5);
    /// `None` without a record.
    pub(crate) shortest_ttl_secs: Option<u32>,
    /// True if a record is a CNAME.
    pub(crate) has_alias: bool,
}

impl Freshness {
    /// Facts of a reply. `None` for octets that are no message.
    pub(crate) fn of(reply: &[u8]) -> Option<Freshness> {
        let questions = word(reply, 4)?;
        let records: u32 =
            [6, 8, 10].iter().map(|at| word(reply, *at).map(u32::from)).sum::<Option<u32>>()?;
        let mut at = 12;
        for _ in 0..questions {
            at = behind_name(reply, at)? + 4;
        }
        let mut freshness = Freshness::default();
        for _ in 0..records {
            let head = behind_name(reply, at)?;
            let rtype = RrType(word(reply, head)?);
            let ttl = number(reply, head + 4)?;
            at = head + 10 + usize::from(word(reply, head + 8)?);
            let ttl = match rtype {
                RrType::OPT => continue,
                // MINIMUM is the last field.
                RrType::SOA => ttl.min(number(reply.get(..at)?, at.checked_sub(4)?)?),
                _ => ttl,
            };
            freshness.has_alias |= rtype == RrType::CNAME;
            freshness.shortest_ttl_secs =
                Some(freshness.shortest_ttl_secs.map_or(ttl, |shortest| shortest.min(ttl)));
        }
        (at <= reply.len()).then_some(freshness)
    }
}

/// Position behind the name at `at`.
fn behind_name(reply: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *reply.get(at)? {
            0 => return Some(at + 1),
            // A compression pointer ends the name (RFC 1035 section 4.1.4).
            0xc0.. => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

fn word(reply: &[u8], at: usize) -> Option<u16> {
    reply.get(at..)?.first_chunk().map(|octets| u16::from_be_bytes(*octets))
}

fn number(reply: &[u8], at: usize) -> Option<u32> {
    reply.get(at..)?.first_chunk().map(|octets| u32::from_be_bytes(*octets))
}

#[cfg(test)]
mod tests;
