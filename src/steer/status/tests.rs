//! Which policies share a view, and what is supposed of pools on their way back.

use super::*;
use crate::geo::trie::Trie;
use crate::health::targets::{PolicyId, SlotId};
use crate::steer::policy::TtlRange;
use crate::steer::preference_list::{AllDown, Entry, EntryTarget, OWN_WEIGHT, PoolNumber, PreferenceList};
use crate::steer::table::{SharedAddress, V4};
use std::net::Ipv4Addr;

/// PoPs of one address each.
fn slots(pops: u16) -> Vec<Slot> {
    let slot = |pop| Slot {
        pop: PopId(pop),
        v4: [SharedAddress { address: Ipv4Addr::LOCALHOST, weight: 1, seed: 1 }].into(),
        v6: [].into(),
        https: None,
    };
    (0..pops).map(slot).collect()
}

fn policy(pops: u16, up_threshold_percent: u8) -> PolicyTable {
    let entry = |pop| Entry { target: EntryTarget::pop(PopId(pop)), band: 0, weight: OWN_WEIGHT };
    PolicyTable {
        index: PolicyId(0),
        name: "web".into(),
        slots: (0..u32::from(pops)).map(SlotId).collect(),
        families: V4,
        https: false,
        cnames: [].into(),
        tail: [].into(),
        members: (0..pops).map(entry).collect(),
        pools: [(0..pops).map(PopId).collect()].into(),
        preference_lists: [].into(),
        choices: [].into(),
        routes: [].into(),
        resolver_classes: None,
        ecs: true,
        share: crate::steer::policy::Sharing::Sticky,
        by_cell: true,
        located: false,
        overruled: 0,
        cell_v4: 24,
        cell_v6: 56,
        cell_routes: [Trie::constant(0).into()].into(),
        up_threshold_percent,
        scopes: 1,
    }
}

fn auto(pops: u16) -> Vec<PopStatus> {
    let is = PopStatus { state: AdminState::Auto, weight: 100, left: 0, horizon_secs: NO_HORIZON };
    vec![is; usize::from(pops)]
}

/// A pool of all PoPs that went down in this order.
fn returning(policy: u32, went_down: &[u32]) -> ReturningPool {
    let slots = SlotId::in_order().zip(went_down.iter().copied()).collect();
    ReturningPool { policy: PolicyId(policy), pool: 0, share_percent: 50, slots }
}

#[test]
fn policies_that_see_the_same_share_a_view() {
    let (slots, all) = (slots(3), [1, 2, 3]);
    let damped = SlotHealth { damped_v4: 1, ..SlotHealth::default() };
    let plain = vec![damped, damped, SlotHealth::default()];
    let held = vec![SlotHealth::default(); 3];
    let health_state = HealthState {
        slots: plain,
        held: vec![(PolicyId(8), held.clone()), (PolicyId(9), held)],
        returning: vec![returning(4, &all), returning(5, &all), returning(6, &[3, 2, 1])],
        undamped: [(1, 0), (2, 0), (3, 1), (5, 0), (9, 0)]
            .map(|(policy, slot)| (PolicyId(policy), vec![SlotId(slot)]))
            .into(),
    };
    let policies: Vec<PolicyTable> =
        (0..10).map(|index| policy(3, if index == 7 { 100 } else { 50 })).collect();
    let status = Status::new(auto(3), &slots, &policies, &health_state, Vec::new());
    let (views, of_policies) = status.views();
    assert_eq!(of_policies.collect::<Vec<_>>(), [0, 1, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(views.len(), 9);
    let up = |policy| {
        let view = status.view(PolicyId(policy));
        (0..3).map(|slot| view.slot(SlotId(slot)).up).collect::<Vec<_>>()
    };
    assert_eq!([up(0), up(1), up(3), up(8)], [[0, 0, V4], [V4, 0, V4], [0, V4, V4], [V4, V4, V4]]);
    assert_eq!(status.view(PolicyId(4)).returning()[0].view.slot(SlotId(2)).went_down, 3);
    assert_eq!(status.view(PolicyId(6)).returning()[0].view.slot(SlotId(2)).went_down, 1);
}

#[test]
fn no_policy_sees_the_view_of_another_past_65536() {
    let (count, policy) = (65_540u32, policy(1, 50));
    let policies = vec![policy; count as usize];
    let returning = (0..count).map(|number| returning(number, &[number + 1])).collect();
    let health_state =
        HealthState { slots: vec![SlotHealth::default()], returning, ..HealthState::default() };
    let status = Status::new(auto(1), &slots(1), &policies, &health_state, Vec::new());
    for index in [0, 1, 65_535, 65_536, count - 1] {
        assert_eq!(status.view(PolicyId(index)).returning()[0].view.slot(SlotId(0)).went_down, index + 1);
    }
}

type Row = (&'static str, &'static [(u16, Supposed)], bool, usize);

/// Five PoPs of which the first two are up while the pool returns: rows of suppositions, and
/// whether it goes on, and how many PoPs a list sees up.
#[test]
fn what_is_supposed_of_a_pool_on_its_way_back() {
    use Supposed::{Down, Drain, Up};
    let (slots, policies) = (slots(5), [policy(5, 50)]);
    let down = SlotHealth { down_v4: 1, went_down: 1, ..SlotHealth::default() };
    let health_state = HealthState {
        slots: [vec![SlotHealth::default(); 2], vec![down; 3]].concat(),
        returning: vec![returning(0, &[1, 2, 3, 4, 5])],
        ..HealthState::default()
    };
    let status = Status::new(auto(5), &slots, &policies, &health_state, Vec::new());
    let list = PreferenceList {
        cname: None,
        entries: [].into(),
        tail: false,
        pool: PoolNumber::OPEN,
        ttl: TtlRange { min_secs: 1, max_secs: 2 },
        answers: 1,
        when_all_down: AllDown::AsIfUp,
    };
    let rows: [Row; 8] = [
        ("nothing", &[], true, 0),
        ("one of two that are up is down", &[(0, Down)], true, 0),
        ("both are down: all is down again", &[(0, Down), (1, Down)], false, 0),
        ("a third of five is up: enough", &[(2, Up)], false, 3),
        ("one for one", &[(0, Down), (2, Up)], true, 0),
        ("both for one, in whatever order", &[(0, Down), (1, Down), (2, Up)], true, 0),
        ("an operator drains one that is up, and so decides", &[(0, Drain)], false, 2),
        ("an operator drains one that is down", &[(4, Drain)], true, 0),
    ];
    for (what, supposed, goes_on, up) in rows {
        let supposed: Vec<_> = supposed.iter().map(|(pop, what)| (PopId(*pop), *what)).collect();
        let status = status.supposing(&slots, &policies, &supposed);
        let seen = status.view(PolicyId(0)).of(&list);
        assert_eq!(!status.view(PolicyId(0)).returning().is_empty(), goes_on, "{what}");
        assert_eq!(seen.slots().iter().filter(|slot| slot.up != 0).count(), up, "{what}");
    }
}

/// What a policy offers follows what is supposed, also of a PoP that was switched off by hand.
#[test]
fn what_is_supposed_counts_as_offered() {
    let (slots, policies) = (slots(1), [policy(1, 50)]);
    let off = vec![PopStatus { state: AdminState::Down, ..auto(1)[0] }];
    let status = Status::new(off, &slots, &policies, &HealthState::default(), vec![]);
    assert!(!status.offers(&policies[0], V4));
    assert!(status.supposing(&slots, &policies, &[(PopId(0), Supposed::Drain)]).offers(&policies[0], V4));
}
