//! Checks of zones without files.

use super::*;
use crate::finding::{At, FileId};
use crate::wire::rr::Ttl;
use crate::zone::rdata;
use crate::zone::text::{ChainMode, Record};

fn name(text: &str) -> Name {
    Name::parse(text, None).unwrap()
}

/// A zone from lines of `owner ttl type data`; the line number is the place.
fn zone(apex: &str, lines: &str) -> Zone {
    let place = |line: usize| At {
        file: FileId(0),
        line: line as u32,
        column: 1,
        start: line as u32,
        end: line as u32,
    };
    let apex = name(apex);
    let records = lines.lines().enumerate().map(|(number, line)| {
        let mut words = line.trim().splitn(4, ' ');
        let owner = Name::parse(words.next().unwrap(), Some(&apex)).unwrap();
        let ttl = Ttl::from_secs(words.next().unwrap().parse().unwrap()).unwrap();
        let rtype = RrType::from_text(words.next().unwrap()).unwrap();
        let rdata = rdata::from_text(rtype, words.next().unwrap(), &apex).unwrap().into();
        Record { owner, rtype, ttl, rdata, at: place(number + 1) }
    });
    let records = records.collect();
    Zone { apex, records, steered: Vec::new(), chain: ChainMode::Full, at: place(0) }
}

const HEAD: &str = "@ 60 SOA ns1 host 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n";

fn told(zones: &[Zone]) -> Vec<(&'static str, u32)> {
    let mut out = Findings::default();
    check(zones, &[], &mut out);
    out.sort();
    out.iter().map(|finding| (finding.code.id, finding.at.unwrap().line)).collect()
}

/// Letter case does not separate RRsets; the smallest TTL applies to all records of a set.
#[test]
fn sets_get_one_ttl_and_no_double() {
    let mut zone = zone("z.", "a 60 A 192.0.2.1\nA 30 A 192.0.2.2\na 60 A 192.0.2.1\nb 60 A 192.0.2.1\n");
    let mut out = Findings::default();
    settle(&mut zone, &mut out);
    assert_eq!(out.iter().map(|f| f.code.id).collect::<Vec<_>>(), ["MRD0208", "MRD0212"]);
    let left: Vec<(String, u32)> = zone.records.iter().map(|r| (r.owner.to_string(), r.ttl.secs())).collect();
    assert_eq!(left, [("a.z.".into(), 30), ("A.z.".into(), 30), ("b.z.".into(), 60)]);
}

/// Records that differ only in the letter case of names are equal (RFC 4343); other octets matter.
#[test]
fn letter_case_makes_no_second_record() {
    for (lines, left) in [
        ("a 60 NS ns1\na 60 NS NS1\n", 1),
        ("a 60 MX 5 Mail.x.\na 60 MX 5 mail.X.\na 60 MX 6 mail.x.\n", 2),
        ("a 60 SRV 0 0 65 T.x.\na 60 SRV 0 0 97 t.x.\na 60 SRV 0 0 65 t.x.\n", 2),
        ("a 60 HTTPS 1 T.x. alpn=h2\na 60 HTTPS 1 t.x. alpn=h2\na 60 HTTPS 1 t.x. alpn=H2\n", 2),
        ("a 60 TXT A\na 60 TXT a\n", 2),
        ("a 60 CAA 0 issue Ca\na 60 CAA 0 issue ca\n", 2),
    ] {
        let mut zone = zone("z.", lines);
        let mut out = Findings::default();
        settle(&mut zone, &mut out);
        assert_eq!((zone.records.len(), out.len()), (left, lines.lines().count() - left), "{lines}");
        assert!(out.iter().all(|finding| finding.code == code::DUPLICATE_RECORD));
    }
}

/// Each row: records after a valid head of three lines, and the findings with their lines.
#[test]
fn zones_as_wholes() {
    for (lines, expected) in [
        ("a 60 CNAME ns1", &[][..]),
        ("a 60 CNAME ns1\na 60 CNAME b.\n", &[("MRD0202", 5)]),
        ("@ 60 CNAME a.other.\n", &[("MRD0202", 4)]),
        ("@ 60 SOA x x 1 2 3 4 5\n", &[("MRD0204", 4)]),
        // Empty non-terminals exist, but have no data.
        ("x.y 60 A 192.0.2.1\na 60 CNAME y\n", &[("MRD0214", 5)]),
        // A wildcard provides a target, unless a closer name exists.
        ("*.w 60 A 192.0.2.1\na 60 CNAME b.w\n", &[]),
        ("*.w 60 A 192.0.2.1\nc.w 60 A 192.0.2.1\na 60 CNAME b.c.w\n", &[("MRD0214", 6)]),
        // A wildcard that leads to itself.
        ("*.w 60 CNAME q.w\n", &[("MRD0203", 4)]),
        // Glue is not data, other records below a cut are hidden, and targets below it belong to
        // another zone.
        ("d 60 NS ns.d\nns.d 60 A 192.0.2.1\nt.d 60 TXT x\na 60 CNAME q.d\n", &[("MRD0211", 6)]),
        ("d 60 NS ns.d\nd 60 DS 1 13 2 00\n", &[("MRD0210", 4)]),
        ("m 60 MX 0 .\nn 60 MX 5 t\nt 60 TXT x\n", &[("MRD0214", 5)]),
        ("k 60 KX 5 t\nl 60 AFSDB 1 t\nr 60 RT 5 t\nt 60 TXT x\n", &[("MRD0214", 4), ("MRD0214", 5)]),
        ("s 60 SRV 0 0 1 a\na 60 CNAME ns1\n", &[("MRD0215", 4)]),
        // DNAME: nothing below it, at most one, not at a cut, not at a wildcard; a target below it
        // is elsewhere.
        ("d 60 DNAME x.\na 60 CNAME q.d\n", &[]),
        ("d 60 DNAME x.\na.d 60 A 192.0.2.1\nb.a.d 60 TXT x\n", &[("MRD0223", 5), ("MRD0223", 6)]),
        ("@ 60 DNAME x.\n", &[("MRD0223", 3)]),
        ("d 60 DNAME x.\nd 60 DNAME y.\n", &[("MRD0224", 5)]),
        ("d 60 DNAME x.\nd 60 CNAME y.\n", &[("MRD0202", 5)]),
        ("d 60 NS ns1\nd 60 DNAME y.\n", &[("MRD0211", 5), ("MRD0224", 5)]),
        ("*.d 60 DNAME y.\n", &[("MRD0224", 4)]),
        // DNAMEs in a circle: of one, and of two.
        ("d 60 DNAME d\n", &[("MRD0203", 4)]),
        ("d 60 DNAME e\ne 60 DNAME d\n", &[("MRD0203", 4)]),
        ("c 60 DNAME d\nd 60 DNAME e\ne 60 DNAME d\nf 60 DNAME c\n", &[("MRD0203", 5)]),
        ("d 60 DNAME e\ne 60 DNAME other.\n", &[]),
        // A DNAME below a delegation is hidden like all other data there.
        ("d 60 NS ns1\nx.d 60 DNAME y.\na.x.d 60 A 192.0.2.1\n", &[("MRD0211", 5)]),
        // Delegations: not by wildcards; DS only beside NS.
        ("*.d 60 NS ns1\n", &[("MRD0225", 4)]),
        ("@ 60 DS 1 13 2 00\n", &[("MRD0226", 4)]),
        ("d 60 DS 1 13 2 00\n", &[("MRD0226", 4)]),
    ] {
        assert_eq!(told(&[zone("z.", &format!("{HEAD}{lines}"))]), expected, "{lines}");
    }
    let mailbox = "@ 60 SOA ns1 host\\@z. 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n";
    assert_eq!(told(&[zone("z.", mailbox)]), [("MRD0227", 1)]);
    assert_eq!(told(&[zone("z.", "a 60 A 192.0.2.1")]), [("MRD0204", 0), ("MRD0205", 0)]);
}

/// A child zone hides its parent's records below its apex.
#[test]
fn a_child_zone_answers_for_itself() {
    let parent = zone("z.", &format!("{HEAD}c 60 NS ns1\nx.c 60 TXT x\n"));
    let child = zone("c.z.", "@ 60 SOA ns1.z. host 1 2 3 4 5\n@ 60 NS ns1.z.\n");
    assert_eq!(told(&[parent, child]), [("MRD0211", 5)]);
}

/// A chain of any length fits the stack.
#[test]
fn long_chains_are_walked() {
    let chain: String = (0..20_000).map(|i| format!("c{i} 60 CNAME c{}\n", i + 1)).collect();
    let told = told(&[zone("z.", &format!("{HEAD}{chain}c20000 60 A 192.0.2.1\n"))]);
    assert_eq!(told, [("MRD0213", 20_000 - crate::limits::CHAIN_MAX as u32 + 3)]);
}

/// An RRset must fit a message.
#[test]
fn sets_have_a_size() {
    let lines: String = (0..4_000).map(|i| format!("a 60 A 10.0.{}.{}\n", i / 250, i % 250)).collect();
    assert_eq!(told(&[zone("z.", &format!("{HEAD}{lines}"))]), [("MRD0216", 4)]);
}

/// For a deep name, only the ancestors that are not longer than the longest cut are looked up.
#[test]
fn few_names_may_be_cuts() {
    let deep = format!("{}sub", "a.".repeat(100));
    for (cut, name, looked_up) in [
        ("sub", deep.as_str(), 1),
        ("x.sub", &deep, 2),
        ("longer-than-sub", &deep, 7),
        ("sub", "sub", 1),
        ("sub", "x.sub", 1),
        (&deep, &deep, 101),
    ] {
        let zones = [zone("z.example.", &format!("@ 60 NS ns1\n{cut} 60 NS ns.other.example.\n"))];
        let index = index::Index::new(&zones);
        let name = self::name(&format!("{name}.z.example."));
        let names = index.zone_of(name.as_wire()).expect("ours");
        assert_eq!(names.perhaps_cuts(name.as_wire()).count(), looked_up, "{cut} {name}");
        let is_below = name == self::name(&format!("{cut}.z.example.")) || cut == "sub";
        assert_eq!(index.cut_above(names, name.as_wire()).is_some(), is_below, "{cut} {name}");
    }
}
