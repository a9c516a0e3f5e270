//! Freshness of a reply: what a cache that reads no DNS messages must know of its records (RFC 8484
//! section 5.1).

use super::rr::RrType;
use super::skim::{number, records};

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
        let mut freshness = Freshness::default();
        records(reply, |record| {
            let ttl = match record.rtype {
                RrType::OPT => return,
                // MINIMUM is the last field.
                RrType::SOA => {
                    let minimum = record.rdata.len().checked_sub(4).and_then(|at| number(record.rdata, at));
                    record.ttl.min(minimum.unwrap_or(0))
                }
                _ => record.ttl,
            };
            freshness.has_alias |= record.rtype == RrType::CNAME;
            let shortest = freshness.shortest_ttl_secs.map_or(ttl, |shortest| shortest.min(ttl));
            freshness.shortest_ttl_secs = Some(shortest);
        })?;
        Some(freshness)
    }
}

#[cfg(test)]
mod tests;
