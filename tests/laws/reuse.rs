//! What a reload takes over from the snapshot before, and that the difference stays right.

use meridian::testing::config;
use meridian::testing::impact::difference;
use meridian::testing::snapshot::{self, Snapshot};
use std::path::Path;
use std::sync::Arc;
use support::Tree;

fn compiled(tree: &Tree, previous: Option<&Arc<Snapshot>>) -> Arc<Snapshot> {
    let loaded = config::read_deployment(Path::new("meridian.yaml"), tree);
    let deployment = loaded.deployment.unwrap_or_else(|| panic!("{:?}", loaded.findings));
    let (snapshot, findings) =
        snapshot::compile(&deployment, previous, previous.map_or(1, |p| p.sequence() + 1));
    Arc::new(snapshot.unwrap_or_else(|| panic!("{findings:?}")))
}

/// Apexes of the images that `new` shares with `old`.
fn shared(old: &Snapshot, new: &Snapshot) -> Vec<String> {
    let is_old = |image: &&Arc<_>| old.zones.iter().any(|o| Arc::ptr_eq(o, image));
    let apex = |image: &Arc<meridian::testing::zone::image::Image>| {
        meridian::testing::wire::name::Name::from_wire(image.apex()).unwrap().to_string()
    };
    new.zones.iter().filter(is_old).map(apex).collect()
}

/// A change, whether the steering is taken over, the zones that are, and a line of the difference.
type Row = (&'static str, Tree, bool, &'static [&'static str], Option<&'static str>);

/// Each row: a change, whether the steering is taken over, the zones that are, and a line that the
/// difference must have (none: nothing differs).
#[test]
fn what_did_not_change_is_taken_over() {
    let sample = Tree::sample;
    let all: &[&str] = &["cdn.example.", "media.example.", "shop.example."];
    let rows: [Row; 8] = [
        ("nothing", sample(), true, all, None),
        (
            "a record of one zone",
            sample().replacing("zones/shop.example.yaml", "A: 203.0.113.26", "A: 203.0.113.27"),
            true,
            &["cdn.example.", "media.example."],
            Some("zone shop.example.: 0 names added, 0 removed, 1 changed"),
        ),
        (
            "a comment in a zone: built anew, and no different",
            sample().with("zones/shop.example.yaml", sample().text("zones/shop.example.yaml") + "# end\n"),
            true,
            &["cdn.example.", "media.example."],
            Some("files changed in nothing"),
        ),
        (
            "a comment in the PoPs",
            sample().with("pops.yaml", sample().text("pops.yaml") + "# end\n"),
            false,
            all,
            Some("files changed in nothing"),
        ),
        (
            "a policy in front of the others: steered owners have other numbers, and the same policies",
            sample().replacing("policies.yaml", "policies:\n", "policies:\n  aaa:\n    pops: [fra]\n"),
            false,
            &[],
            Some("policy aaa: new"),
        ),
        (
            "the site of the node",
            sample().replacing("meridian.yaml", "site: ", "site: iad #"),
            false,
            all,
            Some("node: site fra -> iad"),
        ),
        (
            "zone text that comes in",
            sample().with(
                "zones/text.example.zone",
                "@ 300 IN SOA ns1 h 1 2 3 4 5\n@ 300 IN NS ns1\nns1 300 IN A 192.0.2.1\n",
            ),
            true,
            all,
            Some("zone text.example.: new"),
        ),
        ("the database", other_database(), false, all, Some("database geoip/places.mmdb: other content")),
    ];
    let old = compiled(&sample(), None);
    for (what, tree, steering, zones, line) in rows {
        let new = compiled(&tree, Some(&old));
        assert_eq!(Arc::ptr_eq(&old.steering, &new.steering), steering, "{what}");
        assert_eq!(shared(&old, &new), zones, "{what}");
        let difference = difference(&old, &new);
        assert_eq!(new.databases(), compiled(&tree, None).databases(), "{what}");
        assert_eq!(new.digest(), compiled(&tree, None).digest(), "{what}");
        match line {
            None => assert!(difference.is_empty(), "{what}: {difference}"),
            Some(line) => {
                assert!(difference.lines().iter().any(|l| l.starts_with(line)), "{what}: {difference}")
            }
        }
        if what.starts_with("a policy in front") {
            assert!(!difference.to_string().contains("zone "), "{difference}");
        }
    }
}

/// The sample's database with an octet behind its end, which its readers ignore.
fn other_database() -> Tree {
    let mut octets = std::fs::read(Tree::sample().base.join("geoip/places.mmdb")).unwrap();
    octets.push(0);
    Tree::sample().with("geoip/places.mmdb", octets)
}

/// A file that zone text includes belongs to what its zone depends on, and to no YAML zone.
#[test]
fn an_included_file_counts() {
    let text = "@ 300 IN SOA ns1 h 1 2 3 4 5\n@ 300 IN NS ns1\nns1 300 IN A 192.0.2.1\n$INCLUDE hosts.inc\n";
    let with = |address: &str| {
        Tree::sample()
            .with("zones/text.example.zone", text)
            .with("zones/hosts.inc", format!("www 300 IN A {address}\n"))
    };
    let old = compiled(&with("192.0.2.2"), None);
    let all = ["cdn.example.", "media.example.", "shop.example.", "text.example."];
    assert_eq!(shared(&old, &compiled(&with("192.0.2.2"), Some(&old))), all);
    let new = compiled(&with("192.0.2.3"), Some(&old));
    assert_eq!(shared(&old, &new), all[..3]);
    assert_eq!(
        difference(&old, &new).to_string(),
        "zone text.example.: 0 names added, 0 removed, 1 changed; ~ www.text.example.\n"
    );
}
