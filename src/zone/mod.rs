//! Zones: what exists.

pub mod check;
pub mod rdata;
pub mod text;
