//! Look-ups of names in a zone, and the stored records.

use super::build::build_by;
use super::*;
use crate::finding::{At, FileId};
use crate::steer::policy::PolicyId;
use crate::wire::hash::{mix, tests as made};
use crate::wire::name::Name;
use crate::zone::text::{Record, SteeredOwner, Zone};

fn name(text: &str) -> Name {
    Name::parse(text, Some(&Name::parse("example.", None).unwrap())).unwrap()
}

fn record(owner: &str, rtype: RrType, rdata: &[u8]) -> Record {
    Record {
        owner: name(owner),
        rtype,
        ttl: Ttl::from_secs(300).unwrap(),
        rdata: rdata.into(),
        at: At::whole(FileId(0)),
    }
}

fn zone() -> Zone {
    let soa = [
        name("ns").as_wire(),
        name("Mail").as_wire(),
        &[0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 60],
    ]
    .concat();
    Zone {
        apex: name("@"),
        records: vec![
            record("@", RrType::SOA, &soa),
            record("@", RrType::NS, name("ns").as_wire()),
            record("ns", RrType::A, &[192, 0, 2, 53]),
            record("deep.er.still", RrType::TXT, b"\x02hi"),
            record("*.wild", RrType::A, &[192, 0, 2, 1]),
            record("exact.wild", RrType::TXT, b"\x01x"),
            record("sub", RrType::NS, name("ns.sub").as_wire()),
            record("sub", RrType::NS, Name::parse("ns.other.", None).unwrap().as_wire()),
            record("ns.sub", RrType::A, &[192, 0, 2, 54]),
            record("ns.sub", RrType::A, &[192, 0, 2, 54]),
            record("moved", RrType::DNAME, Name::parse("new.other.", None).unwrap().as_wire()),
            record("old.moved", RrType::A, &[192, 0, 2, 55]),
        ],
        steered: vec![SteeredOwner {
            owner: name("Edge"),
            policy: PolicyId(7),
            ttl: None,
            at: At::whole(FileId(0)),
        }],
        chain: ChainMode::Full,
        at: At::whole(FileId(0)),
    }
}

fn lookup(image: &Image, text: &str) -> String {
    let query = QueryName::parse(name(text).as_wire()).unwrap();
    let show = |id: NodeId| Name::from_wire(image.name(id)).unwrap().to_string();
    match image.lookup(&query) {
        Match::Exact(id) => format!("exact {} {}", show(id), image.sets_at(id).len()),
        Match::Wildcard(id) => format!("wildcard {}", show(id)),
        Match::Cut(id) => format!("cut {}", show(id)),
        Match::Redirected(id) => format!("redirected {}", show(id)),
        Match::NoName => "none".to_owned(),
    }
}

#[test]
fn names_are_what_rfc_1034_and_4592_say() {
    let image = build(&zone()).unwrap();
    for (asked, is) in [
        ("@", "exact example. 2"),
        ("NS", "exact ns.example. 1"),
        ("missing", "none"),
        ("a.missing", "none"),
        ("still", "exact still.example. 0"),
        ("er.still", "exact er.still.example. 0"),
        ("x.still", "none"),
        ("deep.er.still", "exact deep.er.still.example. 1"),
        ("wild", "exact wild.example. 0"),
        ("a.wild", "wildcard *.wild.example."),
        ("a.b.c.wild", "wildcard *.wild.example."),
        ("*.wild", "exact *.wild.example. 1"),
        ("exact.wild", "exact exact.wild.example. 1"),
        ("below.exact.wild", "none"),
        ("sub", "cut sub.example."),
        ("ns.sub", "cut sub.example."),
        ("deep.below.sub", "cut sub.example."),
        ("edge", "exact edge.example. 0"),
        ("moved", "exact moved.example. 1"),
        ("old.moved", "redirected moved.example."),
        ("any.thing.moved", "redirected moved.example."),
    ] {
        assert_eq!(lookup(&image, asked), is, "{asked}");
    }
}

#[test]
fn record_data_is_cut_before_the_owner_and_glue_is_found() {
    let image = build(&zone()).unwrap();
    let QueryNode { id } = node(&image, "sub");
    let records: Vec<Rdata<'_>> = image.records(image.set(id, RrType::NS).unwrap()).collect();
    assert_eq!(records[0].octets, b"\x02ns\0\x0d", "before the owner, which has 13 octets");
    assert_eq!(records[0].patches, [3, NO_PATCH]);
    assert_eq!(records[0].link, Some(node(&image, "ns.sub").id.0));
    assert_eq!(records[1].octets, b"\x02ns\x05other\0");
    assert_eq!(records[1].patches, [NO_PATCH; 2]);
    assert_eq!(records[1].link, None);
    let soa = image.records(image.set(APEX, RrType::SOA).unwrap()).next().unwrap();
    assert_eq!(&soa.octets[..12], b"\x02ns\0\x09\x04Mail\0\x09", "case is kept");
    assert_eq!(soa.patches, [3, 10]);
    assert_eq!(image.negative.map(|set| set.ttl.secs()), Some(60));
    let negative = image.denial().unwrap();
    assert_eq!(negative.octets, soa.octets);
    assert_eq!(
        negative.record[..12],
        [0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, soa.octets.len() as u8],
        "ready to be sent"
    );
    let glue = image.set(node(&image, "ns.sub").id, RrType::A).unwrap();
    assert_eq!(glue.count, 1, "duplicates collapse");
}

struct QueryNode {
    id: NodeId,
}

fn node(image: &Image, text: &str) -> QueryNode {
    let wire = name(text).to_lowercase();
    QueryNode { id: image.node(wire.as_wire()).unwrap() }
}

#[test]
fn steered_owners_are_found_by_their_node() {
    let image = build(&zone()).unwrap();
    let edge = node(&image, "edge").id;
    assert_eq!(image.steered_at(edge).map(|s| s.policy), Some(PolicyId(7)));
    assert!(image.steered_at(APEX).is_none());
    assert_eq!(image.steered().count(), 1);
}

/// Slots of the table that a look-up of a name reads.
fn steps(image: &Image, name: &[u8]) -> usize {
    let (hash, mask) = (image.key.whole(name), image.slots.len() - 1);
    let visited = (0..).map(|step| image.slots[(hash.place(mask) + step) & mask]);
    let goes_on = |slot: &Slot| {
        slot.node != NO_NODE && !(slot.tag == hash.tag() && image.name(NodeId(slot.node)) == name)
    };
    visited.take_while(goes_on).count() + 1
}

/// Existing and missing names, chosen by an attacker who knows everything except the key.
#[test]
fn no_choice_of_names_makes_look_ups_long() {
    const COUNT: usize = 4_000;
    let apex = b"\x06abcdef\0";
    let counted = |at: usize| {
        (0..2 * COUNT).map(move |number| {
            let mut label = *b"aaaaaaaaaaaaaaaa";
            label[at..at + 2].copy_from_slice(&[(number >> 7) as u8 | 0x80, number as u8 | 0x80]);
            [&[16], &label[..], apex].concat()
        })
    };
    let ordinary = (0..2 * COUNT).map(|i| [format!("\x07h{i:06}").as_bytes(), apex].concat());
    let kinds: [(&str, Vec<Vec<u8>>); 6] = [
        ("ordinary", ordinary.collect()),
        ("one hash from the end", made::names_with_one_hash_from_the_end(apex).take(2 * COUNT).collect()),
        ("one hash by labels", made::names_with_one_hash(apex).take(2 * COUNT).collect()),
        ("counted at the start", counted(0).collect()),
        ("counted in the middle", counted(7).collect()),
        ("counted at the end", counted(14).collect()),
    ];
    for seed in 0..8 {
        let key = NameKey::from_words([0, 1, 2].map(|word| mix(seed, word)));
        let mut bounds = None;
        for (kind, names) in &kinds {
            let (in_zone, others) = names.split_at(COUNT);
            let zone = Zone {
                apex: Name::from_wire(apex).unwrap(),
                records: in_zone
                    .iter()
                    .map(|name| Record {
                        owner: Name::from_wire(name).unwrap(),
                        ..record("a", RrType::A, &[192, 0, 2, 1])
                    })
                    .collect(),
                steered: vec![],
                chain: ChainMode::Full,
                at: At::whole(FileId(0)),
            };
            let image = build_by(&zone, key).unwrap();
            let cost = |names: &[Vec<u8>]| names.iter().map(|name| steps(&image, name)).sum::<usize>();
            let costs = (cost(in_zone), cost(others));
            let (most, most_others) = *bounds.get_or_insert((2 * costs.0, 2 * costs.1));
            assert!(
                costs.0 <= most && costs.1 <= most_others,
                "{kind}, key {seed}: {costs:?} steps for {COUNT}, at most {most}, {most_others}"
            );
        }
    }
}

/// Signatures of two RRsets at one owner answer one query, each with the TTL of the RRset that it
/// covers, and are no RRset together (RFC 4034 section 3).
#[test]
fn signatures_keep_the_ttl_of_what_they_cover() {
    let mut zone = zone();
    for (covered, secs) in [(RrType::A, 300u32), (RrType::TXT, 60), (RrType::A, 240)] {
        let rdata = [&covered.0.to_be_bytes()[..], &[13, 2], &secs.to_be_bytes(), b"rest"].concat();
        let ttl = Ttl::from_secs(secs).unwrap();
        zone.records.push(Record { ttl, ..record("ns", RrType::RRSIG, &rdata) });
    }
    let image = super::build::build(&zone).unwrap();
    let query = QueryName::parse(name("ns").as_wire()).unwrap();
    let Match::Exact(node) = image.lookup(&query) else { panic!("`ns` is there") };
    let set = image.set(node, RrType::RRSIG).unwrap();
    let written: Vec<(&[u8], &[u8])> =
        image.records(set).map(|rdata| (&rdata.octets[..2], &rdata.record[6..10])).collect();
    let (a, txt) = (&[0, 1][..], &[0, 16][..]);
    assert_eq!(written, [(a, &[0, 0, 0, 240][..]), (a, &[0, 0, 0, 240]), (txt, &[0, 0, 0, 60])]);

    let mut findings = crate::finding::Findings::default();
    crate::zone::check::settle(&mut zone, &mut findings);
    let of_signatures = findings.iter().filter(|finding| finding.message.contains("RRSIG")).count();
    assert_eq!(of_signatures, 1, "the TTLs of A differ, those of A and TXT may: {findings:?}");
}
