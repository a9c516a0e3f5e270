//! What tests share: deployments from files, snapshots of them, and questions.
#![allow(dead_code)] // each test program uses a part

pub mod certificate;
pub mod deployment;
pub mod dice;
pub mod free_port;
pub mod ports;

use meridian::testing::answer::{self, Client, Disposition, Outcome, QueryContext, Transport};
use meridian::testing::config::{self, Deployment, Sources};
use meridian::testing::finding::Findings;
use meridian::testing::finding::render;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::health::health_state::SlotHealth;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::snapshot::compile::{self, Geography};
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder of the disk with files of memory laid over it; `None` hides a file.
#[derive(Clone, Default)]
pub struct Tree {
    pub base: PathBuf,
    pub over: BTreeMap<PathBuf, Option<Vec<u8>>>,
}

impl Tree {
    /// The sample deployment at the top of the source tree.
    pub fn sample() -> Tree {
        Tree { base: PathBuf::from(env!("CARGO_MANIFEST_DIR")), over: BTreeMap::new() }
    }

    /// Lays a text over a file.
    pub fn with(mut self, path: &str, text: impl Into<Vec<u8>>) -> Tree {
        self.over.insert(PathBuf::from(path), Some(text.into()));
        self
    }

    /// The text of a file as this tree has it.
    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.read(Path::new(path)).unwrap().to_vec()).unwrap()
    }

    /// Replaces a piece of a file's text that must be there.
    pub fn replacing(self, path: &str, old: &str, new: &str) -> Tree {
        let text = self.text(path);
        assert!(text.contains(old), "{path} has no {old:?}");
        self.with(path, text.replace(old, new))
    }
}

impl Sources for Tree {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        match self.over.get(path) {
            Some(Some(octets)) => Ok(octets.as_slice().into()),
            Some(None) => Err("no such file".to_owned()),
            None => std::fs::read(self.base.join(path)).map(Into::into).map_err(|e| e.to_string()),
        }
    }

    /// The secret of RFC 9018 appendix A.1.
    fn own_secret(&self) -> Option<[u8; 16]> {
        Some(0xe5e9_73e5_a6b2_a43f_48e7_dc84_9e37_bfcf_u128.to_be_bytes())
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        let mut all: Vec<PathBuf> = match std::fs::read_dir(self.base.join(folder)) {
            Ok(entries) => entries.flatten().map(|e| folder.join(e.file_name())).collect(),
            Err(e) if self.over.keys().any(|p| p.parent() == Some(folder)) => {
                drop(e);
                Vec::new()
            }
            Err(e) => return Err(e.to_string()),
        };
        all.extend(
            self.over
                .iter()
                .filter(|(p, text)| text.is_some() && p.parent() == Some(folder))
                .map(|(p, _)| p.clone()),
        );
        all.retain(|p| !matches!(self.over.get(p), Some(None)));
        all.sort();
        all.dedup();
        Ok(all)
    }
}

/// A deployment with everything that is made of it.
pub struct World {
    pub deployment: Deployment,
    pub geography: Geography,
    pub snapshot: Arc<Snapshot>,
}

/// Loads a tree; findings as text if they refuse it.
pub fn load(tree: &Tree) -> Result<World, String> {
    let loaded = config::read_deployment(Path::new("meridian.yaml"), tree);
    let refuse = |findings: &Findings| render::text(findings, &loaded.files, false);
    let Some(deployment) = loaded.deployment else { return Err(refuse(&loaded.findings)) };
    let (geography, findings) = compile::geography(&deployment);
    let Some(geography) = geography else { return Err(refuse(&findings)) };
    let (snapshot, findings) = compile::compile_with(&deployment, &geography, None, 1);
    let Some(snapshot) = snapshot else { return Err(refuse(&findings)) };
    Ok(World { deployment, geography, snapshot: Arc::new(snapshot) })
}

/// The sample deployment.
pub fn sample() -> World {
    load(&Tree::sample()).unwrap_or_else(|findings| panic!("{findings}"))
}

/// The world with some PoPs down by probes.
pub fn with_down(world: &World, down: &[&str]) -> Arc<Snapshot> {
    with_trouble(world, down, &[])
}

/// The world with some PoPs down by probes, and some that flap.
pub fn with_trouble(world: &World, down: &[&str], flaps: &[&str]) -> Arc<Snapshot> {
    let health = |pop: &str| SlotHealth {
        damped_v4: if flaps.contains(&pop) { u64::MAX } else { 0 },
        damped_v6: if flaps.contains(&pop) { u64::MAX } else { 0 },
        ..if down.contains(&pop) { SlotHealth::all_down(1) } else { SlotHealth::default() }
    };
    let status = compile::status(&world.deployment, &world.snapshot.steering, health);
    Arc::new(world.snapshot.with_status(status, world.snapshot.sequence() + 1))
}

/// The moment of every question, in seconds since 1970: that of RFC 9018 appendix A.1.
pub const EPOCH_SECS: u32 = 1_559_731_985;

/// Asks over UDP; the outcome and the octets of the reply.
pub fn ask(snapshot: &Snapshot, packet: &[u8], from: IpAddr, draw: u64) -> (Outcome, Vec<u8>) {
    ask_over(snapshot, packet, from, Transport::Udp, draw)
}

/// Asks.
pub fn ask_over(
    snapshot: &Snapshot,
    packet: &[u8],
    from: IpAddr,
    transport: Transport,
    draw: u64,
) -> (Outcome, Vec<u8>) {
    let mut out = vec![0; 65_535];
    let outcome = answer::respond(
        snapshot,
        packet,
        &Client { address: from, transport },
        QueryContext { draw, epoch_secs: EPOCH_SECS },
        &mut out,
    );
    match outcome.disposition {
        Disposition::Send(len) => out.truncate(len),
        Disposition::Silence | Disposition::SlowPath => out.clear(),
    }
    (outcome, out)
}

/// A query with EDNS.
pub fn query(name: &str, rtype: RrType, ecs: Option<Prefix>) -> Vec<u8> {
    meridian::testing::explain::dig::query(&Name::parse(name, None).unwrap(), rtype, ecs)
}

/// `address/len` as a prefix with host bits cut.
pub fn prefix(text: &str) -> Prefix {
    let (address, len) = text.split_once('/').unwrap();
    Prefix::new(address.parse().unwrap(), len.parse().unwrap())
}
