//! Reload: reads the files and compiles a snapshot, or reports findings. The writer publishes it.
//!
//! `meridian check`, the start of a server and every reload run the same code.

mod certificate;
pub(crate) mod disk;
pub(crate) mod parallel;
pub(crate) mod prepare;
pub(crate) mod running;
pub(crate) mod safety;
pub(crate) mod watch;
