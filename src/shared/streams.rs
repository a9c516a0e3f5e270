//! Stream transports: those of [`Transport`] whose messages come over connections. Each has its
//! task, its share of descriptors and its counters.

use crate::answer::Transport;

/// Every stream transport, in order.
pub(crate) fn streams() -> impl Iterator<Item = Transport> + Clone {
    Transport::ALL.into_iter().filter(|transport| transport.is_stream())
}
