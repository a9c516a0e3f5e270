//! Choices over three PoPs, as rows: the list, what is up, and who is chosen.

mod horizon;
mod outages;

use super::*;
use crate::finding::{At, FileId};
use crate::geo::trie::Trie;
use crate::health::health_state::{HealthState, NO_HORIZON, SlotHealth};
use crate::health::targets::{PolicyId, SlotId};
use crate::steer::policy::{Sharing, TtlRange};
use crate::steer::pop::{AdminState, Pop, Service, WeightedAddress};
use crate::steer::pop_status::{PopStatus, Shed};
use crate::steer::preference_list::{EntryTarget, PoolNumber};
use crate::steer::table::SharedAddress;
use crate::steer::table::{Slot, V4, V6};
use crate::wire::hash;
use crate::wire::name::Name;
use std::net::{Ipv4Addr, Ipv6Addr};

const AT: At = At { file: FileId(0), line: 1, column: 1, start: 0, end: 0 };
const NAMES: [&str; 3] = ["aa", "bb", "cc"];

/// One PoP as a word of a row: families it has, state, which families probes call down, and `~`
/// where it flaps. Such as `46`, `4 drain`, `46 -6` (IPv6 down), `46 -` (all down).
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
        capacity: None,
        load: None,
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
        "~" | "~ zero" | "~ drain" => (
            if state == "~ zero" { 0 } else { 100 },
            if state == "~ drain" { AdminState::Drain } else { AdminState::Auto },
            0,
        ),
        "forced -" => (100, AdminState::Up, V4 | V6),
        other => panic!("{other}"),
    };
    let pop = Pop { weight, state: admin, services: vec![service], ..Pop::bare(name, At::whole(FileId(0))) };
    let slot = Slot {
        pop: PopId(0),
        v4: pop.services[0]
            .v4
            .iter()
            .map(|a| SharedAddress { address: a.address, weight: 100, seed: 1 })
            .collect(),
        v6: pop.services[0]
            .v6
            .iter()
            .map(|a| SharedAddress { address: a.address, weight: 100, seed: 1 })
            .collect(),
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
            let target = member.parse().map_or(EntryTarget::cname(0), |index| EntryTarget::pop(PopId(index)));
            entries.push(Entry { target, band: band as u16, weight: OWN_WEIGHT });
        }
    }
    entries
}

fn scene(tail: &str, words: [&str; 3]) -> Scene {
    scene_after(tail, words, [1, 2, 3])
}

/// [`scene`] in which the PoPs that are down went down in this order.
fn scene_after(tail: &str, words: [&str; 3], went_down: [u32; 3]) -> Scene {
    let made: Vec<_> = NAMES.iter().zip(words).map(|(name, word)| pop(name, word)).collect();
    let pops: Vec<Pop> = made.iter().map(|(pop, ..)| pop.clone()).collect();
    let slots: Vec<Slot> = made
        .iter()
        .enumerate()
        .map(|(i, (_, slot, _))| Slot { pop: PopId(i as u16), ..slot.clone() })
        .collect();
    let policy = PolicyTable {
        index: PolicyId(0),
        name: "web".into(),
        slots: [SlotId(0), SlotId(1), SlotId(2)].into(),
        families: V4 | V6,
        https: false,
        cnames: [Name::parse("x.example.", None).unwrap()].into(),
        tail: entries(tail).into(),
        // Candidates of lists are members, CNAMEs too.
        members: entries(if tail.contains('x') { "0=1=2=x" } else { "0=1=2" }).into(),
        pools: [[PopId(0), PopId(1), PopId(2)].into()].into(),
        preference_lists: [].into(),
        choices: [].into(),
        routes: [Trie::constant(0).into()].into(),
        resolver_classes: None,
        ecs: true,
        share: Sharing::Sticky,
        by_cell: true,
        located: false,
        cell_v4: 20,
        cell_v6: 40,
        cell_routes: [Trie::constant(0).into()].into(),
        up_threshold_percent: 50,
        scopes: 2,
        overruled: 0,
    };
    let policies = [policy];
    let mask = |down: Families, family| if down & family != 0 { 1 } else { 0 };
    let health = |(index, (_, slot, down)): (usize, &(Pop, Slot, Families))| SlotHealth {
        down_v4: mask(*down, V4),
        down_v6: mask(*down, V6),
        damped_v4: u64::from(words[index].contains('~')),
        damped_v6: u64::from(words[index].contains('~')),
        went_down: if slot.families() & !down == 0 { went_down[index] } else { 0 },
        ..SlotHealth::default()
    };
    let health_state =
        HealthState { slots: made.iter().enumerate().map(health).collect(), ..HealthState::default() };
    let status =
        Status::new(pops.iter().map(PopStatus::of).collect(), &slots, &policies, &health_state, vec![]);
    let [policy] = policies;
    let identities =
        NAMES.iter().map(|n| PopIdentity { name: (*n).into(), seed: hash::octets(n.as_bytes()) }).collect();
    Scene { policy, identities, status }
}

fn preference_list(bands: &str, tail: bool, when_all_down: AllDown) -> PreferenceList {
    let ttl = TtlRange { min_secs: 1, max_secs: 2 };
    PreferenceList {
        cname: None,
        entries: entries(bands).into(),
        tail,
        pool: PoolNumber::OPEN,
        ttl,
        answers: 1,
        when_all_down,
    }
}

fn question<'a>(
    scene: &'a Scene,
    preference_list: &'a PreferenceList,
    family: Option<Families>,
) -> ChoiceInputs<'a> {
    let view = scene.status.view(PolicyId(0));
    ChoiceInputs {
        policy: &scene.policy,
        preference_list,
        pops: &scene.identities,
        status: &scene.status,
        view,
        family,
    }
}

fn chosen(scene: &Scene, preference_list: &PreferenceList, family: Option<Families>, key: u64) -> String {
    let question = question(scene, preference_list, family);
    let choice = choose(question, &|| key, &mut NoChoiceTrace);
    assert_eq!(
        contended(question, &|| key, &mut NoChoiceTrace),
        choice,
        "without a scan the same comes out as by one"
    );
    match choice.0 {
        Choice::Pop { pop, resort: Resort::Regular, .. } => NAMES[pop.index()].to_owned(),
        Choice::Pop { pop, resort, .. } => format!("{} {resort:?}", NAMES[pop.index()]),
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
        ("what flaps: the next", ["46 ~", "46", "46"], "bb"),
        ("what flaps before the dead", ["46 -", "46 ~", "46 -"], "bb LastResort"),
        ("what flaps beside the drained", ["46 drain", "46 ~", "46 -"], "aa LastResort"),
        ("drained and flapping", ["46 ~ drain", "46 -", "46 -"], "aa LastResort"),
        ("of weight 0 and flapping", ["46 ~ zero", "46", "46 -"], "bb"),
        ("all flap: they serve as they are", ["46 ~", "46 ~", "46 ~"], "aa LastResort"),
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
        assert_eq!(
            chosen(&scene("0 1 2", words), &preference_list("0 1 2", false, AllDown::AsIfUp), Some(V4), 1),
            expected,
            "{what}"
        );
    }
}

/// Whatever the key, an equal that passes in every family comes before one that does not; no band
/// is skipped for a family's sake.
#[test]
fn families_and_bands() {
    for key in 0..200 {
        let list = preference_list("0=1 2", false, AllDown::AsIfUp);
        assert_eq!(
            chosen(&scene("0 1 2", ["4", "46", "46"]), &list, Some(V4), key),
            "bb",
            "the equal with both families"
        );
        assert_eq!(
            chosen(&scene("0 1 2", ["4", "46 -6", "46"]), &list, Some(V6), key),
            "cc",
            "IPv6 goes on alone"
        );
        let v4 = chosen(&scene("0 1 2", ["4", "46 -6", "46"]), &list, Some(V4), key);
        assert_ne!(v4, "cc", "the band stays for IPv4");
    }
}

/// A, AAAA and HTTPS are one decision.
#[test]
fn one_decision_for_all_types() {
    let scene = scene("0 1 2", ["46", "46", "46"]);
    let list = preference_list("0=1=2", false, AllDown::AsIfUp);
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
        (
            "the tail is tried first",
            preference_list("0", true, AllDown::ServFail),
            ["46 -", "46", "46"],
            "bb",
        ),
        (
            "a fence has no tail",
            preference_list("0", false, AllDown::ServFail),
            ["46 -", "46", "46"],
            "SERVFAIL",
        ),
        ("a CNAME", preference_list("0 1 2", true, AllDown::Cname(0)), down, "CNAME x.example."),
        (
            "no data, since the whole policy is down",
            preference_list("0", false, AllDown::NoData),
            down,
            "no data",
        ),
        (
            "no data is for all or nobody: as if up",
            preference_list("0", false, AllDown::NoData),
            ["46 -", "46", "46 -"],
            "aa AsIfUp",
        ),
        (
            "a member of a rule alone keeps the policy up",
            preference_list("0 1", false, AllDown::NoData),
            ["46 -", "46 -", "46"],
            "aa AsIfUp",
        ),
        (
            "a CNAME among the candidates is never down",
            preference_list("0 x", false, AllDown::AsIfUp),
            down,
            "CNAME x.example.",
        ),
    ];
    for (what, preference_list, words, expected) in rows {
        let has_cname = preference_list.entries.iter().any(|entry| entry.target.split().is_err());
        let scene = scene(if has_cname { "0 1 x" } else { "0 1" }, words);
        assert_eq!(chosen(&scene, &preference_list, Some(V4), 1), expected, "{what}");
    }
    let ruled = PreferenceList { cname: Some(0), ..preference_list("0 1 2", true, AllDown::AsIfUp) };
    assert_eq!(
        chosen(&scene("0 1 2", ["46", "46", "46"]), &ruled, Some(V4), 1),
        "CNAME x.example.",
        "a rule's CNAME comes before all"
    );
}

/// A fence without the asked family answers from the policy's own order rather than deny the type.
#[test]
fn a_type_exists_for_all() {
    let scene = scene("1 2", ["6", "46", "46"]);
    assert_eq!(chosen(&scene, &preference_list("0", false, AllDown::AsIfUp), Some(V4), 1), "bb");
}

/// With `last_good` the candidate that went down last is answered, whatever the order; without any
/// knowledge of it, as if all were up. One that is off by hand never is.
#[test]
fn the_last_good_one() {
    let list = preference_list("0 1 2", false, AllDown::LastGood);
    let down = ["46 -", "46 -", "46 -"];
    let rows = [
        ("the last that went down", down, [1, 3, 2], "bb LastGood"),
        ("the first of two at once", down, [1, 2, 2], "bb LastGood"),
        ("nothing is known", down, [0, 0, 0], "aa AsIfUp"),
        ("off by hand", ["46 -", "46 off", "46 -"], [1, 3, 2], "cc LastGood"),
        ("one is up", ["46 -", "46 -", "46"], [1, 2, 0], "cc"),
    ];
    for (what, words, went_down, expected) in rows {
        assert_eq!(chosen(&scene_after("0 1 2", words, went_down), &list, Some(V4), 1), expected, "{what}");
    }
}

/// A PoP that sheds hands a cell to the first behind it that accepts it; the cell stays where
/// nobody does. A gradual drain sends its cells on as if the PoP were drained.
#[test]
fn cells_part() {
    let list = preference_list("0 1 2", false, AllDown::AsIfUp);
    let with = |left: u16, shed: u16, accept: [u16; 3]| {
        let mut scene = scene("0 1 2", ["46", "46", "46"]);
        let slots: Vec<Slot> = (0..3)
            .map(|i| pop(NAMES[i], "46").1)
            .zip(0..)
            .map(|(s, i)| Slot { pop: PopId(i), ..s })
            .collect();
        let mut pops: Vec<PopStatus> = (0..3).map(|i| PopStatus::of(&pop(NAMES[i], "46").0)).collect();
        pops[0].left = left;
        let sheds = vec![Shed { share: shed, accept: accept.into() }, Shed::default(), Shed::default()];
        let policies = [scene.policy];
        scene.status = Status::new(pops, &slots, &policies, &HealthState::default(), sheds);
        [scene.policy] = policies;
        scene
    };
    let counts = |scene: &Scene| {
        let mut counts = [0; 3];
        for key in 0..25_600 {
            let name = chosen(scene, &list, Some(V4), crate::wire::hash::mix(key, 7));
            counts[NAMES.iter().position(|n| *n == name).unwrap()] += 1;
        }
        counts
    };
    let near = |count: i32, wanted: i32| (count - wanted).abs() < 500;
    let rows = [
        ("nothing", with(0, 0, [0; 3]), [25_600, 0, 0]),
        ("a quarter has left", with(64, 0, [0; 3]), [19_200, 6_400, 0]),
        ("all have left", with(256, 0, [0; 3]), [0, 25_600, 0]),
        ("a quarter is shed, the next takes it", with(0, 64, [0, 256, 256]), [19_200, 6_400, 0]),
        ("a quarter is shed, the next takes half", with(0, 64, [0, 128, 256]), [19_200, 3_200, 3_200]),
        ("nobody has room: it stays", with(0, 64, [0; 3]), [25_600, 0, 0]),
        ("a half has left, of the rest a half is shed", with(128, 128, [0, 0, 256]), [6_400, 12_800, 6_400]),
    ];
    for (what, scene, expected) in rows {
        let counts = counts(&scene);
        assert!(
            counts.iter().zip(expected).all(|(count, wanted)| near(*count, wanted)),
            "{what}: {counts:?}"
        );
        assert!(scene.status.by_cell(PolicyId(0), &scene.policy));
    }
}

/// Cells leave one after the other: whoever has left at one share has left at every larger one.
#[test]
fn leaving_is_monotone() {
    let seed = hash::octets(b"aa");
    for cell in 0..500 {
        let at = |left| PopStatus { state: AdminState::Auto, weight: 1, left, horizon_secs: NO_HORIZON };
        let shedding = |share| Shed { share, accept: Default::default() };
        let (mut gone, mut shed) = (false, false);
        for left in 0..=256 {
            let (now, now_shed) = (at(left).is_left_by(|| cell, seed), shedding(left).sheds(|| cell, seed));
            assert!(now >= gone && now_shed >= shed);
            (gone, shed) = (now, now_shed);
        }
        assert!(gone && shed);
    }
}

/// What nothing is known of yet takes no clients while anybody else passes, and comes before
/// everything that a policy says for all down: unknown is not down.
#[test]
fn the_awaited_come_before_all_down() {
    for (others, all_down, expected) in [
        ("46", AllDown::ServFail, "bb"),
        ("46 -", AllDown::ServFail, "aa"),
        ("46 -", AllDown::NoData, "aa"),
        ("46 -", AllDown::Cname(0), "aa"),
        ("46 -", AllDown::AsIfUp, "aa"),
    ] {
        let mut scene = scene("0 1 2", ["46", others, others]);
        let made: Vec<_> =
            NAMES.iter().zip(["46", others, others]).map(|(name, word)| pop(name, word)).collect();
        let slots: Vec<Slot> =
            made.iter().zip(0..).map(|((_, slot, _), i)| Slot { pop: PopId(i), ..slot.clone() }).collect();
        let health = |(i, (_, _, down)): (usize, &(Pop, Slot, Families))| SlotHealth {
            down_v4: u64::from(*down != 0),
            down_v6: u64::from(*down != 0),
            is_awaited: i == 0,
            ..SlotHealth::default()
        };
        let health_state =
            HealthState { slots: made.iter().enumerate().map(health).collect(), ..HealthState::default() };
        let policies = [scene.policy];
        scene.status = Status::new(
            made.iter().map(|(pop, ..)| PopStatus::of(pop)).collect(),
            &slots,
            &policies,
            &health_state,
            vec![],
        );
        [scene.policy] = policies;
        assert_eq!(
            chosen(&scene, &preference_list("0 1 2", false, all_down), Some(V4), 1),
            expected,
            "{others} {all_down:?}"
        );
    }
}
