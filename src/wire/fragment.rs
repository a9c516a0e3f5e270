//! A record as it is kept for serving: octets, and the places that depend on the message.

use super::rr::{CLASS_IN, RrType, Ttl};
use crate::wire::header::HEADER_LEN;
use crate::wire::position::NamePosition;

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
    /// Its data.
    /// Where a name is cut before the apex, two octets of placeholder stand.
    pub(crate) octets: &'a [u8],
    /// Places of the placeholders within `octets`; [`NO_PATCH`] for none.
    pub(crate) patches: [u16; 2],
    /// Where the name in this record leads: for NS within the zone the number of the node that
    /// holds the addresses, for CNAME its number among those of the zone.
    pub(crate) link: Option<u32>,
}

impl Rdata<'_> {
    /// Where the name in this record, whose data was written at `at`, stands in the message.
    #[inline(always)]
    pub(crate) fn written(&self, at: usize, apex_at: usize) -> NamePosition {
        match self.patches[0] {
            NO_PATCH => NamePosition::whole(at),
            literal => NamePosition::split(at, literal, apex_at),
        }
    }
}

/// No placeholder.
pub(crate) const NO_PATCH: u16 = u16::MAX;
