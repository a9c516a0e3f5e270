//! Reload: from the files to a compiled snapshot, or to findings. Publishing is the writer's.
//! Beside it, what a node keeps in its state folder between restarts.
//!
//! `meridian check`, the start of a server and every reload take this same path.

pub mod atomic;
pub mod claim;
pub mod disk;
pub mod health_store;
pub mod ledger_store;
pub mod parallel;
pub mod prepare;
