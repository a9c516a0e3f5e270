//! Outline of a message, by a reader of its own.
//!
//! It serves messages on which the program has panicked. The fault may be in the parser
//! ([`super::query`]) or in the writer of replies, so this file uses neither. Every access is
//! checked, nothing allocates, and any octets have an outline.

use super::edns::{EDE, PADDING, extended_error};
use super::header::{HEADER_LEN, flag};
use super::name::NAME_OCTETS_MAX;
use super::rr::{Rcode, RrType};
use crate::limits::UDP_PAYLOAD_MAX;
use std::hash::{Hash, Hasher};

/// Most options whose codes are compared. A message with more equals only its own copies.
const OPTIONS_MAX: usize = 24;
/// Octets of an OPT without options.
const OPT_LEN: usize = 11;
/// The DO bit in the lower half of the TTL of an OPT (RFC 3225 section 3).
const DNSSEC_OK: u8 = 0x80;
/// Text of the extended error.
const WHY: &[u8] = b"quarantined";

/// Outline of a message: its question and its OPT, as far as they can be read.
///
/// Two outlines have one hash if the messages are alike: equal flags, name (in any case), type,
/// class, EDNS version and flags, and equal options by code and length. ID, order of options,
/// payload size and the octets of options do not count. Messages with other contents are alike if
/// all octets behind the ID are equal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outline<'m> {
    octets: &'m [u8],
    question: Option<&'m [u8]>,
    opt: Option<Opt>,
}

/// The OPT of a message.
#[derive(Clone, Copy, Debug)]
struct Opt {
    /// Extended response code, version and flags.
    ttl: [u8; 4],
    /// Code and length of each option, sorted; the rest is `(0, 0)`.
    options: [(u16, u16); OPTIONS_MAX],
}

impl<'m> Outline<'m> {
    /// Outline of any octets.
    pub(crate) fn of(octets: &'m [u8]) -> Outline<'m> {
        let read = read(octets);
        let (question, opt) = read.map_or((None, None), |(question, opt)| (Some(question), opt));
        Outline { octets, question, opt }
    }

    /// The question: name in wire form as sent, type and class. `None` if the message has other
    /// contents than one question and at most one OPT.
    pub(crate) fn question(&self) -> Option<(&'m [u8], RrType, u16)> {
        let (name, [t0, t1, c0, c1]) = self.question?.split_last_chunk()?;
        Some((name, RrType(u16::from_be_bytes([*t0, *t1])), u16::from_be_bytes([*c0, *c1])))
    }

    /// Writes REFUSED without records, with the question, and with the extended error Other (RFC
    /// 8914 section 4.1) if the message has an OPT. Returns its length. `None` if the message has
    /// no readable question or is a response, so that it gets no reply, or if `out` is too short.
    pub(crate) fn refuse(&self, out: &mut [u8]) -> Option<usize> {
        let question = self.question?;
        let flags = u16::from_be_bytes(*self.octets.get(2..4)?.first_chunk()?);
        if flags & flag::QR != 0 {
            return None;
        }
        let copied = flags & (OPCODE | flag::RD | flag::CD);
        let [f0, f1] = (flag::QR | copied | Rcode::REFUSED.0).to_be_bytes();
        let [i0, i1] = *self.octets.first_chunk()?;
        let additional = u8::from(self.opt.is_some());
        let header = [i0, i1, f0, f1, 0, 1, 0, 0, 0, 0, 0, additional];
        let mut len = append(out, 0, &header)?;
        len = append(out, len, question)?;
        let Some(opt) = &self.opt else { return Some(len) };
        let [p0, p1] = UDP_PAYLOAD_MAX.to_be_bytes();
        let [e0, e1] = extended_error::OTHER.to_be_bytes();
        let fixed = [0, 0, RrType::OPT.0 as u8, p0, p1, 0, 0, opt.ttl[2] & DNSSEC_OK, 0];
        let text = WHY.len() as u8;
        len = append(out, len, &fixed)?;
        len = append(out, len, &[0, 6 + text, 0, EDE as u8, 0, 2 + text, e0, e1])?;
        append(out, len, WHY)
    }
}

/// Bits of the opcode among the flags.
const OPCODE: u16 = 0x7800;

impl Hash for Outline<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Some(question) = self.question else {
            return self.octets.get(2..).unwrap_or_default().hash(hasher);
        };
        self.octets.get(2..4).hash(hasher);
        let (name, fields) = question.split_at(question.len().saturating_sub(4));
        name.len().hash(hasher);
        // Octets of lengths are below those of letters.
        name.iter().for_each(|octet| hasher.write_u8(octet.to_ascii_lowercase()));
        fields.hash(hasher);
        self.opt.map(|opt| (opt.ttl, opt.options)).hash(hasher);
    }
}

/// The question and the OPT of a message that has nothing else.
fn read(octets: &[u8]) -> Option<(&[u8], Option<Opt>)> {
    let (header, body) = octets.split_first_chunk::<HEADER_LEN>()?;
    let additional = match header.last_chunk::<8>()? {
        [0, 1, 0, 0, 0, 0, 0, additional @ (0 | 1)] => *additional,
        _ => return None,
    };
    let (question, behind) = body.split_at_checked(name_len(body)? + 4)?;
    match additional {
        0 => behind.is_empty().then_some((question, None)),
        _ => Some((question, Some(opt(behind)?))),
    }
}

/// Octets of an uncompressed name.
fn name_len(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match usize::from(*octets.get(at)?) {
            0 => return (at < NAME_OCTETS_MAX).then_some(at + 1),
            len @ 1..=63 => at += 1 + len,
            _ => return None,
        }
    }
}

/// Reads octets that are one OPT.
fn opt(octets: &[u8]) -> Option<Opt> {
    let (fixed, mut rest) = octets.split_first_chunk::<OPT_LEN>()?;
    let &[0, 0, 41, _, _, t0, t1, t2, t3, l0, l1] = fixed else { return None };
    if rest.len() != usize::from(u16::from_be_bytes([l0, l1])) {
        return None;
    }
    let mut options = [(0, 0); OPTIONS_MAX];
    let mut count = 0;
    while let [c0, c1, l0, l1, tail @ ..] = rest {
        let (code, len) = (u16::from_be_bytes([*c0, *c1]), u16::from_be_bytes([*l0, *l1]));
        // The length of padding may differ from retry to retry.
        *options.get_mut(count)? = (code, if code == PADDING { 0 } else { len });
        count += 1;
        rest = tail.get(usize::from(len)..)?;
    }
    options.sort_unstable();
    rest.is_empty().then_some(Opt { ttl: [t0, t1, t2, t3], options })
}

/// Copies octets to a place. Returns their end, or `None` if they do not fit.
fn append(out: &mut [u8], at: usize, octets: &[u8]) -> Option<usize> {
    let end = at + octets.len();
    out.get_mut(at..end)?.copy_from_slice(octets);
    Some(end)
}

#[cfg(test)]
mod tests;
