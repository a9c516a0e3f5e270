//! Facts about a query that are known before its answer begins: those that the stages of a batch
//! have found, or none.

use crate::zone::set::Found;

/// Facts that earlier stages have found about a query.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ahead {
    /// Whether the message was read, and is a query.
    pub(crate) is_read: bool,
    /// The result of the look-up of its name, if that was found.
    pub(crate) found: Option<Found>,
    /// The leaf of its client, if that was located.
    pub(crate) leaf: Option<LeafAhead>,
}

/// The leaf of a client in the routes of a policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeafAhead {
    /// The policy.
    pub(crate) policy: u32,
    /// The leaf's value and depth.
    pub(crate) leaf: (u32, u8),
}
