//! Tests of freshness.

use super::*;

/// A record owned by the root.
fn record(rtype: RrType, ttl: u32, rdata: &[u8]) -> Vec<u8> {
    let mut octets = vec![0];
    octets.extend(rtype.0.to_be_bytes());
    octets.extend([0, 1]);
    octets.extend(ttl.to_be_bytes());
    octets.extend((rdata.len() as u16).to_be_bytes());
    octets.extend(rdata);
    octets
}

/// A reply with one question and these records, all counted as answers.
fn reply(records: &[Vec<u8>]) -> Vec<u8> {
    let mut octets = vec![0, 7, 0x84, 0, 0, 1, 0, records.len() as u8, 0, 0, 0, 0];
    octets.extend(b"\x03www\x04test\x00\x00\x01\x00\x01");
    octets.extend(records.concat());
    octets
}

/// The shortest TTL counts, an SOA has its MINIMUM too, and an OPT has no TTL.
#[test]
fn the_shortest_ttl_counts() {
    let soa = |minimum: u32| {
        let mut rdata = vec![0; 18];
        rdata.extend(minimum.to_be_bytes());
        rdata
    };
    let opt = record(RrType::OPT, 0, &[]);
    let a = |ttl| record(RrType::A, ttl, &[192, 0, 2, 1]);
    let rows = [
        (vec![], None, false),
        (vec![opt.clone()], None, false),
        (vec![a(300), a(20), opt.clone()], Some(20), false),
        (vec![record(RrType::CNAME, 60, &[0xc0, 12]), a(300)], Some(60), true),
        (vec![record(RrType::SOA, 3_600, &soa(30))], Some(30), false),
        (vec![record(RrType::SOA, 5, &soa(30))], Some(5), false),
    ];
    for (records, shortest_ttl_secs, has_alias) in rows {
        let octets = reply(&records);
        assert_eq!(Freshness::of(&octets), Some(Freshness { shortest_ttl_secs, has_alias }), "{octets:?}");
        // A message that is cut short is none.
        for end in 0..octets.len() {
            assert_eq!(Freshness::of(&octets[..end]), None, "{end} octets of {octets:?}");
        }
    }
}
