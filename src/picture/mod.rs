//! Maps of the world as SVG: the PoP that each country gets, and the countries that a change moves.
//!
//! ```text
//! Scene (PoPs, answers of countries, moves) -> drawn::svg -> text of a file
//!            outlines, projection, colours, labels ----^
//! ```
//!
//! A picture has no date and no path: equal scenes give equal octets on every machine. It is for a
//! browser or a wiki; there is no PNG, because every browser and converter makes one.

pub(crate) mod colours;
pub(crate) mod drawn;
pub(crate) mod labels;
pub(crate) mod legend;
pub(crate) mod markup;
pub(crate) mod outlines;
pub(crate) mod projection;
pub(crate) mod scene;
