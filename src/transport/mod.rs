//! Transports: from sockets to the core and back. Nothing here decides what is answered.
//!
//! ```text
//! worker (threads) ── udp ──┐                       ┌─▶ reply
//!                           ├─▶ answer::respond ────┼─▶ silence
//! stream (tasks) ── tcp ────┘                       └─▶ slow path (a bounded queue, one task)
//!  ▲ connection limit  ▲ one file for each carrier
//!
//! portable: hickory's own server over the same core, where the fast lane does not exist
//! ```

pub(crate) mod connection_limit;
pub(crate) mod draw;
#[cfg(feature = "portable")]
pub(crate) mod portable;
pub(crate) mod slow_path;
#[cfg(target_os = "linux")]
pub(crate) mod stepped;
pub(crate) mod stream;
pub(crate) mod tcp;
#[cfg(target_os = "linux")]
pub(crate) mod udp;
#[cfg(target_os = "linux")]
pub(crate) mod worker;
