//! Zones: what exists.
//!
//! [`text`] is a zone as read, with places for findings; [`rdata`] turns the text of record data
//! into octets and back; [`master`] reads zones as RFC 1035 text; [`check`] judges zones together;
//! [`image`] is a zone as served; [`set`] is all of them together; [`links`] is where CNAMEs lead
//! in them; [`source`] is the texts that each is served from.

pub(crate) mod check;
pub(crate) mod image;
pub(crate) mod links;
pub(crate) mod master;
pub(crate) mod octets;
pub(crate) mod rdata;
pub(crate) mod set;
pub(crate) mod source;
mod table;
pub(crate) mod text;
