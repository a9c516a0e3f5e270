//! Geography: where an address is.
//!
//! ```text
//! GeoIP files -> mmdb ----+
//!                         +-> atlas: disjoint leaves of both address spaces, each with its place
//! operator networks ------+
//! ```
//!
//! [`embedded`] turns IPv4 clients inside IPv6 into IPv4, [`special`] knows the addresses that no
//! client on the internet has, [`hubs`] places a country on the map, [`distance`] measures.

pub mod atlas;
pub mod distance;
pub mod embedded;
pub mod geofeed;
pub mod hubs;
pub mod layered;
pub mod mmdb;
pub mod networks;
pub mod place;
pub mod prefix;
pub mod source_text;
pub mod special;
pub mod trie;
