//! Shared means of tests and benchmarks.
//!
//! A test that needs a deployment begins with a [`Tree`], which is its files ([`files`]). [`load`]
//! makes a [`World`] of them in memory; [`deployment::Deployment`] is a folder with them, over
//! which servers and commands run. Programs are started by [`program`], pages read by [`pages`],
//! replies decoded by [`reply`]. The worlds that benchmarks measure are in [`world`].

pub mod certificate;
pub mod corpus;
pub mod deployment;
pub mod dice;
#[cfg(unix)]
pub mod encrypted;
pub mod files;
pub mod free_port;
#[cfg(unix)]
pub mod hostile;
pub mod machine;
pub mod pages;
pub mod ports;
pub mod program;
pub mod quic;
pub mod reply;
pub mod report;
pub mod run;
#[cfg(target_os = "linux")]
pub mod servers;
#[cfg(target_os = "linux")]
pub mod traffic;
pub mod world;

pub use files::{ServerFile, Tree};

use meridian::testing::answer::{self, Client, Disposition, Outcome, QueryContext, Transport};
use meridian::testing::config::{self, Deployment};
use meridian::testing::finding::Findings;
use meridian::testing::finding::render;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::health::health_state::SlotHealth;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::snapshot::compile::{self, Geography};
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The top of the source tree.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this crate stands in it").to_owned()
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
        Disposition::Silence => out.clear(),
    }
    (outcome, out)
}

/// A query with EDNS.
pub fn query(name: &str, rtype: RrType, ecs: Option<Prefix>) -> Vec<u8> {
    meridian::testing::explain::dig::query(&Name::parse(name, None).unwrap(), rtype, ecs)
}

/// The number in a variable of the environment, by which a run is made longer or repeated.
pub fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// `address/len` as a prefix with host bits cut.
pub fn prefix(text: &str) -> Prefix {
    let (address, len) = text.split_once('/').unwrap();
    Prefix::new(address.parse().unwrap(), len.parse().unwrap())
}
