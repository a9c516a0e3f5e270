//! Zones: what exists.
//!
//! [`text`] is a zone as read, with places for findings; [`rdata`] turns the text of record data
//! into octets and back; [`master`] reads zones as RFC 1035 text; [`check`] judges zones together;
//! [`image`] is a zone as served; [`set`] is all of them together; [`links`] is where CNAMEs lead
//! in them.

pub mod check;
pub mod image;
pub mod links;
pub mod master;
pub mod octets;
pub mod rdata;
pub mod set;
mod table;
pub mod text;
