//! Policies that share one table of routes, since separate ones would be too large, decide as
//! before: only leaves are no wider for one policy than for all.

use meridian::testing::limits::{LEAF_DEPTH_V4_MAX, LEAF_DEPTH_V6_MAX};
use meridian::testing::snapshot::sizes::{parts, tries};
use meridian::testing::snapshot::steering::{self, Steering, SteeringInputs};
use meridian::testing::steer::table::REDIRECT;
use meridian::testing::wire::rr::RrType;
use std::sync::Arc;
use support::{World, ask, prefix, query, sample};

fn compiled(world: &World, octets_max: usize) -> Steering {
    let deployment = &world.deployment;
    let inputs = SteeringInputs {
        pops: &deployment.pops,
        policies: &deployment.policies,
        atlas: &world.geography.atlas,
        site: deployment.node.site.as_ref(),
    };
    let (steering, findings) =
        steering::compile_within(&|count, work| (0..count).rev().for_each(work), inputs, octets_max);
    assert!(!findings.has_errors());
    steering
}

/// Every leaf of a shared table lies inside one of the separate table and means the same. Leaves
/// that are deeper than routes go are merged by what covers most of them, which may be a class
/// where it was a choice.
#[test]
fn shared_tables_are_separate_ones_cut_finer() {
    let world = sample();
    let (separate, shared) = (compiled(&world, usize::MAX), compiled(&world, 0));
    assert!(!separate.shares_routes && shared.shares_routes);
    let mut compared = 0;
    for (one, other) in separate.policies.iter().zip(&shared.policies) {
        assert_eq!(
            (&one.preference_lists, &one.choices),
            (&other.preference_lists, &other.choices),
            "{}",
            one.name
        );
        for (wide, fine) in tries(one).zip(tries(other)) {
            for leaf in fine.v4.blocks().filter(|leaf| leaf.len <= LEAF_DEPTH_V4_MAX) {
                let (value, len) = wide.v4.lookup(leaf.start);
                assert!(
                    value == leaf.value && len <= leaf.len,
                    "{}: {leaf:?} is {value} of /{len}",
                    one.name
                );
                compared += usize::from(value != REDIRECT);
            }
            for leaf in fine.v6.blocks().filter(|leaf| leaf.len <= LEAF_DEPTH_V6_MAX) {
                let (value, len) = wide.v6.lookup(leaf.start);
                assert!(
                    value == leaf.value && len <= leaf.len,
                    "{}: {leaf:?} is {value} of /{len}",
                    one.name
                );
            }
        }
    }
    assert!(compared > 100, "the sample has networks");
    // One cut of each family for all, and a list of classes for each.
    let of_all = parts(shared.policies.iter().flat_map(tries));
    let with_leaves = of_all.iter().filter(|part| part.leaves > 1).count();
    assert_eq!(with_leaves, 2, "{of_all:?}");
}

/// Clients get the same answers, with a scope that is no wider.
#[test]
fn answers_are_the_same() {
    let world = sample();
    let mut snapshot = (*world.snapshot).clone();
    snapshot.steering = Arc::new(compiled(&world, 0));
    let from = "192.0.2.53".parse().unwrap();
    let mut tailored = 0;
    for name in ["global.edge.cdn.example.", "www.shop.example.", "api.edge.cdn.example."] {
        for third in 0..=255 {
            for ecs in [
                format!("198.51.{third}.0/24"),
                format!("203.0.{third}.0/24"),
                format!("2001:db8:{third:x}00::/48"),
                format!("8.{third}.0.0/16"),
            ] {
                let asked = query(name, RrType::A, Some(prefix(&ecs)));
                let ((before, _), (after, _)) =
                    (ask(&world.snapshot, &asked, from, 7), ask(&snapshot, &asked, from, 7));
                assert_eq!((before.pop(), before.rcode), (after.pop(), after.rcode), "{name} {ecs}");
                assert!(before.scope <= after.scope, "{name} {ecs}: {} and {}", before.scope, after.scope);
                tailored += usize::from(before.scope > 0);
            }
        }
    }
    assert!(tailored > 100);
}
