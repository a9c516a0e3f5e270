//! Faults on demand for tests, only in debug builds.

use std::path::Path;

/// Hangs like a disk while a file with the path's name and the ending `.hang` exists. Signals this
/// by a file with the ending `.hanging`.
pub(crate) fn hang(path: &Path) {
    #[cfg(debug_assertions)]
    {
        let beside = |ending: &str| {
            // Drop a trailing slash.
            let mut name = path.components().as_path().as_os_str().to_owned();
            name.push(ending);
            std::path::PathBuf::from(name)
        };
        while beside(".hang").exists() {
            let _ = std::fs::write(beside(".hanging"), "");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    #[cfg(not(debug_assertions))]
    let _ = path;
}

/// Fails like a disk while a file `.fault` exists in the folder: with "disk full" if it contains
/// `full`, else with "read-only".
pub(crate) fn fault(folder: &Path) -> std::io::Result<()> {
    #[cfg(debug_assertions)]
    if let Ok(kind) = std::fs::read_to_string(folder.join(".fault")) {
        return Err(match kind.trim() {
            "full" => std::io::ErrorKind::StorageFull.into(),
            _ => std::io::ErrorKind::ReadOnlyFilesystem.into(),
        });
    }
    let _ = folder;
    Ok(())
}

/// A limit in seconds, which tests can shorten by the environment variable
/// `MERIDIAN_HOOK_<NAME>_SECS`.
pub(crate) fn secs(name: &str, bound: u64) -> u64 {
    #[cfg(debug_assertions)]
    if let Some(secs) = std::env::var(format!("MERIDIAN_HOOK_{name}_SECS")).ok().and_then(|s| s.parse().ok())
    {
        return secs;
    }
    let _ = name;
    bound
}

/// Panics on a message that has the octets of `MERIDIAN_HOOK_PANIC_ON`, in any case of letters.
#[inline(always)]
pub(crate) fn panic_on(message: &[u8]) {
    #[cfg(debug_assertions)]
    {
        static ON: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
        let on = ON.get_or_init(|| std::env::var("MERIDIAN_HOOK_PANIC_ON").ok());
        if let Some(on) = on.as_ref().filter(|on| !on.is_empty()) {
            let is_it = |window: &[u8]| window.eq_ignore_ascii_case(on.as_bytes());
            assert!(!message.windows(on.len()).any(is_it), "a fault on demand");
        }
    }
    #[cfg(not(debug_assertions))]
    let _ = message;
}

#[cfg(debug_assertions)]
static SHIFT_SECS: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);

/// Shifts the wall clock of this process by a number of seconds.
#[cfg(debug_assertions)]
pub(crate) fn set_clock(shift_secs: i64) {
    SHIFT_SECS.store(shift_secs, std::sync::atomic::Ordering::Relaxed);
}

/// Time since 1970 by the shifted wall clock of this process.
pub(crate) fn shift(since: std::time::Duration) -> std::time::Duration {
    #[cfg(debug_assertions)]
    {
        let secs = SHIFT_SECS.load(std::sync::atomic::Ordering::Relaxed);
        let by = std::time::Duration::from_secs(secs.unsigned_abs());
        if secs < 0 { since.saturating_sub(by) } else { since + by }
    }
    #[cfg(not(debug_assertions))]
    since
}
