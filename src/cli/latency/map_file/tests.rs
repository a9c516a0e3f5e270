//! Maps against the readers of this server, over random prefixes and rankings.

use super::*;
use crate::finding::FileId;
use crate::geo::mmdb::{Database, Fields};
use crate::geo::rtts::{RttList, RttSource};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const EPOCH: u64 = 1_764_230_400;

fn names(count: usize) -> Vec<Arc<str>> {
    // One name is as long as a label of DNS can be.
    (0..count).map(|pop| if pop == 1 { "x".repeat(63).into() } else { format!("pop{pop}").into() }).collect()
}

fn read(octets: &[u8]) -> Database {
    Database::read("map.mmdb", octets, FileId(0)).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// The fields of the leaf that holds an address.
fn fields(database: &Database, address: IpAddr) -> Option<&Fields> {
    let leaf = match address {
        IpAddr::V4(v4) => {
            (database.leaves_v4.iter())
                .find(|leaf| Prefix::new(Ipv4Addr::from_bits(leaf.0).into(), leaf.1).contains(v4.into()))?
                .2
        }
        IpAddr::V6(v6) => {
            (database.leaves_v6.iter())
                .find(|leaf| Prefix::new(Ipv6Addr::from_bits(leaf.0).into(), leaf.1).contains(v6.into()))?
                .2
        }
    };
    Some(&database.places[leaf as usize])
}

/// Name, RTT, source and samples of each entry.
fn entries(list: Option<&Arc<RttList>>) -> Vec<(String, u16, RttSource, u32)> {
    let all = list.iter().flat_map(|list| list.entries());
    all.map(|(name, rtt)| (name.to_owned(), rtt.rtt_ms, rtt.source, rtt.samples)).collect()
}

/// Prefix, ranking, explored, time and ranking of resolvers.
type Row = (Prefix, Vec<Ranked>, u8, u64, Vec<Ranked>);

fn ranking() -> impl Strategy<Value = Vec<Ranked>> {
    let sources = prop::sample::select(RttSource::ALL.to_vec());
    let samples = prop_oneof![Just(0), 1_u32..300, any::<u32>()];
    let one = (0_u16..6, 1_u16..=u16::MAX, sources, samples)
        .prop_map(|(pop, rtt_ms, source, samples)| Ranked { pop, rtt_ms, source, samples });
    prop::collection::vec(one, 1..9).prop_map(|mut ranking| {
        let mut seen = 0_u64;
        ranking.retain(|ranked| {
            let is_new = seen >> ranked.pop & 1 == 0;
            seen |= 1 << ranked.pop;
            is_new
        });
        ranking
    })
}

fn row() -> impl Strategy<Value = Row> {
    let v4 = (0_u32..64, 8_u8..=24).prop_map(|(high, len)| {
        Prefix::new(Ipv4Addr::from_bits(0x1400_0000 | high << 8 | high << 18).into(), len)
    });
    let v6 = (0_u128..64, 16_u8..=48).prop_map(|(high, len)| {
        Prefix::new(Ipv6Addr::from_bits(0x2a00 << 112 | high << 80 | high << 100).into(), len)
    });
    let times = prop_oneof![Just(0), Just(3600), any::<u64>()];
    let resolvers = prop_oneof![Just(Vec::new()), ranking()];
    (prop_oneof![v4, v6], ranking(), 0_u8..4, times, resolvers)
}

fn map_of(rows: &[Row], pops: &[Arc<str>]) -> Vec<u8> {
    let mut map = MapFile::new(pops);
    for (prefix, ranking, explored, measured_at, resolver) in rows {
        let record = Record { ranking, explored: *explored, measured_at: *measured_at, resolver };
        map.insert(*prefix, &record).unwrap();
    }
    map.finish(EPOCH)
}

proptest! {
    /// Each address has the record of the longest prefix, and the last of one prefix. The same rows
    /// make the same octets.
    #[test]
    fn a_map_says_what_was_put_into_it(mut rows in prop::collection::vec(row(), 1..40)) {
        rows.sort_by_key(|row| row.0.len());
        let pops = names(6);
        let octets = map_of(&rows, &pops);
        prop_assert_eq!(&map_of(&rows, &pops), &octets);
        let database = read(&octets);
        prop_assert_eq!((&*database.kind, database.build_epoch, database.ip_version), (KIND, EPOCH, 6));
        for (prefix, ..) in &rows {
            let address = prefix.address();
            let holding = rows.iter().filter(|row| row.0.contains(address));
            let (_, ranking, explored, measured_at, resolver) =
                holding.max_by_key(|row| row.0.len()).expect("the row itself holds the address");
            let fields = fields(&database, address).expect("a record");
            let named = |ranking: &[Ranked]| -> Vec<_> {
                let name = |ranked: &Ranked| pops[usize::from(ranked.pop)].to_string();
                ranking.iter().map(|r| (name(r), r.rtt_ms, r.source, r.samples)).collect()
            };
            prop_assert_eq!(entries(fields.rtts.as_ref()), named(ranking));
            prop_assert_eq!(entries(fields.resolver_rtts.as_ref()), named(resolver));
            let list = fields.rtts.as_ref().unwrap();
            // Readers have numbers as doubles.
            prop_assert_eq!(list.measured_at, *measured_at as f64 as u64);
            let mut settled: Vec<&str> = ranking.iter().map(|r| &*pops[usize::from(r.pop)]).collect();
            if let Some(up_to) = settled.get_mut(..=usize::from(*explored)) {
                up_to.rotate_left(1);
            }
            prop_assert_eq!(list.settled(), settled);
        }
    }

    /// Each of the widths of a pointer in the data leads where it should.
    #[test]
    fn pointers_of_every_width(
        offset in prop_oneof![0..2_048_u32, 2_048..526_336_u32, 526_336..134_744_064_u32, any::<u32>()],
    ) {
        let mut octets = Vec::new();
        pointer(&mut octets, offset);
        let whole = octets[1..].iter().fold(u64::from(octets[0] & 7), |n, octet| n << 8 | u64::from(*octet));
        let value = match octets[0] >> 3 & 3 {
            0 => whole,
            1 => whole + 2_048,
            2 => whole + 526_336,
            _ => whole & 0xffff_ffff,
        };
        prop_assert_eq!((octets[0] >> 5, value), (1, u64::from(offset)));
    }
}

/// A record that is repeated is one record, and a large map is read through wider tree records.
#[test]
fn repeated_records_are_written_once() {
    let pops = names(2);
    let ranking = |rtt_ms| [Ranked { pop: 0, rtt_ms, source: RttSource::Measured, samples: 7 }];
    let size = |rtts: &dyn Fn(u32) -> u16| {
        let mut map = MapFile::new(&pops);
        for network in 0..256_u32 {
            let prefix = Prefix::new(Ipv4Addr::from_bits(0x1400_0000 | network << 8).into(), 24);
            map.insert(prefix, &Record { ranking: &ranking(rtts(network)), ..Record::default() }).unwrap();
        }
        map.data.octets.len()
    };
    // The first record has the texts that the second points to.
    assert!(size(&|_| 9) < 200, "{}", size(&|_| 9));
    assert!(size(&|network| network as u16 + 1) > 5_000);
    // Data of more than 16 MiB need 28 bits, of more than 256 MiB 32 bits.
    for (octets, record_size) in [(0, 24), (1 << 24, 28), (1 << 28, 32)] {
        let mut map = MapFile::new(&pops);
        map.data.octets.resize(octets, 0);
        let prefix = Prefix::new(Ipv4Addr::new(20, 0, 1, 0).into(), 24);
        map.insert(prefix, &Record { ranking: &ranking(9), ..Record::default() }).unwrap();
        let read = read(&map.finish(EPOCH));
        assert_eq!(entries(read.places[0].rtts.as_ref())[0].1, 9, "{record_size}");
    }
}
