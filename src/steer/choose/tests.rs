//! Choices over three PoPs, as rows: the list, what is up, and who is chosen.

use super::*;
use crate::finding::{At, FileId};
use crate::geo::trie::Trie;
use crate::steer::plan::Target;
use crate::steer::policy::{Share, TtlRange};
use crate::steer::pop::{AdminState, Pop, Service, WeightedAddress};
use crate::steer::status::Verdict;
use crate::steer::table::{Slot, V4, V6};
use crate::wire::hash;
use crate::wire::name::Name;
use std::net::{Ipv4Addr, Ipv6Addr};

const AT: At = At { file: FileId(0), line: 1, column: 1, start: 0, end: 0 };
const NAMES: [&str; 3] = ["aa", "bb", "cc"];

/// One PoP as a word of a row: families it has, state, and which families probes call down. Such as
/// `46`, `4 drain`, `46 -6` (IPv6 down), `46 -` (all down).
fn pop(name: &str, word: &str) -> (Pop, Slot, Families) {
    let (has, state) = word.split_once(' ').unwrap_or((word, ""));
    let has4 = has.contains('4');
    let has6 = has.contains('6');
    let (v4, v6) = (Ipv4Addr::new(192, 0, 2, 1), Ipv6Addr::LOCALHOST);
    let service = Service {
        name: "default".into(),
        v4: if has4 { vec![WeightedAddress { address: v4, weight: 100 }] } else { vec![] },
        v6: if has6 { vec![WeightedAddress { address: v6, weight: 100 }] } else { vec![] },
        https: None,
        probes: vec![],
        at: AT,
    };
    let (weight, admin, down) = match state {
        "" => (100, AdminState::Auto, 0),
        "zero" => (0, AdminState::Auto, 0),
        "drain" => (100, AdminState::Drain, 0),
        "drain -" => (100, AdminState::Drain, V4 | V6),
        "off" => (100, AdminState::Down, 0),
        "-" => (100, AdminState::Auto, V4 | V6),
        "-4" => (100, AdminState::Auto, V4),
        "-6" => (100, AdminState::Auto, V6),
        "forced -" => (100, AdminState::Up, V4 | V6),
        other => panic!("{other}"),
    };
    let pop = Pop {
        name: name.into(),
        coordinates: None,
        country: None,
        weight,
        bias_km: 0,
        state: admin,
        capacity: None,
        tags: vec![],
        services: vec![service],
        at: AT,
    };
    let slot = Slot {
        pop: PopId(0),
        v4: pop.services[0].v4.iter().map(|a| SharedAddress { address: a.address, weight: 100, seed: 1 }).collect(),
        v6: pop.services[0].v6.iter().map(|a| SharedAddress { address: a.address, weight: 100, seed: 1 }).collect(),
        https: None,
    };
    (pop, slot, down)
}

struct Scene {
    policy: PolicyTable,
    identities: Vec<PopIdentity>,
    status: Status,
}

/// `bands` is as in `0 1=2`: numbers of PoPs, `x` the CNAME.
fn entries(bands: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (band, members) in bands.split_whitespace().enumerate() {
        for member in members.split('=') {
            let target = member.parse().map_or(Target::cname(0), |index| Target::pop(PopId(index)));
            entries.push(Entry { target, band: band as u16, weight: OWN_WEIGHT });
        }
    }
    entries
}

fn scene(tail: &str, words: [&str; 3]) -> Scene {
    let made: Vec<_> = NAMES.iter().zip(words).map(|(name, word)| pop(name, word)).collect();
    let pops: Vec<Pop> = made.iter().map(|(pop, ..)| pop.clone()).collect();
    let slots: Vec<Slot> = made.iter().enumerate().map(|(i, (_, slot, _))| Slot { pop: PopId(i as u16), ..slot.clone() }).collect();
    let status =
        Status::new(&pops, &slots, |slot, family| if made[usize::from(slot.pop.0)].2 & family != 0 { Verdict::Down } else { Verdict::Up });
    let policy = PolicyTable {
        name: "web".into(),
        slots: [0, 1, 2].into(),
        families: V4 | V6,
        https: false,
        cnames: [Name::parse("x.example.", None).unwrap()].into(),
        tail: entries(tail).into(),
        members: entries("0=1=2").into(),
        plans: [].into(),
        choices: [].into(),
        routes: [Trie::constant(0).into()].into(),
        resolver_classes: None,
        ecs: true,
        share: Share::Sticky,
        shares: true,
        located: false,
        cell_v4: 20,
        cell_v6: 40,
        scopes: 2,
    };
    let identities = NAMES.iter().map(|n| PopIdentity { name: (*n).into(), seed: hash::octets(n.as_bytes()) }).collect();
    Scene { policy, identities, status }
}

fn plan(bands: &str, tail: bool, when_all_down: AllDown) -> Plan {
    let ttl = TtlRange { min_secs: 1, max_secs: 2 };
    Plan { cname: None, entries: entries(bands).into(), tail, fence: false, ttl, answers: 1, when_all_down }
}

fn chosen(scene: &Scene, plan: &Plan, family: Option<Families>, key: u64) -> String {
    let question = Question { policy: &scene.policy, plan, pops: &scene.identities, status: &scene.status, key, family };
    match choose(question, &mut Blind) {
        Choice::Pop { pop, resort: Resort::Regular, .. } => NAMES[usize::from(pop.0)].to_owned(),
        Choice::Pop { pop, resort, .. } => format!("{} {resort:?}", NAMES[usize::from(pop.0)]),
        Choice::Cname(index) => format!("CNAME {}", scene.policy.cnames[usize::from(index)]),
        Choice::NoData => "no data".to_owned(),
        Choice::ServFail => "SERVFAIL".to_owned(),
    }
}

/// Who is chosen for A from the list `aa, bb, cc`, one after the other, nothing behind it.
#[test]
fn the_order_of_desperation() {
    let rows = [
        ("the first", ["46", "46", "46"], "aa"),
        ("down by probes: the next", ["46 -", "46", "46"], "bb"),
        ("drained: the next", ["46 drain", "46", "46"], "bb"),
        ("weight 0: the next", ["46 zero", "46", "46"], "bb"),
        ("off by hand: the next", ["46 off", "46", "46"], "bb"),
        ("forced up: probes are ignored", ["46 forced -", "46", "46"], "aa"),
        ("the drained before the dead", ["46 -", "46 drain", "46 -"], "bb LastResort"),
        ("all are down: as if up", ["46 -", "46 -", "46 -"], "aa AsIfUp"),
        ("all are down, the drained after the regular", ["46 drain -", "46 -", "46 -"], "bb AsIfUp"),
        ("all are down and drained", ["46 drain -", "46 drain -", "46 off"], "aa AsIfUpLastResort"),
        ("off by hand is never answered", ["46 off", "46 -", "46 off"], "bb AsIfUp"),
        ("nothing may be answered", ["46 off", "46 off", "46 off"], "SERVFAIL"),
        ("the first has no IPv4: that family alone goes on", ["6", "46", "46"], "bb"),
        ("IPv4 is down there: that family alone goes on", ["46 -4", "46", "46"], "bb"),
        ("only the last has IPv4, and it is down", ["6", "6", "46 -"], "cc AsIfUp"),
    ];
    for (what, words, expected) in rows {
        assert_eq!(chosen(&scene("0 1 2", words), &plan("0 1 2", false, AllDown::AsIfUp), Some(V4), 1), expected, "{what}");
    }
}

/// Whatever the key, an equal that passes in every family comes before one that does not; no band is
/// skipped for a family's sake.
#[test]
fn families_and_bands() {
    for key in 0..200 {
        let list = plan("0=1 2", false, AllDown::AsIfUp);
        assert_eq!(chosen(&scene("0 1 2", ["4", "46", "46"]), &list, Some(V4), key), "bb", "the equal with both families");
        assert_eq!(chosen(&scene("0 1 2", ["4", "46 -6", "46"]), &list, Some(V6), key), "cc", "IPv6 goes on alone");
        let v4 = chosen(&scene("0 1 2", ["4", "46 -6", "46"]), &list, Some(V4), key);
        assert_ne!(v4, "cc", "the band stays for IPv4");
    }
}

/// A, AAAA and HTTPS are one decision.
#[test]
fn one_decision_for_all_types() {
    let scene = scene("0 1 2", ["46", "46", "46"]);
    let list = plan("0=1=2", false, AllDown::AsIfUp);
    let mut seen = std::collections::BTreeSet::new();
    for key in 0..200 {
        let of = |family| chosen(&scene, &list, family, key);
        assert_eq!(of(Some(V4)), of(Some(V6)));
        assert_eq!(of(Some(V4)), of(None));
        seen.insert(of(None));
    }
    assert_eq!(seen.len(), 3, "equals share");
}

/// What a policy says for all down; the tail is part of the list.
#[test]
fn when_all_is_down() {
    let down = ["46 -", "46 -", "46 -"];
    let rows = [
        ("the tail is tried first", plan("0", true, AllDown::ServFail), ["46 -", "46", "46"], "bb"),
        ("a fence has no tail", plan("0", false, AllDown::ServFail), ["46 -", "46", "46"], "SERVFAIL"),
        ("a CNAME", plan("0 1 2", true, AllDown::Cname(0)), down, "CNAME x.example."),
        ("no data, since the whole policy is down", plan("0", false, AllDown::NoData), down, "no data"),
        ("no data is for all or nobody: as if up", plan("0", false, AllDown::NoData), ["46 -", "46", "46 -"], "aa AsIfUp"),
        ("a member of a rule alone keeps the policy up", plan("0 1", false, AllDown::NoData), ["46 -", "46 -", "46"], "aa AsIfUp"),
        ("a CNAME among the candidates is never down", plan("0 x", false, AllDown::AsIfUp), down, "CNAME x.example."),
    ];
    for (what, plan, words, expected) in rows {
        assert_eq!(chosen(&scene("0 1", words), &plan, Some(V4), 1), expected, "{what}");
    }
    let ruled = Plan { cname: Some(0), ..plan("0 1 2", true, AllDown::AsIfUp) };
    assert_eq!(chosen(&scene("0 1 2", ["46", "46", "46"]), &ruled, Some(V4), 1), "CNAME x.example.", "a rule's CNAME comes before all");
}

/// A fence without the asked family answers from the policy's own order rather than deny the type.
#[test]
fn a_type_exists_for_all() {
    let scene = scene("1 2", ["6", "46", "46"]);
    assert_eq!(chosen(&scene, &plan("0", false, AllDown::AsIfUp), Some(V4), 1), "bb");
}

/// Addresses: as many as asked for, each once, those of weight 0 only among themselves.
#[test]
fn addresses_are_picked() {
    let address = |n: u8, weight| SharedAddress { address: n, weight, seed: hash::octets(&[n]) };
    let picked = |list: &[SharedAddress<u8>], answers, key| {
        let (indexes, count) = pick(list, answers, key);
        let mut all: Vec<u8> = indexes[..count].iter().map(|i| list[usize::from(*i)].address).collect();
        all.sort_unstable();
        all
    };
    let mixed = [address(1, 100), address(2, 100), address(3, 0), address(4, 100)];
    let mut counts = [0; 5];
    for key in 0..3_000 {
        assert_eq!(picked(&mixed, 16, key), [1, 2, 4], "weight 0 is left out");
        assert_eq!(picked(&mixed[2..3], 1, key), [3], "unless all are 0");
        let two = picked(&mixed, 2, key);
        assert!(two.len() == 2 && two[0] < two[1]);
        two.iter().for_each(|n| counts[usize::from(*n)] += 1);
        // Without an address only its own places move.
        let without = picked(&[mixed[0], mixed[1]], 1, key);
        let one = picked(&mixed, 1, key);
        assert!(one == [4] || one == without);
    }
    assert!([1, 2, 4].iter().all(|n| (1_850..2_150).contains(&counts[*n])), "{counts:?}");
    assert!(picked(&[], 3, 1).is_empty());
}
