//! Memory of the process: its size, the return of pages that a reload has freed, and large tables
//! in large pages.
//!
//! A reload allocates many small objects and frees nearly all of them; the C library keeps the
//! pages for later. A name server reloads rarely, so the pages are better returned to the system.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::marker::PhantomData;

/// Octets of a large page, and the least that is worth one.
const LARGE_PAGE: usize = 2 << 20;

/// The system's allocator, but what fills large pages is asked to stand in them (madvise(2),
/// `MADV_HUGEPAGE`). A table of many megabytes is read at random: with pages of four kilobytes each
/// look-up first waits for the page tables.
pub struct Allocator;

// SAFETY: every call goes to the system's allocator, with a layout that is made alike from the same
// argument each time and is never less aligned.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= LARGE_PAGE {
            return large(layout);
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= LARGE_PAGE {
            return large_zeroed(layout);
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise; this is the layout that it was allocated with.
        unsafe { System.dealloc(at, placed(layout)) }
    }

    #[inline]
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.size() >= LARGE_PAGE || size >= LARGE_PAGE {
            // SAFETY: the caller's promise.
            return unsafe { moved(at, layout, size) };
        }
        // SAFETY: the caller's promise.
        unsafe { System.realloc(at, layout, size) }
    }
}

/// Allocates what fills a large page at least.
#[cold]
fn large(layout: Layout) -> *mut u8 {
    // SAFETY: the size is not 0.
    let at = unsafe { System.alloc(placed(layout)) };
    prefer_large_pages(at, layout.size());
    at
}

#[cold]
fn large_zeroed(layout: Layout) -> *mut u8 {
    let at = large(layout);
    if !at.is_null() {
        // SAFETY: that many octets were just allocated. They are written here, when the pages are
        // chosen.
        unsafe { at.write_bytes(0, layout.size()) };
    }
    at
}

/// # Safety
/// As of [`GlobalAlloc::realloc`], by [`Allocator`].
#[cold]
unsafe fn moved(at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    // SAFETY: the caller promises that the new size is not 0 and, rounded up to the alignment, does
    // not overflow.
    let to = unsafe { Allocator.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
    if !to.is_null() {
        // SAFETY: both hold that many octets, and the new ones are nobody's yet; the old ones are
        // freed as they were allocated.
        unsafe {
            at.copy_to_nonoverlapping(to, layout.size().min(size));
            Allocator.dealloc(at, layout);
        }
    }
    to
}

/// The layout that is really asked for: what fills a large page begins with one.
#[inline]
fn placed(layout: Layout) -> Layout {
    if layout.size() < LARGE_PAGE { layout } else { layout.align_to(LARGE_PAGE).unwrap_or(layout) }
}

/// Has what fills a large page go back to the system when it is freed, for the life of the process:
/// it must not lend its small pages to a table that stays. Called first of all, before there are
/// threads, as mallopt(3) asks.
pub fn keep_large_apart() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes no pointer; it stores numbers under the allocator's own lock. The
    // second is what the C library itself comes to once such a size was freed, and is no longer
    // found by it when the first is set.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_PAGE as libc::c_int);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 2 * LARGE_PAGE as libc::c_int);
    }
}

thread_local! {
    /// How many [`Passing`] this thread has.
    static PASSING: Cell<usize> = const { Cell::new(0) };
}

/// While this lives, nothing that its thread allocates is asked to stand in large pages: it will
/// soon be freed. To clear a large page can take ten times as long as its small ones, where a
/// virtual machine has given it back to its host.
#[derive(Debug)]
pub struct Passing(PhantomData<*const ()>);

impl Passing {
    /// Begins.
    pub fn begin() -> Passing {
        PASSING.set(PASSING.get() + 1);
        Passing(PhantomData)
    }

    /// Whether this thread has one: whoever works for it in other threads begins another there.
    pub(crate) fn is_on() -> bool {
        PASSING.get() > 0
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        PASSING.set(PASSING.get() - 1);
    }
}

/// Asks for large pages, as many as are filled. Only a wish: without them all is slower and nothing
/// else.
#[cfg_attr(not(target_os = "linux"), allow(unused_variables))]
fn prefer_large_pages(at: *mut u8, size: usize) {
    #[cfg(target_os = "linux")]
    if !at.is_null() && at.addr().is_multiple_of(LARGE_PAGE) && !Passing::is_on() {
        let filled = size / LARGE_PAGE * LARGE_PAGE;
        if filled > 0 {
            // SAFETY: the range was just allocated and is whole pages; the advice changes none of
            // its octets.
            unsafe { libc::madvise(at.cast(), filled, libc::MADV_HUGEPAGE) };
        }
    }
}

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
