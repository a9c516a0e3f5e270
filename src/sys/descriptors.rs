//! The limit of descriptors (RLIMIT_NOFILE, getrlimit(2)), and how many are open.

/// A limit of descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// In force.
    pub soft: usize,
    /// What the soft one may be raised to.
    pub(crate) hard: usize,
}

/// The limit of this process; `None` where the system does not tell.
#[cfg(unix)]
pub(crate) fn limit() -> Option<Limit> {
    let mut told = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes one `rlimit` to the local one, which outlives the call.
    let status = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut told) };
    let count = |limit: libc::rlim_t| usize::try_from(limit).unwrap_or(usize::MAX);
    (status == 0).then(|| Limit { soft: count(told.rlim_cur), hard: count(told.rlim_max) })
}

/// Raises the soft limit to the hard one; gives the limit from then on.
#[cfg(unix)]
pub fn raise() -> Option<Limit> {
    let Limit { hard, .. } = limit()?;
    let hard = libc::rlim_t::try_from(hard).unwrap_or(libc::RLIM_INFINITY);
    let asked = libc::rlimit { rlim_cur: hard, rlim_max: hard };
    // SAFETY: the kernel reads one `rlimit` from the local one, which outlives the call.
    // Refused (as by macOS, which has a bound of its own), the old limit stays and is told.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const asked) };
    limit()
}

/// Where the system has no such limit.
#[cfg(not(unix))]
pub(crate) fn limit() -> Option<Limit> {
    None
}

/// Where the system has no such limit.
#[cfg(not(unix))]
pub fn raise() -> Option<Limit> {
    None
}

/// How many descriptors are open, by the folder in which the system lists them. `None` if it lists
/// none, or no descriptor is left to read it.
pub(crate) fn open() -> Option<usize> {
    let folder = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    // The descriptor of the folder itself is open while it is read.
    std::fs::read_dir(folder).ok().map(|entries| entries.count().saturating_sub(1))
}
