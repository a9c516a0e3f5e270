//! Writing a response: header, echoed question, RRsets, OPT, into a caller's buffer.
//!
//! Nothing here decides; it writes whole RRsets or nothing, never past the limit, and knows where in
//! the message each name stands so that owners and data can point at it (RFC 1035 section 4.1.4).

use super::edns::ResponseOptions;
use super::fragment::{NO_PATCH, Rdata};
use super::query::HEADER_LEN;
use super::rr::{CLASS_IN, Rcode, RrType, Ttl};

/// Flag bits of the header's second word.
pub mod flag {
    /// Response.
    pub const QR: u16 = 0x8000;
    /// Authoritative answer.
    pub const AA: u16 = 0x0400;
    /// Truncated.
    pub const TC: u16 = 0x0200;
    /// Recursion desired.
    pub const RD: u16 = 0x0100;
    /// Checking disabled.
    pub const CD: u16 = 0x0010;
}

/// Largest offset that a compression pointer reaches.
const POINTER_MAX: usize = 0x3fff;

/// A name that stands in the message: `literal` octets at `start`, the rest (from there on) at `tail`.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    start: usize,
    literal: usize,
    tail: usize,
}

impl Written {
    /// The name in the question.
    pub fn question() -> Written {
        Written { start: HEADER_LEN, literal: usize::MAX, tail: 0 }
    }

    /// A name whose octets all stand at `start`.
    pub fn whole(start: usize) -> Written {
        Written { start, literal: usize::MAX, tail: 0 }
    }

    /// A name of which the first `literal` octets stand at `start` and the rest at `tail`.
    pub fn split(start: usize, literal: usize, tail: usize) -> Written {
        Written { start, literal, tail }
    }

    /// Where the suffix that begins `offset` octets into the name stands.
    pub fn suffix(&self, offset: usize) -> usize {
        if offset < self.literal { self.start + offset } else { self.tail + (offset - self.literal) }
    }
}

/// Which section records go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Answer.
    Answer,
    /// Authority.
    Authority,
    /// Additional, without the OPT.
    Additional,
}

/// An RRset does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// An owner: a place in the message, and its octets for where a pointer does not reach.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// Where it stands.
    pub at: usize,
    /// Its wire form.
    pub wire: &'a [u8],
}

/// A response in the making.
#[derive(Debug)]
pub struct Response<'a> {
    out: &'a mut [u8],
    at: usize,
    limit: usize,
    reserved: usize,
    counts: [u16; 3],
    flags: u16,
}

impl<'a> Response<'a> {
    /// Begins a response of at most `limit` octets, of which `reserved` are kept for the OPT.
    /// `flags` holds the opcode and the bits to be copied. `question` is empty if it could not be read.
    pub fn begin(out: &'a mut [u8], limit: usize, reserved: usize, id: u16, flags: u16, question: &[u8]) -> Response<'a> {
        let limit = limit.min(out.len()).saturating_sub(reserved).max(HEADER_LEN);
        out[0..2].copy_from_slice(&id.to_be_bytes());
        out[2..HEADER_LEN].fill(0);
        let mut at = HEADER_LEN;
        if !question.is_empty() && at + question.len() <= limit {
            out[at..at + question.len()].copy_from_slice(question);
            out[5] = 1;
            at += question.len();
        }
        Response { out, at, limit, reserved, counts: [0; 3], flags: flags | flag::QR }
    }

    /// Sets a flag bit.
    pub fn set_flag(&mut self, bit: u16) {
        self.flags |= bit;
    }

    /// Clears a flag bit.
    pub fn clear_flag(&mut self, bit: u16) {
        self.flags &= !bit;
    }

    /// Whether TC is set.
    pub fn is_truncated(&self) -> bool {
        self.flags & flag::TC != 0
    }

    /// Records in the answer section so far.
    pub fn answers(&self) -> u16 {
        self.counts[0]
    }

    /// Octets written so far.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Octets that the whole message may have, the OPT among them.
    pub fn limit_with_reserve(&self) -> usize {
        self.limit + self.reserved
    }

    /// Writes a whole RRset or nothing. `apex_at` is where the zone's apex stands; `placed` is told
    /// where the data of each record begins.
    #[allow(clippy::too_many_arguments)] // an RRset has that many parts
    pub fn rrset<'z>(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rtype: RrType,
        ttl: Ttl,
        records: impl Iterator<Item = Rdata<'z>>,
        apex_at: usize,
        mut placed: impl FnMut(usize, &Rdata<'z>),
    ) -> Result<(), Full> {
        let begin = self.at;
        let mut count = 0u16;
        for rdata in records {
            let Some(rdata_at) = self.fixed_fields(owner, rtype, ttl, rdata.octets.len()) else {
                self.at = begin;
                return Err(Full);
            };
            self.out[rdata_at..self.at].copy_from_slice(rdata.octets);
            for patch in rdata.patches {
                if patch != NO_PATCH {
                    let place = rdata_at + usize::from(patch);
                    // The apex stands in the question or in an early CNAME, so a pointer reaches it.
                    self.out[place..place + 2].copy_from_slice(&pointer(apex_at));
                }
            }
            placed(rdata_at, &rdata);
            count += 1;
        }
        self.counts[section as usize] += count;
        Ok(())
    }

    /// Writes one record; gives where its data begins.
    pub fn record(&mut self, section: Section, owner: Owner<'_>, rtype: RrType, ttl: Ttl, rdata: &[u8]) -> Result<usize, Full> {
        let rdata_at = self.fixed_fields(owner, rtype, ttl, rdata.len()).ok_or(Full)?;
        self.out[rdata_at..self.at].copy_from_slice(rdata);
        self.counts[section as usize] += 1;
        Ok(rdata_at)
    }

    /// Undoes everything written behind `position` in a section: `records` of them.
    pub fn rewind(&mut self, position: usize, section: Section, records: u16) {
        self.at = position;
        self.counts[section as usize] -= records;
    }

    /// Owner, type, class, TTL and RDLENGTH; gives where the data goes and moves behind it.
    fn fixed_fields(&mut self, owner: Owner<'_>, rtype: RrType, ttl: Ttl, rdata_len: usize) -> Option<usize> {
        let by_pointer = owner.at <= POINTER_MAX && owner.wire.len() > 1;
        let owner_len = if by_pointer { 2 } else { owner.wire.len() };
        let fields_at = self.at + owner_len;
        let rdata_at = fields_at + 10;
        if rdata_at + rdata_len > self.limit {
            return None;
        }
        if by_pointer {
            self.out[self.at..fields_at].copy_from_slice(&pointer(owner.at));
        } else {
            self.out[self.at..fields_at].copy_from_slice(owner.wire);
        }
        let fields = &mut self.out[fields_at..rdata_at];
        fields[0..2].copy_from_slice(&rtype.0.to_be_bytes());
        fields[2..4].copy_from_slice(&CLASS_IN.to_be_bytes());
        fields[4..8].copy_from_slice(&ttl.secs().to_be_bytes());
        fields[8..10].copy_from_slice(&(rdata_len as u16).to_be_bytes());
        self.at = rdata_at + rdata_len;
        Some(rdata_at)
    }

    /// Sets the class of the record whose data begins at `rdata_at`.
    pub fn set_class(&mut self, rdata_at: usize, class: u16) {
        self.out[rdata_at - 8..rdata_at - 6].copy_from_slice(&class.to_be_bytes());
    }

    /// Writes the OPT into the reserved room, then the header; gives the octets of the message.
    pub fn finish(mut self, rcode: Rcode, options: Option<&ResponseOptions<'_>>) -> usize {
        if let Some(options) = options {
            let written = options.write(&mut self.out[self.at..]);
            self.at += written;
            self.counts[2] += u16::from(written > 0);
        }
        self.out[2..4].copy_from_slice(&(self.flags | rcode.0 & 0xf).to_be_bytes());
        for (index, count) in self.counts.iter().enumerate() {
            self.out[6 + 2 * index..8 + 2 * index].copy_from_slice(&count.to_be_bytes());
        }
        self.at
    }
}

fn pointer(at: usize) -> [u8; 2] {
    (0xc000 | (at & POINTER_MAX) as u16).to_be_bytes()
}
