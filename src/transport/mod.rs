//! Transports: from sockets to the core and back. Nothing here decides what is answered.
//!
//! ```text
//! worker (threads) ── udp ──┐                       ┌─▶ reply
//!                           ├─▶ answer::respond ────┼─▶ silence
//! tcp (tasks) ──────────────┘                       └─▶ slow path (a bounded queue, one task)
//!  ▲ connection limit
//!
//! portable: hickory's own server over the same core, where the fast lane does not exist
//! ```

pub mod connection_limit;
pub mod draw;
#[cfg(feature = "portable")]
pub mod portable;
pub mod slow_path;
pub mod tcp;
#[cfg(target_os = "linux")]
pub mod udp;
#[cfg(target_os = "linux")]
pub mod worker;
