//! Clients that a change moves, computed before the change is made.

pub(crate) mod comparison;
pub(crate) mod difference;
pub(crate) mod forecast;
pub(crate) mod prediction;
pub(crate) mod replay;

pub(crate) use difference::{Difference, difference};
