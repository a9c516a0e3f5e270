//! Memory of the process: how much it is, and what a load has used and freed given back to the system.
//!
//! A load allocates many small things and frees nearly all of them; the C library keeps the pages for
//! later. A name server loads rarely and then sits for days, so they are better returned.

/// Returns free pages of the heap to the system, where the C library can.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim only looks at memory that the allocator itself holds free; it takes the
    // allocator's own locks and may be called from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Resident memory of the process in octets, where the system tells (proc(5), `VmRSS`).
pub fn resident() -> Option<u64> {
    status_octets("VmRSS:")
}

/// The most that was ever resident, in octets, where the system tells (proc(5), `VmHWM`).
pub fn peak() -> Option<u64> {
    status_octets("VmHWM:")
}

fn status_octets(key: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = text.lines().find_map(|line| line.strip_prefix(key))?.trim().strip_suffix("kB")?.trim();
    kilobytes.parse::<u64>().ok().map(|n| n * 1024)
}
