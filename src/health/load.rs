//! Load: how full PoPs say they are, and which cells leave for it.

pub mod roster;
pub mod spec;
