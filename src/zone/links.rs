//! Links: where each CNAME of our zones leads, so that a chain is followed without looking names
//! up.
//!
//! A link may lead from one zone into another, so links stand beside the images and are made anew
//! for every set of zones, while the images of zones that did not change are taken over. A link
//! says what the look-up by name would say; the only type for which that differs, DS, is not
//! followed by links.

use super::image::Match;
use super::set::{Found, ZoneId, ZoneSet};
use crate::wire::fragment::Rdata;
use crate::wire::query::QueryName;

/// The links of a set of zones.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// For each zone its first link.
    first: Box<[u32]>,
    links: Box<[Option<Link>]>,
    /// Names that no zone holds as they are: those below wildcards, cuts and DNAMEs, and missing
    /// ones.
    names: Box<[u8]>,
}

/// Where a CNAME leads in our zones.
#[derive(Clone, Copy, Debug)]
struct Link {
    found: Found,
    /// Place in `names`; not for exact matches, whose name is that of the node.
    name_at: u32,
    name_len: u8,
}

/// A name that a CNAME leads to, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkTarget<'a> {
    /// The name in lower-case wire form.
    pub(crate) name: &'a [u8],
    /// Where it was found.
    pub(crate) found: Found,
}

impl Links {
    /// The links of a set, whose own are not looked at.
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

    /// Where a CNAME of a zone leads, by its number among those of the zone; `None` outside our
    /// zones.
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
            _ => &self.names[link.name_at as usize..link.name_at as usize + usize::from(link.name_len)],
        };
        Some(LinkTarget { name, found: link.found })
    }

    /// Octets in memory.
    pub(crate) fn octets(&self) -> usize {
        size_of_val::<[u32]>(&self.first) + size_of_val::<[Option<Link>]>(&self.links) + self.names.len()
    }
}

/// Reads the name that a CNAME of `owner` leads to; false if that is no name.
pub(crate) fn read_target(name: &mut QueryName, rdata: &Rdata<'_>, owner: &[u8]) -> bool {
    rdata.name_parts(owner).is_some_and(|(start, ending)| name.read_joined(start, ending))
}

#[cfg(test)]
mod tests;
