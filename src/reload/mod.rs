//! Reload: from the files to a compiled snapshot, or to findings. Publishing is the writer's.
//!
//! `meridian check`, the start of a server and every reload take this same path.

pub mod disk;
pub mod parallel;
pub mod prepare;
