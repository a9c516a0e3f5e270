//! The records behind the questions of a message: their faults, and the OPT.

use super::edns::Edns;
use super::header::HEADER_LEN;
use super::rr::{Rcode, RrType};
use super::tsig::Signature;

/// The OPT of a message, as far as it is readable, whatever else is wrong with the message.
#[cold]
pub(crate) fn edns_of(packet: &[u8]) -> Option<Edns> {
    let questions = packet.get(4..6)?.first_chunk().map(|count| u16::from_be_bytes(*count))?;
    match behind_questions(packet, questions) {
        Behind::Sound(edns) | Behind::Signed(edns, _) | Behind::Reject(_, edns) => edns,
    }
}

/// Reads every record of a message that has not exactly one question. A sender of an OPT gets one
/// back, in errors too (RFC 6891 section 6.1.1).
#[cold]
pub(super) fn behind_questions(packet: &[u8], questions: u16) -> Behind<'_> {
    let mut at = HEADER_LEN;
    for _ in 0..questions {
        let Some(end) = name_end(packet, at).map(|end| end + 4).filter(|end| *end <= packet.len()) else {
            return Behind::Reject(Rcode::FORMERR, None);
        };
        at = end;
    }
    let [_, answers, authority, additional] = counts(packet);
    records(packet, at, answers + authority, additional)
}

/// Counts of the header: questions, answers, authority, additional; zeros without a header.
pub(super) fn counts(packet: &[u8]) -> [usize; 4] {
    let Some(&[q0, q1, a0, a1, n0, n1, r0, r1]) = packet.get(4..).and_then(|counts| counts.first_chunk())
    else {
        return [0; 4];
    };
    [[q0, q1], [a0, a1], [n0, n1], [r0, r1]].map(|count| usize::from(u16::from_be_bytes(count)))
}

/// Result of reading the records behind a question.
pub(super) enum Behind<'a> {
    /// No obstacle to an answer.
    Sound(Option<Edns>),
    /// A signed message: by TSIG, or by SIG(0) (RFC 2931), for which the signature is `None`.
    Signed(Option<Edns>, Option<Signature<'a>>),
    /// A fault, with the OPT as far as it is readable.
    Reject(Rcode, Option<Edns>),
}

/// Reads every record behind a question that ends at `at`: `before` records of the answer and
/// authority sections, then `additional` ones.
#[cold]
#[inline(never)]
pub(super) fn records(packet: &[u8], mut at: usize, before: usize, additional: usize) -> Behind<'_> {
    let (mut edns, mut signed, mut is_bad) = (None, None, false);
    let total = before + additional;
    for index in 0..total {
        let Some(record) = next_record(packet, at) else { return Behind::Reject(Rcode::FORMERR, edns) };
        let owner_at = std::mem::replace(&mut at, record.end);
        let additional = index >= before;
        match record.rtype {
            RrType::OPT => {
                // A message has one OPT, in the additional section and owned by the root (RFC 6891
                // section 6.1.1).
                if !additional || !record.owner_is_root || edns.is_some() {
                    return Behind::Reject(Rcode::FORMERR, edns);
                }
                match Edns::parse(record.class, record.ttl, record.rdata) {
                    Ok(read) => edns = Some(read),
                    Err((read, _)) => return Behind::Reject(Rcode::FORMERR, Some(read)),
                }
            }
            // A TSIG record is the last, and can be interpreted (RFC 8945 section 5.2).
            RrType::TSIG => {
                let is_last = additional && index + 1 == total;
                let tsig = Signature::read(packet, owner_at, (record.class, record.ttl), record.rdata);
                // Continue after the fault: the error response must carry the OPT.
                is_bad |= !is_last || tsig.is_none();
                signed = Some(tsig);
            }
            RrType::SIG if additional && index + 1 == total => signed = Some(None),
            _ => {}
        }
    }
    if is_bad || at != packet.len() {
        return Behind::Reject(Rcode::FORMERR, edns);
    }
    if edns.is_some_and(|e| e.version != 0) {
        return Behind::Reject(Rcode::BADVERS, edns);
    }
    match signed {
        Some(signature) => Behind::Signed(edns, signature),
        None => Behind::Sound(edns),
    }
}

struct RawRecord<'a> {
    owner_is_root: bool,
    rtype: RrType,
    class: u16,
    ttl: u32,
    rdata: &'a [u8],
    end: usize,
}

/// End of the name at `at`; skips compression pointers without following them.
#[inline]
fn name_end(packet: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    loop {
        match *packet.get(end)? {
            0 => return Some(end + 1),
            len @ 1..=63 => end += 1 + usize::from(len),
            0xc0..=0xff => return Some(end + 2),
            _ => return None,
        }
        if end - at > 255 {
            return None;
        }
    }
}

/// The record at `at`.
#[inline]
fn next_record(packet: &[u8], at: usize) -> Option<RawRecord<'_>> {
    let name_end = name_end(packet, at)?;
    let fixed = packet.get(name_end..)?.first_chunk::<10>()?;
    let rdata_len = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
    let end = name_end + 10 + rdata_len;
    Some(RawRecord {
        owner_is_root: packet[at] == 0,
        rtype: RrType(u16::from_be_bytes([fixed[0], fixed[1]])),
        class: u16::from_be_bytes([fixed[2], fixed[3]]),
        ttl: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        rdata: packet.get(name_end + 10..end)?,
        end,
    })
}
