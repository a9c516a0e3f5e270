//! A link agrees with a look-up by name.

use super::*;
use crate::finding::{At, FileId};
use crate::steer::policy::PolicyId;
use crate::wire::name::Name;
use crate::wire::rr::{RrType, Ttl};
use crate::zone::image::{NodeId, build};
use crate::zone::text::{ChainMode, Record, SteeredOwner, Zone};
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::Arc;

const APEXES: [&str; 4] = ["example.", "sub.example.", "a.sub.example.", "other."];
/// Names collide deliberately with apexes, wildcards, cuts and each other.
const LABELS: [&str; 6] = ["a", "B", "sub", "*", "c", "a-label-of-more-than-eight-octets"];

fn at() -> At {
    At::whole(FileId(0))
}

/// Draft of a record or of a steered owner: labels below the apex, kind, and the target as labels
/// and apex.
type Draft = (Vec<&'static str>, usize, Vec<&'static str>, &'static str);

fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    let labels = || proptest::collection::vec(select(&LABELS[..]), 0..4);
    let apexes = select(&["example.", "sub.example.", "a.sub.example.", "other.", "elsewhere."][..]);
    proptest::collection::vec((labels(), 0usize..6, labels(), apexes), 0..12)
}

fn name(labels: &[&str], apex: &str) -> Name {
    let text: String = labels.iter().map(|label| format!("{label}.")).collect();
    Name::parse(&format!("{text}{apex}"), None).unwrap()
}

fn zone(apex: &str, drafts: &[Draft]) -> Zone {
    let mut zone =
        Zone { apex: name(&[], apex), records: vec![], steered: vec![], chain: ChainMode::Full, at: at() };
    // A zone without an SOA is not served, and no link leads into it.
    let soa = [zone.apex.as_wire(), zone.apex.as_wire(), &[0; 20]].concat();
    zone.records.push(Record {
        owner: zone.apex.clone(),
        rtype: RrType::SOA,
        ttl: Ttl::MAX,
        rdata: soa.into(),
        at: at(),
    });
    for (labels, kind, target, target_apex) in drafts {
        let (owner, target) = (name(labels, apex), name(target, target_apex));
        let (rtype, rdata) = match kind {
            0..=2 => (RrType::CNAME, target.as_wire()),
            3 => (RrType::NS, target.as_wire()),
            4 => (RrType::DNAME, target.as_wire()),
            _ => {
                zone.steered.push(SteeredOwner { owner, policy: PolicyId(0), ttl: None, at: at() });
                continue;
            }
        };
        zone.records.push(Record { owner, rtype, ttl: Ttl::MAX, rdata: rdata.into(), at: at() });
    }
    zone
}

fn set(drafts: &[Vec<Draft>]) -> ZoneSet {
    ZoneSet::new(
        APEXES
            .iter()
            .zip(drafts)
            .map(|(apex, drafts)| Arc::new(build(&zone(apex, drafts)).unwrap()))
            .collect(),
    )
}

/// Looks up a name without hashes or tables, by the definitions of RFC 1034 section 4.3.2, RFC 4592
/// and RFC 6672, over the drafts as written.
fn plainly(zones: &[Zone], target: &Name) -> Option<(usize, String)> {
    let (index, zone) = zones
        .iter()
        .enumerate()
        .filter(|(_, z)| target.is_at_or_below(&z.apex))
        .max_by_key(|(_, z)| z.apex.label_count())?;
    let owners = || {
        zone.records.iter().map(|r| &r.owner).chain(zone.steered.iter().map(|s| &s.owner)).chain([&zone.apex])
    };
    let has = |name: &Name, rtype: RrType| zone.records.iter().any(|r| r.owner == *name && r.rtype == rtype);
    let show = |name: &Name| name.to_lowercase().to_string();
    let exists = |name: &Name| owners().any(|owner| owner.is_at_or_below(name));
    // Ancestors of the target in the zone, from the apex down to itself.
    let wire = target.as_wire();
    let mut ancestors = vec![target.clone()];
    let mut skip = 0;
    while ancestors.last().is_some_and(|name| name.label_count() > zone.apex.label_count()) {
        skip += 1 + usize::from(wire[skip]);
        ancestors.push(Name::from_wire(&wire[skip..]).unwrap());
    }
    ancestors.reverse();
    let mut encloser = &zone.apex;
    for (depth, ancestor) in ancestors.iter().enumerate() {
        let is_target = depth + 1 == ancestors.len();
        if !exists(ancestor) {
            break;
        }
        encloser = ancestor;
        if depth > 0 && has(ancestor, RrType::NS) {
            return Some((index, format!("cut {}", show(ancestor))));
        }
        if !is_target && has(ancestor, RrType::DNAME) {
            return Some((index, format!("redirected {}", show(ancestor))));
        }
    }
    if encloser == target {
        return Some((index, format!("exact {}", show(target))));
    }
    let wildcard = Name::from_wire(&[b"\x01*", encloser.as_wire()].concat()).ok().filter(|name| exists(name));
    Some((index, wildcard.map_or("none".to_owned(), |name| format!("wildcard {}", show(&name)))))
}

fn shown(zones: &ZoneSet, found: Found) -> (usize, String) {
    let show = |node| Name::from_wire(zones.zone(found.zone).name(node)).unwrap().to_string();
    let words = match found.matched {
        Match::Exact(node) => format!("exact {}", show(node)),
        Match::Wildcard(node) => format!("wildcard {}", show(node)),
        Match::Cut(node) => format!("cut {}", show(node)),
        Match::Redirected(node) => format!("redirected {}", show(node)),
        Match::NoName => "none".to_owned(),
    };
    (found.zone.0 as usize, words)
}

proptest! {
    /// For every CNAME of random nested zones, the link, the look-up of its target, and a search by
    /// the definitions agree.
    #[test]
    fn links_lead_where_names_do(drafts in proptest::collection::vec(drafts(), APEXES.len())) {
        let written: Vec<Zone> =
            APEXES.iter().zip(&drafts).map(|(apex, drafts)| zone(apex, drafts)).collect();
        let zones = set(&drafts);
        for (index, image) in zones.iter().enumerate() {
            let records: Vec<(NodeId, Rdata<'_>)> = image.cname_records().collect();
            prop_assert_eq!(records.len(), image.cnames() as usize);
            for (number, (owner, rdata)) in records.iter().enumerate() {
                prop_assert_eq!(rdata.link, Some(number as u32));
                let mut name = QueryName::default();
                prop_assert!(read_target(&mut name, rdata, image.name(*owner)));
                let target = zones.target(ZoneId(index as u32), number as u32);
                let found = zones.lookup(&name);
                prop_assert_eq!(target, found.map(|found| LinkTarget { name: name.wire(), found }));
                let plain = plainly(&written, &Name::from_wire(name.wire()).unwrap());
                prop_assert_eq!(found.map(|found| shown(&zones, found)), plain, "{:?}", name);
            }
        }
    }
}

/// Each kind of target, as an explicit row.
#[test]
fn each_kind_of_target() {
    let drafts: [Vec<Draft>; 4] = [
        vec![
            (vec!["a"], 0, vec!["B"], "example."),
            (vec!["b"], 0, vec!["missing"], "example."),
            (vec!["c"], 0, vec!["x", "y", "c"], "other."),
            (vec!["d"], 0, vec!["host", "lab"], "other."),
            (vec!["e"], 0, vec!["old", "moved"], "other."),
            (vec!["f"], 0, vec![], "elsewhere."),
            (vec!["g"], 0, vec!["deep"], "other."),
        ],
        vec![],
        vec![],
        vec![
            (vec!["*", "c"], 5, vec![], "."),
            (vec!["lab"], 3, vec!["ns"], "elsewhere."),
            (vec!["moved"], 4, vec![], "elsewhere."),
            (vec!["very", "deep"], 5, vec![], "."),
        ],
    ];
    let zones = set(&drafts);
    let leads = |number| zones.target(ZoneId(0), number).map(|target| shown(&zones, target.found));
    let rows = [
        ("inside the zone, in any case", Some((0, "exact b.example."))),
        ("a name that is missing", Some((0, "none"))),
        ("below a wildcard of another zone", Some((3, "wildcard *.c.other."))),
        ("below a cut", Some((3, "cut lab.other."))),
        ("below a DNAME", Some((3, "redirected moved.other."))),
        ("outside", None),
        ("an empty non-terminal", Some((3, "exact deep.other."))),
    ];
    for (number, (what, expected)) in rows.into_iter().enumerate() {
        assert_eq!(leads(number as u32), expected.map(|(zone, words)| (zone, words.to_owned())), "{what}");
    }
    assert!(zones.links().octets() > 0);
    let below = zones.target(ZoneId(0), 2).unwrap();
    assert_eq!(below.name, &b"\x01x\x01y\x01c\x05other\0"[..]);
}
