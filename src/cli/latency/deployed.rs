//! The PoPs of a deployment, and the places of its databases.

use super::map_file::KIND;
use crate::cli::Config;
use crate::cli::print_findings;
use crate::geo::atlas::Atlas;
use crate::geo::mmdb::{Database, Fields};
use crate::latency::estimate::Spot;
use crate::reload::prepare;
use crate::steer::unknown::coordinates_of_place;
use std::sync::Arc;

/// The way out where the map in service is the fault.
const WITHOUT_MAP: &str =
    ". If a latency map is missing or damaged, take it out of `geoip.databases`, build, and put it back";

/// PoPs and places of the deployment.
pub(super) struct Deployed {
    /// Names of the PoPs, in order. Those with a place come first.
    pub(super) pops: Vec<Arc<str>>,
    /// Places of the first PoPs.
    pub(super) spots: Vec<Spot>,
    /// Places of all addresses, without what latency maps know: a map must not cut the units of the
    /// next one.
    pub(super) atlas: Atlas,
}

impl Deployed {
    /// Reads a deployment.
    pub(super) fn read(config: &Config) -> Result<Deployed, String> {
        let (deployment, findings, files) = prepare::read(&config.path(), true);
        let Some(mut deployment) = deployment else {
            print_findings(&findings, &files);
            return Err(format!("the deployment has faults{WITHOUT_MAP}"));
        };
        let mut databases = Vec::new();
        for source in std::mem::take(&mut deployment.databases) {
            if Database::kind_of(&source.octets).as_deref() == Some(KIND) {
                continue;
            }
            match Database::read(source.path.clone(), &source.octets, source.file) {
                Ok(mut database) => {
                    strip(&mut database);
                    databases.push(database);
                }
                Err(findings) => {
                    print_findings(&findings, &files);
                    return Err(format!("a database cannot be read{WITHOUT_MAP}"));
                }
            }
        }
        let (mut atlas, _) = Atlas::build(&databases, &deployment.networks);
        // Clients with a site stand there for `order: latency` too.
        for place in &mut atlas.places {
            place.coordinates = coordinates_of_place(&deployment.pops, place);
        }
        let (located, others): (Vec<_>, Vec<_>) =
            deployment.pops.iter().partition(|pop| pop.coordinates.is_some());
        let spot = |pop: &&_| spot_of(pop);
        let spots: Vec<Spot> = located.iter().filter_map(spot).collect();
        if spots.is_empty() {
            return Err("no PoP has a place: give them `at` in the file of PoPs".to_owned());
        }
        let pops = located.iter().chain(&others).map(|pop| Arc::clone(&pop.name)).collect();
        Ok(Deployed { pops, spots, atlas })
    }
}

fn spot_of(pop: &crate::steer::pop::Pop) -> Option<Spot> {
    pop.coordinates.map(|at| Spot::new(pop.country, at))
}

/// Takes RTTs from a database, and leaves without any other field.
fn strip(database: &mut Database) {
    for place in &mut database.places {
        (place.rtts, place.resolver_rtts) = (None, None);
    }
    let is_empty: Vec<bool> = database.places.iter().map(|place| *place == Fields::default()).collect();
    database.leaves_v4.retain(|leaf| !is_empty[leaf.2 as usize]);
    database.leaves_v6.retain(|leaf| !is_empty[leaf.2 as usize]);
}
