//! Links: the targets of CNAMEs in our zones, so that a chain is followed without name look-ups.
//!
//! A link may lead from one zone into another, so links are separate from images. They are made
//! anew for every set of zones, while images of unchanged zones are reused. A link always agrees
//! with a look-up of the target's name, except for questions of type DS, which do not use links.

use super::image::Match;
use super::set::{Found, ZoneId, ZoneSet};
use crate::wire::fragment::Rdata;
use crate::wire::query::QueryName;

/// Links of a set of zones.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Index of each zone's first link.
    first: Box<[u32]>,
    links: Box<[Option<Link>]>,
    /// Names of the targets without an exact match: covered by a wildcard, at or below a cut, below
    /// a DNAME, or missing.
    names: Box<[u8]>,
}

/// Target of a CNAME in our zones.
#[derive(Clone, Copy, Debug)]
struct Link {
    found: Found,
    /// Offset in `names`; unused for exact matches, whose name is the node's.
    name_at: u32,
    name_len: u8,
}

/// Target name of a CNAME, and the result of looking it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkTarget<'a> {
    /// The name in lower-case wire form.
    pub(crate) name: &'a [u8],
    /// Result of the look-up.
    pub(crate) found: Found,
}

impl Links {
    /// Makes the links of a set of zones, without reading the set's own links.
    pub(crate) fn of(zones: &ZoneSet) -> Links {
        let mut first = Vec::with_capacity(zones.iter().len());
        let mut links = Vec::with_capacity(zones.iter().map(|zone| zone.cnames() as usize).sum());
        let mut names = Vec::new();
        let mut name = QueryName::default();
        for zone in zones.iter() {
            first.push(links.len() as u32);
            links.extend(zone.cname_records().map(|(owner, rdata)| {
                if !read_target(&mut name, &rdata, zone.name(owner)) {
                    return None;
                }
                // A chain ends before a zone that is not served.
                let found = zones.lookup(&name).filter(|found| !zones.zone(found.zone).is_dead())?;
                let (name_at, name_len) = (names.len() as u32, name.wire().len() as u8);
                if !matches!(found.matched, Match::Exact(_)) {
                    names.extend_from_slice(name.wire());
                }
                Some(Link { found, name_at, name_len })
            }));
        }
        Links { first: first.into(), links: links.into(), names: names.into() }
    }

    /// Target of the CNAME with this number in the zone `zone`; `None` if no zone that we serve has
    /// the target.
    #[inline]
    pub(crate) fn target<'a>(
        &'a self,
        zones: &'a ZoneSet,
        zone: ZoneId,
        cname: u32,
    ) -> Option<LinkTarget<'a>> {
        let link = self.links.get((self.first[zone.0 as usize] + cname) as usize)?.as_ref()?;
        let name = match link.found.matched {
            Match::Exact(node) => zones.zone(link.found.zone).name(node),
            Match::Wildcard(_) | Match::Cut(_) | Match::Redirected(_) | Match::NoName => {
                &self.names[link.name_at as usize..link.name_at as usize + usize::from(link.name_len)]
            }
        };
        Some(LinkTarget { name, found: link.found })
    }

    /// Octets in memory.
    pub(crate) fn octets(&self) -> usize {
        size_of_val::<[u32]>(&self.first) + size_of_val::<[Option<Link>]>(&self.links) + self.names.len()
    }
}

/// Reads the target of a CNAME of `owner` into `name`; false if it is not a name.
pub(crate) fn read_target(name: &mut QueryName, rdata: &Rdata<'_>, owner: &[u8]) -> bool {
    rdata.name_parts(owner).is_some_and(|(start, ending)| name.read_joined(start, ending))
}

#[cfg(test)]
mod tests;
