//! Processes of the system, in particular our children and their orphans (proc(5),
//! PR_SET_CHILD_SUBREAPER of prctl(2)).
//!
//! Only Linux provides the list; elsewhere it is empty, and only a process group is killed.

/// A process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// Process ID.
    pub(crate) pid: u32,
    /// Process ID of the parent.
    pub(crate) parent: u32,
    /// Start time in clock ticks since the machine's boot. Together with the ID, it identifies one
    /// process for ever.
    pub(crate) started: u64,
    /// True if it has ended and its parent has not reaped it.
    pub(crate) is_zombie: bool,
}

/// Makes this process the parent of its descendants' orphans. It applies to the whole process, so
/// only a dedicated server program may call it.
pub(crate) fn adopt() {
    #[cfg(target_os = "linux")]
    // SAFETY: takes numbers and no pointer. Refused, descendants go to the init process as before.
    unsafe {
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    }
}

/// True if orphans below this process become its children.
pub(crate) fn adopts() -> bool {
    #[cfg(target_os = "linux")]
    {
        let mut told: libc::c_int = 0;
        // SAFETY: the kernel writes one `int` to the local one, which outlives the call.
        let status = unsafe { libc::prctl(libc::PR_GET_CHILD_SUBREAPER, &raw mut told, 0, 0, 0) };
        status == 0 && told == 1 || std::process::id() == 1
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// Every visible process. A process that ends during the call is left out.
pub(crate) fn list() -> Vec<Process> {
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| process(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// Process with an ID.
pub(crate) fn process(pid: u32) -> Option<Process> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    read(pid, &stat)
}

/// Reads the fields of a `stat` after the name, which may contain any characters.
fn read(pid: u32, stat: &[u8]) -> Option<Process> {
    let end = stat.iter().rposition(|octet| *octet == b')')?;
    let fields: Vec<&str> =
        std::str::from_utf8(stat.get(end + 1..)?).ok()?.split_ascii_whitespace().collect();
    let is_zombie = matches!(*fields.first()?, "Z" | "X");
    // Field 3 of proc(5) is the first one here.
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
        is_zombie,
    })
}

/// Value of a variable in the initial environment of a process.
pub(crate) fn variable(pid: u32, name: &str) -> Option<String> {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let value = |entry: &[u8]| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    environment.split(|octet| *octet == 0).find_map(value).and_then(|value| String::from_utf8(value).ok())
}

/// Starts a process with a mark, which all of its descendants inherit from their first instruction:
/// the soft limit of real-time CPU time (RLIMIT_RTTIME of getrlimit(2)), which has no effect at
/// such a high value. Unlike an environment variable, it survives an emptied environment. `mark` is
/// at least 2^62.
///
/// While `start` runs, the limit applies to this whole process, so nothing else may be started at
/// the same time. If a hard limit forbids the mark, the process starts without one.
pub(crate) fn marked<T>(mark: u64, start: impl FnOnce() -> T) -> T {
    #[cfg(target_os = "linux")]
    {
        let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the kernel writes one `rlimit` to `before`, which outlives the call.
        let is_told = unsafe { libc::getrlimit(libc::RLIMIT_RTTIME, &raw mut before) } == 0;
        if !is_told || before.rlim_max < mark {
            return start();
        }
        let with_mark = libc::rlimit { rlim_cur: mark, ..before };
        // SAFETY: the kernel reads one `rlimit` from `with_mark`, which outlives the call.
        unsafe { libc::setrlimit(libc::RLIMIT_RTTIME, &raw const with_mark) };
        let started = start();
        // SAFETY: as above.
        unsafe { libc::setrlimit(libc::RLIMIT_RTTIME, &raw const before) };
        started
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = mark;
        start()
    }
}

/// Mark of a process, or any other limit of its real-time CPU time.
pub(crate) fn mark(pid: u32) -> Option<u64> {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max realtime timeout"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Kills a process, if it is still the listed one.
pub(crate) fn kill(listed: &Process) {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
        let Ok(pid) = libc::pid_t::try_from(listed.pid) else { return };
        let is_same = || process(listed.pid).is_some_and(|now| now.started == listed.started);
        if pid <= 1 || listed.pid == std::process::id() {
            return;
        }
        // SAFETY: takes numbers and no pointer; gives a new descriptor or -1.
        let handle = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        if let Ok(handle) = i32::try_from(handle)
            && handle >= 0
        {
            // SAFETY: the descriptor is new, and nothing else owns it.
            let handle = unsafe { OwnedFd::from_raw_fd(handle) };
            // The handle stays bound to its process, so the ID cannot pass to another process after
            // this check.
            if is_same() {
                let none: *const libc::siginfo_t = std::ptr::null();
                // SAFETY: the descriptor is open; a null pointer asks for the usual signal.
                unsafe {
                    libc::syscall(libc::SYS_pidfd_send_signal, handle.as_raw_fd(), libc::SIGKILL, none, 0);
                }
            }
        } else if is_same() {
            // A kernel before 5.3, or no free descriptor.
            // SAFETY: takes two numbers and no pointer.
            unsafe {
                libc::kill(pid, libc::SIGKILL);
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = listed;
}

/// Reaps a child that has ended, so that it leaves the process table.
#[cfg(unix)]
pub(crate) fn reap(pid: u32) {
    let Ok(pid) = libc::pid_t::try_from(pid) else { return };
    // 0 and negative numbers would select other processes too.
    if pid > 0 {
        // SAFETY: without a place for the status the kernel writes nothing; it does not wait.
        unsafe {
            libc::waitpid(pid, std::ptr::null_mut(), libc::WNOHANG);
        }
    }
}

/// Lowers the soft descriptor limit of a child that is not yet reaped, for the sake of old
/// programs.
pub(crate) fn limit_descriptors(pid: u32, soft: u64) {
    #[cfg(target_os = "linux")]
    {
        let Ok(pid) = libc::pid_t::try_from(pid) else { return };
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the kernel writes one `rlimit` to the local one, then reads it; both outlive the
        // calls.
        unsafe {
            if libc::prlimit(pid, libc::RLIMIT_NOFILE, std::ptr::null(), &raw mut limit) == 0 {
                limit.rlim_cur = limit.rlim_max.min(soft);
                libc::prlimit(pid, libc::RLIMIT_NOFILE, &raw const limit, std::ptr::null_mut());
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (pid, soft);
}

#[cfg(test)]
mod tests;
