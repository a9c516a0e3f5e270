//! Faults on demand, for tests: they exist in debug builds alone.

use std::path::Path;

/// Hangs as a disk does, while a file stands beside that of the path with the ending `.hang`. Says
/// that it does by one with the ending `.hanging`.
pub(crate) fn hang(path: &Path) {
    #[cfg(debug_assertions)]
    {
        let beside = |ending: &str| {
            // Without a slash at its end.
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

/// Fails as a disk does, while a file `.fault` stands in a folder: `full`, or anything else for
/// read-only.
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

/// A bound in seconds, which tests make shorter by the environment variable
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

#[cfg(debug_assertions)]
static SHIFT_SECS: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);

/// Sets the wall clock of this process so many seconds off.
#[cfg(debug_assertions)]
pub(crate) fn set_clock(shift_secs: i64) {
    SHIFT_SECS.store(shift_secs, std::sync::atomic::Ordering::Relaxed);
}

/// The time since 1970 as the wall clock of this process has it.
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
