//! A record as it is kept for serving: octets, and the places that depend on the message.

use super::rr::{CLASS_IN, RrType, Ttl};
use crate::wire::header::HEADER_LEN;
use crate::wire::position::{NamePosition, WrittenName};

/// Octets before the data of a record whose owner is a pointer.
pub(crate) const HEAD_LEN: usize = 12;

/// What a record begins with whose owner is the name at the start of the question: nearly all that
/// are sent.
pub(crate) fn head(rtype: RrType, ttl: Ttl, data_len: u16) -> [u8; HEAD_LEN] {
    let ([t0, t1], [c0, c1], [l0, l1]) =
        (rtype.0.to_be_bytes(), CLASS_IN.to_be_bytes(), data_len.to_be_bytes());
    let [s0, s1, s2, s3] = ttl.secs().to_be_bytes();
    [0xc0, HEADER_LEN as u8, t0, t1, c0, c1, s0, s1, s2, s3, l0, l1]
}

/// A record, ready to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rdata<'a> {
    /// All of it, owned by the name in the question.
    pub(crate) record: &'a [u8],
    /// Its data. Two octets stand in the place of each pointer; they say what it points at.
    pub(crate) octets: &'a [u8],
    /// Its pointers; [`NO_PATCH`] for none.
    pub(crate) patches: [Patch; 2],
    /// Where the name in this record leads: for NS within the zone the number of the node that
    /// holds the addresses, for CNAME its number among those of the zone.
    pub(crate) link: Option<u32>,
}

/// A compression pointer in record data, to be written when the message is known. Its lower bits
/// are its place in the data; [`EARLIER`] says what the two octets there mean.
pub(crate) type Patch = u16;

/// No pointer.
pub(crate) const NO_PATCH: Patch = u16::MAX;

/// The two octets there are a pointer to a name in an earlier record of the RRset, or earlier in
/// this one, as if the RRset began the message. Without this bit they are a pointer to an ending of
/// the owner, as if the message began where the owner ends. So one addition makes each right.
pub(crate) const EARLIER: Patch = 1 << 15;

/// The upper bits of a pointer (RFC 1035 section 4.1.4).
const POINTER: u16 = 0xc000;

/// What a pointer stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointee {
    /// The ending of the owner that has so many octets.
    Ending(usize),
    /// What stands so many octets behind the start of the RRset.
    Earlier(usize),
}

impl Pointee {
    /// The octets in the place of the pointer, and the bits of its patch.
    pub(crate) fn placeholder(self) -> (u16, Patch) {
        match self {
            Pointee::Ending(len) => (POINTER - len as u16, 0),
            Pointee::Earlier(distance) => (POINTER + distance as u16, EARLIER),
        }
    }
}

impl<'a> Rdata<'a> {
    /// What a pointer stands for.
    #[inline(always)]
    pub(crate) fn pointee(&self, patch: Patch) -> Option<Pointee> {
        let place = self.octets.get(usize::from(patch & !EARLIER)..)?.first_chunk()?;
        let relative = u16::from_be_bytes(*place);
        Some(if patch & EARLIER == 0 {
            Pointee::Ending(usize::from(POINTER.wrapping_sub(relative)))
        } else {
            Pointee::Earlier(usize::from(relative.wrapping_sub(POINTER)))
        })
    }

    /// Where the first name in this record, whose data was written at `at`, stands in the message;
    /// `owner` is the record's owner.
    #[inline(always)]
    pub(crate) fn written(&self, at: usize, owner: WrittenName) -> NamePosition {
        let [literal, _] = self.patches;
        match self.pointee(literal) {
            Some(Pointee::Ending(len)) => owner.position.before(at, literal, owner.len.wrapping_sub(len)),
            _ => NamePosition::whole(at),
        }
    }

    /// The first name in this record: its octets before the pointer, and those behind it. `None` if
    /// it points into another record; `owner` is the record's owner.
    pub(crate) fn name_parts<'n>(&self, owner: &'n [u8]) -> Option<(&'a [u8], &'n [u8])> {
        match self.patches[0] {
            NO_PATCH => Some((self.octets, &[])),
            patch => match self.pointee(patch)? {
                Pointee::Earlier(_) => None,
                Pointee::Ending(len) => {
                    let offset = owner.len().checked_sub(len)?;
                    Some((self.octets.get(..usize::from(patch))?, owner.get(offset..)?))
                }
            },
        }
    }
}
