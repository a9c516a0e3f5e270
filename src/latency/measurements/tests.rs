//! Rows as text, and text that is no row.

use super::*;

/// 2026-11-27T08:00:00Z.
const LAST_HOUR: u32 = 498_824;

fn pop(name: &str) -> Option<u16> {
    ["ams", "fra"].iter().position(|known| *known == name).map(|at| at as u16)
}

/// A row is what was written.
#[test]
fn rows_are_read_as_they_were_written() {
    for prefix in ["198.51.100.0/24", "2001:db8:1::/48"] {
        let prefix = prefix.parse::<ipnet::IpNet>().unwrap().into();
        let row = Row { prefix, pop: 1, hour: 490_064, samples: 12, rtt_ms: 23.4 };
        let mut text = String::new();
        row.write("fra", &mut text);
        assert_eq!(Row::read(text.trim_end(), LAST_HOUR, pop), Ok(row), "{text}");
    }
}

/// Each column has its fault.
#[test]
fn faults_are_named() {
    let rows = [
        ("198.51.100.0/24,fra,2026-11-27T08:00:00Z,12", RowFault::Columns),
        ("198.51.100.0,fra,2026-11-27T08:00:00Z,12,1", RowFault::Prefix),
        ("198.51.100.0/24,nowhere,2026-11-27T08:00:00Z,12,1", RowFault::Pop),
        ("198.51.100.0/24,fra,yesterday,12,1", RowFault::Hour),
        ("198.51.100.0/24,fra,2026-11-27T09:00:00Z,12,1", RowFault::Future),
        ("198.51.100.0/24,fra,9999-12-31T00:00:00Z,12,1", RowFault::Future),
        ("198.51.100.0/24,fra,2026-11-27T08:00:00Z,0,1", RowFault::Samples),
        ("198.51.100.0/24,fra,2026-11-27T08:00:00Z,1,0", RowFault::Rtt),
        ("198.51.100.0/24,fra,2026-11-27T08:00:00Z,1,3001", RowFault::Rtt),
        ("198.51.100.0/24,fra,2026-11-27T08:00:00Z,1,NaN", RowFault::Rtt),
    ];
    for (line, fault) in rows {
        assert_eq!(Row::read(line, LAST_HOUR, pop), Err(fault), "{line}");
    }
}

/// A row finer than a /24 or /48 names no client.
#[test]
fn prefixes_are_cut() {
    let row = Row::read("198.51.100.7/32,fra,2026-11-27T08:00:00Z,1,5", LAST_HOUR, pop).unwrap();
    assert_eq!(row.prefix.to_string(), "198.51.100.0/24");
    let row = Row::read("2001:db8:1:2::3/128,fra,2026-11-27T08:00:00Z,1,5", LAST_HOUR, pop).unwrap();
    assert_eq!(row.prefix.to_string(), "2001:db8:1::/48");
}
