//! Limits of connections, and the order in which they give way.

use super::*;

fn enter(limit: &Arc<ConnectionLimit>, address: &str) -> (ConnectionPermit, Option<Full>) {
    limit.enter(Some(address.parse().expect("an address")))
}

/// Connections with a message from each of the addresses, none of which displaces another.
fn active(limit: &Arc<ConnectionLimit>, addresses: &[&str]) -> Vec<ConnectionPermit> {
    let active = |address: &&str| {
        let (permit, displaced) = enter(limit, address);
        assert_eq!(displaced, None, "{address}");
        permit.touch();
        permit
    };
    addresses.iter().map(active).collect()
}

/// True if the connection must give way.
fn is_revoked(permit: &ConnectionPermit) -> bool {
    !permit.connection_limit.table().places[permit.place].is_listed
}

fn revoked(permits: &[ConnectionPermit]) -> Vec<usize> {
    (0..permits.len()).filter(|index| is_revoked(&permits[*index])).collect()
}

/// Limits hold for each /24, for each /56 and for each /48; IPv4-mapped addresses count as IPv4; a
/// drop releases the permit.
#[test]
fn limits_of_prefixes_hold() {
    let limit = Arc::new(ConnectionLimit::new(100, 2));
    let mut held = active(&limit, &["192.0.2.1", "192.0.2.200", "192.0.3.1"]);
    held.remove(0);
    assert_eq!(limit.table().all.count, 2);
    held.extend(active(&limit, &["::ffff:192.0.2.9"]));
    for address in ["::ffff:192.0.2.4", "192.0.2.3"] {
        let (permit, full) = enter(&limit, address);
        assert_eq!(full, Some(Full::Prefix), "{address}");
        held.push(permit);
    }
    assert_eq!(revoked(&held), [0, 3], "the oldest, then the one without a message");
    // Two from each /56, and eight from the /48 of four of them.
    let mut in_sites = Vec::new();
    for site in ["2001:db8:1", "2001:db8:2"] {
        for subnet in 0..6 {
            for host in 1..=3 {
                let (permit, full) = enter(&limit, &format!("{site}:{:x}::{host}", subnet << 8 | host));
                let has_room = host < 3 && subnet < 4;
                assert_eq!(full, (!has_room).then_some(Full::Prefix), "{site} {subnet} {host}");
                in_sites.push(permit);
            }
        }
        let site = Prefix::new(format!("{site}::").parse().unwrap(), CONNECTION_SITE_V6);
        assert_eq!(limit.table().counted(site), 8);
    }
    assert_eq!(revoked(&in_sites).len(), 36 - 16);
    drop(in_sites);
    assert_eq!(limit.table().blocks.len(), 2, "192.0.2.0/24 and 192.0.3.0/24");
}

/// Past the limit in total, the connection that was idle for longest gives way, and counts no more
/// for its prefix either. What was active since is spared.
#[test]
fn the_longest_idle_gives_way() {
    let limit = Arc::new(ConnectionLimit::new(3, 1));
    let mut held = active(&limit, &["2001:db8::1", "2001:db8:1::1", "2001:db8:2::1"]);
    held[0].touch();
    held[0].touch();
    for (number, oldest) in [(3, 1), (4, 2), (5, 0)] {
        let (permit, full) = enter(&limit, &format!("2001:db8:{number:x}::1"));
        permit.touch();
        held.push(permit);
        assert_eq!(full, Some(Full::Total));
        assert!(is_revoked(&held[oldest]), "{oldest}");
        assert_eq!(revoked(&held).len(), number - 2);
        assert_eq!(limit.table().all.count, 3);
    }
    // Activity of a connection that has to go changes nothing.
    held[1].touch();
    assert!(limit.make_room() && is_revoked(&held[3]));
    held.truncate(4);
    assert_eq!(limit.table().all.count, 0);
    assert!(limit.table().blocks.is_empty());
    assert!(!limit.make_room());
    drop(held);
    assert_eq!(limit.table().unused.len(), 6);
    assert_eq!(limit.table().all.queues, [None, None]);
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

/// One host that holds all connections of its prefix does not lock its neighbours out, and costs no
/// other prefix a connection.
#[test]
fn a_full_prefix_gives_way_to_its_own() {
    let limit = Arc::new(ConnectionLimit::new(8, 2));
    let held = active(&limit, &["198.51.100.1", "192.0.2.1", "192.0.2.1", "198.51.101.1"]);
    let (neighbour, full) = enter(&limit, "192.0.2.77");
    assert_eq!((full, revoked(&held)), (Some(Full::Prefix), vec![1]));
    neighbour.touch();
    let (_again, full) = enter(&limit, "192.0.2.1");
    assert_eq!((full, revoked(&held)), (Some(Full::Prefix), vec![1, 2]));
    assert!(!is_revoked(&neighbour));
}

/// Connections without a message go first, but not once they are few: a newcomer has time to ask.
#[test]
fn silent_connections_go_first() {
    let limit = Arc::new(ConnectionLimit::new(8, 2));
    let held = active(&limit, &["10.0.0.1", "10.0.1.1", "10.0.2.1", "10.0.3.1", "10.0.4.1", "10.0.5.1"]);
    let silent: Vec<ConnectionPermit> =
        (6..12).map(|block| enter(&limit, &format!("10.0.{block}.1")).0).collect();
    assert_eq!((revoked(&held), revoked(&silent)), (vec![], vec![0, 1, 2, 3]));
    // One of two has asked: the other is less than a quarter, so it has its time.
    silent[4].touch();
    let _newcomer = enter(&limit, "10.0.12.1");
    assert_eq!((revoked(&held), revoked(&silent)), (vec![0], vec![0, 1, 2, 3]));
}

/// Connections, and blocks that have some.
fn counts(limit: &Arc<ConnectionLimit>) -> (u32, usize) {
    let table = limit.table();
    (table.all.count, table.blocks.len())
}

/// Connections of balancers count in total alone until they have a client, and then for its prefix
/// too, where the oldest of that prefix gives way, whichever way it came.
#[test]
fn connections_of_balancers_count_for_their_clients() {
    let limit = Arc::new(ConnectionLimit::new(100, 2));
    let unnamed: Vec<ConnectionPermit> = (0..20).map(|_| limit.enter(None).0).collect();
    assert_eq!(counts(&limit), (20, 0));
    assert!(revoked(&unnamed).is_empty(), "no limit of a prefix holds");
    let direct = active(&limit, &["192.0.2.1"]);
    let name = |index: usize, client: &str| unnamed[index].name(client.parse().expect("an address"));
    assert!(!name(0, "192.0.2.2") && !name(1, "2001:db8::1") && !name(2, "2001:db8::2"));
    unnamed[0].touch();
    assert!(name(3, "192.0.2.3"), "the third of the prefix");
    assert_eq!((revoked(&direct), revoked(&unnamed)), (vec![0], vec![]), "the oldest, which came by itself");
    assert!(name(4, "2001:db8::3"));
    assert_eq!(revoked(&unnamed), [1]);
    // One that already gives way is counted nowhere.
    assert!(!name(1, "198.51.100.1"));
    assert_eq!(limit.table().all.count, 21 - 2);
    drop((unnamed, direct));
    assert_eq!(counts(&limit), (0, 0));
}

/// Past the limit in total, connections without a client give way too.
#[test]
fn connections_of_balancers_count_in_total() {
    let limit = Arc::new(ConnectionLimit::new(2, 2));
    let held = [limit.enter(None).0, limit.enter(None).0];
    let (third, displaced) = limit.enter(None);
    assert_eq!((displaced, revoked(&held)), (Some(Full::Total), vec![0]));
    assert!(!third.name("192.0.2.1".parse().expect("an address")));
    assert!(!is_revoked(&third));
}
