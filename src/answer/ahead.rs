//! Facts about a query that are known before its answer begins: those that the stages of a batch
//! have found, or none.

use crate::snapshot::locate::ClientLookup;
use crate::steer::policy::PolicyId;
use crate::zone::set::Found;

/// Facts that earlier stages have found about a query.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ahead<'s> {
    /// True if the message was read, and is a query.
    pub(crate) is_read: bool,
    /// The result of the look-up of its name, if that was found.
    pub(crate) found: Option<Found>,
    /// The client, if a policy asks where it is.
    pub(crate) located: Option<Located<'s>>,
}

/// A client that a policy has looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Located<'s> {
    /// The number of the policy.
    pub(crate) policy: PolicyId,
    /// The look-up.
    pub(crate) lookup: ClientLookup<'s>,
    /// The leaf's value and depth.
    pub(crate) leaf: (u32, u8),
}
