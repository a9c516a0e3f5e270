//! Cuts names in record data where a compression pointer takes over (RFC 1035 section 4.1.4).
//!
//! Within an RRset all distances are known when the zone is compiled, because every record begins
//! with a pointer to its owner. So a pointer may lead to an ending of the owner, wherever the
//! message has it, or to an earlier name of the RRset, by its distance from the start of the RRset.
//! The longest such ending is taken. Other RRsets of a message are not known here.

use crate::limits::CHAIN_MAX;
use crate::wire::fragment::HEAD_LEN;
use crate::wire::header::HEADER_LEN;
use crate::wire::name::{NAME_OCTETS_MAX, common_ending_len};

/// Octets from the start of an RRset in which its names can be the target of a pointer.
const REACH: usize = 4096;

/// Names of an RRset that are remembered as targets: enough for the 13 name servers of the root,
/// and few enough to make long RRsets cheap.
const EARLIER_MAX: usize = 64;

/// An RRset follows the question and at most [`CHAIN_MAX`] + 1 pairs of DNAME and CNAME, so a
/// pointer (RFC 1035 section 4.1.4) can reach everything within [`REACH`] of its start.
const _: () = assert!(
    HEADER_LEN + NAME_OCTETS_MAX + 4 + (CHAIN_MAX + 1) * 2 * (HEAD_LEN + NAME_OCTETS_MAX) + REACH < 0x4000
);

/// Place where a name is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// No cut: none would save octets.
    Nowhere,
    /// Before an ending of this length that the name shares with the owner.
    Owner(u16),
    /// Before an ending that the name shares with an earlier name of the RRset: distance of the
    /// earlier occurrence from the start of the RRset, and length of the ending.
    Earlier(u16, u16),
}

impl Cut {
    /// Octets that the cut leaves out.
    fn saves(self) -> usize {
        match self {
            Cut::Nowhere => 0,
            Cut::Owner(len) | Cut::Earlier(_, len) => usize::from(len),
        }
    }
}

/// Names of one RRset, in the order in which they are written.
#[derive(Default)]
pub(super) struct Compressor<'a> {
    /// Owner without a wildcard's first label, because the question name has another label there.
    owner: Vec<u8>,
    /// Octets before the data of a record.
    head_len: usize,
    /// Octets of the RRset written so far.
    at: usize,
    /// True if pointers may lead only to the owner.
    owner_only: bool,
    earlier: Vec<Earlier<'a>>,
}

/// An earlier name of the RRset.
struct Earlier<'a> {
    name: &'a [u8],
    /// Distance from the start of the RRset.
    at: usize,
    /// Octets written in full, up to a pointer or the end of the name.
    literal: usize,
}

impl<'a> Compressor<'a> {
    /// Begins an RRset. With `owner_only`, each name is readable from its own record and the owner.
    pub(super) fn begin(&mut self, owner: &[u8], owner_only: bool) {
        self.owner_only = owner_only;
        self.owner.clear();
        self.owner.extend_from_slice(owner.strip_prefix(b"\x01*").unwrap_or(owner));
        // The root is written as one octet instead of a pointer.
        self.head_len = HEAD_LEN - usize::from(owner.len() == 1);
        self.at = 0;
        self.earlier.clear();
    }

    /// Cuts a name that begins `skip` octets into the data of the current record.
    pub(super) fn cut(&mut self, name: &'a [u8], skip: usize) -> Cut {
        let mut cut = Cut::Nowhere;
        // A pointer takes two octets, so a cut must save more.
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

    /// Ends the current record, with `data_len` octets of data.
    pub(super) fn end(&mut self, data_len: usize) {
        self.at += self.head_len + data_len;
    }
}

#[cfg(test)]
mod tests;
