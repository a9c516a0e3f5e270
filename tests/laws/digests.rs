//! The two digests: the files digest is of shared files alone; the state digest changes with
//! everything that can change the records of an answer, and with nothing else.

use meridian::testing::health::health_state::{HealthState, SlotHealth};
use meridian::testing::health::targets::PolicyId;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::pop::AdminState;
use meridian::testing::steer::pop_status::{PopStatus, Shed};
use meridian::testing::steer::status::Status;
use support::dice::Dice;
use support::{Tree, World, load, sample, with_down};

/// A change of what a status is made of.
type Change<'c> = &'c dyn Fn(&mut Vec<PopStatus>, &mut HealthState, &mut Vec<Shed>);

/// The snapshot of a world with one thing otherwise.
fn with(
    world: &World,
    change: impl FnOnce(&mut Vec<PopStatus>, &mut HealthState, &mut Vec<Shed>),
) -> Snapshot {
    let (steering, status) = (&world.snapshot.steering, &world.snapshot.status);
    let mut pops = status.pops().to_vec();
    let slots = vec![SlotHealth::default(); steering.slots.len()];
    let mut health_state = HealthState { slots, ..HealthState::default() };
    let mut sheds = vec![Shed::default(); steering.slots.len()];
    change(&mut pops, &mut health_state, &mut sheds);
    let status = Status::new(pops, &steering.slots, &steering.policies, &health_state, sheds);
    world.snapshot.with_status(status, 2)
}

const DOWN: SlotHealth = SlotHealth {
    down_v4: u64::MAX,
    down_v6: u64::MAX,
    damped_v4: 0,
    damped_v6: 0,
    horizon_secs: u32::MAX,
    went_down: 1,
    is_awaited: false,
};

/// Roll-outs compare files: what probes say and what a node is called is not in it, each file is.
#[test]
fn the_files_digest_is_of_files() {
    let world = sample();
    let digest = world.snapshot.files_digest();
    assert_eq!(with_down(&world, &["fra"]).files_digest(), digest);
    let elsewhere = Tree::sample()
        .replacing("meridian.yaml", "fra-ns1", "ams-ns7")
        .replacing("meridian.yaml", "site: fra", "site: ams")
        .replacing("meridian.yaml", "127.0.0.1:5300", "127.0.0.1:5301");
    let elsewhere = load(&elsewhere).unwrap_or_else(|findings| panic!("{findings}"));
    assert_eq!(elsewhere.snapshot.files_digest(), digest, "the node's own");
    for (file, text) in [
        ("pops.yaml", "\n# a comment\n"),
        ("policies.yaml", "\n# a comment\n"),
        ("geoip/networks.yaml", "\n# a comment\n"),
        ("zones/shop.example.yaml", "\n# a comment\n"),
    ] {
        let other = Tree::sample().with(file, Tree::sample().text(file) + text);
        let other = load(&other).unwrap_or_else(|findings| panic!("{findings}"));
        assert_ne!(other.snapshot.files_digest(), digest, "{file}");
        assert_ne!(other.snapshot.digest(), world.snapshot.digest(), "{file}");
    }
}

/// Each row: a change of status, and whether it can change records.
#[test]
fn the_state_digest_is_of_what_shapes_records() {
    let idle = Tree::sample()
        .replacing("pops.yaml", "\npops:\n", "\npops:\n  idle: { addresses: [192.0.2.250] }\n")
        .replacing("policies.yaml", "  nearest:\n    pops: all", "  nearest:\n    pops: { tag: eu }")
        .replacing("policies.yaml", "  web:\n    pops: all", "  web:\n    pops: { tag: eu }")
        .replacing("policies.yaml", "  fastest:\n    pops: all", "  fastest:\n    pops: { tag: eu }");
    for (what, tree) in [("the sample", Tree::sample()), ("an idle PoP", idle)] {
        let world = load(&tree).unwrap_or_else(|findings| panic!("{findings}"));
        let steering = &world.snapshot.steering;
        let fra = steering.pops.iter().position(|pop| &*pop.name == "fra").expect("a PoP");
        let of_fra = |slots: &mut Vec<SlotHealth>, health: SlotHealth| {
            for (slot, is) in
                steering.slots.iter().zip(slots).filter(|(slot, _)| usize::from(slot.pop.0) == fra)
            {
                *is = health;
                let _ = slot;
            }
        };
        let plain = with(&world, |_, _, _| {}).digest();
        let differs = |change: Change<'_>| {
            with(&world, |pops, health, sheds| change(pops, health, sheds)).digest() != plain
        };
        // What cannot change records.
        assert!(!differs(&|pops, _, _| pops[fra].horizon_secs = 0), "{what}: a plan is near");
        assert!(
            !differs(&|_, health, _| health.slots.iter_mut().for_each(|slot| slot.horizon_secs = 3)),
            "{what}: checks are near"
        );
        assert!(!differs(&|pops, _, _| pops[fra].state = AdminState::Up), "{what}: up by hand, and well");
        assert!(
            !differs(&|_, health, _| {
                let slots = health.slots.clone();
                health.held = vec![(PolicyId(0), slots)];
            }),
            "{what}: held to what is so"
        );
        let off = with(&world, |pops, _, _| pops[fra].state = AdminState::Down).digest();
        let off_and_down = with(&world, |pops, health, _| {
            (pops[fra].state, pops[fra].weight, pops[fra].left) = (AdminState::Down, 3, 9);
            of_fra(&mut health.slots, DOWN);
        });
        assert_eq!(off, off_and_down.digest(), "{what}: probes of what is off");
        // Nobody reads the order of falls.
        let fallen = |numbers: [u32; 2]| {
            with(&world, |_, health, _| {
                for (slot, number) in health.slots.iter_mut().zip(numbers) {
                    *slot = SlotHealth { went_down: number, ..DOWN };
                }
            })
        };
        assert_eq!(fallen([1, 2]).digest(), fallen([2, 1]).digest(), "{what}");
        // What can.
        assert!(differs(&|pops, _, _| pops[fra].state = AdminState::Down), "{what}");
        assert!(differs(&|pops, _, _| pops[fra].state = AdminState::Drain), "{what}");
        assert!(differs(&|pops, _, _| pops[fra].weight += 1), "{what}");
        assert!(differs(&|pops, _, _| pops[fra].left = 1), "{what}");
        assert!(differs(&|_, health, _| of_fra(&mut health.slots, DOWN)), "{what}");
        assert!(
            differs(&|_, health, _| of_fra(
                &mut health.slots,
                SlotHealth { down_v4: 1, ..SlotHealth::default() }
            )),
            "{what}: one address"
        );
        assert!(
            differs(&|_, health, _| of_fra(
                &mut health.slots,
                SlotHealth { is_awaited: true, ..SlotHealth::default() }
            )),
            "{what}: no result yet"
        );
        assert!(differs(&|_, _, sheds| sheds[0] = Shed { share: 1, accept: vec![7; 20].into() }), "{what}");
        if let Some(idle) = steering.pops.iter().position(|pop| &*pop.name == "idle") {
            assert!(!differs(&|pops, _, _| pops[idle].weight = 1), "a PoP that nobody answers");
        }
    }
}

/// With `last_good` the order of falls counts, and their numbers do not: nodes count from their own
/// start.
#[test]
fn the_order_of_falls_counts_where_it_is_read() {
    let tree = Tree::sample().replacing(
        "policies.yaml",
        "    order: listed\n",
        "    order: listed\n    when_all_down: last_good\n",
    );
    let world = load(&tree).unwrap_or_else(|findings| panic!("{findings}"));
    let steering = &world.snapshot.steering;
    let fallen = |names: [&str; 2], numbers: [u32; 2]| {
        with(&world, |_, health, _| {
            for (slot, is) in steering.slots.iter().zip(&mut health.slots) {
                let name = &*steering.pops[usize::from(slot.pop.0)].name;
                for (_, number) in names.iter().zip(numbers).filter(|(other, _)| **other == name) {
                    *is = SlotHealth { went_down: number, ..DOWN };
                }
            }
        })
        .digest()
    };
    assert_ne!(fallen(["iad", "fra"], [1, 2]), fallen(["iad", "fra"], [2, 1]), "members");
    assert_eq!(fallen(["iad", "fra"], [1, 2]), fallen(["iad", "fra"], [7, 30]), "numbers alone");
    assert_eq!(fallen(["scl", "gru"], [1, 2]), fallen(["scl", "gru"], [2, 1]), "PoPs of other policies");
}

/// A publication is made from the one before it. It is the one that is made from nothing, whatever
/// came before and whoever has read the digest meanwhile: the same views and the same digest, over
/// random verdicts, states, weights, plans, gradual moves, holds and shed cells.
#[test]
fn a_publication_is_the_one_made_from_nothing() {
    let world = sample();
    let (steering, count) = (&world.snapshot.steering, world.snapshot.steering.slots.len());
    let (mut turned, mut stayed) = (0, 0);
    for seed in 0..20 {
        let dice = &mut Dice(seed);
        let mut pops = world.snapshot.status.pops().to_vec();
        let slots = vec![SlotHealth::default(); count];
        let mut health_state = HealthState { slots, ..HealthState::default() };
        let mut sheds = vec![Shed::default(); count];
        let mut published = (*world.snapshot).clone();
        for sequence in 2..60 {
            let (pop, slot) = (dice.below(pops.len()), dice.below(count));
            match dice.below(8) {
                0 => pops[pop].state = *dice.pick(&[AdminState::Auto, AdminState::Down, AdminState::Drain]),
                1 => pops[pop].weight = dice.below(3) as u32 * 50,
                2 => pops[pop].left = dice.below(257) as u16,
                3 => pops[pop].horizon_secs = *dice.pick(&[0, u32::MAX]),
                4 => {
                    let slots = health_state.slots.clone();
                    health_state.held = if dice.once_in(2) { vec![(PolicyId(0), slots)] } else { Vec::new() };
                }
                5 => {
                    let share = dice.below(3) as u16 * 100;
                    sheds[slot] = Shed { share, accept: vec![64; pops.len()].into() };
                }
                // The clock goes on: a change comes nearer.
                6 => health_state.slots[slot].horizon_secs = *dice.pick(&[2, 9, u32::MAX]),
                _ => health_state.slots[slot] = *dice.pick(&[DOWN, SlotHealth::default()]),
            }
            let of = || {
                let (slots, policies) = (&steering.slots, &steering.policies);
                Status::new(pops.clone(), slots, policies, &health_state, sheds.clone())
            };
            let before = dice.once_in(2).then(|| published.digest());
            published = published.with_status(of(), sequence);
            let anew = world.snapshot.with_status(of(), sequence);
            assert!(published.status == anew.status, "seed {seed}, publication {sequence}");
            assert_eq!(published.digest(), anew.digest(), "seed {seed}, publication {sequence}");
            match before.is_some_and(|before| before != published.digest()) {
                true => turned += 1,
                false => stayed += 1,
            }
        }
    }
    assert!(turned > 200 && stayed > 200, "{turned} {stayed}");
}
