//! A record in its stored form: octets, and the places that depend on the message.

use super::rr::{CLASS_IN, RrType, Ttl};
use crate::wire::header::HEADER_LEN;
use crate::wire::position::{NamePosition, WrittenName};

/// Octets before the data of a record whose owner is a pointer.
pub(crate) const HEAD_LEN: usize = 12;

/// Fixed part of a record whose owner is a pointer to the question name, as in most records.
pub(crate) fn head(rtype: RrType, ttl: Ttl, data_len: u16) -> [u8; HEAD_LEN] {
    let ([t0, t1], [c0, c1], [l0, l1]) =
        (rtype.0.to_be_bytes(), CLASS_IN.to_be_bytes(), data_len.to_be_bytes());
    let [s0, s1, s2, s3] = ttl.secs().to_be_bytes();
    [0xc0, HEADER_LEN as u8, t0, t1, c0, c1, s0, s1, s2, s3, l0, l1]
}

/// A record in stored form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rdata<'a> {
    /// Whole record, owned by the question name.
    pub(crate) record: &'a [u8],
    /// Record data. Two octets stand for each pointer and identify its target.
    pub(crate) octets: &'a [u8],
    /// Pointers in the data; [`NO_PATCH`] for none.
    pub(crate) patches: [Patch; 2],
    /// Number that saves a look-up of the name in the data: for an NS whose name server has
    /// addresses in the zone, the node of the name server; for a CNAME, the number of this record
    /// among the CNAMEs of the zone. `None` for all other records.
    pub(crate) link: Option<u32>,
}

/// Compression pointer in record data, to be written into the message. The lower bits are its
/// offset in the data; [`EARLIER`] says how to read the two octets at that offset.
pub(crate) type Patch = u16;

/// No pointer.
pub(crate) const NO_PATCH: Patch = u16::MAX;

/// With this bit, the two octets are the distance from the start of the RRset to an earlier name in
/// it. Without it, they are the length of the ending of the owner that the pointer replaces.
pub(crate) const EARLIER: Patch = 1 << 15;

impl<'a> Rdata<'a> {
    /// Number that identifies the target of a pointer, read at the pointer's offset.
    #[inline(always)]
    pub(crate) fn pointee(&self, patch: Patch) -> Option<usize> {
        let place = self.octets.get(usize::from(patch & !EARLIER)..)?.first_chunk()?;
        Some(usize::from(u16::from_be_bytes(*place)))
    }

    /// Position in the message of the first name in this record, whose data was written at `at`;
    /// `owner` is the record's owner.
    #[inline(always)]
    pub(crate) fn written(&self, at: usize, owner: WrittenName) -> NamePosition {
        let [literal, _] = self.patches;
        match self.pointee(literal).and_then(|ending| owner.len.checked_sub(ending)) {
            Some(offset) => owner.position.before(at, literal, offset),
            None => NamePosition::whole(at),
        }
    }

    /// First name in this record as two parts: the octets before the pointer, and those that the
    /// pointer replaces. `None` if the pointer leads into another record; `owner` is the record's
    /// owner.
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
