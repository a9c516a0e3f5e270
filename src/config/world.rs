//! Objects to which policies and zones refer: PoPs, tags, services and operator networks, each
//! looked up with a finding if it is missing.

use super::doubts::{Claim, Doubts};
use super::table::nearest;
use crate::finding::{At, Finding, Findings, code};
use crate::geo::networks::Network;
use crate::steer::pop::{Pop, PopId};
use std::cell::RefCell;

/// Everything that is read before the policies.
#[derive(Default)]
pub(super) struct World {
    /// PoPs, sorted by name.
    pub(crate) pops: Vec<Pop>,
    /// True if the PoP file was readable: if not, a missing name is not reported.
    pub(crate) pops_known: bool,
    /// True if every address in the PoP file is valid. If not, a PoP may only seem to lack a
    /// family, so missing families are not reported.
    pub(crate) addresses_known: bool,
    /// Operator networks, sorted by name.
    pub(crate) networks: Vec<Network>,
    /// True if the networks file was readable.
    pub(crate) networks_known: bool,
    /// Findings that wait for the databases.
    pub(crate) doubts: RefCell<Doubts>,
    /// PoPs already reported for missing coordinates.
    pub(crate) unplaced_told: Vec<PopId>,
}

impl World {
    /// Keeps a finding that stands unless the databases contradict its claim.
    pub(crate) fn doubt(&self, finding: Finding, claim: Claim) {
        self.doubts.borrow_mut().push(finding, claim);
    }

    /// The PoP with an id of this world.
    pub(crate) fn pop(&self, id: PopId) -> Option<&Pop> {
        self.pops.get(id.index())
    }

    /// Name of a PoP, for messages.
    pub(crate) fn pop_name(&self, id: PopId) -> &str {
        self.pop(id).map_or("?", |pop| &pop.name)
    }

    /// All PoPs with their ids, in the order of names.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (PopId, &Pop)> {
        PopId::in_order().zip(&self.pops)
    }

    /// The PoP with a name; a finding if there is none.
    pub(crate) fn find_pop(&self, name: &str, at: At, out: &mut Findings) -> Option<PopId> {
        match self.pops.binary_search_by(|pop| (*pop.name).cmp(name)) {
            Ok(index) => Some(PopId::at(index)),
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

    /// Checks a site, which is the name of a PoP.
    pub(crate) fn check_site(&self, name: &str, at: At, out: &mut Findings) {
        if self.pops_known && self.pops.binary_search_by(|pop| (*pop.name).cmp(name)).is_err() {
            let names = self.pops.iter().map(|pop| &*pop.name);
            out.push(missing(code::NO_SUCH_SITE, "PoP", name, at, names).help("a site is the PoP of a node"));
        }
    }

    /// The PoPs with a tag; a finding if there is none.
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
                    .help("tags are set in the PoP file, under `tags` of each PoP"),
            );
        }
        found
    }

    /// The operator network with a name; a finding if there is none.
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

    /// Reports a service that no PoP has; returns true if a PoP has it.
    pub(crate) fn check_service(&self, name: &str, at: At, out: &mut Findings) -> bool {
        let known = self.pops.iter().any(|pop| pop.service(name).is_some());
        if !known && self.pops_known {
            let names = self.pops.iter().flat_map(|pop| pop.services.iter().map(|s| &*s.name));
            out.push(
                missing(code::NO_SUCH_SERVICE, "service", name, at, names)
                    .help("services are defined in the PoP file, under `services`"),
            );
        }
        known
    }
}

/// The finding `there is no X`, with the name that was probably meant.
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
