//! The probe queue: checks that go to the prober, results that come back, and the clock between.

use crate::health::Moment;
use crate::limits::PROBES_AT_ONCE;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender};

/// The longest sleep without anything to do: clocks of virtual machines jump.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// The way to the prober and back.
pub(crate) struct ProbeQueue<W, R> {
    began: Instant,
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
        ProbeQueue { began: Instant::now(), work, results }
    }

    /// Milliseconds since it began.
    pub(crate) fn now(&self) -> Moment {
        Moment(self.began.elapsed().as_millis() as u64)
    }

    /// Waits for a result, or for the moment at which something is due. Safe to drop midway:
    /// nothing is lost.
    pub(crate) async fn wait(&mut self, wake: Option<Moment>) -> Option<R> {
        let sleep =
            wake.map_or(SLEEP_MAX, |wake| Duration::from_millis(wake.since_ms(self.now())).min(SLEEP_MAX));
        // A channel that is closed (the server stops) is no result, again and again.
        tokio::select! {
            Some(result) = self.results.recv() => Some(result),
            () = tokio::time::sleep(sleep) => None,
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
