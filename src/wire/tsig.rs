//! Transaction signatures (RFC 8945): reads the TSIG record of a message, and makes that of the
//! answer to a key that we do not hold, which is every key.
//!
//! ```text
//! owner     key name
//! fixed     type TSIG, class ANY, TTL 0, RDLENGTH
//! RDATA     algorithm | time (6) | fudge (2) | MAC size (2) | MAC | original ID (2) | error (2)
//!           | other length (2) | other data
//! ```
//!
//! The answer repeats key name and algorithm, so both are bounded: an algorithm name has no
//! compression pointers (RFC 8945 section 4.2), and a key name never reads an octet of the message
//! twice. The answer shares the end of the key name with the question, which it repeats as well. A
//! key name may point into the middle of a label of the question, of which it shares no label: only
//! then the record is longer than the message, and the answer goes without it
//! (`src/answer/reject.rs`).

use super::header::HEADER_LEN;
use super::name::{NAME_OCTETS_MAX, wire_name_len};
use super::rr::RrType;
use crate::limits::LABELS_MAX;

/// TSIG error of an unknown key (RFC 8945 section 3).
const BADKEY: u16 = 17;
/// Class of a TSIG record (RFC 8945 section 4.2).
const CLASS_ANY: u16 = 255;
/// Octets of the record data between the algorithm name and the MAC.
const BEFORE_MAC: usize = 10;
/// Octets of the record data behind the MAC, without other data.
const BEHIND_MAC: usize = 6;
/// Octets of type, class, TTL and RDLENGTH.
const FIXED_LEN: usize = 10;

/// Octets of the longest record of an answer: two names, and the fields.
pub const REFUSAL_OCTETS_MAX: usize = 2 * NAME_OCTETS_MAX + FIXED_LEN + BEFORE_MAC + BEHIND_MAC;

/// The TSIG record of a message, as far as the answer repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature<'a> {
    packet: &'a [u8],
    /// Offset of the key name in the message.
    owner_at: usize,
    /// Algorithm name, in wire form without pointers.
    algorithm: &'a [u8],
    /// Time signed and fudge.
    moment: [u8; 8],
    original_id: [u8; 2],
}

impl<'a> Signature<'a> {
    /// Reads the TSIG record whose owner is at `owner_at`. `None` if it cannot be interpreted,
    /// which makes the message a format error (RFC 8945 section 5.2).
    pub(super) fn read(
        packet: &'a [u8],
        owner_at: usize,
        (class, ttl): (u16, u32),
        rdata: &'a [u8],
    ) -> Option<Signature<'a>> {
        if class != CLASS_ANY || ttl != 0 {
            return None;
        }
        KeyName::read(packet, owner_at)?;
        let (algorithm, fields) = rdata.split_at_checked(wire_name_len(rdata)?)?;
        let (before, rest) = fields.split_first_chunk::<BEFORE_MAC>()?;
        let [moment @ .., s0, s1] = *before;
        let (_mac, behind) = rest.split_at_checked(usize::from(u16::from_be_bytes([s0, s1])))?;
        let ([i0, i1, _, _, o0, o1], other) = behind.split_first_chunk::<BEHIND_MAC>()?;
        (other.len() == usize::from(u16::from_be_bytes([*o0, *o1]))).then_some(Signature {
            packet,
            owner_at,
            algorithm,
            moment,
            original_id: [*i0, *i1],
        })
    }

    /// The record of the answer: key name, algorithm, time and original ID of the message, error
    /// BADKEY, and no MAC (RFC 8945 sections 5.2.1 and 5.3.2). `question` is the name of the
    /// question, which stands behind the header of the answer.
    pub fn refusal<'o>(&self, question: &[u8], out: &'o mut [u8; REFUSAL_OCTETS_MAX]) -> Option<&'o [u8]> {
        let key = KeyName::read(self.packet, self.owner_at)?;
        let rdata_len = self.algorithm.len() + BEFORE_MAC + BEHIND_MAC;
        let mut len = 0;
        let mut push = |octets: &[u8]| {
            out.get_mut(len..len + octets.len())?.copy_from_slice(octets);
            len += octets.len();
            Some(())
        };
        match shared_ending(key.wire(), question) {
            Some((literal, offset)) => {
                push(&key.wire()[..literal])?;
                push(&(0xc000 | (HEADER_LEN + offset) as u16).to_be_bytes())?;
            }
            None => push(key.wire())?,
        }
        push(&RrType::TSIG.0.to_be_bytes())?;
        push(&CLASS_ANY.to_be_bytes())?;
        push(&[0; 4])?;
        push(&(rdata_len as u16).to_be_bytes())?;
        push(self.algorithm)?;
        push(&self.moment)?;
        push(&[0; 2])?;
        push(&self.original_id)?;
        push(&BADKEY.to_be_bytes())?;
        push(&[0; 2])?;
        out.get(..len)
    }
}

/// A key name, without pointers.
struct KeyName {
    octets: [u8; NAME_OCTETS_MAX],
    len: usize,
}

impl KeyName {
    /// Reads the owner at `at`. A pointer leads to an earlier name of the message, which ends
    /// before the octets that were read so far, so that no octet counts twice. `None` for any other
    /// pointer, and for a name that is too long.
    fn read(packet: &[u8], mut at: usize) -> Option<KeyName> {
        let mut name = KeyName { octets: [0; NAME_OCTETS_MAX], len: 0 };
        let (mut piece_at, mut end) = (at, packet.len());
        let mut pointers = 0;
        loop {
            let octet = *packet.get(at).filter(|_| at < end)?;
            match octet {
                0..=63 => {
                    let label = packet.get(at..at + 1 + usize::from(octet))?;
                    at += label.len();
                    name.octets.get_mut(name.len..name.len + label.len())?.copy_from_slice(label);
                    name.len += label.len();
                    if at > end {
                        return None;
                    }
                    if octet == 0 {
                        return Some(name);
                    }
                }
                64..=0xbf => return None,
                0xc0..=0xff => {
                    let low = *packet.get(at + 1).filter(|_| at + 1 < end)?;
                    let to = usize::from(u16::from_be_bytes([octet & 0x3f, low]));
                    pointers += 1;
                    if to < HEADER_LEN || to >= piece_at || pointers > LABELS_MAX {
                        return None;
                    }
                    (at, end, piece_at) = (to, piece_at, to);
                }
            }
        }
    }

    fn wire(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

/// The longest ending of `name`, above the root, that is an ending of `question` too: its offset in
/// either. Both are in wire form without pointers.
fn shared_ending(name: &[u8], question: &[u8]) -> Option<(usize, usize)> {
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let common = name.iter().rev().zip(question.iter().rev()).take_while(same).count();
    let mut is_start = [false; NAME_OCTETS_MAX + 1];
    for start in label_starts(question) {
        *is_start.get_mut(start)? = true;
    }
    label_starts(name).find_map(|start| {
        let offset = question.len().checked_sub(name.len() - start)?;
        let is_shared =
            name.len() - start <= common && is_start.get(offset).is_some_and(|is_start| *is_start);
        is_shared.then_some((start, offset))
    })
}

/// Offset of each label but the root.
fn label_starts(name: &[u8]) -> impl Iterator<Item = usize> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let len = *name.get(at).filter(|len| **len > 0)?;
        let start = at;
        at += 1 + usize::from(len);
        Some(start)
    })
}

#[cfg(test)]
mod tests;
