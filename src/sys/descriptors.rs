//! Descriptor limit (RLIMIT_NOFILE, getrlimit(2)), and the number of open descriptors.

/// A descriptor limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Limit in force.
    pub soft: usize,
    /// Largest value to which the soft limit can be raised.
    pub(crate) hard: usize,
}

/// Limit of this process; `None` if the system provides none.
#[cfg(unix)]
pub(crate) fn limit() -> Option<Limit> {
    let mut told = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes one `rlimit` to the local one, which outlives the call.
    let status = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut told) };
    let count = |limit: libc::rlim_t| usize::try_from(limit).unwrap_or(usize::MAX);
    (status == 0).then(|| Limit { soft: count(told.rlim_cur), hard: count(told.rlim_max) })
}

/// Raises the soft limit to the hard limit; returns the resulting limit.
#[cfg(unix)]
pub fn raise() -> Option<Limit> {
    let Limit { hard, .. } = limit()?;
    let hard = libc::rlim_t::try_from(hard).unwrap_or(libc::RLIM_INFINITY);
    let asked = libc::rlimit { rlim_cur: hard, rlim_max: hard };
    // SAFETY: the kernel reads one `rlimit` from the local one, which outlives the call.
    // If the system refuses (macOS has a lower limit of its own), the old limit stays in force.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const asked) };
    limit()
}

/// Always `None`: this system has no such limit.
#[cfg(not(unix))]
pub(crate) fn limit() -> Option<Limit> {
    None
}

/// Always `None`: this system has no such limit.
#[cfg(not(unix))]
pub fn raise() -> Option<Limit> {
    None
}

/// Number of open descriptors, from the folder in which the system lists them. `None` if there is
/// no such folder, or no free descriptor to read it.
pub(crate) fn open() -> Option<usize> {
    let folder = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    // The listing includes the folder's own descriptor.
    std::fs::read_dir(folder).ok().map(|entries| entries.count().saturating_sub(1))
}
