//! Tests of `own_fault`.

use super::*;

/// Each error of the system, and whose trouble it is.
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
        (libc::EACCES, true),
        (libc::EADDRNOTAVAIL, true),
        (libc::ECONNREFUSED, false),
        (libc::ECONNRESET, false),
        (libc::ETIMEDOUT, false),
        (libc::EHOSTUNREACH, false),
    ] {
        let error = io::Error::from_raw_os_error(number);
        assert_eq!(is_own(&error, peer), is_ours, "{error}");
    }
}
