//! What one input may cost: memory on top of what is there already, and time of the processor.
//!
//! Both are of the thread that runs the target alone, so neither other tests nor a busy machine
//! change a verdict.
#![allow(unsafe_code)] // an allocator is unsafe by its signature; this one only counts and passes on

use crate::targets::cost::processor_time;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

/// What an input may cost beyond what it holds.
const OCTETS_MAX: usize = 64 << 20;
const CPU_MAX: Duration = Duration::from_secs(2);

struct Counting;

thread_local! {
    /// Octets that this thread holds, and the most that it held.
    static HELD: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

fn count(allocated: usize, freed: usize) {
    // The thread may be ending; then nobody asks for the count. What another thread allocated may
    // be freed here.
    let _ = HELD.try_with(|held| {
        let (now, most) = held.get();
        let now = (now + allocated).saturating_sub(freed);
        held.set((now, most.max(now)));
    });
}

// SAFETY: every call goes to the system's allocator with the arguments as they came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs a target on an input. Panics if it costs too much.
pub fn metered(target: fn(&[u8]), input: &[u8]) {
    let (held, _) = HELD.get();
    HELD.set((held, held));
    let begun = processor_time();
    target(input);
    let most = HELD.get().1 - held;
    assert!(most <= OCTETS_MAX, "{} octets cost {most} octets of memory", input.len());
    if let (Some(begun), Some(ended)) = (begun, processor_time()) {
        let spent = ended - begun;
        assert!(spent <= CPU_MAX, "{} octets cost {spent:?}", input.len());
    }
}

/// The meter sees what a target allocates and how long it takes.
#[cfg(target_os = "linux")]
#[test]
fn too_much_is_noticed() {
    let memory = |_: &[u8]| drop(vec![1u8; OCTETS_MAX + 1]);
    let time = |_: &[u8]| {
        let cpu = || processor_time().expect("Linux tells the time of a thread");
        let begun = cpu();
        while cpu() - begun <= CPU_MAX {
            std::hint::spin_loop();
        }
    };
    for (what, target) in [("memory", memory as fn(&[u8])), ("", time)] {
        let panic = std::panic::catch_unwind(|| metered(target, b"x")).expect_err("it costs too much");
        let told = panic.downcast_ref::<String>().expect("a sentence");
        assert!(told.starts_with("1 octets cost") && told.ends_with(what), "{told}");
    }
}
