//! Stream transports as a server runs them: for each, its addresses and limits in `listen`.

use crate::answer::Transport;
use crate::config::{Listen, StreamLimits};
use crate::shared::streams::streams;
use std::net::SocketAddr;

/// Addresses of a stream transport.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listeners<'l> {
    /// The addresses of UDP, on the same ports.
    BesideUdp,
    /// Addresses of its own.
    At(&'l [SocketAddr]),
    /// Addresses of its own, with sockets of UDP.
    OverUdp,
}

/// Stream transport in `listen`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamListen<'l> {
    /// Transport.
    pub(crate) transport: Transport,
    /// Addresses.
    pub(crate) listeners: Listeners<'l>,
    /// Limits.
    pub(crate) limits: &'l StreamLimits,
    /// Key of the most connections, with its path in the server file.
    pub(crate) connections_key: &'static str,
}

/// Every stream transport, in order.
pub(crate) fn stream_listens(listen: &Listen) -> impl Iterator<Item = StreamListen<'_>> {
    streams().filter_map(|transport| stream_listen(listen, transport))
}

/// Row of a stream transport; `None` for UDP, and for a transport without addresses.
pub(crate) fn stream_listen(listen: &Listen, transport: Transport) -> Option<StreamListen<'_>> {
    match transport {
        Transport::Udp => None,
        Transport::Tcp => Some(StreamListen {
            transport,
            listeners: Listeners::BesideUdp,
            limits: &listen.tcp,
            connections_key: "listen.tcp_connections",
        }),
        Transport::Dot if listen.dot.is_empty() => None,
        Transport::Dot => Some(StreamListen {
            transport,
            listeners: Listeners::At(&listen.dot),
            limits: &listen.dot_limits,
            connections_key: "listen.dot_connections",
        }),
        Transport::Doh if listen.doh.is_empty() => None,
        Transport::Doh => Some(StreamListen {
            transport,
            listeners: Listeners::At(&listen.doh),
            limits: &listen.doh_limits,
            connections_key: "listen.doh_connections",
        }),
        Transport::Doq if listen.doq.is_empty() => None,
        Transport::Doq => Some(StreamListen {
            transport,
            listeners: Listeners::OverUdp,
            limits: &listen.doq_limits,
            connections_key: "listen.doq_connections",
        }),
    }
}
