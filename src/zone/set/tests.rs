//! Tests of `set`.

use super::*;
use crate::finding::{At, FileId};
use crate::wire::name::Name;
use crate::zone::image::build;
use crate::zone::text::{ChainMode, Zone};

fn empty(apex: &str) -> Arc<Image> {
    let at = At::whole(FileId(0));
    let zone = Zone {
        apex: Name::parse(apex, None).unwrap(),
        records: vec![],
        steered: vec![],
        chain: ChainMode::Full,
        at,
    };
    Arc::new(build(&zone).unwrap())
}

#[test]
fn the_longest_apex_holds_a_name() {
    let set = ZoneSet::new(vec![empty("example."), empty("sub.example."), empty("other.")]);
    for (name, above, zone) in [
        ("example.", false, Some(0)),
        ("a.example.", false, Some(0)),
        ("sub.example.", false, Some(1)),
        ("sub.example.", true, Some(0)),
        ("a.b.SUB.example.", false, Some(1)),
        ("xsub.example.", false, Some(0)),
        ("example.", true, None),
        ("net.", false, None),
        (".", false, None),
    ] {
        let query = QueryName::parse(Name::parse(name, None).unwrap().as_wire()).unwrap();
        assert_eq!(set.zone_of(&query, above).map(|zone| zone.0), zone, "{name}");
    }
    let root = ZoneSet::new(vec![empty(".")]);
    let query = QueryName::parse(b"\x03com\0").unwrap();
    assert_eq!(root.zone_of(&query, false), Some(ZoneId(0)));
}

#[test]
fn no_zones_hold_nothing() {
    let query = QueryName::parse(b"\x03com\0").unwrap();
    assert_eq!(ZoneSet::new(vec![]).lookup(&query), None);
    assert_eq!(ZoneSet::default().lookup(&query), None);
}
