//! Zones: what exists.

pub mod text;
