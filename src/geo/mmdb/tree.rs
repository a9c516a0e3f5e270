//! Search tree of a MaxMind DB file, walked with limits.
//!
//! Specification: MaxMind DB File Format 2.0, section "Binary Search Tree Section". A node is two
//! records of 24, 28 or 32 bits. A record smaller than the number of nodes is a node; one equal to
//! that number means no data; a larger one points into the data section, which follows 16 zero
//! octets.

use crate::geo::embedded;

/// Steps of a walk per node. A valid tree takes one step; a few writers share subtrees; a corrupt
/// tree that shares nodes at every level would take 2 to the 128th.
const STEPS_PER_NODE: u64 = 8;

/// Octets between the tree and the data.
const SEPARATOR: usize = 16;

/// Fault of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TreeError {
    /// Nodes below the last bit of an address.
    TooDeep,
    /// More paths than a tree of this size can have.
    TooWide,
    /// A record that points between the tree and the data.
    Pointer,
    /// A node outside the file.
    Outside,
    /// The crate's reader finds another record.
    Disagree,
}

impl TreeError {
    /// The fault in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            TreeError::TooDeep => "its search tree goes deeper than an address is long",
            TreeError::TooWide => "its search tree repeats the same nodes too often",
            TreeError::Pointer => "its search tree points into the gap before the data",
            TreeError::Outside => "its search tree points outside the file",
            TreeError::Disagree => "a sample look-up finds another record than the search tree",
        }
    }
}

/// A block of addresses with its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Branch {
    /// First address, in IPv6.
    pub(super) bits: u128,
    /// Prefix length, in IPv6.
    pub(super) len: u8,
    /// The record.
    pub(super) record: usize,
}

impl Branch {
    /// Branch of all addresses in a tree of IPv4 alone.
    pub(super) const V4_ALONE: Branch = Branch { bits: 0, len: 96, record: 0 };
    /// Branch of all addresses.
    pub(super) const ALL: Branch = Branch { bits: 0, len: 0, record: 0 };

    /// IPv6 address of an IPv4 address in this branch, which has 96 bits.
    pub(super) fn v6_of(self, v4: u32) -> u128 {
        self.bits | u128::from(v4)
    }
}

/// Search tree in the octets of its file.
pub(super) struct Tree<'a> {
    octets: &'a [u8],
    node_count: usize,
    record_bits: u16,
}

impl<'a> Tree<'a> {
    /// Makes a tree of `node_count` nodes at the start of `octets`.
    pub(super) fn new(octets: &'a [u8], node_count: u32, record_bits: u16) -> Tree<'a> {
        Tree { octets, node_count: node_count as usize, record_bits }
    }

    /// Octets of the tree and of the separator, which is the offset of the data section.
    pub(super) fn octets(&self) -> usize {
        self.node_count * (usize::from(self.record_bits) / 4) + SEPARATOR
    }

    /// Record that points to the first octet of the data section.
    pub(super) fn first_offset(&self) -> usize {
        self.node_count + SEPARATOR
    }

    /// Branches of an IPv6 tree that may contain the IPv4 networks, `::/96` first.
    ///
    /// Data above `::/96` apply to all of IPv4, as in every reader of the format. Data above
    /// another block apply to IPv6.
    pub(super) fn branches_of_v4(&self) -> Result<Vec<Branch>, TreeError> {
        let mut branches = Vec::new();
        for (bits, len) in embedded::OF_DATABASES {
            let (record, depth) = self.descend(bits, len)?;
            if branches.is_empty() || depth == len {
                branches.push(Branch { bits, len, record });
            }
        }
        Ok(branches)
    }

    /// Record of a block, and the depth at which it was found.
    fn descend(&self, bits: u128, len: u8) -> Result<(usize, u8), TreeError> {
        let mut record = 0;
        for depth in 0..len {
            if record >= self.node_count {
                return Ok((record, depth));
            }
            record = self.children(record)?[usize::from(bits >> (127 - depth) & 1 == 1)];
        }
        Ok((record, len))
    }

    /// Visits every leaf with data in a branch, in ascending order, with its address, its length as
    /// an IPv6 prefix, and its record. Skips prefixes for which `skip` is true.
    pub(super) fn walk<E: From<TreeError>>(
        &self,
        branch: &Branch,
        skip: impl Fn(u128, u8) -> bool,
        mut leaf: impl FnMut(u128, u8, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut steps = STEPS_PER_NODE * (self.node_count as u64 + 1);
        let mut open = vec![(branch.bits, branch.len, branch.record)];
        while let Some((bits, len, record)) = open.pop() {
            if skip(bits, len) || record == self.node_count {
                continue;
            }
            if record > self.node_count {
                leaf(bits, len, record)?;
                continue;
            }
            if len >= 128 {
                return Err(TreeError::TooDeep.into());
            }
            steps = steps.checked_sub(1).ok_or(TreeError::TooWide)?;
            let [left, right] = self.children(record)?;
            open.push((bits | (1 << (127 - len)), len + 1, right));
            open.push((bits, len + 1, left));
        }
        Ok(())
    }

    fn children(&self, node: usize) -> Result<[usize; 2], TreeError> {
        let size = usize::from(self.record_bits) / 4;
        let octets = node
            .checked_mul(size)
            .and_then(|at| self.octets.get(at..at.checked_add(size)?))
            .ok_or(TreeError::Outside)?;
        let number = |octets: &[u8]| octets.iter().fold(0, |n, &b| n << 8 | usize::from(b));
        match octets {
            [a, b, c, x, y, z] => Ok([number(&[*a, *b, *c]), number(&[*x, *y, *z])]),
            // The middle octet has the top four bits of the left record, then those of the right
            // one.
            [a, b, c, middle, x, y, z] => {
                Ok([number(&[middle >> 4, *a, *b, *c]), number(&[middle & 15, *x, *y, *z])])
            }
            [left @ .., _, _, _, _] if size == 8 => Ok([number(left), number(&octets[4..])]),
            _ => Err(TreeError::Outside),
        }
    }
}
