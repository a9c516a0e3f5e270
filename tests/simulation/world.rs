//! The world that is simulated: PoPs and clients on a globe, from one seed, compiled like any deployment.

use crate::dice::Dice;
use crate::support::{self, Tree};
use meridian::finding::{At, FileId};
use meridian::geo::distance::great_circle_m;
use meridian::geo::prefix::Prefix;
use meridian::health::load::roster::{FeedRoster, LoadRoster, LoadSlot};
use meridian::health::load::spec::{Feed, LoadSpec};
use meridian::health::roster::Roster;
use meridian::snapshot::roster;
use meridian::wire::rr::RrType;
use std::fmt::Write as _;
use std::sync::Arc;

pub const POPS: usize = 20;
/// Steered names: by distance, by weight, and one that only some PoPs serve.
pub const NAMES: [&str; 3] = ["near.sim.example.", "even.sim.example.", "few.sim.example."];
pub const NEAR: usize = 0;
pub const TTL_SECS: u32 = 30;
pub const EVERY_MS: u64 = 5_000;
pub const TIMEOUT_MS: u64 = 1_000;
pub const UP_AFTER: u16 = 2;
pub const DOWN_AFTER: u16 = 3;
pub const OK_AFTER: u16 = 4;

/// A deployment with its rosters, and what clients ask.
pub struct Compiled {
    pub world: support::World,
    pub roster: Arc<Roster>,
    /// For each cell the PoPs by distance from it.
    pub nearest: Vec<Vec<u16>>,
    pub followers: Vec<Vec<u16>>,
    /// For each name and cell a query.
    pub queries: Vec<Vec<Vec<u8>>>,
}

/// The globe of a seed; `edition` tells files before and after a change.
pub fn compile(seed: u64, cells: usize, edition: usize) -> Compiled {
    let dice = &mut Dice(seed);
    let mut pops = format!(
        "probes:\n  web: {{ tcp: {{ port: 80 }}, every: {EVERY_MS}ms, timeout: {TIMEOUT_MS}ms, up_after: {UP_AFTER}, down_after: {DOWN_AFTER}, ok_after: {OK_AFTER} }}\npops:\n"
    );
    for pop in 0..POPS {
        let (lat, lon) = (dice.between(-50.0, 65.0), dice.between(-180.0, 180.0));
        let weight = 50 + 50 * dice.below(3) + if pop % 7 == 3 { 25 * edition } else { 0 };
        let _ = writeln!(
            pops,
            "  p{pop:02}: {{ at: {{ lat: {lat:.3}, lon: {lon:.3} }}, weight: {weight}, probe: web, addresses: [203.0.113.{pop}] }}"
        );
    }
    let mut networks = String::new();
    for cell in 0..cells {
        let (lat, lon) = (dice.between(-50.0, 65.0), dice.between(-180.0, 180.0));
        let _ = writeln!(networks, "c{cell}: {{ prefixes: [\"{}\"], lat: {lat:.3}, lon: {lon:.3} }}", prefix_of(cell, 20));
    }
    let all: Vec<String> = (0..POPS).map(|pop| format!("p{pop:02}")).collect();
    let some: Vec<String> = (0..POPS).filter(|pop| pop % 3 == 0).map(|pop| format!("p{pop:02}")).collect();
    let policies = format!(
        "policies:\n  near: {{ pops: all, order: nearest, band: none, ttl: {TTL_SECS} }}\n  \
         even: {{ pops: [[{}]], order: listed, ttl: {TTL_SECS} }}\n  few: {{ pops: [{}], order: nearest, ttl: {TTL_SECS} }}\n",
        all.join(", "),
        some.join(", ")
    );
    let zone = "zone: sim.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  \"@\": { NS: ns }\n  ns: { A: 192.0.2.1 }\n  \
                near: { steer: near }\n  even: { steer: even }\n  few: { steer: few }\n";
    let tree = Tree { base: "no such folder".into(), ..Tree::default() }
        .with(
            "meridian.yaml",
            "node: { name: n1 }\nlisten: { dns: [\"127.0.0.1:5353\"], control: c.sock }\ngeoip: { networks: networks.yaml }\n\
             pops: pops.yaml\npolicies: policies.yaml\nzones: zones/\nstate: state/\n",
        )
        .with("pops.yaml", pops)
        .with("networks.yaml", networks)
        .with("policies.yaml", policies)
        .with("zones/sim.example.yaml", zone);
    let world = support::load(&tree).unwrap_or_else(|findings| panic!("{findings}"));
    let (roster, findings) = roster::of(&world.deployment, &world.snapshot.steering);
    assert!(!findings.has_errors());
    let places: Vec<_> = world.deployment.pops.iter().map(|pop| pop.coordinates.unwrap()).collect();
    let by_distance = |from, skip: usize| {
        let mut order: Vec<u16> = (0..POPS as u16).filter(|pop| usize::from(*pop) != skip).collect();
        order.sort_by_key(|pop| (great_circle_m(from, places[usize::from(*pop)]), *pop));
        order
    };
    let of_cell = |cell: usize| {
        let name = format!("c{cell}");
        let network = world.deployment.networks.iter().find(|network| *network.name == *name).unwrap();
        by_distance(network.coordinates.unwrap(), POPS)
    };
    let query = |name: &str, cell| support::query(name, RrType::A, Some(Prefix::new(prefix_of(cell, 24).address(), 24)));
    Compiled {
        nearest: (0..cells).map(of_cell).collect(),
        followers: places.iter().enumerate().map(|(pop, place)| by_distance(*place, pop)).collect(),
        queries: NAMES.iter().map(|name| (0..cells).map(|cell| query(name, cell)).collect()).collect(),
        roster: Arc::new(roster),
        world,
    }
}

fn prefix_of(cell: usize, len: u8) -> Prefix {
    Prefix::new(std::net::Ipv4Addr::from_bits(20 << 24 | (cell as u32) << 12).into(), len)
}

impl Compiled {
    /// A feed for every PoP.
    pub fn loads(&self, capacity: &[f64]) -> Arc<LoadRoster> {
        let steering = &self.world.snapshot.steering;
        let feed = |pop: usize| FeedRoster {
            key: format!("{} load", steering.pops[pop].name).into(),
            pop: pop as u16,
            service: None,
            slots: (0..steering.slots.len() as u32).filter(|slot| usize::from(steering.slots[*slot as usize].pop.0) == pop).collect(),
            capacity: capacity[pop],
            ttl_secs: TTL_SECS,
            spec: Arc::new(LoadSpec::new(Feed::File { path: "load".into() }, At::whole(FileId(0)))),
        };
        Arc::new(LoadRoster {
            feeds: (0..POPS).map(feed).collect(),
            slots: steering.slots.iter().map(|slot| LoadSlot { pop: slot.pop.0, service: "default".into() }).collect(),
            pops: steering.pops.iter().map(|pop| pop.name.clone()).collect(),
            followers: self.followers.clone(),
        })
    }
}
