//! Sockets of a server, one row a key of `listen`.

use super::Cpus;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Makes the struct and everything that names each of its fields.
macro_rules! listen {
    ($($(#[doc = $about:literal])* $field:ident: $kind:ty = $key:literal;)*) => {
        /// Sockets and other settings of `listen`, which only a restart changes.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct Listen {
            $($(#[doc = $about])* pub(crate) $field: $kind,)*
        }

        impl Listen {
            /// Keys whose values differ, with their path in the server file.
            pub(crate) fn differing(&self, other: &Listen) -> Vec<&'static str> {
                let keys = [$((concat!("listen.", $key), self.$field == other.$field)),*];
                keys.into_iter().filter(|(_, is_same)| !is_same).map(|(key, _)| key).collect()
            }
        }
    };
}

listen! {
    /// UDP and TCP addresses.
    dns: Vec<SocketAddr> = "dns";
    /// Control socket, resolved against the folder of the server file.
    control: PathBuf = "control";
    /// Address of the read-only HTTP server.
    admin: Option<SocketAddr> = "admin";
    /// UDP worker threads per address; `None` is one per core.
    threads: Option<u16> = "threads";
    /// Cores of the UDP worker threads.
    cpus: Cpus = "cpus";
    /// Datagrams that a worker takes from the kernel at once.
    batch: u16 = "batch";
    /// Octets of kernel buffer for queries, requested for each UDP socket; `None` is the default.
    receive_buffer: Option<u32> = "receive_buffer";
    /// Octets of kernel buffer for answers, requested for each UDP socket; `None` is the default.
    send_buffer: Option<u32> = "send_buffer";
    /// Most TCP connections.
    tcp_connections: u32 = "tcp_connections";
    /// Most TCP connections of one client prefix (/24 or /56).
    tcp_connections_per_prefix: u32 = "tcp_connections_per_prefix";
    /// Seconds until an idle TCP connection is closed.
    tcp_idle_secs: u32 = "tcp_idle";
}
