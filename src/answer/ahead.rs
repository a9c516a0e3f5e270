//! What is known of a query before its answer begins: what the stages of a batch have found, or
//! nothing.

use crate::zone::set::Found;

/// What the stages before have found of a query.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ahead {
    /// Whether the message is a query, and stands read.
    pub(crate) is_read: bool,
    /// What its name is.
    pub(crate) found: Option<Found>,
    /// Where its client is.
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
