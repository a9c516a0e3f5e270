//! Laws 2 and 3 as far as they hold inside one process: a snapshot is whole and never changes;
//! bad input gives findings and no snapshot.

use crate::reply::got;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::wire::rr::RrType;
use support::{Tree, load, sample, with_down};

/// Law 2: a change of health publishes a new root; who holds the old one sees the old answers, and
/// zones and steering are the same parts.
#[test]
fn a_snapshot_never_changes() {
    let world = sample();
    let old = world.snapshot.clone();
    let asked = || {
        got(
            &old,
            "www.shop.example.",
            RrType::A,
            Some(Prefix::new("198.51.100.0".parse().unwrap(), 24)),
            "192.0.2.1".parse().unwrap(),
            0,
        )
    };
    let before = asked();
    let new = with_down(&world, &["iad"]);
    assert_eq!(before, asked());
    assert_eq!(new.sequence(), old.sequence() + 1);
    assert!(
        std::sync::Arc::ptr_eq(&new.zones, &old.zones)
            && std::sync::Arc::ptr_eq(&new.steering, &old.steering)
    );
    assert_ne!(new.digest(), old.digest());
}

/// Law 3: each fault, in whichever file, refuses the whole; the sentence tells the file.
#[test]
fn bad_input_gives_findings_and_no_snapshot() {
    let rows = [
        (
            "a PoP that does not exist",
            Tree::sample().replacing("policies.yaml", "pops: [fra] }", "pops: [frx] }"),
            "policies.yaml",
        ),
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

/// Law 2, of the words that tell a reload: what changed is named, and nothing else. Numbers of
/// policies never cross snapshots, so a new policy before others changes no name.
#[test]
fn the_difference_tells_what_changed() {
    let shared = |new: &str| {
        Tree::sample().replacing("policies.yaml", "\npolicies:\n", &format!("\npolicies:\n{new}"))
    };
    let rows = [
        ("nothing", Tree::sample(), &[][..]),
        ("a policy before all others", shared("  a: { pops: [fra] }\n"), &["policy a: new"]),
        (
            "the target of a rule",
            Tree::sample().replacing(
                "policies.yaml",
                "cname: edge.partner-cdn.example.",
                "cname: other.partner-cdn.example.",
            ),
            &["policy web: "],
        ),
        (
            "the policy of a name",
            Tree::sample().replacing(
                "zones/cdn.example.yaml",
                "video.edge: { steer: video }",
                "video.edge: { steer: nearest }",
            ),
            &["zone cdn.example.: 0 names added, 0 removed, 1 changed"],
        ),
    ];
    let old = sample().snapshot;
    for (what, tree, expected) in rows {
        let new = load(&tree).unwrap_or_else(|findings| panic!("{what}: {findings}")).snapshot;
        let told = meridian::testing::impact::difference(&old, &new);
        let lines = told.lines();
        assert!(
            lines.len() == expected.len()
                && lines.iter().zip(expected).all(|(line, words)| line.starts_with(words)),
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
