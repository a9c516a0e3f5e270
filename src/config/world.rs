//! What policies and zones may refer to: PoPs, tags, services and operator networks, each looked up
//! with a finding when it is not there.

use super::doubts::{Claim, Doubts};
use super::table::nearest;
use crate::finding::{At, Finding, Findings, code};
use crate::geo::networks::Network;
use crate::steer::pop::{Pop, PopId};
use std::cell::RefCell;

/// Everything that has been read before policies are.
#[derive(Default)]
pub(super) struct World {
    /// Sorted by name.
    pub(crate) pops: Vec<Pop>,
    /// Whether the PoP file could be read: if not, a name that is missing is no news.
    pub(crate) pops_known: bool,
    /// Whether every address of a PoP could be read: if not, a family that is missing is no news.
    pub(crate) addresses_known: bool,
    /// Sorted by name.
    pub(crate) networks: Vec<Network>,
    /// Whether the networks file could be read.
    pub(crate) networks_known: bool,
    /// Findings that wait for the databases.
    pub(crate) doubts: RefCell<Doubts>,
    /// PoPs of which it was said already that they have no coordinates.
    pub(crate) unplaced_told: Vec<PopId>,
}

impl World {
    /// Keeps a finding that holds unless the databases contradict its claim.
    pub(crate) fn doubt(&self, finding: Finding, claim: Claim) {
        self.doubts.borrow_mut().push(finding, claim);
    }

    /// The PoP of a number given out by this world.
    pub(crate) fn pop(&self, id: PopId) -> Option<&Pop> {
        self.pops.get(usize::from(id.0))
    }

    /// The name of a PoP, for messages.
    pub(crate) fn pop_name(&self, id: PopId) -> &str {
        self.pop(id).map_or("?", |pop| &pop.name)
    }

    /// All PoPs with their numbers, in name order.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (PopId, &Pop)> {
        self.pops.iter().enumerate().map(|(i, pop)| (PopId(i as u16), pop))
    }

    /// A PoP by name; a finding if there is none.
    pub(crate) fn find_pop(&self, name: &str, at: At, out: &mut Findings) -> Option<PopId> {
        match self.pops.binary_search_by(|pop| (*pop.name).cmp(name)) {
            Ok(index) => Some(PopId(index as u16)),
            Err(_) => {
                if self.pops_known {
                    let names = self.pops.iter().map(|pop| &*pop.name);
                    let names = names.take_while(|_| !out.is_full(code::NO_SUCH_POP, at));
                    let finding = missing(code::NO_SUCH_POP, "PoP", name, at, names);
                    out.push(finding);
                }
                None
            }
        }
    }

    /// A site, which is the name of a PoP.
    pub(crate) fn check_site(&self, name: &str, at: At, out: &mut Findings) {
        if self.pops_known && self.pops.binary_search_by(|pop| (*pop.name).cmp(name)).is_err() {
            let names = self.pops.iter().map(|pop| &*pop.name);
            out.push(
                missing(code::NO_SUCH_SITE, "PoP", name, at, names)
                    .help("a site is the PoP in which a node stands"),
            );
        }
    }

    /// The PoPs that carry a tag; a finding if there is none.
    pub(crate) fn tagged(&self, tag: &str, at: At, out: &mut Findings) -> Vec<PopId> {
        let found: Vec<PopId> = self
            .numbered()
            .filter(|(_, pop)| pop.tags.iter().any(|t| &**t == tag))
            .map(|(id, _)| id)
            .collect();
        if found.is_empty() && self.pops_known {
            let tags = self.pops.iter().flat_map(|pop| pop.tags.iter().map(|t| &**t));
            out.push(
                missing(code::NO_SUCH_TAG, "tag", tag, at, tags)
                    .help("tags stand in the PoP file, under `tags` of each PoP"),
            );
        }
        found
    }

    /// An operator network by name; a finding if there is none.
    pub(crate) fn find_network(&self, name: &str, at: At, out: &mut Findings) -> Option<u16> {
        match self.networks.binary_search_by(|network| (*network.name).cmp(name)) {
            Ok(index) => u16::try_from(index).ok(),
            Err(_) => {
                if self.networks_known {
                    let names = self.networks.iter().map(|network| &*network.name);
                    let names = names.take_while(|_| !out.is_full(code::NO_SUCH_NETWORK, at));
                    let finding = missing(code::NO_SUCH_NETWORK, "operator network", name, at, names);
                    out.push(finding);
                }
                None
            }
        }
    }

    /// Says that a service is unknown to every PoP, if it is; gives whether any PoP has it.
    pub(crate) fn check_service(&self, name: &str, at: At, out: &mut Findings) -> bool {
        let known = self.pops.iter().any(|pop| pop.service(name).is_some());
        if !known && self.pops_known {
            let names = self.pops.iter().flat_map(|pop| pop.services.iter().map(|s| &*s.name));
            out.push(
                missing(code::NO_SUCH_SERVICE, "service", name, at, names)
                    .help("services stand in the PoP file, under `services`"),
            );
        }
        known
    }
}

/// `there is no X`, with what was probably meant.
pub(super) fn missing<'c>(
    code: crate::finding::Code,
    what: &str,
    name: &str,
    at: At,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Finding {
    let finding = Finding::error(code, format!("there is no {what} `{name}`")).at(at, "not defined");
    match nearest(name, candidates) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding,
    }
}
