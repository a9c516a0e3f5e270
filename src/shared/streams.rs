//! Stream transports: those of [`Transport`] whose messages come over connections. Each has its
//! task and its counters, and a share of descriptors if its connections take any.

use crate::answer::Transport;

/// Every stream transport whose connections take file descriptors, in order.
pub(crate) fn descriptor_streams() -> impl Iterator<Item = Transport> + Clone {
    streams().filter(|transport| transport.takes_descriptors())
}

/// Every stream transport, in order.
pub(crate) fn streams() -> impl Iterator<Item = Transport> + Clone {
    Transport::ALL.into_iter().filter(|transport| transport.is_stream())
}
