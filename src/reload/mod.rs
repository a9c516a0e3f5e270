//! Reload: from the files to a compiled snapshot, or to findings. Publishing is the writer's.
//!
//! `meridian check`, the start of a server and every reload take this same path.

pub(crate) mod disk;
pub(crate) mod parallel;
pub(crate) mod prepare;
pub(crate) mod running;
pub(crate) mod safety;
pub(crate) mod watch;
