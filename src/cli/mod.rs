//! The commands of the `meridian` program.

pub mod geoip;
