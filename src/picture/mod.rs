//! Maps of the world as SVG.
//!
//! [`projection`] puts coordinates into the frame of the outlines, [`outlines`] has the borders of
//! countries.

pub(crate) mod outlines;
pub(crate) mod projection;
