//! The forms in which an RRset comes: ready octets, records in stored form, and record data that is
//! made for this answer.
//!
//! Records in stored form are copied unchanged. Then the pointers in their data are set, which
//! depend on the positions of names in the message (RFC 1035 section 4.1.4).

use super::{Owner, POINTER_MAX, Response, copy, pointer};
use crate::wire::fragment::{EARLIER, HEAD_LEN, NO_PATCH, Rdata};
use crate::wire::header::HEADER_LEN;
use crate::wire::position::WrittenName;
use crate::wire::rr::{CLASS_IN, RrType, Ttl};
use std::iter::{Once, once};

/// An RRset in one of its forms.
pub trait Rrset {
    /// Writes all of it behind the response. Returns the offset of the data of the first record,
    /// and the number of records; `None` if they do not fit, with the response as it was.
    fn write(self, response: &mut Response<'_>, owner: &impl Owner) -> Option<(usize, u16)>;
}

/// Octets of records that are sent unchanged, owned by the question name, and their number.
pub(crate) struct Ready<'a>(pub(crate) &'a [u8], pub(crate) u16);

impl Rrset for Ready<'_> {
    #[inline(always)]
    fn write(self, response: &mut Response<'_>, _: &impl Owner) -> Option<(usize, u16)> {
        let Ready(records, count) = self;
        let (begin, end) = (response.at, response.at + records.len());
        if end > response.limit {
            return None;
        }
        copy(response.out.get_mut(begin..end)?, records);
        response.at = end;
        Some((begin + HEAD_LEN, count))
    }
}

/// Records in stored form.
struct Stored<I> {
    records: I,
    /// The owner, or a name that ends in it.
    name: WrittenName,
}

/// Records in stored form. The owner is `name` or an ending of it.
#[inline(always)]
pub(crate) fn stored<'z>(records: impl Iterator<Item = Rdata<'z>>, name: WrittenName) -> impl Rrset {
    Stored { records, name }
}

impl<'z, I: Iterator<Item = Rdata<'z>>> Rrset for Stored<I> {
    #[inline(always)]
    fn write(self, response: &mut Response<'_>, owner: &impl Owner) -> Option<(usize, u16)> {
        let Stored { records, name } = self;
        let (begin, mut first, mut count) = (response.at, None, 0);
        for rdata in records {
            let Some(rdata_at) = response.put(owner, &rdata, (name, begin)) else {
                response.at = begin;
                return None;
            };
            (first, count) = (first.or(Some(rdata_at)), count + 1);
        }
        Some((first.unwrap_or(begin), count))
    }
}

/// An RRset of one record in stored form. The owner is the name or an ending of it.
pub(crate) struct One<'r, 'z>(pub(crate) &'r Rdata<'z>, pub(crate) WrittenName);

impl Rrset for One<'_, '_> {
    #[inline(always)]
    fn write(self, response: &mut Response<'_>, owner: &impl Owner) -> Option<(usize, u16)> {
        let One(rdata, name) = self;
        Some((response.put(owner, rdata, (name, response.at))?, 1))
    }
}

/// Reference points of pointers in record data: a name that ends in the owner, and the offset of
/// the RRset.
type Bases = (WrittenName, usize);

impl Response<'_> {
    /// Writes a record in stored form. Returns the offset of its data.
    #[inline(always)]
    fn put(&mut self, owner: &impl Owner, rdata: &Rdata<'_>, bases: Bases) -> Option<usize> {
        match owner.written() {
            Ok(owner_at) => self.put_pointed(owner_at, rdata, bases),
            // By value, so that the record stays in registers where this is not called.
            Err(wire) => self.put_with_owner(wire, *rdata, bases),
        }
    }

    /// [`Response::put`] with a pointer to the owner.
    #[inline(always)]
    fn put_pointed(&mut self, owner_at: usize, rdata: &Rdata<'_>, bases: Bases) -> Option<usize> {
        let end = self.at + rdata.record.len();
        if end > self.limit {
            return None;
        }
        let to = self.out.get_mut(self.at..end)?;
        copy(to, rdata.record);
        if owner_at != HEADER_LEN {
            *to.first_chunk_mut()? = pointer(owner_at);
        }
        let rdata_at = self.at + HEAD_LEN;
        self.point(rdata_at, rdata, bases)?;
        self.at = end;
        Some(rdata_at)
    }

    /// [`Response::put`] for the root as owner, or for an owner that no pointer reaches.
    #[cold]
    fn put_with_owner(&mut self, owner: &[u8], rdata: Rdata<'_>, bases: Bases) -> Option<usize> {
        let record = rdata.record.get(2..)?;
        let fields_at = self.at + owner.len();
        let end = fields_at + record.len();
        if end > self.limit {
            return None;
        }
        self.out.get_mut(self.at..fields_at)?.copy_from_slice(owner);
        self.out.get_mut(fields_at..end)?.copy_from_slice(record);
        let rdata_at = fields_at + HEAD_LEN - 2;
        self.point(rdata_at, &rdata, bases)?;
        self.at = end;
        Some(rdata_at)
    }

    /// Writes the pointers into the data of the record at `rdata_at`.
    #[inline(always)]
    fn point(&mut self, rdata_at: usize, rdata: &Rdata<'_>, (name, rrset_at): Bases) -> Option<()> {
        for patch in rdata.patches {
            if patch == NO_PATCH {
                continue;
            }
            let pointee = rdata.pointee(patch)?;
            let at = if patch & EARLIER == 0 { self.ending_at(name, pointee) } else { rrset_at + pointee };
            if at > POINTER_MAX {
                return None;
            }
            let place = rdata_at + usize::from(patch & !EARLIER);
            *self.out.get_mut(place..)?.first_chunk_mut()? = pointer(at);
        }
        Some(())
    }
}

/// Records made for this answer.
pub struct Made<I> {
    /// Type.
    pub rtype: RrType,
    /// TTL.
    pub ttl: Ttl,
    /// Octets of the data of each record.
    pub len: usize,
    /// Data of each record, such as an address.
    pub rdata: I,
}

impl<'a> Made<Once<&'a [u8]>> {
    /// An RRset of one record.
    #[inline(always)]
    pub(crate) fn one(rtype: RrType, ttl: Ttl, rdata: &'a [u8]) -> Made<Once<&'a [u8]>> {
        Made { rtype, ttl, len: rdata.len(), rdata: once(rdata) }
    }
}

impl<D: AsRef<[u8]>, I: ExactSizeIterator<Item = D>> Rrset for Made<I> {
    #[inline(always)]
    fn write(self, response: &mut Response<'_>, owner: &impl Owner) -> Option<(usize, u16)> {
        let Made { rtype, ttl, len, rdata } = self;
        let (begin, count) = (response.at, rdata.len());
        let owner_at = match owner.written() {
            Ok(owner_at) => owner_at,
            Err(wire) => {
                for rdata in rdata {
                    if response.put_made(wire, Head::new(0, rtype, ttl), rdata.as_ref()).is_none() {
                        response.at = begin;
                        return None;
                    }
                }
                return Some((begin + wire.len() + HEAD_LEN - 2, count as u16));
            }
        };
        let head = Head::new(owner_at, rtype, ttl);
        let end = begin + count * (HEAD_LEN + len);
        let room = response.out.get_mut(begin..end).filter(|_| end <= response.limit)?;
        for (record, rdata) in room.chunks_exact_mut(HEAD_LEN + len).zip(rdata) {
            head.write(record, rdata.as_ref());
        }
        response.at = end;
        Some((begin + HEAD_LEN, count as u16))
    }
}

impl Response<'_> {
    /// Writes a record that was made for this answer, for the root as owner, or for an owner that
    /// no pointer reaches.
    #[cold]
    fn put_made(&mut self, owner: &[u8], head: Head, rdata: &[u8]) -> Option<()> {
        let fields_at = self.at + owner.len();
        let rdata_at = fields_at + HEAD_LEN - 2;
        let end = rdata_at + rdata.len();
        if end > self.limit {
            return None;
        }
        self.out.get_mut(self.at..fields_at)?.copy_from_slice(owner);
        self.out.get_mut(fields_at..fields_at + 6)?.copy_from_slice(head.upper.to_be_bytes().get(2..)?);
        let lower = head.with_len(rdata).to_be_bytes();
        self.out.get_mut(fields_at + 6..rdata_at)?.copy_from_slice(&lower);
        self.out.get_mut(rdata_at..end)?.copy_from_slice(rdata);
        self.at = end;
        Some(())
    }
}

/// Fixed part of the records of an RRset, without RDLENGTH.
struct Head {
    /// Owner as a pointer, type, class and the upper half of the TTL.
    upper: u64,
    /// Lower half of the TTL, and room for RDLENGTH.
    lower: u32,
}

impl Head {
    #[inline(always)]
    fn new(owner_at: usize, rtype: RrType, ttl: Ttl) -> Head {
        let (pointer, ttl) = (u64::from(u16::from_be_bytes(pointer(owner_at))), ttl.secs());
        Head {
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

    /// Writes a record with a pointer to its owner, if the room is as long as the record.
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
