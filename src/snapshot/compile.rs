//! Compilation of a checked deployment into a snapshot.
//!
//! The result is a snapshot, or findings with at least one error. Databases are read, overlaid with
//! operator networks, and compiled away; zones become images. Parts that did not change are taken
//! over from the previous snapshot.

use super::each::{Each, in_order};
use super::inputs::{InputHash, InputHashes};
use super::latency_maps::{self, EvidenceShares, LatencyMap};
use super::size_guard::{self, SourceSize};
use super::sources::{self, KnownFields};
use super::{Facts, FilesDigest, Identity, IdleTimes, Snapshot, Steering, steering, targets};
use crate::config::{Deployment, Listen, NodeIdentity, StreamLimits};
use crate::finding::{Finding, Findings};
use crate::geo::atlas::Atlas;
use crate::geo::lands::Lands;
use crate::geo::mmdb::Database;
use crate::health::health_state::{HealthState, SlotHealth};
use crate::health::load::feeds::FeedSet;
use crate::health::targets::TargetSet;
use crate::rfc3339;
use crate::steer::pop_status::PopStatus;
use crate::steer::safety::Safety;
use crate::steer::status::Status;
use crate::steer::table::Slot;
use crate::zone::image::{self, Image};
use crate::zone::set::ZoneSet;
use crate::zone::text::Zone;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Compiles a deployment as publication number `sequence`. If all inputs of the steering are
/// unchanged, the previous steering is taken over, and databases are not read.
pub fn compile(
    deployment: &Deployment,
    previous: Option<&Arc<Snapshot>>,
    sequence: u64,
) -> (Option<Snapshot>, Findings) {
    compile_by(&in_order, deployment, previous, sequence)
}

/// Like [`compile`], with images built by `each`.
pub(crate) fn compile_by(
    each: Each<'_>,
    deployment: &Deployment,
    previous: Option<&Arc<Snapshot>>,
    sequence: u64,
) -> (Option<Snapshot>, Findings) {
    let inputs = InputHashes::of(deployment);
    let key = inputs.steering_key(deployment);
    let parts = match previous.filter(|previous| previous.steering_key == Some(key)) {
        Some(previous) => SteeringParts {
            steering: Arc::clone(&previous.steering),
            // Probes are part of the PoP file, which is an input of the steering.
            target_set: Arc::clone(&previous.target_set),
            loads: Arc::clone(&previous.loads),
            facts: Arc::clone(&previous.facts),
            key: Some(key),
            findings: Findings::default(),
        },
        None => {
            let (geography, mut findings) = geography(deployment);
            let Some(geography) = geography else { return (None, findings) };
            if let Some(previous) = previous.filter(|_| !deployment.accept_shrunk) {
                let shrunk = size_guard::check(&previous.facts.sizes, &geography.facts.sizes);
                findings.extend(shrunk);
                if findings.has_errors() {
                    findings.extend(deployment.doubts.judge(&geography.facts.lands, true));
                    return (None, findings);
                }
            }
            let compiled = steer(each, deployment, &geography, key);
            let key = compiled.key.filter(|_| findings.is_empty());
            findings.extend(compiled.findings);
            SteeringParts { findings, key, ..compiled }
        }
    };
    assemble(each, deployment, &inputs, parts, previous, sequence)
}

/// Like [`compile`], with databases that were read before.
pub fn compile_with(
    deployment: &Deployment,
    geography: &Geography,
    previous: Option<&Arc<Snapshot>>,
    sequence: u64,
) -> (Option<Snapshot>, Findings) {
    let inputs = InputHashes::of(deployment);
    let parts = steer(&in_order, deployment, geography, inputs.steering_key(deployment));
    // Findings of reading the databases are not known here, so no later snapshot may take this
    // steering over.
    assemble(&in_order, deployment, &inputs, SteeringParts { key: None, ..parts }, previous, sequence)
}

/// Steering and the parts compiled with it.
struct SteeringParts {
    steering: Arc<Steering>,
    target_set: Arc<TargetSet>,
    loads: Arc<FeedSet>,
    facts: Arc<Facts>,
    /// Key of the inputs; `None` if there were findings, because warnings must be reported again.
    key: Option<InputHash>,
    findings: Findings,
}

fn steer(each: Each<'_>, deployment: &Deployment, geography: &Geography, key: InputHash) -> SteeringParts {
    let inputs = steering::SteeringInputs {
        pops: &deployment.pops,
        policies: &deployment.policies,
        atlas: &geography.atlas,
        site: deployment.node.site.as_ref(),
    };
    let (steering, findings) = steering::compile_by(each, inputs);
    let mut findings = findings;
    // A policy that failed to compile would shift the numbers of the others.
    let (target_set, loads, evidence) = if findings.has_errors() {
        Default::default()
    } else {
        let (target_set, found) = targets::of(deployment, &steering);
        findings.extend(found);
        let (policies, pops) = (&deployment.policies, &deployment.pops);
        let site = deployment.node.site.as_ref();
        let evidence = EvidenceShares::of(&steering, policies, pops, site, &geography.atlas);
        (target_set, targets::feeds::of(deployment, &steering), evidence)
    };
    let key = findings.is_empty().then_some(key);
    let facts = Arc::new(Facts { evidence, ..geography.facts.clone() });
    SteeringParts {
        steering: Arc::new(steering),
        target_set: Arc::new(target_set),
        loads: Arc::new(loads),
        facts,
        key,
        findings,
    }
}

/// Assembles a snapshot from steering and images.
fn assemble(
    each: Each<'_>,
    deployment: &Deployment,
    inputs: &InputHashes,
    parts: SteeringParts,
    previous: Option<&Arc<Snapshot>>,
    sequence: u64,
) -> (Option<Snapshot>, Findings) {
    let mut findings = parts.findings;
    findings.extend(sources::check(&deployment.policies, &deployment.networks, parts.facts.known));
    let file_of = |name: &str| {
        deployment.databases.iter().find(|source| *source.path == *name).map(|source| source.file)
    };
    let (policies, maps) = (&deployment.policies, &parts.facts.latency_maps);
    if parts.facts.known.has_databases {
        findings.extend(latency_maps::check(policies, &deployment.pops, maps, file_of));
    }
    findings.extend(deployment.doubts.judge(&parts.facts.lands, true));
    let zone_keys = inputs.zone_keys(deployment);
    let images = images(each, &deployment.zones, &zone_keys, previous, &mut findings);
    if findings.has_errors() {
        return (None, findings);
    }
    let status = status(deployment, &parts.steering, |_| SlotHealth::default());
    let snapshot = Snapshot {
        pops: deployment.pops.as_slice().into(),
        policies: deployment.policies.as_slice().into(),
        networks: deployment.networks.iter().map(|network| network.name.clone()).collect(),
        sequence,
        files_digest: FilesDigest::of(inputs),
        digest: OnceLock::new(),
        origins: Arc::new(super::origins::Origins::of(deployment, inputs)),
        identity: Arc::new(identity(&deployment.node)),
        cookies: Arc::new(deployment.cookies.clone()),
        certificate: deployment.certificate.as_ref().map(|certificate| Arc::clone(&certificate.pair)),
        admin: deployment.admin.clone(),
        idle: idle_times(&deployment.listen),
        rate_limit: deployment.rate_limit.clone(),
        overload: deployment.overload,
        access: deployment.access.clone(),
        proxies: deployment.proxies.clone(),
        zones: Arc::new(ZoneSet::new(images)),
        steering: parts.steering,
        status: Arc::new(status),
        target_set: parts.target_set,
        loads: parts.loads,
        safety: Arc::new(Safety {
            rules: deployment.safety.clone(),
            off_until_epoch: deployment.safety_off_until_epoch,
        }),
        folder: Arc::clone(&deployment.folder),
        facts: parts.facts,
        steering_key: parts.key,
        zone_keys: Arc::new(zone_keys),
    };
    (Some(snapshot), findings)
}

fn identity(node: &NodeIdentity) -> Identity {
    Identity {
        name: node.name.clone(),
        id_server: node.id_server.clone(),
        version_server: node.version_server.clone(),
        site: node.site.clone(),
    }
}

fn idle_times(listen: &Listen) -> IdleTimes {
    let units = |limits: &StreamLimits| u16::try_from(limits.idle_secs * 10).unwrap_or(u16::MAX);
    IdleTimes { tcp: units(&listen.tcp), dot: units(&listen.dot_limits) }
}

/// Images of the zones: of the snapshot before where the key is the same, others built by `each`.
fn images(
    each: Each<'_>,
    zones: &[Zone],
    zone_keys: &[InputHash],
    previous: Option<&Arc<Snapshot>>,
    findings: &mut Findings,
) -> Vec<Arc<Image>> {
    let known: HashMap<&InputHash, &Arc<Image>> = previous
        .into_iter()
        .flat_map(|previous| previous.zone_keys.iter().zip(previous.zones.iter()))
        .collect();
    let built: Vec<OnceLock<Result<Image, Finding>>> = zones.iter().map(|_| OnceLock::new()).collect();
    let new: Vec<usize> =
        (0..zone_keys.len()).filter(|index| !known.contains_key(&zone_keys[*index])).collect();
    // Each index is built once.
    each(new.len(), &|number| _ = built[new[number]].set(image::build(&zones[new[number]])));
    let mut images = Vec::with_capacity(zones.len());
    for (built, key) in built.into_iter().zip(zone_keys) {
        match (built.into_inner(), known.get(key)) {
            (Some(Ok(image)), _) => images.push(Arc::new(image)),
            (Some(Err(finding)), _) => findings.push(finding),
            (None, Some(image)) => images.push(Arc::clone(image)),
            (None, None) => {}
        }
    }
    images
}

/// Databases and operator networks as one atlas. Compilation drops it; `explain` keeps it.
#[derive(Debug)]
pub struct Geography {
    /// Place of every address.
    pub atlas: Atlas,
    /// Facts about the databases.
    pub(crate) facts: Facts,
}

/// Findings that need the databases (faults in them, and doubts that they confirm), for a
/// deployment that other findings have refused already.
pub(crate) fn told_by_databases(deployment: &Deployment) -> Findings {
    let (geography, mut findings) = geography(deployment);
    if let Some(geography) = geography {
        findings.extend(deployment.doubts.judge(&geography.facts.lands, true));
    }
    findings
}

/// Reads the databases of a deployment and overlays them with operator networks. If a database is
/// faulty, the findings also include the deployment's doubts that the other databases do not
/// contradict, so that all faults are reported at once.
pub fn geography(deployment: &Deployment) -> (Option<Geography>, Findings) {
    let mut findings = Findings::default();
    let mut databases = Vec::new();
    for source in &deployment.databases {
        match Database::read(source.path.clone(), &source.octets, source.file) {
            Ok(database) => databases.push(database),
            Err(more) => findings.extend(more),
        }
    }
    let is_whole = !findings.has_errors();
    let (atlas, more) = Atlas::build(&databases, &deployment.networks);
    findings.extend(more);
    let places = || databases.iter().flat_map(|database| &database.places);
    let maps: Vec<Option<LatencyMap>> = databases.iter().map(LatencyMap::of).collect();
    let facts = Facts {
        lines: databases.iter().zip(&maps).map(|(database, map)| fact(database, map.as_ref())).collect(),
        sizes: databases
            .iter()
            .zip(&deployment.databases)
            .map(|(database, source)| size(database, source.file))
            .collect(),
        built: databases
            .iter()
            .filter(|database| database.build_epoch != 0)
            .map(|database| (database.name.clone(), database.build_epoch))
            .collect(),
        known: KnownFields {
            has_databases: !databases.is_empty(),
            subdivisions: places().any(|place| !place.subdivisions.is_empty()),
            asns: places().any(|place| place.asn.is_some()),
        },
        latency_maps: maps.into_iter().flatten().collect(),
        evidence: Vec::new(),
        lands: Lands::of(&atlas.places),
    };
    if findings.has_errors() {
        findings.extend(deployment.doubts.judge(&facts.lands, is_whole));
        return (None, findings);
    }
    (Some(Geography { atlas, facts }), findings)
}

fn size(database: &Database, file: crate::finding::FileId) -> SourceSize {
    SourceSize {
        name: database.name.clone(),
        networks: database.leaves_v4.len() + database.leaves_v6.len(),
        file,
    }
}

fn fact(database: &Database, map: Option<&LatencyMap>) -> String {
    let leaves = database.leaves_v4.len() + database.leaves_v6.len();
    let rtts = map.map_or_else(String::new, |map| format!(", {}", map.words()));
    format!(
        "{} ({}, {}, {leaves} networks, {} places{rtts})",
        database.name,
        database.kind,
        if database.build_epoch == 0 {
            "without a date".to_owned()
        } else {
            format!("built {}", rfc3339::day(database.build_epoch))
        },
        database.places.len()
    )
}

/// Status with the given health for all services of a PoP, by its name.
pub fn status(deployment: &Deployment, steering: &Steering, of: impl Fn(&str) -> SlotHealth) -> Status {
    let health = |slot: &Slot| of(&steering.pops[slot.pop.index()].name);
    let health_state =
        HealthState { slots: steering.slots.iter().map(health).collect(), ..HealthState::default() };
    Status::new(
        deployment.pops.iter().map(PopStatus::of).collect(),
        &steering.slots,
        &steering.policies,
        &health_state,
        Vec::new(),
    )
}
