//! Records of a message, skimmed: by type, TTL and data, for readers that need no more. A message
//! of any octets ends, and no name is decompressed.

use super::rr::RrType;

/// Record of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'m> {
    /// Type.
    pub(crate) rtype: RrType,
    /// TTL in seconds; flags in an OPT.
    pub(crate) ttl: u32,
    /// Data.
    pub(crate) rdata: &'m [u8],
}

/// Shows each record of all sections behind the question, in order. `None` for octets that are no
/// message; records before the fault have been shown.
pub(crate) fn records<'m>(message: &'m [u8], show: impl FnMut(Record<'m>)) -> Option<()> {
    sections(message, &[6, 8, 10], show)
}

/// Shows each record of the answer section, as [`records`] does.
pub(crate) fn answers<'m>(message: &'m [u8], show: impl FnMut(Record<'m>)) -> Option<()> {
    sections(message, &[6], show)
}

/// Shows the records of the first sections, whose counts stand at these places.
fn sections<'m>(message: &'m [u8], counts: &[usize], mut show: impl FnMut(Record<'m>)) -> Option<()> {
    let questions = word(message, 4)?;
    let records: u32 = counts.iter().map(|at| word(message, *at).map(u32::from)).sum::<Option<u32>>()?;
    let mut at = 12;
    for _ in 0..questions {
        at = behind_name(message, at)? + 4;
    }
    for _ in 0..records {
        let head = behind_name(message, at)?;
        at = head + 10 + usize::from(word(message, head + 8)?);
        let rdata = message.get(head + 10..at)?;
        show(Record { rtype: RrType(word(message, head)?), ttl: number(message, head + 4)?, rdata });
    }
    (at <= message.len()).then_some(())
}

/// True if an OPT of the message has an option with this code.
pub(crate) fn has_option(message: &[u8], code: u16) -> bool {
    let mut is_found = false;
    // Octets that are no message have no option: the core refuses them.
    let _ = records(message, |record| {
        let mut options = record.rdata;
        while record.rtype == RrType::OPT
            && let (Some(of), Some(length)) = (word(options, 0), word(options, 2))
        {
            is_found |= of == code;
            options = options.get(4 + usize::from(length)..).unwrap_or_default();
        }
    });
    is_found
}

/// Position behind the name at `at`.
fn behind_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            // A compression pointer ends the name (RFC 1035 section 4.1.4).
            0xc0.. => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

fn word(octets: &[u8], at: usize) -> Option<u16> {
    octets.get(at..)?.first_chunk().map(|octets| u16::from_be_bytes(*octets))
}

/// Big-endian number of four octets at `at`.
pub(super) fn number(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|octets| u32::from_be_bytes(*octets))
}

#[cfg(test)]
mod tests;
