//! Zones: the names that exist, and their records.
//!
//! [`text`] is a zone as read, with places for findings; [`rdata`] converts record data between
//! text and octets; [`master`] reads zones as RFC 1035 text; [`check`] checks zones together;
//! [`image`] is a zone in its served form; [`set`] is all zones of a snapshot; [`links`] holds the
//! targets of their CNAMEs; [`source`] records from which texts each zone is served.

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
