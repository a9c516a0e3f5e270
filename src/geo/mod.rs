//! Geography: where an address is.
//!
//! ```text
//! GeoIP files -> mmdb ----+
//!                         +-> atlas: disjoint leaves of both address spaces, each with its place
//! operator networks ------+
//! ```
//!
//! [`embedded`] turns IPv4 clients inside IPv6 into IPv4, [`special`] knows the addresses that no
//! client on the internet has, [`hubs`] places a country on the map, [`distance`] measures;
//! [`iso3166`] and [`territories`] know which codes of places there are, [`lands`] those that the
//! loaded data have.

pub(crate) mod atlas;
pub(crate) mod distance;
pub(crate) mod embedded;
pub(crate) mod geofeed;
pub(crate) mod hubs;
pub(crate) mod iso3166;
pub(crate) mod lands;
pub(crate) mod layered;
pub(crate) mod mmdb;
pub(crate) mod networks;
pub(crate) mod place;
pub(crate) mod prefix;
pub(crate) mod rtts;
pub(crate) mod source_text;
pub(crate) mod special;
pub(crate) mod territories;
pub(crate) mod trie;
