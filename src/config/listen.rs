//! Sockets of a server, one row a key of `listen`, and one row a stream transport.

use super::Cpus;
use crate::finding::At;
use crate::wire::name::Name;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Default limit of the connections of a transport: each takes a file descriptor, and services
/// usually may open more descriptors than this.
const CONNECTIONS: u32 = 4_096;
/// Default limit of connections per client prefix: enough for a resolver farm behind one /24, but
/// no prefix can take all.
const CONNECTIONS_PER_PREFIX: u32 = 256;
/// Default idle time in seconds: RFC 7766 section 6.2.3 recommends a few seconds.
const IDLE_SECS: u32 = 10;

/// Limits of a stream transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamLimits {
    /// Most connections.
    pub(crate) connections: u32,
    /// Place of that key in the file.
    pub(crate) connections_at: Option<At>,
    /// Most connections of one client prefix (/24 or /56).
    pub(crate) per_prefix: u32,
    /// Seconds until an idle connection is closed.
    pub(crate) idle_secs: u32,
}

impl Default for StreamLimits {
    fn default() -> StreamLimits {
        StreamLimits {
            connections: CONNECTIONS,
            connections_at: None,
            per_prefix: CONNECTIONS_PER_PREFIX,
            idle_secs: IDLE_SECS,
        }
    }
}

/// Names of a stream transport in the file and in its reference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamKeys {
    /// Name in sentences.
    pub(crate) name: &'static str,
    /// Key of the limit of connections.
    pub(crate) connections: &'static str,
    /// Key of the limit of connections of one client prefix.
    pub(crate) per_prefix: &'static str,
    /// Key of the idle time.
    pub(crate) idle: &'static str,
}

/// Makes the struct and everything that names each of its fields.
macro_rules! listen {
    (
        sockets { $($(#[doc = $about:literal])* $field:ident: $kind:ty = $key:literal;)* }
        streams { $($(#[doc = $of:literal])* $stream:ident = $word:literal, $name:literal;)* }
    ) => {
        /// Sockets and other settings of `listen`, which only a restart changes.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct Listen {
            $($(#[doc = $about])* pub(crate) $field: $kind,)*
            $($(#[doc = $of])* pub(crate) $stream: StreamLimits,)*
        }

        /// Names of every stream transport, in order.
        pub(crate) const STREAMS: [StreamKeys; [$($word),*].len()] = [$(StreamKeys {
            name: $name,
            connections: concat!($word, "_connections"),
            per_prefix: concat!($word, "_connections_per_prefix"),
            idle: concat!($word, "_idle"),
        }),*];

        impl Listen {
            /// Limits of every stream transport, in order of [`STREAMS`].
            pub(crate) fn streams_mut(&mut self) -> [&mut StreamLimits; STREAMS.len()] {
                [$(&mut self.$stream),*]
            }

            /// Keys whose values differ, with their path in the server file.
            pub(crate) fn differing(&self, other: &Listen) -> Vec<&'static str> {
                let keys = [$((concat!("listen.", $key), self.$field == other.$field)),*];
                let streams = [$({
                    let (a, b) = (&self.$stream, &other.$stream);
                    [
                        (concat!("listen.", $word, "_connections"), a.connections == b.connections),
                        (concat!("listen.", $word, "_connections_per_prefix"), a.per_prefix == b.per_prefix),
                        (concat!("listen.", $word, "_idle"), a.idle_secs == b.idle_secs),
                    ]
                }),*];
                let all = keys.into_iter().chain(streams.into_iter().flatten());
                all.filter(|(_, is_same)| !is_same).map(|(key, _)| key).collect()
            }
        }
    };
}

/// Key of `listen` whose addresses are bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// `dns`: UDP, and TCP beside it.
    Dns,
    /// `dot`.
    Dot,
    /// `doh`.
    Doh,
    /// `doq`.
    Doq,
    /// `admin`.
    Admin,
}

impl Bound {
    /// True if a socket of the one key and one of the other cannot have the same port.
    pub(crate) fn excludes(self, other: Bound) -> bool {
        let uses = |bound| match bound {
            Bound::Dns => (true, true),
            Bound::Dot | Bound::Doh | Bound::Admin => (true, false),
            Bound::Doq => (false, true),
        };
        let ((tcp, udp), (other_tcp, other_udp)) = (uses(self), uses(other));
        tcp && other_tcp || udp && other_udp
    }
}

impl Listen {
    /// Every address that is bound, with its key, in the order in which the reader takes the keys.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (Bound, SocketAddr)> + '_ {
        let Listen {
            dns,
            dot,
            doh,
            doq,
            admin,
            admin_hosts: _,
            control: _,
            threads: _,
            cpus: _,
            socket_affinity: _,
            batch: _,
            receive_buffer: _,
            send_buffer: _,
            tcp: _,
            dot_limits: _,
            doh_limits: _,
            doq_limits: _,
        } = self;
        let dns = dns.iter().map(|address| (Bound::Dns, *address));
        let dot = dot.iter().map(|address| (Bound::Dot, *address));
        let doh = doh.iter().map(|address| (Bound::Doh, *address));
        let doq = doq.iter().map(|address| (Bound::Doq, *address));
        dns.chain(dot).chain(doh).chain(doq).chain(admin.iter().map(|address| (Bound::Admin, *address)))
    }
}

listen! {
    sockets {
        /// UDP and TCP addresses.
        dns: Vec<SocketAddr> = "dns";
        /// Addresses of DNS over TLS.
        dot: Vec<SocketAddr> = "dot";
        /// Addresses of DNS over HTTPS.
        doh: Vec<SocketAddr> = "doh";
        /// Addresses of DNS over QUIC.
        doq: Vec<SocketAddr> = "doq";
        /// Control socket, resolved against the folder of the server file.
        control: PathBuf = "control";
        /// Address of the read-only HTTP server.
        admin: Option<SocketAddr> = "admin";
        /// Host names for which the admin address serves pages, beside those of this host.
        admin_hosts: Vec<Name> = "admin_hosts";
        /// UDP worker threads per address; `None` is one per core.
        threads: Option<u16> = "threads";
        /// Cores of the UDP worker threads.
        cpus: Cpus = "cpus";
        /// True if a datagram goes to the UDP worker thread on the core that received it.
        socket_affinity: bool = "socket_affinity";
        /// Datagrams that a worker takes from the kernel at once.
        batch: u16 = "batch";
        /// Octets of kernel buffer for queries, of each UDP socket; `None` is the default.
        receive_buffer: Option<u32> = "receive_buffer";
        /// Octets of kernel buffer for answers, of each UDP socket; `None` is the default.
        send_buffer: Option<u32> = "send_buffer";
    }
    streams {
        /// Limits of TCP.
        tcp = "tcp", "TCP";
        /// Limits of DNS over TLS.
        dot_limits = "dot", "DNS over TLS";
        /// Limits of DNS over HTTPS.
        doh_limits = "doh", "DNS over HTTPS";
        /// Limits of DNS over QUIC.
        doq_limits = "doq", "DNS over QUIC";
    }
}
