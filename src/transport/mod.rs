//! Transports: carry queries from sockets to the core, and replies back. The core alone decides the
//! contents of a reply.
//!
//! ```text
//! worker (threads) ── udp ──┐                       ┌─▶ reply
//!                           ├─▶ answer::respond ────┤
//! stream (tasks) ── tcp,    │                       └─▶ silence
//!  ▲ connection     dot, doh├── exchange: one message of a connection
//!    limit  doq (tasks) ────┘
//!                    ▲ one module for each, over tls if encrypted
//!
//! proxied: the client that the PROXY header of a balancer names, in place of the peer
//!
//! portable: hickory's server over the same core, for systems without the fast lane
//! ```

pub(crate) mod access;
pub(crate) mod connection_limit;
pub(crate) mod doh;
pub(crate) mod doq;
pub(crate) mod dot;
pub(crate) mod draw;
mod exchange;
#[cfg(feature = "portable")]
pub(crate) mod portable;
pub(crate) mod proxied;
mod quarantine;
pub(crate) mod scripted;
pub(crate) mod sender;
#[cfg(target_os = "linux")]
pub(crate) mod stepped;
pub(crate) mod stream;
pub(crate) mod tcp;
mod tls;
#[cfg(target_os = "linux")]
pub(crate) mod udp;
#[cfg(target_os = "linux")]
pub(crate) mod worker;
