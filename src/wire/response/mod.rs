//! Writes a response into a buffer: header, question, RRsets, OPT.
//!
//! This module makes no decisions. It writes whole RRsets or nothing, never past the limit, and
//! knows the position of each name in the message, so that owners and record data can point at it
//! (RFC 1035 section 4.1.4).

mod ready;

use super::edns::ResponseOptions;
use super::fragment::{HEAD_LEN, Rdata};
use super::header::flag;
use super::name::NAME_OCTETS_MAX;
use super::position::{NamePosition, WrittenName};
use super::query::Question;
use super::rr::{CLASS_IN, Rcode, RrType, Ttl};
use crate::wire::header::HEADER_LEN;

/// Largest offset that a compression pointer reaches.
const POINTER_MAX: usize = 0x3fff;

/// Section of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// Answer.
    Answer,
    /// Authority.
    Authority,
    /// Additional, except the OPT.
    Additional,
}

/// Error: an RRset does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessageFull;

/// An owner: its position in the message, and its octets in case a pointer does not reach it.
#[derive(Clone, Copy, Debug)]
pub struct OwnerName<'a> {
    /// Offset in the message.
    pub at: usize,
    /// Its wire form.
    pub wire: &'a [u8],
}

impl OwnerName<'_> {
    /// True if the owner is written as a pointer: pointers reach the first 16 KiB, and the root is
    /// shorter than a pointer.
    #[inline(always)]
    fn is_reached(&self) -> bool {
        self.at <= POINTER_MAX && self.wire.len() > 1
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

/// Fixed part of the records of an RRset, without RDLENGTH.
struct Head<'a> {
    owner: OwnerName<'a>,
    /// Owner as a pointer, type, class and the upper half of the TTL.
    upper: u64,
    /// Lower half of the TTL, and room for RDLENGTH.
    lower: u32,
}

impl<'a> Head<'a> {
    #[inline(always)]
    fn new(owner: OwnerName<'a>, rtype: RrType, ttl: Ttl) -> Head<'a> {
        let (pointer, ttl) = (u64::from(u16::from_be_bytes(pointer(owner.at))), ttl.secs());
        Head {
            owner,
            upper: pointer << 48
                | u64::from(rtype.0) << 32
                | u64::from(CLASS_IN) << 16
                | u64::from(ttl >> 16),
            lower: ttl << 16,
        }
    }

    /// The lower half of the TTL, and RDLENGTH.
    #[inline(always)]
    fn with_len(&self, rdata: &[u8]) -> u32 {
        self.lower | rdata.len() as u32 & 0xffff
    }

    /// Writes a record with a pointer to its owner into `room`, which must be exactly as long as
    /// the record.
    #[inline(always)]
    fn write(&self, room: &mut [u8], rdata: &[u8]) -> Option<()> {
        let (upper_at, behind) = room.split_first_chunk_mut()?;
        let (lower_at, rdata_to) = behind.split_first_chunk_mut()?;
        *upper_at = self.upper.to_be_bytes();
        *lower_at = self.with_len(rdata).to_be_bytes();
        copy(rdata_to, rdata);
        Some(())
    }
}

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

    /// Writes a whole RRset in stored form, or nothing. The owner is `name` or an ending of it;
    /// `placed` gets the offset of each record's data.
    #[inline(always)]
    pub(crate) fn rrset<'z>(
        &mut self,
        section: Section,
        owner: OwnerName<'_>,
        records: impl Iterator<Item = Rdata<'z>>,
        name: WrittenName,
        mut placed: impl FnMut(usize, &Rdata<'z>),
    ) -> Result<(), MessageFull> {
        let begin = self.at;
        let mut count = 0u16;
        for rdata in records {
            let Some(rdata_at) = self.put_ready(owner, &rdata, (name, begin)) else {
                self.at = begin;
                return Err(MessageFull);
            };
            placed(rdata_at, &rdata);
            count += 1;
        }
        self.count(section, count);
        Ok(())
    }

    /// Writes the only record of an RRset in stored form, if a pointer reaches its owner. Returns
    /// the offset of its data.
    #[inline(always)]
    pub(crate) fn pointed(
        &mut self,
        section: Section,
        owner: OwnerName<'_>,
        rdata: &Rdata<'_>,
        name: WrittenName,
    ) -> Option<usize> {
        if !owner.is_reached() {
            return None;
        }
        let rdata_at = self.put_pointed(owner, rdata, (name, self.at))?;
        self.count(section, 1);
        Some(rdata_at)
    }

    /// Writes the only record of an RRset in stored form. Returns the offset of its data.
    pub(crate) fn only(
        &mut self,
        section: Section,
        owner: OwnerName<'_>,
        rdata: &Rdata<'_>,
        name: WrittenName,
    ) -> Result<usize, MessageFull> {
        let rdata_at = self.put_ready(owner, rdata, (name, self.at)).ok_or(MessageFull)?;
        self.count(section, 1);
        Ok(rdata_at)
    }

    /// Lowers the TTL of the record with data at `rdata_at`; never raises it.
    pub(crate) fn lower_ttl(&mut self, rdata_at: usize, ttl: Ttl) {
        let place = rdata_at.checked_sub(6).and_then(|ttl_at| self.out.get_mut(ttl_at..)?.first_chunk_mut());
        if let Some(octets) = place {
            *octets = u32::from_be_bytes(*octets).min(ttl.secs()).to_be_bytes();
        }
    }

    /// Writes a whole RRset of `count` records in stored form, owned by the question name, or
    /// nothing.
    #[inline(always)]
    pub(crate) fn ready(&mut self, section: Section, records: &[u8], count: u16) -> Result<(), MessageFull> {
        let end = self.at + records.len();
        if end > self.limit {
            return Err(MessageFull);
        }
        copy(self.out.get_mut(self.at..end).ok_or(MessageFull)?, records);
        self.at = end;
        self.count(section, count);
        Ok(())
    }

    /// Writes one record. Returns the offset of its data.
    #[inline]
    pub(crate) fn record(
        &mut self,
        section: Section,
        owner: OwnerName<'_>,
        rtype: RrType,
        ttl: Ttl,
        rdata: &[u8],
    ) -> Result<usize, MessageFull> {
        let rdata_at = self.put(&Head::new(owner, rtype, ttl), rdata).ok_or(MessageFull)?;
        self.count(section, 1);
        Ok(rdata_at)
    }

    /// Writes a CNAME whose target was made for this answer: the first `literal` octets in full,
    /// and the rest, which is an ending of a written name, as a pointer if that is shorter. Returns
    /// the position of the target.
    pub(crate) fn alias(
        &mut self,
        owner: OwnerName<'_>,
        ttl: Ttl,
        target: &[u8],
        (literal, behind): (usize, WrittenName),
    ) -> Result<NamePosition, MessageFull> {
        let ending = target.len().saturating_sub(literal);
        let at = self.ending_at(behind, ending);
        let mut octets = [0; NAME_OCTETS_MAX];
        match octets.get_mut(..literal + 2) {
            Some(data) if ending > 2 && at <= POINTER_MAX => {
                data[..literal].copy_from_slice(&target[..literal]);
                data[literal..].copy_from_slice(&pointer(at));
                let rdata_at = self.record(Section::Answer, owner, RrType::CNAME, ttl, data)?;
                Ok(behind.position.before(rdata_at, literal as u16, behind.len - ending))
            }
            _ => {
                let rdata_at = self.record(Section::Answer, owner, RrType::CNAME, ttl, target)?;
                Ok(NamePosition::whole(rdata_at))
            }
        }
    }

    /// Writes an answer with one address, if a pointer reaches its owner.
    #[inline(always)]
    pub fn pointed_address<const N: usize>(
        &mut self,
        owner: OwnerName<'_>,
        rtype: RrType,
        ttl: Ttl,
        address: [u8; N],
    ) -> Option<()> {
        if !owner.is_reached() {
            return None;
        }
        self.put_pointing(&Head::new(owner, rtype, ttl), &address)?;
        self.count(Section::Answer, 1);
        Some(())
    }

    /// Writes a whole RRset of records with equally long data, such as addresses, or nothing.
    #[inline]
    pub(crate) fn addresses<const N: usize>(
        &mut self,
        section: Section,
        owner: OwnerName<'_>,
        rtype: RrType,
        ttl: Ttl,
        addresses: impl ExactSizeIterator<Item = [u8; N]>,
    ) -> Result<(), MessageFull> {
        let (begin, count) = (self.at, addresses.len());
        let head = Head::new(owner, rtype, ttl);
        if owner.is_reached() {
            let end = begin + count * (HEAD_LEN + N);
            let room = self.out.get_mut(begin..end).filter(|_| end <= self.limit).ok_or(MessageFull)?;
            for (record, address) in room.chunks_exact_mut(HEAD_LEN + N).zip(addresses) {
                head.write(record, &address);
            }
            self.at = end;
        } else {
            for address in addresses {
                if self.put(&head, &address).is_none() {
                    self.at = begin;
                    return Err(MessageFull);
                }
            }
        }
        self.count(section, count as u16);
        Ok(())
    }

    /// Undoes everything written to the answer section since `position`, where it had `answers`
    /// records.
    pub(crate) fn rewind(&mut self, position: usize, answers: u16) {
        self.at = position;
        self.upper = self.upper & !0xffff | u64::from(answers);
    }

    /// Writes a record and advances. Returns the offset of its data, or `None` if it does not fit.
    #[inline(always)]
    fn put(&mut self, head: &Head<'_>, rdata: &[u8]) -> Option<usize> {
        if head.owner.is_reached() {
            self.put_pointing(head, rdata)
        } else {
            self.put_with_owner(head, rdata)
        }
    }

    /// [`Response::put`] with a pointer as the owner.
    #[inline(always)]
    fn put_pointing(&mut self, head: &Head<'_>, rdata: &[u8]) -> Option<usize> {
        let rdata_at = self.at + HEAD_LEN;
        let end = rdata_at + rdata.len();
        if end > self.limit {
            return None;
        }
        head.write(self.out.get_mut(self.at..end)?, rdata)?;
        self.at = end;
        Some(rdata_at)
    }

    /// [`Response::put`] for the root as owner, or for an owner that no pointer reaches.
    #[cold]
    fn put_with_owner(&mut self, head: &Head<'_>, rdata: &[u8]) -> Option<usize> {
        let owner = head.owner.wire;
        let fields_at = self.at + owner.len();
        let rdata_at = fields_at + 10;
        let end = rdata_at + rdata.len();
        if end > self.limit {
            return None;
        }
        self.out[self.at..fields_at].copy_from_slice(owner);
        self.out[fields_at..fields_at + 6].copy_from_slice(&head.upper.to_be_bytes()[2..]);
        self.out[fields_at + 6..rdata_at].copy_from_slice(&head.with_len(rdata).to_be_bytes());
        self.out[rdata_at..end].copy_from_slice(rdata);
        self.at = end;
        Some(rdata_at)
    }

    /// Sets the class of the record with data at `rdata_at`.
    pub(crate) fn set_class(&mut self, rdata_at: usize, class: u16) {
        self.out[rdata_at - 8..rdata_at - 6].copy_from_slice(&class.to_be_bytes());
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
        let upper = self.upper | u64::from(rcode.0 & 0xf) << FLAGS_SHIFT;
        if let Some((upper_to, lower_to)) = self.out.split_first_chunk_mut()
            && let Some(lower_to) = lower_to.first_chunk_mut()
        {
            (*upper_to, *lower_to) = (upper.to_be_bytes(), self.lower.to_be_bytes());
        }
        self.at
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
