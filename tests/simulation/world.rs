//! The world that is simulated: PoPs and clients on a globe, from one seed, compiled like any
//! deployment.

use meridian::testing::finding::{At, FileId};
use meridian::testing::geo::distance::great_circle_m;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::health::load::feeds::{FeedSet, FeedTarget};
use meridian::testing::health::load::spec::{Feed, LoadSpec};
use meridian::testing::health::targets::{PopId, SlotId};
use meridian::testing::steer::rendezvous::cell_key;
use meridian::testing::wire::hash;
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use support::dice::Dice;
use support::{ServerFile, Tree};

pub const POPS: usize = 20;
/// Steered names: by distance, by weight, one that only some PoPs serve, and one that is empty when
/// its few are down.
pub const NAMES: [&str; 4] =
    ["near.sim.example.", "even.sim.example.", "few.sim.example.", "strict.sim.example."];
pub const NEAR: usize = 0;
pub const STRICT: usize = 3;
pub const TYPES: [RrType; 2] = [RrType::A, RrType::AAAA];
pub const TTL_SECS: u32 = 30;
pub const EVERY_MS: u64 = 5_000;
pub const TIMEOUT_MS: u64 = 1_000;
pub const UP_AFTER: u16 = 2;
pub const DOWN_AFTER: u16 = 3;
pub const OK_AFTER: u16 = 4;
/// For so long a network that is cut freezes verdicts.
pub const FREEZE_MAX_MS: u64 = 60_000;

/// What kind of world.
#[derive(Clone, Copy)]
pub struct Kind {
    pub cells: usize,
    /// Canaries watch this node's own network.
    pub has_canaries: bool,
    /// PoPs that come back ramp, and some loads are pushed.
    pub has_ramps: bool,
}

/// A deployment, and what clients ask.
pub struct Compiled {
    pub world: support::World,
    pub kind: Kind,
    /// PoPs of these files.
    pub pops: usize,
    /// For each cell the PoPs by distance from it.
    pub nearest: Vec<Vec<u16>>,
    pub followers: Vec<Vec<u16>>,
    /// For each name, type and cell a query.
    pub queries: Vec<Vec<u8>>,
    /// For each cell, the key by which `near` shares it.
    pub keys: Vec<u64>,
}

/// PoPs without IPv6.
pub fn has_v6(pop: usize) -> bool {
    pop % 7 != 6
}

/// PoPs whose load is pushed.
pub fn is_pushed(pop: usize) -> bool {
    pop % 5 == 2
}

/// How long a PoP takes its clients back, in seconds.
pub fn ramp_secs(pop: usize) -> u64 {
    if pop % 4 == 1 { 120 } else { 0 }
}

/// The globe of a seed. `edition` tells files before and after a change: other weights, and the
/// last PoP is gone.
pub fn compile(seed: u64, kind: Kind, edition: usize) -> Compiled {
    let dice = &mut Dice(seed);
    let mut pops = String::new();
    if kind.has_canaries {
        let _ = writeln!(
            pops,
            "canaries: {{ probe: web, addresses: [198.51.100.1, \"2001:db8:c::1\"], freeze_max: \
             {FREEZE_MAX_MS}ms }}"
        );
    }
    let _ = write!(
        pops,
        "probes:\n  web: {{ tcp: {{ port: 80 }}, every: {EVERY_MS}ms, timeout: {TIMEOUT_MS}ms, up_after: \
         {UP_AFTER}, down_after: {DOWN_AFTER}, ok_after: {OK_AFTER} }}\npops:\n"
    );
    let count = POPS - edition;
    for pop in 0..POPS {
        let (lat, lon) = (dice.between(-50.0, 65.0), dice.between(-180.0, 180.0));
        let weight = 50 + 50 * dice.below(3) + if pop % 7 == 3 { 25 * edition } else { 0 };
        let v6 = if has_v6(pop) { format!(", \"2001:db8:f::{pop:x}\"") } else { String::new() };
        let ramp = if kind.has_ramps { ramp_secs(pop) } else { 0 };
        if pop < count {
            let _ = writeln!(
                pops,
                "  p{pop:02}: {{ at: {{ lat: {lat:.3}, lon: {lon:.3} }}, weight: {weight}, probe: web, ramp: \
                 {ramp}s, addresses: [203.0.113.{pop}{v6}] }}"
            );
        }
    }
    let mut networks = String::new();
    for cell in 0..kind.cells {
        let (lat, lon) = (dice.between(-50.0, 65.0), dice.between(-180.0, 180.0));
        let _ = writeln!(
            networks,
            "c{cell}: {{ prefixes: [\"{}\"], lat: {lat:.3}, lon: {lon:.3} }}",
            network_of(cell)
        );
    }
    let named = |keep: &dyn Fn(usize) -> bool| {
        let names: Vec<String> =
            (0..count).filter(|pop| keep(*pop)).map(|pop| format!("p{pop:02}")).collect();
        names.join(", ")
    };
    let policies = format!(
        "policies:\n  near: {{ pops: all, order: nearest, band: none, ttl: {TTL_SECS} }}\n  \
         even: {{ pops: [[{}]], order: listed, ttl: {TTL_SECS} }}\n  few: {{ pops: [{}], order: nearest, \
         ttl: {TTL_SECS}, panic: {{ share: 30%, hold: 45s }} }}\n  \
         strict: {{ pops: [{}], order: nearest, ttl: {TTL_SECS}, when_all_down: nodata }}\n",
        named(&|_| true),
        named(&|pop| pop % 3 == 0),
        named(&|pop| pop % 4 == 1 && pop < 10),
    );
    let zone = "zone: sim.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  \"@\": { NS: ns }\n  ns: { A: \
        192.0.2.1 }\n  \
                near: { steer: near }\n  even: { steer: even }\n  few: { steer: few }\n  strict: { steer: \
                strict }\n";
    let tree = Tree::of(ServerFile {
        more: "policies: policies.yaml\ngeoip: { networks: networks.yaml }\n",
        ..ServerFile::default()
    })
    .with("pops.yaml", pops)
    .with("networks.yaml", networks)
    .with("policies.yaml", policies)
    .with("zones/sim.example.yaml", zone);
    let world = support::load(&tree).unwrap_or_else(|findings| panic!("{findings}"));
    let places: Vec<_> = world.deployment.pops.iter().map(|pop| pop.coordinates.unwrap()).collect();
    let by_distance = |from, skip: usize| {
        let mut order: Vec<(u32, u16)> = (0..count)
            .filter(|pop| *pop != skip)
            .map(|pop| (great_circle_m(from, places[pop]), pop as u16))
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, pop)| pop).collect::<Vec<u16>>()
    };
    let networks: std::collections::HashMap<&str, _> = world
        .deployment
        .networks
        .iter()
        .map(|network| (&*network.name, network.coordinates.unwrap()))
        .collect();
    let near = hash::name(Name::parse(NAMES[NEAR], None).unwrap().as_wire());
    let key = |cell: usize| match network_of(cell) {
        Prefix::V4 { bits, .. } => cell_key(4, u128::from(bits), near),
        Prefix::V6 { bits, .. } => cell_key(6, bits, near),
    };
    let mut queries = Vec::new();
    for name in NAMES {
        for rtype in TYPES {
            queries.extend((0..kind.cells).map(|cell| {
                let address = network_of(cell).address();
                support::query(
                    name,
                    rtype,
                    Some(Prefix::new(address, if address.is_ipv4() { 24 } else { 56 })),
                )
            }));
        }
    }
    Compiled {
        nearest: (0..kind.cells).map(|cell| by_distance(networks[&*format!("c{cell}")], POPS)).collect(),
        followers: places.iter().enumerate().map(|(pop, place)| by_distance(*place, pop)).collect(),
        keys: (0..kind.cells).map(key).collect(),
        pops: count,
        queries,
        kind,
        world,
    }
}

/// A cell of either family.
fn network_of(cell: usize) -> Prefix {
    match cell % 2 {
        0 => Prefix::new(IpAddr::V4(Ipv4Addr::from_bits(20 << 24 | (cell as u32) << 12)), 20),
        _ => Prefix::new(IpAddr::V6(Ipv6Addr::from_bits(0x2a00 << 112 | (cell as u128) << 88)), 40),
    }
}

impl Compiled {
    /// A feed for every PoP.
    pub fn loads(&self, capacity: &[f64]) -> Arc<FeedSet> {
        let steering = &self.world.snapshot.steering;
        let feed = |pop: usize| {
            let feed = if self.kind.has_ramps && is_pushed(pop) {
                Feed::Push
            } else {
                Feed::File { path: "load".into() }
            };
            FeedTarget {
                key: format!("{} load", steering.pops[pop].name).into(),
                pop: PopId::at(pop),
                service: None,
                slots: SlotId::in_order()
                    .take(steering.slots.len())
                    .filter(|slot| steering.slots[slot.index()].pop.index() == pop)
                    .collect(),
                followers: self.followers[pop]
                    .iter()
                    .filter_map(|other| steering.slots.iter().position(|slot| slot.pop.0 == *other))
                    .map(SlotId::at)
                    .collect(),
                capacity: capacity[pop],
                ttl_secs: TTL_SECS,
                spec: Arc::new(LoadSpec::new(feed, At::whole(FileId(0)))),
            }
        };
        Arc::new(FeedSet {
            feeds: (0..self.pops).map(feed).collect(),
            slots: steering.slots.iter().map(|slot| slot.pop).collect(),
            pops: steering.pops.iter().map(|pop| pop.name.clone()).collect(),
        })
    }

    /// Number of a query.
    pub fn index(&self, name: usize, rtype: usize, cell: usize) -> usize {
        (name * TYPES.len() + rtype) * self.kind.cells + cell
    }
}
