//! Process groups of programs that we started.

/// Kills a whole group, which is named by the process that leads it. The caller must not have
/// reaped that process, or have reaped it just now: while it or any of its group lives its number
/// belongs to nobody else, and numbers are given anew only after a whole round. A group that is
/// gone already is no fault.
pub(crate) fn kill(leader: u32) {
    let Ok(leader) = libc::pid_t::try_from(leader) else { return };
    // 0 and 1 would mean ourselves and everybody.
    if leader > 1 {
        // SAFETY: takes two numbers and no pointer.
        unsafe {
            libc::kill(-leader, libc::SIGKILL);
        }
    }
}
