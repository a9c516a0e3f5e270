//! Tests of `own_fault`.

use super::*;

/// Each system error, and whether this node is at fault.
#[test]
#[cfg(unix)]
fn errors_by_owner() {
    let peer = Some(IpAddr::from([192, 0, 2, 1]));
    for (number, is_ours) in [
        (libc::EMFILE, true),
        (libc::ENFILE, true),
        (libc::ENOMEM, true),
        (libc::ENOBUFS, true),
        (libc::EAGAIN, true),
        (libc::EPERM, true),
        (libc::EACCES, false),
        (libc::EADDRNOTAVAIL, true),
        (libc::ECONNREFUSED, false),
        (libc::ECONNRESET, false),
        (libc::ETIMEDOUT, false),
        (libc::EHOSTUNREACH, false),
    ] {
        let error = io::Error::from_raw_os_error(number);
        assert_eq!(is_own(&error, peer), is_ours, "{error}");
    }
    assert!(is_own(&io::Error::from_raw_os_error(libc::EACCES), None), "a file or program of ours");
}

/// Rows of the kernel's routing tables.
#[test]
fn routes_of_a_family() {
    for (row, is_route) in [
        ("Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask", false),
        ("eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000", true),
        ("eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF", true),
        ("lo\t0000007F\t00000000\t0001\t0\t0\t0\t000000FF", false),
        ("*\t000200C0\t00000000\t0201\t0\t0\t0\t00FFFFFF", false),
    ] {
        assert_eq!(is_v4_route(row), is_route, "{row}");
    }
    let none = "00000000000000000000000000000000";
    for (to, flags, interface, is_route) in [
        (none, "00450003", "eth0", true),
        (none, "00200200", "lo", false),
        ("20010db8000000000000000000000000", "00000001", "eth0", true),
        ("fe800000000000000000000000000000", "00000001", "eth0", false),
        ("ff000000000000000000000000000000", "00000001", "eth0", false),
        ("00000000000000000000000000000001", "80200001", "lo", false),
    ] {
        let row = format!("{to} 00 {none} 00 {none} 00000400 00000001 00000000 {flags} {interface:>8}");
        assert_eq!(is_v6_route(&row), is_route, "{row}");
    }
}
