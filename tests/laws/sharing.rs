//! Laws 4 and 5: all down equals all up; equal inputs give equal answers on every node, and a
//! change moves only the clients it must.

use crate::generator::{self, NAMES};
use crate::reply::{Got, got};
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::health::targets::PolicyId;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::pop::AdminState;
use meridian::testing::steer::table::PolicyTable;
use meridian::testing::wire::rr::RrType;
use std::collections::BTreeMap;
use std::net::IpAddr;
use support::dice::Dice;
use support::{ServerFile, Tree, World, load, sample, with_down};

const RESOLVER: &str = "192.0.2.77";

/// Every steered name of a snapshot, as text.
fn steered_names(snapshot: &Snapshot) -> Vec<(String, PolicyId)> {
    let mut names = Vec::new();
    for zone in snapshot.zones.iter() {
        for (node, steered) in zone.steered() {
            let name = meridian::testing::wire::name::Name::from_wire(zone.name(node)).unwrap().to_string();
            names.push((name.replace('*', "c42"), steered.policy));
        }
    }
    names
}

fn all_pops(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.steering.pops.iter().map(|p| &*p.name).collect()
}

fn client(dice: &mut Dice) -> Prefix {
    Prefix::new(std::net::Ipv4Addr::from_bits(dice.roll() as u32).into(), 24)
}

fn from_resolver(snapshot: &Snapshot, name: &str, rtype: RrType, client: Prefix) -> Got {
    got(snapshot, name, rtype, Some(client), RESOLVER.parse::<IpAddr>().unwrap(), 0)
}

/// Law 4 on the sample: with every PoP down by probes each client gets what it gets with all up.
#[test]
fn all_down_equals_all_up() {
    let world = sample();
    let down = with_down(&world, &all_pops(&world.snapshot));
    let dice = &mut Dice(11);
    for (name, _) in steered_names(&world.snapshot) {
        for rtype in [RrType::A, RrType::AAAA] {
            for _ in 0..1_000 {
                let client = client(dice);
                let (up, down) = (
                    from_resolver(&world.snapshot, &name, rtype, client),
                    from_resolver(&down, &name, rtype, client),
                );
                assert_eq!((up.set(), up.scope), (down.set(), down.scope), "{name} {rtype} for {client}");
            }
        }
    }
}

/// Law 4 on random deployments, where the policy does not say otherwise and no PoP is forced up.
#[test]
fn all_down_equals_all_up_anywhere() {
    let mut compared = 0;
    for seed in 100..140 {
        let Some((world, generated)) = generator::world(seed) else { continue };
        let says_otherwise = |p: &PolicyTable| {
            p.preference_lists.iter().any(|preference_list| {
                !matches!(
                    preference_list.when_all_down,
                    meridian::testing::steer::preference_list::AllDown::AsIfUp
                        | meridian::testing::steer::preference_list::AllDown::LastGood
                )
            })
        };
        if world.snapshot.steering.policies.iter().any(says_otherwise)
            || world.snapshot.status.pops().iter().any(|p| p.state == AdminState::Up)
        {
            continue;
        }
        let down = with_down(&world, &all_pops(&world.snapshot));
        let dice = &mut Dice(seed);
        for _ in 0..500 {
            let address = dice.client(&generated.known);
            let (name, rtype) = (*dice.pick(&NAMES), *dice.pick(&[RrType::A, RrType::AAAA]));
            let client = Prefix::host(address);
            let (up, down) = (
                from_resolver(&world.snapshot, name, rtype, client),
                from_resolver(&down, name, rtype, client),
            );
            assert_eq!(
                (up.set(), up.scope),
                (down.set(), down.scope),
                "{name} {rtype} for {client}, seed {seed}"
            );
            compared += 1;
        }
    }
    assert!(compared > 1_000, "{compared}");
}

/// One PoP down by probes: a client that it did not serve keeps its answer, and nobody is sent to
/// it.
#[test]
fn a_pop_that_leaves_takes_only_its_own_clients() {
    let world = sample();
    let dice = &mut Dice(12);
    for gone in all_pops(&world.snapshot) {
        let without = with_down(&world, &[gone]);
        for (name, _) in steered_names(&world.snapshot) {
            for _ in 0..200 {
                let client = client(dice);
                let (before, after) = (
                    from_resolver(&world.snapshot, &name, RrType::A, client),
                    from_resolver(&without, &name, RrType::A, client),
                );
                if before.pop(&world.snapshot) == Some(gone) {
                    assert_ne!(after.pop(&without), Some(gone), "{name} for {client}");
                } else {
                    assert_eq!(before.set(), after.set(), "{name} for {client} without {gone}");
                }
            }
        }
    }
}

/// A deployment of three equals, so that only sharing decides.
fn equals(weights: [u32; 3], members: &str) -> World {
    let mut pops = "pops:\n".to_owned();
    for (name, weight) in ["aa", "bb", "cc"].into_iter().zip(weights) {
        pops.push_str(&format!(
            "  {name}: {{ weight: {weight}, addresses: [192.0.2.{weight}, \"2001:db8::{weight}\"] }}\n"
        ));
    }
    let tree = Tree::of(ServerFile::default())
        .with("pops.yaml", pops)
        .with("policies.yaml", format!("policies:\n  even: {{ pops: [[{members}]], order: listed }}\n"))
        .with(
            "zones/even.example.yaml",
            "zone: even.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  \"@\": { NS: ns }\n  ns: { A: \
             192.0.2.1 }\n  to: { steer: even }\n",
        );
    load(&tree).unwrap_or_else(|findings| panic!("{findings}"))
}

/// PoPs of 4,096 cells.
fn served(world: &World) -> Vec<String> {
    let of = |cell: u32| {
        let client = Prefix::new(std::net::Ipv4Addr::from_bits(20 << 24 | cell << 12).into(), 24);
        from_resolver(&world.snapshot, "to.even.example.", RrType::A, client)
            .pop(&world.snapshot)
            .unwrap()
            .to_owned()
    };
    (0..4_096).map(of).collect()
}

/// Law 5, shares: they are as the weights say; a PoP that is taken out of the policy moves only its
/// own cells; a larger weight moves cells only towards it, and no more than the difference.
#[test]
fn a_change_moves_only_the_difference() {
    let before = served(&equals([100, 101, 102], "aa, bb, cc"));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    before.iter().for_each(|pop| *counts.entry(pop).or_default() += 1);
    for (pop, count) in &counts {
        assert!((1_250..1_480).contains(count), "{pop}: {count} of 4096, a third is 1365");
    }
    let without = served(&equals([100, 101, 102], "aa, bb"));
    for (was, is) in before.iter().zip(&without) {
        assert!(was == "cc" || was == is, "{was} -> {is}");
    }
    // From 100/303 to 200/403: cc's and bb's cells lose a third and a quarter of a half.
    let doubled = served(&equals([200, 101, 102], "aa, bb, cc"));
    let moved = before
        .iter()
        .zip(&doubled)
        .filter(|(was, is)| was != is)
        .inspect(|(was, is)| assert_eq!(*is, "aa", "from {was}"))
        .count();
    let expected = 4_096.0 * (200.0 / 403.0 - 100.0 / 303.0);
    assert!((moved as f64 - expected).abs() < expected * 0.2, "{moved} moved, {expected} expected");
}

/// Law 5: two nodes that were given equal inputs have equal digests and answer every client alike,
/// whatever they are called; another input is another digest.
#[test]
fn equal_inputs_answer_alike_on_every_node() {
    let one = sample();
    let two = load(&Tree::sample().replacing("meridian.yaml", "name: fra-ns1", "name: fra-ns2")).unwrap();
    assert_ne!(one.snapshot.node_name(), two.snapshot.node_name());
    assert_eq!(one.snapshot.digest(), two.snapshot.digest());
    let dice = &mut Dice(13);
    for (name, _) in steered_names(&one.snapshot) {
        for _ in 0..1_000 {
            let address = dice.client(&[]);
            let (rtype, from) = (*dice.pick(&[RrType::A, RrType::AAAA]), dice.client(&[]));
            let ecs = Some(Prefix::host(address)).filter(|_| !dice.once_in(4));
            let (a, b) = (
                got(&one.snapshot, &name, rtype, ecs, from, 1),
                got(&two.snapshot, &name, rtype, ecs, from, 2),
            );
            assert_eq!((a.set(), a.scope), (b.set(), b.scope), "{name} {rtype} for {ecs:?} from {from}");
        }
    }
    let down = with_down(&one, &["fra"]);
    assert_ne!(one.snapshot.digest(), down.digest(), "a verdict is an input");
    assert_eq!(down.digest(), with_down(&two, &["fra"]).digest(), "the same verdict is the same input");
    for (file, old, new) in [
        ("pops.yaml", "weight: 50 ", "weight: 51 "),
        ("policies.yaml", "answers: 2", "answers: 1"),
        ("zones/cdn.example.yaml", "ttl: 300", "ttl: 301"),
    ] {
        let other = load(&Tree::sample().replacing(file, old, new)).unwrap();
        assert_ne!(one.snapshot.digest(), other.snapshot.digest(), "{file}");
    }
}
