//! The probe queue: work that goes to the prober, and results that come back.

use crate::limits::PROBES_AT_ONCE;
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender};

/// The way to the prober and back.
pub(crate) struct ProbeQueue<W, R> {
    work: Sender<W>,
    results: UnboundedReceiver<R>,
}

impl<W, R> ProbeQueue<W, R> {
    /// Begins; `run` does the work and tells its results, in a task of its own. Must run inside a
    /// Tokio runtime.
    pub(crate) fn begin<F>(run: impl FnOnce(Receiver<W>, UnboundedSender<R>) -> F) -> ProbeQueue<W, R>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (work, to_do) = mpsc::channel(PROBES_AT_ONCE);
        // Bounded by the work: there are never more results on their way than pieces of work that
        // run.
        let (tell, results) = mpsc::unbounded_channel();
        tokio::spawn(run(to_do, tell));
        ProbeQueue { work, results }
    }

    /// Waits for a result; for ever once the prober has stopped. Safe to drop midway: nothing is
    /// lost.
    pub(crate) async fn wait(&mut self) -> R {
        match self.results.recv().await {
            Some(result) => result,
            // A channel that is closed is no result, again and again.
            None => std::future::pending().await,
        }
    }

    /// A result that is there already.
    pub(crate) fn result(&mut self) -> Option<R> {
        self.results.try_recv().ok()
    }

    /// Whether a piece of work can be handed out now. Once the prober has stopped none can: a
    /// server that stops learns nothing new of anybody.
    pub(crate) fn has_room(&self) -> bool {
        !self.work.is_closed() && self.work.capacity() > 0
    }

    /// Hands out a piece of work for which there is room; a prober that stops just now takes it
    /// with it.
    pub(crate) fn hand_out(&self, work: W) {
        let _ = self.work.try_send(work);
    }
}
