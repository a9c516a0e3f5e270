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
    /// Starts a thread with its worker context.
    pub(crate) fn start(&mut self, worker_context: WorkerContext) -> io::Result<()> {
        let name = format!("udp-{}", self.0.len());
        self.0.push(Builder::new().name(name).spawn(move || run(&worker_context))?);
        Ok(())
    }

    /// Waits for every thread; each ends within its wake-up time after its stop flag is set.
    pub(crate) fn join(self) {
        for handle in self.0 {
            // A worker catches its own panics; a failed join has nothing left to tell.
            let _ = handle.join();
        }
    }
}

/// A fault that no query is to blame for (those are caught, and cost that query alone) starts the
/// loop anew: the socket is still there, and a server that silently lost a thread would lose a
/// share of its queries.
fn run(worker_context: &WorkerContext) {
    if let Some(cpu) = worker_context.cpu
        && let Err(error) = affinity::pin(cpu)
    {
        tracing::warn!(%error, cpu,
            "a UDP thread is not bound to its core, and runs where the kernel puts it");
    }
    let mut drops = udp::Drops::default();
    while !worker_context.stop.load(Ordering::Relaxed) {
        if catch_unwind(AssertUnwindSafe(|| udp::serve(worker_context, &mut drops))).is_err() {
            worker_context.block.dropped(Dropped::Panic, 1);
        }
    }
}
