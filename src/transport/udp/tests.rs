//! Tests of `udp`.

use super::*;

#[test]
fn no_drop_is_counted_twice() {
    let mut drops = Drops::default();
    let counted: Vec<u64> = [0, 7, 7, u32::MAX, 4].into_iter().map(|told| drops.since(told)).collect();
    assert_eq!(counted, [0, 7, 0, u64::from(u32::MAX) - 7, 5]);
}
