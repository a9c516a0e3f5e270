//! The order of a policy for clients at an unknown place.
//!
//! The policy's `default` decides, if there is one. Else PoPs listed one by one keep their order.
//! `pops: all` and tags give no order, so their PoPs are ranked by distance from the node's site.
//! If the node has no site with coordinates, their names decide.

use super::policy::{Order, Policy};
use super::pop::Pop;
use crate::geo::place::{Coordinates, Place};

/// Source of the order for clients without a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnknownOrder {
    /// The policy's `default`.
    Default,
    /// As listed.
    Listed,
    /// As seen from the node's site.
    FromSite,
    /// The names of PoPs: no order is written, and the node has no site with coordinates.
    ByName,
}

impl UnknownOrder {
    /// The order of a policy, on a node of this site.
    pub(crate) fn of(policy: &Policy, pops: &[Pop], site: Option<&str>) -> UnknownOrder {
        if !policy.default.is_empty() {
            UnknownOrder::Default
        } else if policy.is_listed {
            UnknownOrder::Listed
        } else {
            let has_site = site.and_then(|site| coordinates_of(pops, site)).is_some();
            match policy.order {
                Order::Nearest | Order::Latency if has_site => UnknownOrder::FromSite,
                Order::Nearest | Order::Latency | Order::Listed => UnknownOrder::ByName,
            }
        }
    }

    /// In words, behind `unknown clients`.
    pub(crate) fn words(self) -> &'static str {
        match self {
            UnknownOrder::Default => "as `default` says",
            UnknownOrder::Listed => "as listed",
            UnknownOrder::FromSite => "as seen from the node's site",
            UnknownOrder::ByName => "by name",
        }
    }
}

/// Coordinates of the PoP of a name.
pub(super) fn coordinates_of(pops: &[Pop], name: &str) -> Option<Coordinates> {
    pops.iter().find(|pop| *pop.name == *name).and_then(|pop| pop.coordinates)
}

/// Coordinates of a place. If an operator has set its site, those of the site's PoP, even if a
/// database has other coordinates; else the place's own.
pub(crate) fn coordinates_of_place(pops: &[Pop], place: &Place) -> Option<Coordinates> {
    place.site.as_deref().and_then(|site| coordinates_of(pops, site)).or(place.coordinates)
}
