//! Parallel work of a reload: independent items, shared among the cores.

use crate::limits::RELOAD_THREADS_MAX;
use crate::sys::memory::Passing;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Calls `work` for each number below `count`, in any order, on one thread per core, and returns
/// when all calls have ended. The calling thread takes part. A panic of `work` is passed on.
pub(crate) fn each(count: usize, work: &(dyn Fn(usize) + Sync)) {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(RELOAD_THREADS_MAX).min(count);
    let next = AtomicUsize::new(0);
    let passes = Passing::is_on();
    let take = || {
        let _passing = passes.then(Passing::begin);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            work(number);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            // If the system refuses a thread, the others do its share.
            if thread::Builder::new().spawn_scoped(scope, take).is_err() {
                break;
            }
        }
        take();
    });
}

#[cfg(test)]
mod tests;
