//! Geography: the places of addresses.
//!
//! ```text
//! GeoIP files -> mmdb ----+
//!                         +-> atlas: disjoint leaves of both address spaces, each with its place
//! operator networks ------+
//! ```
//!
//! [`embedded`] converts IPv4 clients inside IPv6 to IPv4; [`special`] lists addresses that no
//! client on the internet has; [`hubs`] gives each country a point on the map; [`distance`]
//! measures. [`iso3166`] and [`territories`] know the codes of places, and [`lands`] those of the
//! loaded data.

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
