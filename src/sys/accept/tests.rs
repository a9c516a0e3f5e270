//! Errors of `accept`, by number.

use super::*;

/// A lack of descriptors or buffers makes each pause longer, up to a limit; an aborted connection
/// makes none.
#[test]
#[cfg(unix)]
fn a_full_table_never_spins() {
    for lack in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
        let mut pause = AcceptPause::default();
        let waits: Vec<u64> = (0..12)
            .filter_map(|_| pause.after(&io::Error::from_raw_os_error(lack)))
            .map(|wait| wait.as_millis() as u64)
            .collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000], "{lack}");
    }
    for single in [libc::ECONNABORTED, libc::EINTR, libc::ENETUNREACH, libc::ENETDOWN] {
        assert_eq!(AcceptPause::default().after(&io::Error::from_raw_os_error(single)), None, "{single}");
    }
}
