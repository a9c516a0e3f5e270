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
    /// Control socket, as written or relative to the file.
    control: PathBuf = "control";
    /// Read-only HTTP.
    admin: Option<SocketAddr> = "admin";
    /// UDP worker threads for each address; `None` is one a core.
    threads: Option<u16> = "threads";
    /// Cores that the workers run on.
    cpus: Cpus = "cpus";
    /// Datagrams that a worker takes from the kernel at once.
    batch: u16 = "batch";
    /// Octets of kernel buffer for queries, asked for each UDP socket; `None` is the default.
    receive_buffer: Option<u32> = "receive_buffer";
    /// Octets of kernel buffer for answers, asked for each UDP socket; `None` is the default.
    send_buffer: Option<u32> = "send_buffer";
    /// TCP connections in all.
    tcp_connections: u32 = "tcp_connections";
    /// TCP connections of one client prefix (/24 or /56).
    tcp_connections_per_prefix: u32 = "tcp_connections_per_prefix";
    /// Time after which idle TCP connections are closed, in seconds.
    tcp_idle_secs: u32 = "tcp_idle";
}
