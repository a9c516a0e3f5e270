//! Process groups of programs that this process started.

/// Kills a whole process group, by the ID of its leader. The caller must not have reaped the
/// leader, or only just now: while the leader or a member of the group lives, no other process gets
/// the ID, and IDs are reused only after a full cycle. A group that has already ended is no error.
pub(crate) fn kill(leader: u32) {
    let Ok(leader) = libc::pid_t::try_from(leader) else { return };
    // 0 and 1 would select this process's own group, and every process.
    if leader > 1 {
        // SAFETY: takes two numbers and no pointer.
        unsafe {
            libc::kill(-leader, libc::SIGKILL);
        }
    }
}
