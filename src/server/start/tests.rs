//! Lines about a long start.

use super::*;

/// The first line comes after two seconds, the next ones at least five seconds apart.
#[test]
fn a_long_start_is_logged() {
    let mut logged = Logged::default();
    let ages = (0..=60).map(|quarters| Duration::from_millis(quarters * 250));
    let lines: Vec<u128> = ages.filter(|age| logged.is_due(*age)).map(|age| age.as_millis()).collect();
    assert_eq!(lines, [2_000, 7_000, 12_000]);
}
