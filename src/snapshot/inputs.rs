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
use crate::zone::text::Zone;
use sha2::{Digest as _, Sha256};
use std::collections::{HashMap, HashSet};

/// Hash of all inputs of a part.
pub(crate) type InputHash = [u8; 32];

/// Hash of an input: its role and its octets.
pub(crate) fn hash_of(role: &str, octets: &[u8]) -> InputHash {
    let mut hash = Sha256::new();
    hash.update((role.len() as u64).to_be_bytes());
    hash.update(role.as_bytes());
    hash.update(octets);
    hash.finalize().into()
}

/// Role of a database, by its position in the server file.
pub(crate) fn database_role(index: usize) -> String {
    format!("database {index:03}")
}

/// Hashes of a deployment's inputs, and the keys of the parts compiled from them.
#[derive(Clone, Debug, Default)]
pub(crate) struct InputHashes {
    /// Role of each input, and the hash of role and content.
    each: Vec<(String, InputHash)>,
}

impl InputHashes {
    /// Hashes every input of a deployment once.
    pub(crate) fn of(deployment: &Deployment) -> InputHashes {
        let hash = |(role, octets): &(String, std::sync::Arc<[u8]>)| (role.clone(), hash_of(role, octets));
        InputHashes { each: deployment.inputs.iter().map(hash).collect() }
    }

    /// Hash of the input with a role.
    pub(crate) fn of_role(&self, role: &str) -> Option<InputHash> {
        self.each.iter().find(|(other, _)| other == role).map(|(_, hash)| *hash)
    }

    /// All hashes, in any order, for the digest.
    pub(crate) fn hashes(&self) -> Vec<InputHash> {
        self.each.iter().map(|(_, hash)| *hash).collect()
    }

    /// Key of each zone's image, in the order of the deployment's zones.
    pub(crate) fn zone_keys(&self, deployment: &Deployment) -> Vec<InputHash> {
        let mut of_zone: HashMap<&str, Vec<&InputHash>> = HashMap::new();
        let mut zone_texts: HashSet<&str> = HashSet::new();
        let mut included = Sha256::new();
        for (role, hash) in &self.each {
            if let Some(apex) = role.strip_prefix("zone text ") {
                zone_texts.insert(apex);
                of_zone.entry(apex).or_default().push(hash);
            } else if let Some(apex) = role.strip_prefix("zone ") {
                of_zone.entry(apex).or_default().push(hash);
            } else if role.starts_with("included ") {
                included.update(hash);
            }
        }
        let included: InputHash = included.finalize().into();
        let key =
            |zone: &Zone| {
                let apex = zone.apex.to_lowercase();
                let shown = apex.to_string();
                let mut hash = Sha256::new();
                if zone_texts.contains(shown.as_str()) {
                    hash.update(included);
                }
                hash.update(apex.as_wire());
                for own in of_zone.get(shown.as_str()).into_iter().flatten() {
                    hash.update(own);
                }
                hash.update((zone.records.len() as u64).to_be_bytes());
                for steered in &zone.steered {
                    hash.update(steered.owner.as_wire());
                    hash.update((steered.policy as u64).to_be_bytes());
                }
                // Names of single PoPs come from PoPs and policies, not from files of the zone.
                if zone.steered.iter().any(|steered| {
                    deployment.policies.get(steered.policy).is_some_and(|p| p.policy.expose_pops)
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
        let mut zones_with_policies: Vec<String> = Vec::new();
        for scoped in &deployment.policies {
            text(&scoped.policy.name);
            text(scoped.zone.as_deref().unwrap_or(""));
            zones_with_policies.extend(scoped.zone.as_ref().map(|zone| format!("zone {zone}")));
        }
        for (role, input) in &self.each {
            // Every input counts unless it belongs to zones alone, so that a new kind of input is
            // safe.
            let is_of_zones = role.starts_with("zone ") || role.starts_with("included ");
            if !is_of_zones || zones_with_policies.iter().any(|zone| zone.eq_ignore_ascii_case(role)) {
                hash.update(input);
            }
        }
        hash.finalize().into()
    }
}
