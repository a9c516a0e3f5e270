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

/// The octets count from the start of the RRset to a name in an earlier record, or earlier in this
/// one. Without this bit they are the length of the ending of the owner that is pointed at.
pub(crate) const EARLIER: Patch = 1 << 15;

impl<'a> Rdata<'a> {
    /// What a pointer stands for, which is the number at its place.
    #[inline(always)]
    pub(crate) fn pointee(&self, patch: Patch) -> Option<usize> {
        let place = self.octets.get(usize::from(patch & !EARLIER)..)?.first_chunk()?;
        Some(usize::from(u16::from_be_bytes(*place)))
    }

    /// Where the first name in this record, whose data was written at `at`, stands in the message;
    /// `owner` is the record's owner.
    #[inline(always)]
    pub(crate) fn written(&self, at: usize, owner: WrittenName) -> NamePosition {
        let [literal, _] = self.patches;
        match self.pointee(literal).and_then(|ending| owner.len.checked_sub(ending)) {
            Some(offset) => owner.position.before(at, literal, offset),
            None => NamePosition::whole(at),
        }
    }

    /// The first name in this record: its octets before the pointer, and those behind it. `None` if
    /// it points into another record; `owner` is the record's owner.
    pub(crate) fn name_parts<'n>(&self, owner: &'n [u8]) -> Option<(&'a [u8], &'n [u8])> {
        match self.patches[0] {
            NO_PATCH => Some((self.octets, &[])),
            patch if patch & EARLIER != 0 => None,
            patch => {
                let ending = owner.len().checked_sub(self.pointee(patch)?)?;
                Some((self.octets.get(..usize::from(patch))?, owner.get(ending..)?))
            }
        }
    }
}
