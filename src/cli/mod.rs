//! The commands of the `meridian` program.

pub mod dig;
pub mod explain;
pub mod geoip;
pub mod verify;
