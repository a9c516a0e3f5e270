//! Law 4 on the way back: while a pool returns from all down, its clients get what they would get
//! were all of it up, unless the policy denies; a fence is judged for itself.

use crate::reply::got;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::health::health_state::{HealthState, ReturningPool, SlotHealth};
use meridian::testing::health::targets::PolicyId;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::status::Status;
use meridian::testing::wire::rr::RrType;
use std::net::Ipv4Addr;
use support::dice::Dice;
use support::{ServerFile, Tree, World, load};

const POPS: usize = 5;
const NAMES: [&str; 6] = ["up", "last", "partner", "none", "denied", "ruled"];

fn world() -> World {
    let pops: String = (0..POPS)
        .map(|pop| format!("  p{pop}: {{ probe: web, addresses: [203.0.113.{pop}, \"2001:db8::{pop}\"] }}\n"))
        .collect();
    let rule = "[{ when: { network: fenced }, pops: [[p0, p1, p2]], fence: true }]";
    let policy = |name: &str, more: &str| {
        format!(
            "  {name}: {{ pops: [[p0, p1, p2, p3, p4]], order: listed, ttl: {{ min: 2, max: 30 }}{more} }}\n"
        )
    };
    let policies = [
        policy("up", &format!(", rules: {rule}")),
        policy("last", ", when_all_down: last_good"),
        policy("partner", ", when_all_down: { cname: partner.example. }"),
        policy("none", ", when_all_down: servfail"),
        policy("denied", ", when_all_down: nodata"),
        policy("ruled", ", rules: [{ when: { network: fenced }, when_all_down: servfail }]"),
    ];
    let owners: String = NAMES.iter().map(|name| format!("  {name}: {{ steer: {name} }}\n")).collect();
    let tree = Tree::of(ServerFile {
        more: "policies: policies.yaml\ngeoip: { networks: networks.yaml }\n",
        ..ServerFile::default()
    })
    .with("networks.yaml", "fenced: { prefixes: [10.8.0.0/16] }\n")
    .with("pops.yaml", format!("probes: {{ web: {{ tcp: {{ port: 80 }} }} }}\npops:\n{pops}"))
    .with("policies.yaml", format!("policies:\n{}", policies.concat()))
    .with(
        "zones/x.example.yaml",
        format!(
            "zone: x.example.\nttl: 300\nsoa: {{ mname: ns, rname: h, negative_ttl: 60 }}\nrecords:\n  \
                 \"@\": {{ NS: [ns] }}\n  ns: {{ A: 192.0.2.1 }}\n{owners}"
        ),
    );
    load(&tree).unwrap_or_else(|findings| panic!("{findings}"))
}

/// The first `up` PoPs are up, the others down in the order of their numbers; pools of these
/// numbers return in every policy that has them.
fn with(world: &World, up: usize, pools: &[u16]) -> Snapshot {
    let down = |slot: usize| SlotHealth {
        down_v4: 1,
        down_v6: 1,
        went_down: slot as u32 + 1,
        ..SlotHealth::default()
    };
    let slots = (0..POPS).map(|slot| if slot < up { SlotHealth::default() } else { down(slot) }).collect();
    let policies = &world.snapshot.steering.policies;
    let returning = (0..policies.len())
        .flat_map(|policy| pools.iter().map(move |pool| (policy, *pool)))
        .filter(|(policy, pool)| usize::from(*pool) < policies[*policy].pools.len())
        .map(|(policy, pool)| ReturningPool {
            policy: PolicyId::at(policy),
            pool,
            share_percent: 50,
            slots: (policies[policy].pools[usize::from(pool)].iter())
                .map(|pop| policies[policy].slots[usize::from(pop.0)])
                .map(|slot| (slot, slot.0 + 1))
                .collect(),
        })
        .collect();
    let health_state = HealthState { slots, returning, ..HealthState::default() };
    let steering = &world.snapshot.steering;
    let pops = world.snapshot.status.pops().to_vec();
    let status = Status::new(pops, &steering.slots, &steering.policies, &health_state, Vec::new());
    world.snapshot.with_status(status, 2)
}

fn client(dice: &mut Dice, is_fenced: bool) -> Prefix {
    let network = if is_fenced { 0x0a08_0000 } else { 0x0909_0000 };
    Prefix::new(Ipv4Addr::from_bits(network | dice.roll() as u32 & 0xffff).into(), 24)
}

/// What a name answers: PoP or response code, and the TTL.
fn answer(snapshot: &Snapshot, name: &str, client: Prefix) -> (String, Option<u32>) {
    let got = got(
        snapshot,
        &format!("{name}.x.example."),
        RrType::A,
        Some(client),
        "192.0.2.77".parse().unwrap(),
        0,
    );
    let said = got.records.iter().next().cloned().unwrap_or_else(|| format!("{:?}", got.rcode));
    (said, got.ttl)
}

#[test]
fn on_the_way_back_all_down_still_equals_all_up() {
    let world = world();
    let all_up = with(&world, POPS, &[]);
    let all_down = with(&world, 0, &[]);
    let one_up = with(&world, 1, &[]);
    let returning = with(&world, 1, &[0, 1]);
    let dice = &mut Dice(5);
    let mut firsts = 0;
    for _ in 0..400 {
        for is_fenced in [false, true] {
            let client = client(dice, is_fenced);
            let of = |snapshot: &Snapshot, name: &str| answer(snapshot, name, client);
            for name in ["up", "last", "partner"] {
                let (before, now) = (of(&all_down, name), of(&returning, name));
                assert_eq!(now.0, before.0, "{name} for {client}");
                assert_eq!(now.1, Some(2), "{name} has the least TTL");
            }
            assert_eq!(of(&returning, "up").0, of(&all_up, "up").0);
            for name in ["none", "denied"] {
                assert_eq!(of(&returning, name), of(&one_up, name), "{name} ends at the first return");
            }
            // A rule's own word for all down decides for its clients.
            let like = if is_fenced { &one_up } else { &all_down };
            assert_eq!(of(&returning, "ruled").0, of(like, "ruled").0);
            firsts += usize::from(of(&returning, "up").0.ends_with(" 203.0.113.0"));
        }
    }
    assert!((100..400).contains(&firsts), "{firsts} of 800 go to the first");
}

/// The fence returns while the policy has never been all down, and the other way round.
#[test]
fn a_fence_is_judged_for_itself() {
    let world = world();
    let (all_down, one_up) = (with(&world, 0, &[]), with(&world, 1, &[]));
    let dice = &mut Dice(6);
    for (pools, outside, inside) in [([1], &one_up, &all_down), ([0], &all_down, &one_up)] {
        let returning = with(&world, 1, &pools);
        for _ in 0..100 {
            for (is_fenced, like) in [(false, outside), (true, inside)] {
                let client = client(dice, is_fenced);
                assert_eq!(answer(&returning, "up", client).0, answer(like, "up", client).0);
            }
        }
    }
}

/// What the digest says: nodes of which one is on the way back are not equal.
#[test]
fn the_digest_has_it() {
    let world = world();
    let digests: Vec<String> = [&[][..], &[0], &[1], &[0, 1]]
        .iter()
        .map(|pools| with(&world, 1, pools).digest().to_string())
        .collect();
    for (index, digest) in digests.iter().enumerate() {
        assert!(!digests[..index].contains(digest), "{digests:?}");
    }
}
