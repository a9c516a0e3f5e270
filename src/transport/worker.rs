//! Worker threads of the fast lane: started, watched, joined.

use crate::shared::counters::Dropped;
use crate::sys::affinity;
use crate::transport::udp::{self, WorkerContext};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};

/// Running worker threads.
#[derive(Debug, Default)]
pub(crate) struct Workers(Vec<JoinHandle<()>>);

impl Workers {
    /// Starts a worker thread.
    pub(crate) fn start(&mut self, worker_context: WorkerContext) -> io::Result<()> {
        let name = format!("udp-{}", self.0.len());
        self.0.push(Builder::new().name(name).spawn(move || run(&worker_context))?);
        Ok(())
    }

    /// Waits for every thread. A thread ends within `WORKER_WAKE_MILLIS` after its stop flag is
    /// set.
    pub(crate) fn join(self) {
        for handle in self.0 {
            // A worker catches and counts its own panics, so a failed join adds no information.
            let _ = handle.join();
        }
    }
}

/// Restarts the loop after a panic outside the handling of a query: the socket is still open, and
/// without its thread the server would lose a share of its queries. Panics in the handling of a
/// query are caught there, and cost only that query.
fn run(worker_context: &WorkerContext) {
    if let Some(cpu) = worker_context.cpu
        && let Err(error) = affinity::pin(cpu)
    {
        tracing::warn!(%error, cpu,
            "a UDP thread cannot be bound to its core; the kernel schedules it on any core");
    }
    let mut drops = udp::Drops::default();
    while !worker_context.stop.load(Ordering::Relaxed) {
        if catch_unwind(AssertUnwindSafe(|| udp::serve(worker_context, &mut drops))).is_err() {
            worker_context.block.dropped(Dropped::Panic, 1);
        }
    }
}
