//! Zones: what exists.
//!
//! [`text`] is a zone as read, with places for findings; [`image`] is the same zone as served;
//! [`set`] is all of them together.

pub mod image;
pub mod set;
pub mod text;
