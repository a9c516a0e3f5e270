//! A small file that stands for a hundred million values, and a valid one with as many records.

use crate::finding::{FileId, Findings, code};
use crate::geo::mmdb::Database;

/// Nodes of an IPv4 tree whose 4,096 leaves are all at depth twelve.
const NODES: usize = 4_095;

fn text(text: &str) -> Vec<u8> {
    [&[2 << 5 | text.len() as u8], text.as_bytes()].concat()
}

fn number(kind: u8, value: u32) -> Vec<u8> {
    [&[kind << 5 | 4], value.to_be_bytes().as_slice()].concat()
}

/// An IPv4 database whose leaf number N leads to the offset `of_leaf(N)` in `data`.
fn database(data: &[u8], of_leaf: impl Fn(usize) -> usize) -> Vec<u8> {
    let mut octets = Vec::new();
    for node in 0..NODES {
        for child in [2 * node + 1, 2 * node + 2] {
            let record = match child.checked_sub(NODES) {
                Some(leaf) => NODES + 16 + of_leaf(leaf),
                None => child,
            };
            octets.extend(&(record as u32).to_be_bytes()[1..]);
        }
    }
    octets.extend([0; 16]);
    octets.extend(data);
    octets.extend(b"\xab\xcd\xefMaxMind.com");
    const U16: u8 = 5;
    const U32: u8 = 6;
    octets.push(7 << 5 | 9);
    for (key, value) in [
        ("binary_format_major_version", vec![U16 << 5 | 2, 0, 2]),
        ("binary_format_minor_version", vec![U16 << 5]),
        ("database_type", text("Bomb")),
        ("ip_version", vec![U16 << 5 | 1, 4]),
        ("node_count", number(U32, NODES as u32)),
        ("record_size", vec![U16 << 5 | 2, 0, 24]),
        ("build_epoch", vec![0x04, 0x02, 0, 0, 0, 1]),
        ("description", vec![7 << 5]),
        ("languages", vec![0x00, 0x04]),
    ] {
        octets.extend(text(key));
        octets.extend(value);
    }
    octets
}

/// `{ "country": CODE, "subdivisions": [0, 0, ...] }` with `zeros` zeros.
fn record(code: &str, zeros: usize) -> Vec<u8> {
    let mut octets = vec![7 << 5 | 2];
    octets.extend([text("country"), text(code), text("subdivisions")].concat());
    // An array with two more octets of size: 285 plus their value.
    octets.extend([30, 4]);
    octets.extend(((zeros - 285) as u16).to_be_bytes());
    octets.extend(std::iter::repeat_n(5 << 5, zeros));
    octets
}

fn read(octets: &[u8]) -> Result<Database, Findings> {
    Database::read("bomb.mmdb", octets, FileId(0))
}

/// Every leaf has its own pointer to one large record.
#[test]
fn records_that_share_a_large_value_are_too_heavy() {
    let shared = record("DE", 30_000);
    let pointers = shared.len();
    let mut data = shared;
    for _ in 0..=NODES {
        data.extend([1 << 5, 0]);
    }
    let octets = database(&data, |leaf| pointers + 2 * leaf);
    let findings = read(&octets).expect_err("more values than its octets may stand for");
    assert!(findings.iter().all(|finding| finding.code == code::TOO_LARGE), "{findings:?}");
    // The large record alone is valid, and so are as many small ones.
    assert_eq!(read(&database(&data, |_| 0)).unwrap().places.len(), 1);
    let small = record("DE", 300);
    let many = database(&small.repeat(NODES + 1), |leaf| leaf * small.len());
    assert_eq!(read(&many).unwrap().leaves_v4.len(), NODES + 1);
}
