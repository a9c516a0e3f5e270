//! Where names in record data are cut, so that a pointer stands for the rest.
//!
//! Within an RRset all distances are known when the zone is read: every record begins with a
//! pointer to its owner. So an ending may be that of the owner, wherever the message has it, or of
//! an earlier name of the RRset, by its distance from the start of the RRset. The longest is taken;
//! what other RRsets of a message hold is not known here and not looked at.

use crate::limits::CHAIN_MAX;
use crate::wire::fragment::HEAD_LEN;
use crate::wire::header::HEADER_LEN;
use crate::wire::name::{NAME_OCTETS_MAX, common_ending_len};

/// Octets from the start of an RRset in which names can be pointed at from inside it.
const REACH: usize = 4096;

/// Names of an RRset that later ones are compared with: enough for the 13 of the root, and few
/// enough that a long RRset costs no more than its length.
const EARLIER_MAX: usize = 64;

/// An RRset stands behind the question and at most so many pairs of DNAME and CNAME; a pointer
/// (RFC 1035 section 4.1.4) reaches whatever lies within [`REACH`] of its start.
const _: () = assert!(
    HEADER_LEN + NAME_OCTETS_MAX + 4 + (CHAIN_MAX + 1) * 2 * (HEAD_LEN + NAME_OCTETS_MAX) + REACH < 0x4000
);

/// Where a name is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nothing is saved by a cut.
    Nowhere,
    /// Before an ending of the owner of this length.
    Owner(u16),
    /// Before an ending that stands so many octets behind the start of the RRset, and has this
    /// length.
    Earlier(u16, u16),
}

impl Cut {
    /// Octets that are left out.
    fn saves(self) -> usize {
        match self {
            Cut::Nowhere => 0,
            Cut::Owner(len) | Cut::Earlier(_, len) => usize::from(len),
        }
    }
}

/// The names of one RRset, in the order in which they are written.
#[derive(Default)]
pub(super) struct Compressor<'a> {
    /// The owner, without a wildcard's first label: the name that is asked has another there.
    owner: Vec<u8>,
    /// Octets before the data of a record.
    head_len: usize,
    /// Octets of the RRset so far.
    at: usize,
    /// Whether pointers may lead to the owner alone.
    owner_only: bool,
    earlier: Vec<Earlier<'a>>,
}

/// An earlier name of the RRset.
struct Earlier<'a> {
    name: &'a [u8],
    /// Its distance from the start of the RRset.
    at: usize,
    /// Octets of it that are written, before a pointer or to its end.
    literal: usize,
}

impl<'a> Compressor<'a> {
    /// Begins an RRset. With `owner_only` a name can be read from its own record and the owner.
    pub(super) fn begin(&mut self, owner: &[u8], owner_only: bool) {
        self.owner_only = owner_only;
        self.owner.clear();
        self.owner.extend_from_slice(owner.strip_prefix(b"\x01*").unwrap_or(owner));
        // The root is written in place of a pointer.
        self.head_len = HEAD_LEN - usize::from(owner.len() == 1);
        self.at = 0;
        self.earlier.clear();
    }

    /// Cuts a name that begins `skip` octets into the data of the record at hand.
    pub(super) fn cut(&mut self, name: &'a [u8], skip: usize) -> Cut {
        let mut cut = Cut::Nowhere;
        // A pointer takes two octets.
        let mut saved = 2;
        let with_owner = common_ending_len(name, &self.owner);
        if with_owner > saved {
            (cut, saved) = (Cut::Owner(with_owner as u16), with_owner);
        }
        for earlier in &self.earlier {
            let len = common_ending_len(name, earlier.name);
            let place = earlier.name.len() - len;
            if len > saved && place < earlier.literal && earlier.at + place < REACH {
                (cut, saved) = (Cut::Earlier((earlier.at + place) as u16, len as u16), len);
            }
        }
        let (at, literal) = (self.at + self.head_len + skip, name.len() - cut.saves());
        if !self.owner_only && literal > 0 && at < REACH && self.earlier.len() < EARLIER_MAX {
            self.earlier.push(Earlier { name, at, literal });
        }
        cut
    }

    /// Ends the record at hand, whose data has so many octets.
    pub(super) fn end(&mut self, data_len: usize) {
        self.at += self.head_len + data_len;
    }
}

#[cfg(test)]
mod tests;
