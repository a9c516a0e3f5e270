//! Writes a response into a buffer: header, question, RRsets, OPT.
//!
//! This module makes no decisions. It writes whole RRsets or nothing, never past the limit, and
//! knows the position of each name in the message, so that owners and record data can point at it
//! (RFC 1035 section 4.1.4). [`rrset`] has the forms in which an RRset comes; whatever its form, it
//! goes out through [`Response::rrset`].

pub(crate) mod rrset;

use super::edns::ResponseOptions;
use super::header::flag;
use super::name::NAME_OCTETS_MAX;
use super::position::{NamePosition, WrittenName};
use super::reject::Question;
use super::rr::{CLASS_CH, Rcode, RrType, Ttl};
use crate::wire::header::HEADER_LEN;
use rrset::{Made, Rrset};

/// Largest offset that a compression pointer reaches.
const POINTER_MAX: usize = 0x3fff;

/// Section of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Answer.
    Answer,
    /// Authority.
    Authority,
    /// Additional, except the OPT.
    Additional,
}

/// Origin of the data of an RRset. Signatures (RFC 4035) depend on it: only authoritative and
/// synthesised data has any, and the latter must be signed for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A record of a zone of ours, as its files have it; of a wildcard too.
    Authoritative,
    /// Made for this answer: addresses, CNAMEs and HTTPS records of policies, and the HINFO that
    /// answers ANY.
    Synthesised,
    /// The CNAME of a DNAME. It is never signed, because the DNAME beside it is (RFC 6672 section
    /// 5.3.1).
    Redirected,
    /// NS records of a delegation, which the child zone owns.
    Delegation,
    /// Addresses of name servers beside a delegation.
    Glue,
    /// Data of class CH, which has no zones: about the server itself.
    Chaos,
}

impl Origin {
    /// True if such data may stand in a section. The answer section has only what this server is an
    /// authority for (RFC 2181 section 5.4.1).
    const fn may_stand_in(self, section: Section) -> bool {
        match (self, section) {
            (Origin::Authoritative | Origin::Synthesised, _) => true,
            (Origin::Redirected, Section::Answer) => true,
            (Origin::Delegation, Section::Authority) | (Origin::Glue, Section::Additional) => true,
            (Origin::Chaos, Section::Answer) => true,
            (Origin::Redirected, Section::Authority | Section::Additional)
            | (Origin::Delegation, Section::Answer | Section::Additional)
            | (Origin::Glue, Section::Answer | Section::Authority)
            | (Origin::Chaos, Section::Authority | Section::Additional) => false,
        }
    }

    /// Class of such records, if it is another than that of all others.
    const fn other_class(self) -> Option<u16> {
        match self {
            Origin::Authoritative
            | Origin::Synthesised
            | Origin::Redirected
            | Origin::Delegation
            | Origin::Glue => None,
            Origin::Chaos => Some(CLASS_CH),
        }
    }
}

/// An owner: its position in the message, and its octets in case a pointer does not reach it.
#[derive(Clone, Copy, Debug)]
pub struct OwnerName<'a> {
    /// Offset in the message.
    pub at: usize,
    /// Its wire form.
    pub wire: &'a [u8],
}

impl OwnerName<'_> {
    /// The owner as a pointer, if one reaches it: pointers reach the first 16 KiB, and the root is
    /// shorter than a pointer.
    #[inline(always)]
    pub(crate) fn pointer(&self) -> Option<Pointer> {
        (self.at <= POINTER_MAX && self.wire.len() > 1).then_some(Pointer { at: self.at })
    }
}

/// An owner that a pointer reaches. The fast path has no code for other owners.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pointer {
    at: usize,
}

/// The owner of an RRset.
pub trait Owner: Copy {
    /// Its offset, if a pointer reaches it, or its wire form, which is then written in full.
    fn written(&self) -> Result<usize, &[u8]>;
}

impl Owner for OwnerName<'_> {
    #[inline(always)]
    fn written(&self) -> Result<usize, &[u8]> {
        self.pointer().map(|pointer| pointer.at).ok_or(self.wire)
    }
}

impl Owner for Pointer {
    #[inline(always)]
    fn written(&self) -> Result<usize, &[u8]> {
        Ok(self.at)
    }
}

/// Response under construction.
#[derive(Debug)]
pub struct Response<'a> {
    out: &'a mut [u8],
    at: usize,
    limit: usize,
    reserved: usize,
    /// Header: ID, flags, questions, answers, from the highest 16 bits to the lowest.
    upper: u64,
    /// Header: authority, additional.
    lower: u32,
}

/// Offset of the flags in `upper`, in bits.
const FLAGS_SHIFT: u32 = 32;

impl<'a> Response<'a> {
    /// Begins a response of at most `limit` octets, of which `reserved` are kept for the OPT.
    /// `head` is the first four octets of the header: the ID, and in the lower bits the opcode and
    /// copied flags.
    #[inline(always)]
    pub fn begin(
        out: &'a mut [u8],
        limit: usize,
        reserved: usize,
        head: u32,
        question: Question<'_>,
    ) -> Response<'a> {
        let limit = limit.min(out.len()).saturating_sub(reserved).max(HEADER_LEN);
        let mut upper = u64::from(head | u32::from(flag::QR)) << FLAGS_SHIFT;
        let (mut at, end) = (HEADER_LEN, HEADER_LEN + question.len);
        if question.len > 0 && end <= limit && echo(question, out) {
            upper |= 1 << 16;
            at = end;
        }
        Response { out, at, limit, reserved, upper, lower: 0 }
    }

    /// Moves field by field, so that LLVM need not spill the struct.
    #[inline(always)]
    pub(crate) fn moved(self) -> Response<'a> {
        let Response { out, at, limit, reserved, upper, lower } = self;
        Response { out, at, limit, reserved, upper, lower }
    }

    /// Sets a flag bit.
    pub(crate) fn set_flag(&mut self, bit: u16) {
        self.upper |= u64::from(bit) << FLAGS_SHIFT;
    }

    /// Clears a flag bit.
    pub(crate) fn clear_flag(&mut self, bit: u16) {
        self.upper &= !(u64::from(bit) << FLAGS_SHIFT);
    }

    /// True if TC is set.
    pub(crate) fn is_truncated(&self) -> bool {
        self.upper & u64::from(flag::TC) << FLAGS_SHIFT != 0
    }

    /// Records in the answer section so far.
    pub(crate) fn answers(&self) -> u16 {
        self.upper as u16
    }

    /// Counts records. A message of 65,535 octets holds fewer records than a count can express, so
    /// no count overflows into the next.
    #[inline(always)]
    fn count(&mut self, section: Section, records: u16) {
        match section {
            Section::Answer => self.upper += u64::from(records),
            Section::Authority => self.lower += u32::from(records) << 16,
            Section::Additional => self.lower += u32::from(records),
        }
    }

    /// Octets written so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Limit of the whole message in octets, OPT included.
    pub(crate) fn limit_with_reserve(&self) -> usize {
        self.limit + self.reserved
    }

    /// Offset in the message of the ending of `len` octets of a written name; past the reach of
    /// pointers if there is none.
    #[inline(always)]
    pub(crate) fn ending_at(&self, name: WrittenName, len: usize) -> usize {
        let offset = name.len.wrapping_sub(len);
        name.position.ending(offset).unwrap_or_else(|| self.follow_to(name.position.start(), offset))
    }

    /// Message offset of the suffix that begins `offset` octets into the uncompressed name at `at`;
    /// `usize::MAX` if there is none. Follows labels and compression pointers.
    #[cold]
    fn follow_to(&self, mut at: usize, offset: usize) -> usize {
        let mut left = offset;
        // A pointer leads to an earlier offset (RFC 1035 section 4.1.4), so the loop ends.
        loop {
            let Some(&[high, low]) = self.out.get(at..).and_then(|rest| rest.first_chunk()) else {
                return usize::MAX;
            };
            let (octets, to) = (1 + usize::from(high), usize::from(u16::from_be_bytes([high, low])));
            if high >= 0xc0 && to & POINTER_MAX < at {
                at = to & POINTER_MAX;
            } else if left == 0 {
                return at;
            } else if octets > 1 && octets <= left {
                (at, left) = (at + octets, left - octets);
            } else {
                return usize::MAX;
            }
        }
    }

    /// Writes a whole RRset. If it does not fit, writes nothing and, except in the additional
    /// section, sets TC, so that the client comes back over TCP. Returns the offset of the data of
    /// its first record. Every RRset goes out here.
    #[inline(always)]
    pub fn rrset(
        &mut self,
        section: Section,
        origin: Origin,
        owner: impl Owner,
        rrset: impl Rrset,
    ) -> Option<usize> {
        debug_assert!(origin.may_stand_in(section), "{origin:?} data in {section:?}");
        let Some((rdata_at, records)) = rrset.write(self, &owner) else {
            if section != Section::Additional {
                self.set_flag(flag::TC);
            }
            return None;
        };
        self.count(section, records);
        if let Some(class) = origin.other_class() {
            self.set_class(rdata_at, class);
        }
        Some(rdata_at)
    }

    /// Lowers the TTL of the record with data at `rdata_at`; never raises it.
    pub(crate) fn lower_ttl(&mut self, rdata_at: usize, ttl: Ttl) {
        let place = rdata_at.checked_sub(6).and_then(|ttl_at| self.out.get_mut(ttl_at..)?.first_chunk_mut());
        if let Some(octets) = place {
            *octets = u32::from_be_bytes(*octets).min(ttl.secs()).to_be_bytes();
        }
    }

    /// Writes a CNAME whose target was made for this answer: the first `literal` octets in full,
    /// and the rest, which is an ending of a written name, as a pointer if that is shorter. Returns
    /// the position of the target.
    pub(crate) fn alias(
        &mut self,
        origin: Origin,
        owner: impl Owner,
        ttl: Ttl,
        target: &[u8],
        (literal, behind): (usize, WrittenName),
    ) -> Option<NamePosition> {
        let ending = target.len().saturating_sub(literal);
        let at = self.ending_at(behind, ending);
        let mut octets = [0; NAME_OCTETS_MAX];
        match octets.get_mut(..literal + 2) {
            Some(data) if ending > 2 && at <= POINTER_MAX => {
                data[..literal].copy_from_slice(&target[..literal]);
                data[literal..].copy_from_slice(&pointer(at));
                let rdata_at =
                    self.rrset(Section::Answer, origin, owner, Made::one(RrType::CNAME, ttl, data))?;
                Some(behind.position.before(rdata_at, literal as u16, behind.len - ending))
            }
            _ => {
                let rdata_at =
                    self.rrset(Section::Answer, origin, owner, Made::one(RrType::CNAME, ttl, target))?;
                Some(NamePosition::whole(rdata_at))
            }
        }
    }

    /// Undoes everything written to the answer section since `position`, where it had `answers`
    /// records.
    pub(crate) fn rewind(&mut self, position: usize, answers: u16) {
        self.at = position;
        self.upper = self.upper & !0xffff | u64::from(answers);
    }

    /// Sets the class of the record with data at `rdata_at`; RRsets of other classes have one.
    fn set_class(&mut self, rdata_at: usize, class: u16) {
        let place = rdata_at.checked_sub(8).and_then(|at| self.out.get_mut(at..)?.first_chunk_mut());
        if let Some(octets) = place {
            *octets = class.to_be_bytes();
        }
    }

    /// Octets that are kept for the OPT.
    pub(crate) fn reserved(&self) -> usize {
        self.reserved
    }

    /// Writes the OPT into the reserved room, then the header. Returns the octets of the message.
    #[inline(always)]
    pub(crate) fn finish(&mut self, rcode: Rcode, options: Option<&ResponseOptions<'_>>) -> usize {
        if let Some(options) = options
            && let Some(written) = self.out.get_mut(self.at..).and_then(|room| options.write(room))
        {
            self.at += written;
            self.lower += 1;
        }
        self.upper |= u64::from(rcode.0 & 0xf) << FLAGS_SHIFT;
        self.write_header();
        self.at
    }

    /// Appends a record behind the OPT of a finished message. Returns the octets of the message;
    /// `None` if the record does not fit.
    pub(crate) fn append(&mut self, record: &[u8]) -> Option<usize> {
        let end = self.at + record.len();
        let room = self.out.get_mut(self.at..end).filter(|_| end <= self.limit + self.reserved)?;
        room.copy_from_slice(record);
        (self.at, self.lower) = (end, self.lower + 1);
        self.write_header();
        Some(end)
    }

    /// Removes every record of a message without OPT, whose question ends at `end`.
    pub(crate) fn clear_records(&mut self, end: usize) {
        (self.at, self.lower) = (end, 0);
        self.upper &= !0xffff;
    }

    /// Sets TC in a finished message.
    pub(crate) fn mark_truncated(&mut self) {
        self.set_flag(flag::TC);
        self.write_header();
    }

    #[inline(always)]
    fn write_header(&mut self) {
        if let Some((upper_to, lower_to)) = self.out.split_first_chunk_mut()
            && let Some(lower_to) = lower_to.first_chunk_mut()
        {
            (*upper_to, *lower_to) = (self.upper.to_be_bytes(), self.lower.to_be_bytes());
        }
    }
}

/// Copies the question to its place behind the header; false if `out` is too short. If query and
/// response both have 32 octets behind the header, a question of at most 32 octets is copied as a
/// fixed 32: two moves instead of a call of `memcpy`.
#[inline(always)]
fn echo(Question { body, len }: Question<'_>, out: &mut [u8]) -> bool {
    let Some(room) = out.get_mut(HEADER_LEN..) else { return false };
    match (body.first_chunk::<32>(), room.first_chunk_mut::<32>()) {
        // Later records overwrite the octets behind the question.
        (Some(from), Some(to)) if len <= 32 => *to = *from,
        _ => match (body.get(..len), room.get_mut(..len)) {
            (Some(from), Some(to)) => to.copy_from_slice(from),
            _ => return false,
        },
    }
    true
}

/// Copies between slices of equal length. 4 octets and 16 to 64 octets (addresses and most records)
/// are copied as blocks of fixed length, because a call of `memcpy` costs more.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    if let (Ok(to), Ok(from)) = (<&mut [u8; 4]>::try_from(&mut *to), <&[u8; 4]>::try_from(from)) {
        *to = *from;
    } else if !(copy_blocks::<16>(to, from) || copy_blocks::<32>(to, from)) {
        to.copy_from_slice(from);
    }
}

/// Copies `N` to twice `N` octets as two blocks, which may overlap; for other lengths, copies
/// nothing and returns false.
#[inline(always)]
fn copy_blocks<const N: usize>(to: &mut [u8], from: &[u8]) -> bool {
    let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) else { return false };
    if from.len() > 2 * N || to.len() != from.len() {
        return false;
    }
    if let Some(to) = to.first_chunk_mut() {
        *to = *first;
    }
    if let Some(to) = to.last_chunk_mut() {
        *to = *last;
    }
    true
}

#[inline]
fn pointer(at: usize) -> [u8; 2] {
    (0xc000 | (at & POINTER_MAX) as u16).to_be_bytes()
}

#[cfg(test)]
mod tests;
