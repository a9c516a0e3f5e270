//! Tests of `udp`.

use super::*;

#[test]
fn no_drop_is_counted_twice() {
    let mut seen = u32::MAX - 7;
    let readings = [u32::MAX - 7, u32::MAX, u32::MAX, 4, 3, 5];
    let counted: Vec<u64> = readings.into_iter().map(|now| since(&mut seen, now)).collect();
    assert_eq!(counted, [0, 7, 0, 5, 0, 1]);
}

#[test]
fn shares_of_workers_have_a_floor() {
    for (from_qps, workers, expected) in [(500, 4, 125), (500, 64, 20), (10, 4, 10), (0, 8, 0), (500, 0, 500)]
    {
        assert_eq!(share(from_qps, workers), expected, "{from_qps} of {workers}");
    }
}
