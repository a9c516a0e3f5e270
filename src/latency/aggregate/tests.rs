//! Keys, bounds and the order of rows.

use super::*;
use std::net::Ipv4Addr;

fn network(third: u8) -> Prefix {
    Prefix::new(Ipv4Addr::new(192, 0, third, 0).into(), 24)
}

/// Rows come in the order of keys, with the 25th percentile of three samples or more, else the
/// least.
#[test]
fn rows_stand_for_their_samples() {
    let mut aggregate = Aggregate::default();
    for rtt_ms in [40.0, 20.0, 30.0, 10.0, 50.0] {
        aggregate.add(network(2), 1, 7, rtt_ms, 1);
    }
    aggregate.add(network(1), 0, 7, 9.0, 1);
    aggregate.add(network(1), 0, 7, 8.0, 1);
    let rows = aggregate.take();
    let seen: Vec<_> = rows.iter().map(|row| (row.prefix, row.pop, row.samples, row.rtt_ms)).collect();
    assert_eq!(seen, [(network(1), 0, 2, 8.0), (network(2), 1, 5, 20.0)]);
    assert!(aggregate.take().is_empty());
}

/// Samples past the bound of one key change nothing.
#[test]
fn a_busy_network_counts_no_more_than_the_bound() {
    let mut aggregate = Aggregate::default();
    for _ in 0..LATENCY_SAMPLES_MAX {
        aggregate.add(network(1), 0, 7, 20.0, 1);
    }
    aggregate.add(network(1), 0, 7, 1.0, 1_000_000);
    let rows = aggregate.take();
    assert_eq!((rows[0].samples as usize, rows[0].rtt_ms), (LATENCY_SAMPLES_MAX, 20.0));
}
