//! Laws 2, 3 and 7 as far as they hold inside one process: a snapshot is whole and never changes;
//! bad input gives findings and no snapshot; what is explained is what is served.

use crate::dice::Dice;
use crate::reply::got;
use crate::support::{Tree, ask, load, query, sample, with_down};
use meridian::answer::{Client, Moment, Step, Trace, Transport, Verdict, respond_traced};
use meridian::geo::prefix::Prefix;
use meridian::snapshot::Snapshot;
use meridian::snapshot::vantage::Decision;
use meridian::steer::choose::{Blind, Choice};
use meridian::steer::table::PolicyTable;
use meridian::wire::rr::RrType;

/// Law 2: a change of health publishes a new root; who holds the old one sees the old answers, and
/// zones and steering are the same parts.
#[test]
fn a_snapshot_never_changes() {
    let world = sample();
    let old = world.snapshot.clone();
    let asked = || {
        got(&old, "www.shop.example.", RrType::A, Some(Prefix::new("198.51.100.0".parse().unwrap(), 24)), "192.0.2.1".parse().unwrap(), 0)
    };
    let before = asked();
    let new = with_down(&world, &["iad"]);
    assert_eq!(before, asked());
    assert_eq!(new.sequence(), old.sequence() + 1);
    assert!(std::sync::Arc::ptr_eq(&new.zones, &old.zones) && std::sync::Arc::ptr_eq(&new.steering, &old.steering));
    assert_ne!(new.digest(), old.digest());
}

/// Law 3: each fault, in whichever file, refuses the whole; the sentence tells the file.
#[test]
fn bad_input_gives_findings_and_no_snapshot() {
    let rows = [
        ("a PoP that does not exist", Tree::sample().replacing("policies.yaml", "pops: [fra] }", "pops: [frx] }"), "policies.yaml"),
        (
            "a policy that does not exist",
            Tree::sample().replacing("zones/cdn.example.yaml", "steer: web", "steer: wib"),
            "zones/cdn.example.yaml",
        ),
        ("YAML that does not end", Tree::sample().with("pops.yaml", "pops: {"), "pops.yaml"),
        ("a database cut short", cut_database(), "geoip/places.mmdb"),
        ("a database of nothing", Tree::sample().with("geoip/places.mmdb", ""), "geoip/places.mmdb"),
        (
            "a record that cannot be read",
            Tree::sample().replacing("zones/shop.example.yaml", "A: 203.0.113.26", "A: 203.0.113.256"),
            "zones/shop.example.yaml",
        ),
    ];
    for (what, tree, file) in rows {
        match load(&tree) {
            Ok(_) => panic!("{what} was loaded"),
            Err(findings) => assert!(findings.contains(file), "{what}: {findings}"),
        }
    }
}

/// Law 2, of the words that tell a reload: what changed is named, and nothing else. Numbers of policies
/// never cross snapshots, so a new policy before others changes no name.
#[test]
fn the_difference_tells_what_changed() {
    let shared = |new: &str| Tree::sample().replacing("policies.yaml", "\npolicies:\n", &format!("\npolicies:\n{new}"));
    let rows = [
        ("nothing", Tree::sample(), &[][..]),
        ("a policy before all others", shared("  a: { pops: [fra] }\n"), &["policy a: new"]),
        (
            "the target of a rule",
            Tree::sample().replacing("policies.yaml", "cname: edge.partner-cdn.example.", "cname: other.partner-cdn.example."),
            &["policy web: changed ("],
        ),
        (
            "the policy of a name",
            Tree::sample().replacing("zones/cdn.example.yaml", "video.edge: { steer: video }", "video.edge: { steer: nearest }"),
            &["zone cdn.example.: 0 names added, 0 removed, 1 changed"],
        ),
    ];
    let old = sample().snapshot;
    for (what, tree, expected) in rows {
        let new = load(&tree).unwrap_or_else(|findings| panic!("{what}: {findings}")).snapshot;
        let told = meridian::snapshot::difference(&old, &new);
        let lines = told.lines();
        assert!(
            lines.len() == expected.len() && lines.iter().zip(expected).all(|(line, words)| line.starts_with(words)),
            "{what}: {lines:?}"
        );
    }
}

fn cut_database() -> Tree {
    let tree = Tree::sample();
    let octets = std::fs::read(tree.base.join("geoip/places.mmdb")).unwrap();
    let half = octets[..octets.len() / 2].to_vec();
    tree.with("geoip/places.mmdb", half)
}

/// Sees everything.
#[derive(Default)]
struct Attentive {
    blind: Blind,
    seen: usize,
}

impl Trace for Attentive {
    type Watch = Blind;
    fn watch(&mut self) -> &mut Blind {
        &mut self.blind
    }
    fn step(&mut self, _: &Snapshot, _: &Step<'_>) {
        self.seen += 1;
    }
    fn decision(&mut self, _: &PolicyTable, _: &Decision<'_>) {
        self.seen += 1;
    }
    fn choice(&mut self, _: &Snapshot, _: &PolicyTable, _: Choice) {
        self.seen += 1;
    }
    fn picked(&mut self, _: usize, _: usize, _: u32) {
        self.seen += 1;
    }
}

/// Law 7: the same octets with a trace and without.
#[test]
fn a_traced_answer_is_the_served_answer() {
    let world = sample();
    let dice = &mut Dice(5);
    let names =
        ["www.shop.example.", "global.edge.cdn.example.", "none.cdn.example.", "lab.cdn.example.", "cdn.media.example.", "elsewhere.test."];
    for _ in 0..20_000 {
        let rtype = *dice.pick(&[RrType::A, RrType::AAAA, RrType::TXT, RrType::ANY, RrType::NS]);
        let (from, draw) = (dice.client(&[]), dice.roll());
        let ecs = if dice.once_in(3) { None } else { Some(Prefix::host(dice.client(&[]))) };
        let packet = query(dice.pick::<&str>(&names), rtype, ecs);
        let (outcome, served) = ask(&world.snapshot, &packet, from, draw);
        let mut out = vec![0; 65_535];
        let mut trace = Attentive::default();
        let client = Client { address: from, transport: Transport::Udp };
        let traced = respond_traced(&world.snapshot, &packet, &client, Moment { draw, epoch_secs: 0 }, &mut out, &mut trace);
        assert_eq!(outcome, traced);
        if let Verdict::Reply(len) = traced.verdict {
            assert_eq!(served, out[..len]);
        }
    }
}
