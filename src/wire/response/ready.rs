//! Records in stored form: copies them unchanged, then sets the pointers in their data, which
//! depend on the positions of names in the message (RFC 1035 section 4.1.4).

use super::{OwnerName, POINTER_MAX, Response, copy, pointer};
use crate::wire::fragment::{EARLIER, HEAD_LEN, NO_PATCH, Rdata};
use crate::wire::header::HEADER_LEN;
use crate::wire::position::WrittenName;

/// Reference points of pointers in record data: a name that ends in the owner, and the offset of
/// the RRset.
pub(super) type Bases = (WrittenName, usize);

impl Response<'_> {
    /// Writes a record in stored form, owned by the question name or an ending of it.
    pub(super) fn put_ready(
        &mut self,
        owner: OwnerName<'_>,
        rdata: &Rdata<'_>,
        bases: Bases,
    ) -> Option<usize> {
        if owner.is_reached() {
            return self.put_pointed(owner, rdata, bases);
        }
        let rdata_at = self.put_ready_with_owner(owner, rdata.record)?;
        self.point(rdata_at, rdata, bases)?;
        Some(rdata_at)
    }

    /// [`Response::put_ready`] with a pointer to the owner.
    #[inline(always)]
    pub(super) fn put_pointed(
        &mut self,
        owner: OwnerName<'_>,
        rdata: &Rdata<'_>,
        bases: Bases,
    ) -> Option<usize> {
        let end = self.at + rdata.record.len();
        if end > self.limit {
            return None;
        }
        let to = self.out.get_mut(self.at..end)?;
        copy(to, rdata.record);
        if owner.at != HEADER_LEN {
            *to.first_chunk_mut()? = pointer(owner.at);
        }
        let rdata_at = self.at + HEAD_LEN;
        self.point(rdata_at, rdata, bases)?;
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

    /// [`Response::put_ready`] for the root as owner, or for an owner that no pointer reaches.
    #[cold]
    fn put_ready_with_owner(&mut self, owner: OwnerName<'_>, record: &[u8]) -> Option<usize> {
        let (owner, record) = (owner.wire, record.get(2..)?);
        let fields_at = self.at + owner.len();
        let end = fields_at + record.len();
        if end > self.limit {
            return None;
        }
        self.out.get_mut(self.at..fields_at)?.copy_from_slice(owner);
        self.out.get_mut(fields_at..end)?.copy_from_slice(record);
        self.at = end;
        Some(fields_at + HEAD_LEN - 2)
    }
}
