//! Tests of `connection_limit`.

use super::*;

/// Limits hold for each /24, for each /56 and in total; IPv4-mapped addresses count as IPv4; a drop
/// releases the permit.
#[test]
fn limits_hold() {
    let connection_limit = Arc::new(ConnectionLimit::new(6, 2));
    let enter = |address: &str| connection_limit.enter(address.parse().expect("an address"));
    let first = enter("192.0.2.1").expect("room");
    let _second = enter("192.0.2.200").expect("room");
    assert_eq!(enter("192.0.2.3").err(), Some(LimitReached::Prefix));
    assert_eq!(enter("::ffff:192.0.2.4").err(), Some(LimitReached::Prefix));
    let _third = enter("192.0.3.1").expect("room");
    let _fourth = enter("2001:db8:0:1::1").expect("room");
    let _fifth = enter("2001:db8:0:ff::1").expect("room");
    assert_eq!(enter("2001:db8:0:2::1").err(), Some(LimitReached::Prefix));
    let _sixth = enter("2001:db8:0:100::1").expect("room");
    assert_eq!(enter("198.51.100.1").err(), Some(LimitReached::Total));
    drop(first);
    assert_eq!(connection_limit.counts().total, 5);
    assert!(enter("192.0.2.9").is_ok());
    assert_eq!(connection_limit.counts().total, 5);
}
