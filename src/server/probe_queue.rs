//! The probe queue: carries work to the prober, and results back.
//!
//! The prober is a task of its own. After a fault the driver restarts the prober. The checks of the
//! old prober count as checks without a result, because the fault is the node's own.

use crate::limits::PROBES_AT_ONCE;
use std::collections::HashSet;
use std::pin::Pin;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender};

/// Prober as a task.
type Run = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Creates a prober.
type Make<W, R> = Box<dyn Fn(Receiver<W>, UnboundedSender<(u64, R)>) -> Run + Send>;

/// Queue to the prober and back.
pub(crate) struct ProbeQueue<W, R> {
    handle: Handle,
    make: Make<W, R>,
    work: Sender<W>,
    results: UnboundedReceiver<(u64, R)>,
    /// Tickets of work without a result.
    out: HashSet<u64>,
}

impl<W, R> ProbeQueue<W, R> {
    /// Begins the queue on a runtime. The future from `make` does the work and sends the results,
    /// in a task of its own.
    pub(crate) fn begin<F>(
        handle: Handle,
        make: impl Fn(Receiver<W>, UnboundedSender<(u64, R)>) -> F + Send + 'static,
    ) -> ProbeQueue<W, R>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let make: Make<W, R> = Box::new(move |work, tell| Box::pin(make(work, tell)));
        let (work, results) = run(&handle, &make);
        ProbeQueue { handle, make, work, results, out: HashSet::new() }
    }

    /// Waits for a result. Never returns after the prober has stopped. Cancel-safe.
    pub(crate) async fn wait(&mut self) -> (u64, R) {
        match self.results.recv().await {
            Some(result) => self.take(result),
            // A closed channel would return at once, again and again.
            None => std::future::pending().await,
        }
    }

    /// Takes a result that has already arrived.
    pub(crate) fn result(&mut self) -> Option<(u64, R)> {
        let result = self.results.try_recv().ok()?;
        Some(self.take(result))
    }

    fn take(&mut self, result: (u64, R)) -> (u64, R) {
        self.out.remove(&result.0);
        result
    }

    /// True if the queue has room for a piece of work.
    pub(crate) fn has_room(&self) -> bool {
        !self.work.is_closed() && self.work.capacity() > 0
    }

    /// Hands out a piece of work. The queue must have room.
    pub(crate) fn hand_out(&mut self, ticket: u64, work: W) {
        if self.work.try_send(work).is_ok() {
            self.out.insert(ticket);
        }
    }

    /// True if the prober has ended, by a fault or with the server.
    pub(crate) fn has_ended(&self) -> bool {
        self.work.is_closed()
    }

    /// Restarts the prober. Returns the tickets of the unfinished work of the old prober.
    pub(crate) fn begin_anew(&mut self) -> Vec<u64> {
        (self.work, self.results) = run(&self.handle, &self.make);
        std::mem::take(&mut self.out).into_iter().collect()
    }
}

fn run<W, R>(handle: &Handle, make: &Make<W, R>) -> (Sender<W>, UnboundedReceiver<(u64, R)>) {
    let (work, to_do) = mpsc::channel(PROBES_AT_ONCE);
    // Needs no bound: the number of results never exceeds the number of running pieces of work.
    let (tell, results) = mpsc::unbounded_channel();
    handle.spawn(make(to_do, tell));
    (work, results)
}
