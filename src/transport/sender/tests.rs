//! Sources that are answered, and reasons for those that are not.

use super::*;

/// Ports of services that answer anything, port 0, and addresses that are not unicast get nothing;
/// every other source does, ports of servers too.
#[test]
fn sources() {
    let at = |address: &str, port: u16| (address.parse::<IpAddr>().expect("an address"), port);
    assert_eq!(SERVICE_PORTS.iter().max(), Some(&SERVICE_PORT_MAX));
    for port in 0..=1_024 {
        let sender = at("192.0.2.1", port);
        let is_service = [7, 13, 17, 19, 37, 69].contains(&port);
        assert_eq!(is_answerable(&sender), port != 0 && !is_service, "port {port}");
        let expected = if is_service { Dropped::ServicePort } else { Dropped::BadPeer };
        assert_eq!(reason(Some(sender)), expected, "port {port}");
    }
    for address in ["0.0.0.0", "::", "224.0.0.251", "ff02::fb"] {
        assert!(!is_answerable(&at(address, 5_353)), "{address}");
        assert_eq!(reason(Some(at(address, 5_353))), Dropped::BadPeer);
    }
    assert!(is_answerable(&at("2001:db8::1", 53)));
    assert_eq!(reason(None), Dropped::BadPeer);
}
