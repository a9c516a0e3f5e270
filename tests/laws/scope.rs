//! Law 1, the scope law: any two clients inside one returned scope get the same set of records.

use crate::generator::{self, NAMES};
use crate::reply::got;
use meridian::testing::cli::verify::verify_scopes;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::geo::special::special_block;
use meridian::testing::health::health_state::{HealthState, SlotHealth};
use meridian::testing::health::targets::PolicyId;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::pop_status::{PopStatus, Shed};
use meridian::testing::steer::status::Status;
use meridian::testing::wire::rr::{Rcode, RrType};
use std::net::IpAddr;
use std::sync::Arc;
use support::dice::Dice;
use support::{World, sample, with_down};

const SAMPLE_NAMES: [&str; 14] = [
    "cdn.example.",
    "global.edge.cdn.example.",
    "video.edge.cdn.example.",
    "api.edge.cdn.example.",
    "c42.edge.cdn.example.",
    "x.cdn.example.",
    "www.shop.example.",
    "images.shop.example.",
    "api.shop.example.",
    "www.media.example.",
    "live.media.example.",
    "cdn.media.example.",
    "shop.example.",
    "status.cdn.example.",
];

/// Every leaf of every policy of the sample, with all PoPs up and with some down.
#[test]
fn every_leaf_of_the_sample() {
    let world = sample();
    let report = verify_scopes(&world.snapshot, 4).unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    assert!(report.leaves > 1_000 && report.pairs > 50_000, "{report:?}");
    println!("{report:?}");
    for down in [vec!["fra"], vec!["fra", "iad", "nrt", "sin"]] {
        let snapshot = with_down(&world, &down);
        verify_scopes(&snapshot, 2).unwrap_or_else(|faults| panic!("{down:?} down: {}", faults.join("\n")));
    }
    for seed in 0..4 {
        let snapshot = troubled(&world, &mut Dice(seed), 2);
        verify_scopes(&snapshot, 2)
            .unwrap_or_else(|faults| panic!("troubles of seed {seed}: {}", faults.join("\n")));
    }
}

/// The world on a bad day: addresses are down, PoPs are drained, shed load and come back by and by,
/// and the panic guard holds some policies. Each has its trouble once in `rarity` times.
pub fn troubled(world: &World, dice: &mut Dice, rarity: usize) -> Arc<Snapshot> {
    let steering = &world.snapshot.steering;
    let share =
        |dice: &mut Dice| if !dice.once_in(rarity) { 0 } else { *dice.pick(&[1u16, 40, 128, 200, 255, 256]) };
    let pops = world.snapshot.status.pops().iter().map(|pop| PopStatus { left: share(dice), ..*pop });
    let pops: Vec<PopStatus> = pops.collect();
    let shed = |dice: &mut Dice| Shed {
        share: share(dice),
        accept: steering.pops.iter().map(|_| share(dice)).collect(),
    };
    let sheds = steering.slots.iter().map(|_| shed(dice)).collect();
    let mut slots = || -> Vec<SlotHealth> {
        let mask =
            |dice: &mut Dice| if !dice.once_in(rarity) { 0 } else { *dice.pick(&[1u64, 2, 3, u64::MAX]) };
        let health = |n: usize, dice: &mut Dice| SlotHealth {
            down_v4: mask(dice),
            down_v6: mask(dice),
            damped_v4: mask(dice),
            damped_v6: mask(dice),
            horizon_secs: 7,
            went_down: n as u32 % 4,
            is_awaited: dice.once_in(9),
        };
        (0..steering.slots.len()).map(|n| health(n, dice)).collect()
    };
    let held = PolicyId::in_order()
        .take(steering.policies.len())
        .step_by(2)
        .map(|policy| (policy, slots()))
        .collect();
    let health_state = HealthState { slots: slots(), held, ..HealthState::default() };
    let status = Status::new(pops, &steering.slots, &steering.policies, &health_state, sheds);
    Arc::new(world.snapshot.with_status(status, world.snapshot.sequence() + 1))
}

/// 100,000 pairs: any client, any source length, any name, A and AAAA; the second client is
/// anywhere inside the scope that the first was given.
#[test]
fn random_pairs_of_the_sample() {
    let world = sample();
    let known: Vec<Prefix> = leaves(&world.snapshot);
    let dice = &mut Dice(7);
    for _ in 0..100_000 {
        pair(&world.snapshot, dice, &known, &SAMPLE_NAMES, "the sample");
    }
}

/// The same over random deployments; each is walked leaf by leaf as well.
#[test]
fn random_deployments() {
    let wanted = support::number("MERIDIAN_LAW_DEPLOYMENTS").unwrap_or(60);
    let (first, count) = (seed_from_env().unwrap_or(1), if seed_from_env().is_some() { 1 } else { wanted });
    let mut served = 0;
    for seed in first..first + count {
        let Some((world, generated)) = generator::world(seed) else { continue };
        served += 1;
        let says = format!("MERIDIAN_LAW_SEED={seed} cargo test --test laws random_deployments");
        let dice = &mut Dice(seed);
        let down: Vec<String> = world
            .snapshot
            .steering
            .pops
            .iter()
            .filter(|_| dice.once_in(3))
            .map(|p| p.name.to_string())
            .collect();
        let down: Vec<&str> = down.iter().map(String::as_str).collect();
        for snapshot in [world.snapshot.clone(), with_down(&world, &down), troubled(&world, dice, 2)] {
            verify_scopes(&snapshot, 3).unwrap_or_else(|faults| panic!("{says}\n{}", faults.join("\n")));
            for _ in 0..500 {
                pair(&snapshot, dice, &generated.known, &NAMES, &says);
            }
        }
    }
    assert!(count == 1 || served > count / 3, "only {served} of {count} deployments were loaded");
}

/// The one deployment that is wanted.
pub fn seed_from_env() -> Option<u64> {
    support::number("MERIDIAN_LAW_SEED")
}

/// Prefixes that the routes tell apart.
pub fn leaves(snapshot: &Snapshot) -> Vec<Prefix> {
    let mut all = Vec::new();
    for routes in snapshot.steering.policies.iter().flat_map(|p| &p.routes) {
        all.extend(routes.v4.blocks().map(|b| Prefix::V4 { bits: b.start, len: b.len }));
        all.extend(routes.v6.blocks().map(|b| Prefix::V6 { bits: b.start, len: b.len }));
    }
    all
}

fn pair(snapshot: &Snapshot, dice: &mut Dice, known: &[Prefix], names: &[&str], says: &str) {
    let name = *dice.pick(names);
    let rtype = *dice.pick(&[RrType::A, RrType::AAAA]);
    // The resolver stays the same: a scope speaks of its cache.
    let resolver = dice.client(known);
    let address = dice.client(known);
    let width = if address.is_ipv4() { 32 } else { 128 };
    let source = 1 + dice.below(width) as u8;
    let asked = Prefix::new(address, source);
    let first = got(snapshot, name, rtype, Some(asked), resolver, 0);
    let inside = Prefix::new(asked.address(), first.scope);
    let other = dice.inside(inside);
    let lengths = [
        source.max(first.scope).max(1),
        first.scope.max(1) + dice.below(width + 1 - usize::from(first.scope.max(1))) as u8,
    ];
    for len in lengths {
        let other = Prefix::new(other, len);
        let second = got(snapshot, name, rtype, Some(other), resolver, dice.roll());
        assert_eq!(
            first.set(),
            second.set(),
            "{name} {rtype} from {resolver}: {asked} got scope {}; {other} lies inside\n{says}",
            first.scope
        );
    }
    // A shorter source whose network address still lies inside the scope is the same client.
    let shorter = Prefix::new(other, 1 + dice.below(width) as u8);
    if inside.contains(shorter.address()) {
        let second = got(snapshot, name, rtype, Some(shorter), resolver, 0);
        assert_eq!(
            first.set(),
            second.set(),
            "{name} {rtype}: {asked} got scope {}; {shorter} begins inside\n{says}",
            first.scope
        );
    }
}

/// Untailored answers have scope 0: static data, names that do not exist, types that do not exist,
/// referrals, a listed order without equals, source 0; and a query without ECS gets none.
#[test]
fn untailored_answers_have_scope_0() {
    let world = sample();
    let resolver: IpAddr = "192.0.2.77".parse().unwrap();
    let client = Prefix::new("198.51.100.0".parse().unwrap(), 24);
    let rows = [
        ("status.cdn.example.", RrType::A, Some(client)),
        ("none.cdn.example.", RrType::A, Some(client)),
        ("status.cdn.example.", RrType::AAAA, Some(client)),
        ("video.edge.cdn.example.", RrType::TXT, Some(client)),
        ("www.lab.cdn.example.", RrType::A, Some(client)),
        ("cdn.example.", RrType::ANY, Some(client)),
        ("shop.cdn.example.", RrType::CNAME, Some(client)),
        ("global.edge.cdn.example.", RrType::A, Some(Prefix::new(client.address(), 0))),
        ("global.edge.cdn.example.", RrType::A, None),
    ];
    for (name, rtype, ecs) in rows {
        assert_eq!(got(&world.snapshot, name, rtype, ecs, resolver, 0).scope, 0, "{name} {rtype} {ecs:?}");
    }
}

/// Where a rule answers some clients a CNAME, having no data of a type is this client's alone.
#[test]
fn no_data_beside_a_cname_rule_is_tailored() {
    let world = sample();
    let client = Prefix::new("198.51.100.0".parse().unwrap(), 24);
    let answer = got(
        &world.snapshot,
        "global.edge.cdn.example.",
        RrType::TXT,
        Some(client),
        "192.0.2.77".parse().unwrap(),
        0,
    );
    assert!(answer.records.is_empty() && answer.scope > 0, "{answer:?}");
}

/// An answer that the client subnet influenced never has scope 0: for an address that nobody knows
/// the miss keeps the depth at which it was decided, for a special-purpose one the block's length.
#[test]
fn an_influenced_answer_never_has_scope_0() {
    let world = sample();
    let resolver: IpAddr = "192.0.2.77".parse().unwrap();
    let dice = &mut Dice(3);
    for _ in 0..20_000 {
        let address = dice.client(&[]);
        let source = 1 + dice.below(if address.is_ipv4() { 32 } else { 128 }) as u8;
        let asked = Prefix::new(address, source);
        let answer = got(&world.snapshot, "global.edge.cdn.example.", RrType::A, Some(asked), resolver, 0);
        assert!(answer.scope > 0, "{asked}");
    }
    for (special, least) in [
        ("10.1.2.0", 8),
        ("127.0.0.1", 8),
        ("192.168.4.0", 16),
        ("fe80::1", 10),
        ("fc00::1", 7),
        ("::1", 128),
    ] {
        let address: IpAddr = special.parse().unwrap();
        assert_eq!(special_block(address).map(|b| b.len()), Some(least), "{special}");
        let asked = Prefix::host(address);
        let answer = got(&world.snapshot, "global.edge.cdn.example.", RrType::A, Some(asked), resolver, 0);
        let by_resolver = got(&world.snapshot, "global.edge.cdn.example.", RrType::A, None, resolver, 0);
        assert_eq!((answer.scope, answer.set()), (least, by_resolver.set()), "{special}");
    }
}

/// Whether a type exists never depends on the client.
#[test]
fn existence_never_depends_on_the_client() {
    let world = sample();
    let known = leaves(&world.snapshot);
    let dice = &mut Dice(4);
    for snapshot in [world.snapshot.clone(), with_down(&world, &["fra", "lhr", "iad", "lax"])] {
        for name in SAMPLE_NAMES.iter().filter(|n| {
            !["global.edge.cdn.example.", "x.cdn.example.", "images.shop.example.", "www.shop.example."]
                .contains(*n)
        }) {
            for rtype in [RrType::A, RrType::AAAA, RrType::TXT, RrType::MX, RrType::HTTPS] {
                let mut seen = None;
                for _ in 0..200 {
                    let (address, resolver) = (dice.client(&known), dice.client(&known));
                    let answer = got(&snapshot, name, rtype, Some(Prefix::host(address)), resolver, 0);
                    let exists =
                        (answer.rcode, answer.records.iter().any(|r| r.contains(&format!(" {rtype} "))));
                    assert!(matches!(exists.0, Rcode::NOERROR), "{name} {rtype}");
                    assert_eq!(*seen.get_or_insert(exists), exists, "{name} {rtype} for {address}");
                }
            }
        }
    }
}

/// What a policy costs in caches is what `check` says: the leaves, and the cells of those leaves
/// alone whose answers read the cell.
#[test]
fn the_cost_in_caches_is_what_check_says() {
    let world = sample();
    let summary = world.snapshot.summary().to_string();
    let mut counted = 0;
    for (name, policy) in [("cdn.example.", "nearest"), ("global.edge.cdn.example.", "web")] {
        let line = summary.lines().find(|line| line.starts_with(&format!("policy    {policy} ("))).unwrap();
        let Some((before, _)) = line.split_once(" IPv4 scopes with cells") else { continue };
        let said: u64 = before.rsplit(' ').next().unwrap().parse().unwrap();
        let table = world.snapshot.steering.policies.iter().find(|p| *p.name == *policy).unwrap();
        let leaves = || table.routes[0].v4.blocks();
        let scope_at = |start: u32| {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(start));
            if special_block(address).is_some() {
                return 0; // The block is the scope there.
            }
            got(&world.snapshot, name, RrType::A, Some(Prefix::new(address, 32)), address, 0).scope
        };
        let cost: u64 = leaves().map(|leaf| 1u64 << scope_at(leaf.start).saturating_sub(leaf.len)).sum();
        assert_eq!(said, cost, "{line}");
        counted += 1;
    }
    assert!(counted > 0, "{summary}");
}
