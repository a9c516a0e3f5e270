//! Memory that a load has used and freed, given back to the system.
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
