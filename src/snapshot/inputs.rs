//! Inputs of a snapshot, as hashes, by which the next snapshot takes parts over.
//!
//! A part is taken over if all its inputs are the same, octet by octet:
//!
//! * An image depends on the files of its zone, on the files that zone text includes (of all zones,
//!   because includes are not tracked by zone), and on the numbers of the policies that steer its
//!   owners. If these policies expose names of single PoPs, it also depends on all records of the
//!   zone.
//! * The steering depends on PoPs, on policies (those of zone files with the whole file), on
//!   operator networks, on databases, and on the site of the node. It is taken over only if its
//!   compilation had no findings, because warnings must be reported again.

use crate::config::Deployment;
use crate::config::input::{Input, InputRole};
use crate::wire::name::Name;
use crate::zone::text::Zone;
use sha2::{Digest as _, Sha256};
use std::collections::{HashMap, HashSet};

/// Hash of all inputs of a part.
pub(crate) type InputHash = [u8; 32];

/// The hash of an input.
pub(crate) fn hash_of(role: &InputRole, octets: &[u8]) -> InputHash {
    hash_as(&role.to_string(), octets)
}

/// The hash of a file's use, in words, and its octets.
pub(crate) fn hash_as(words: &str, octets: &[u8]) -> InputHash {
    let mut hash = Sha256::new();
    hash.update((words.len() as u64).to_be_bytes());
    hash.update(words.as_bytes());
    hash.update(octets);
    hash.finalize().into()
}

/// Hashes of a deployment's inputs, and the keys of the parts compiled from them.
#[derive(Clone, Debug, Default)]
pub(crate) struct InputHashes {
    /// Role of each input, and the hash of role and content.
    each: Vec<(InputRole, InputHash)>,
}

impl InputHashes {
    /// Hashes every input of a deployment once.
    pub(crate) fn of(deployment: &Deployment) -> InputHashes {
        let hash = |Input { role, octets }: &Input| (role.clone(), hash_of(role, octets));
        InputHashes { each: deployment.inputs.iter().map(hash).collect() }
    }

    /// Hash of the input with a role.
    pub(crate) fn of_role(&self, role: &InputRole) -> Option<InputHash> {
        self.each.iter().find(|(other, _)| other == role).map(|(_, hash)| *hash)
    }

    /// All hashes, in any order, for the digest.
    pub(crate) fn hashes(&self) -> Vec<InputHash> {
        self.each.iter().map(|(_, hash)| *hash).collect()
    }

    /// Key of each zone's image, in the order of the deployment's zones.
    pub(crate) fn zone_keys(&self, deployment: &Deployment) -> Vec<InputHash> {
        let mut of_zone: HashMap<&Name, Vec<&InputHash>> = HashMap::new();
        let mut zone_texts: HashSet<&Name> = HashSet::new();
        let mut included = Sha256::new();
        for (role, hash) in &self.each {
            match role {
                InputRole::ZoneText(apex) => {
                    zone_texts.insert(apex);
                    of_zone.entry(apex).or_default().push(hash);
                }
                InputRole::Zone(apex) => of_zone.entry(apex).or_default().push(hash),
                InputRole::Included(_) => included.update(hash),
                InputRole::Certificates(_)
                | InputRole::Database(_)
                | InputRole::Networks
                | InputRole::Policies
                | InputRole::Pops
                | InputRole::DeadZone(_) => {}
            }
        }
        let included: InputHash = included.finalize().into();
        let key = |zone: &Zone| {
            let apex = zone.apex.to_lowercase();
            let mut hash = Sha256::new();
            if zone_texts.contains(&apex) {
                hash.update(included);
            }
            hash.update(apex.as_wire());
            for own in of_zone.get(&apex).into_iter().flatten() {
                hash.update(own);
            }
            hash.update((zone.records.len() as u64).to_be_bytes());
            for steered in &zone.steered {
                hash.update(steered.owner.as_wire());
                hash.update((steered.policy.index() as u64).to_be_bytes());
            }
            // Names of single PoPs come from PoPs and policies, not from files of the zone.
            if zone.steered.iter().any(|steered| {
                deployment.policies.get(steered.policy.index()).is_some_and(|p| p.policy.expose_pops)
            }) {
                for record in &zone.records {
                    hash.update(record.owner.as_wire());
                    hash.update(record.rtype.0.to_be_bytes());
                    hash.update(record.ttl.secs().to_be_bytes());
                    hash.update((record.rdata.len() as u64).to_be_bytes());
                    hash.update(&*record.rdata);
                }
            }
            hash.finalize().into()
        };
        deployment.zones.iter().map(key).collect()
    }

    /// Key of the steering.
    pub(crate) fn steering_key(&self, deployment: &Deployment) -> InputHash {
        let mut hash = Sha256::new();
        let mut text = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        text(deployment.node.site.as_deref().unwrap_or(""));
        // Findings and facts name databases by their paths.
        deployment.databases.iter().for_each(|database| text(&database.path));
        let mut zones_with_policies: Vec<&str> = Vec::new();
        for scoped in &deployment.policies {
            text(&scoped.policy.name);
            text(scoped.zone.as_deref().unwrap_or(""));
            zones_with_policies.extend(scoped.zone.as_deref());
        }
        for (role, input) in &self.each {
            let counts = match role {
                InputRole::Zone(apex) => {
                    let apex = apex.to_string();
                    zones_with_policies.iter().any(|zone| zone.eq_ignore_ascii_case(&apex))
                }
                InputRole::DeadZone(_) | InputRole::ZoneText(_) | InputRole::Included(_) => false,
                InputRole::Certificates(_)
                | InputRole::Database(_)
                | InputRole::Networks
                | InputRole::Policies
                | InputRole::Pops => true,
            };
            if counts {
                hash.update(input);
            }
        }
        hash.finalize().into()
    }
}
