//! Limits of connections, and the order in which they give way.

use super::*;

fn enter(limit: &Arc<ConnectionLimit>, address: &str) -> Result<(ConnectionPermit, bool), PrefixFull> {
    limit.enter(address.parse().expect("an address"))
}

/// True if the connection must give way.
fn is_revoked(permit: &ConnectionPermit) -> bool {
    !permit.connection_limit.table().places[permit.place].is_listed
}

/// Limits hold for each /24, for each /56 and for each /48; IPv4-mapped addresses count as IPv4; a
/// drop releases the permit.
#[test]
fn limits_of_prefixes_hold() {
    let limit = Arc::new(ConnectionLimit::new(100, 2));
    let first = enter(&limit, "192.0.2.1").expect("room");
    let _second = enter(&limit, "192.0.2.200").expect("room");
    assert_eq!(enter(&limit, "192.0.2.3").err(), Some(PrefixFull));
    assert_eq!(enter(&limit, "::ffff:192.0.2.4").err(), Some(PrefixFull));
    let _third = enter(&limit, "192.0.3.1").expect("room");
    drop(first);
    assert_eq!(limit.table().total, 2);
    assert!(enter(&limit, "192.0.2.9").is_ok());
    // Two from each /56, and eight from the /48 of four of them.
    let mut held = Vec::new();
    for site in ["2001:db8:1", "2001:db8:2"] {
        for subnet in 0..6 {
            for host in 1..=3 {
                let entered = enter(&limit, &format!("{site}:{:x}::{host}", subnet << 8 | host));
                assert_eq!(entered.is_ok(), host < 3 && subnet < 4, "{site} {subnet} {host}");
                held.extend(entered);
            }
        }
    }
    assert_eq!(held.len(), 16);
    drop(held);
    assert_eq!(limit.table().counts.len(), 2, "192.0.2.0/24 and 192.0.3.0/24");
}

/// Past the limit in total, the connection that was idle for longest gives way, and counts no more
/// for its prefix either. What was active since is spared.
#[test]
fn the_longest_idle_gives_way() {
    let limit = Arc::new(ConnectionLimit::new(3, 1));
    let address = |number: usize| format!("2001:db8:{number:x}::1");
    let mut held: Vec<ConnectionPermit> = Vec::new();
    for number in 0..3 {
        let (permit, has_displaced) = enter(&limit, &address(number)).expect("room");
        assert!(!has_displaced);
        held.push(permit);
    }
    held[0].touch();
    held[0].touch();
    for (number, oldest) in [(3, 1), (4, 2), (5, 0)] {
        let (permit, has_displaced) = enter(&limit, &address(number)).expect("room");
        held.push(permit);
        assert!(has_displaced);
        assert!(is_revoked(&held[oldest]), "{oldest}");
        assert_eq!(held.iter().filter(|permit| is_revoked(permit)).count(), number - 2);
        assert_eq!(limit.table().total, 3);
    }
    // Activity of a connection that has to go changes nothing.
    held[1].touch();
    assert!(limit.make_room() && is_revoked(&held[3]));
    held.truncate(4);
    assert_eq!(limit.table().total, 0);
    assert!(limit.table().counts.is_empty());
    assert!(!limit.make_room());
    drop(held);
    assert_eq!(limit.table().unused.len(), 6);
    assert_eq!(limit.table().ends, None);
}

/// However few connections there are in total, a prefix has a quarter, and a site half of them.
#[test]
fn no_prefix_has_all_connections() {
    for (total, asked, prefix, site) in [
        (4096, 256, 256, 1024),
        (4096, 4096, 1024, 2048),
        (438, 256, 109, 219),
        (16, 256, 4, 8),
        (3, 256, 1, 1),
        (1, 1, 1, 1),
    ] {
        let limit = ConnectionLimit::new(total, asked);
        assert_eq!((limit.prefix_max, limit.site_max), (prefix, site), "{asked} of {total}");
    }
}

/// A connection of a prefix that is at its limit displaces nothing.
#[test]
fn a_refused_connection_displaces_nothing() {
    let limit = Arc::new(ConnectionLimit::new(8, 2));
    let held =
        [enter(&limit, "192.0.2.1"), enter(&limit, "192.0.2.2")].map(|entered| entered.expect("room").0);
    assert_eq!(enter(&limit, "192.0.2.3").err(), Some(PrefixFull));
    assert!(!held.iter().any(is_revoked));
}
