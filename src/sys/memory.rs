//! Memory of the process: its size, returning freed pages after a reload, and huge pages for large
//! tables.
//!
//! A reload allocates many small objects and frees nearly all of them; the C library keeps their
//! pages for later use. A name server reloads rarely, so it returns the pages to the system.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::marker::PhantomData;

/// Octets of a huge page, which is also the smallest allocation to place in huge pages.
const LARGE_PAGE: usize = 2 << 20;

/// System allocator that requests huge pages for allocations of at least one such page (madvise(2),
/// `MADV_HUGEPAGE`). A table of many megabytes is read at random: with pages of 4 KiB, each look-up
/// would first wait for the page tables.
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

/// Allocates at least one huge page.
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
        // SAFETY: both hold that many octets, and nothing else uses the new ones; the old ones are
        // freed as they were allocated.
        unsafe {
            at.copy_to_nonoverlapping(to, layout.size().min(size));
            Allocator.dealloc(at, layout);
        }
    }
    to
}

/// Layout of the actual allocation: one that fills a huge page is aligned to it.
#[inline]
fn placed(layout: Layout) -> Layout {
    if layout.size() < LARGE_PAGE { layout } else { layout.align_to(LARGE_PAGE).unwrap_or(layout) }
}

/// Makes large allocations go back to the system when they are freed, for the life of the process,
/// so that their pages are not reused in small pieces for a long-lived table. Must be called first,
/// before any thread exists, as mallopt(3) requires.
pub fn keep_large_apart() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes no pointer; it stores numbers under the allocator's own lock. The C
    // library would find the second number itself once such a size was freed, but no longer does so
    // once the first is set.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_PAGE as libc::c_int);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 2 * LARGE_PAGE as libc::c_int);
    }
}

thread_local! {
    /// Number of live [`Passing`] values of this thread.
    static PASSING: Cell<usize> = const { Cell::new(0) };
}

/// While a value lives, allocations of its thread request no huge pages, because they are soon
/// freed. Clearing a huge page can take ten times as long as clearing its small pages, if a virtual
/// machine has returned it to its host.
#[derive(Debug)]
pub struct Passing(PhantomData<*const ()>);

impl Passing {
    /// Begins.
    pub fn begin() -> Passing {
        PASSING.set(PASSING.get() + 1);
        Passing(PhantomData)
    }

    /// True if this thread has a live value. A thread that does part of its work must begin a value
    /// too.
    pub(crate) fn is_on() -> bool {
        PASSING.get() > 0
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        PASSING.set(PASSING.get() - 1);
    }
}

/// Requests huge pages for the whole pages of an allocation. Only a request: without them
/// everything is slower, but works.
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

/// Returns free heap pages to the system, if the C library can.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim only looks at memory that the allocator itself holds free; it takes the
    // allocator's own locks and may be called from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Resident memory of the process in octets, if the system provides it (proc(5), `VmRSS`).
pub fn resident() -> Option<u64> {
    status_octets("VmRSS:")
}

/// Peak resident memory in octets, if the system provides it (proc(5), `VmHWM`).
pub fn peak() -> Option<u64> {
    status_octets("VmHWM:")
}

fn status_octets(key: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = text.lines().find_map(|line| line.strip_prefix(key))?.trim().strip_suffix("kB")?.trim();
    kilobytes.parse::<u64>().ok().map(|n| n * 1024)
}
