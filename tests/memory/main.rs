//! Memory: answering allocates nothing (law 6, one half), and tables that stay stand in large
//! pages.
//!
//! The allocator of the program serves this test program too, under one that counts.
#![allow(unsafe_code)] // an allocator is unsafe by its signature; this one only counts and passes on

#[cfg(target_os = "linux")]
mod large_pages;
mod no_alloc;

use meridian::testing::sys::memory::Allocator;
use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

struct Counting(Allocator);

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // The thread may be ending; then nobody asks for the count.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: every call goes to the program's allocator with the arguments as they came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { self.0.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { self.0.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { self.0.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting(Allocator);

/// Calls of the allocator that this thread has made.
fn calls() -> usize {
    CALLS.with(Cell::get)
}
