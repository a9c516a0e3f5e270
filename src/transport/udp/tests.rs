//! Tests of `udp`.

use super::*;

#[test]
fn no_drop_is_counted_twice() {
    let mut drops = Drops::default();
    let counted: Vec<u64> = [0, 7, 7, u32::MAX, 4].into_iter().map(|told| drops.since(told)).collect();
    assert_eq!(counted, [0, 7, 0, u64::from(u32::MAX) - 7, 5]);
}

#[test]
fn shares_of_workers_have_a_floor() {
    for (from_qps, workers, expected) in [(500, 4, 125), (500, 64, 20), (10, 4, 10), (0, 8, 0), (500, 0, 500)]
    {
        assert_eq!(share(from_qps, workers), expected, "{from_qps} of {workers}");
    }
}
