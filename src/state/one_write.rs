//! Writes of one file or folder, one at a time and outside the writer task: a hanging or full disk
//! blocks nothing. A failed write is retried after a pause.

use crate::limits::HEALTH_RETRY_SECS;
use std::time::{Duration, Instant};
use tokio::sync::oneshot::{Receiver, channel, error::TryRecvError};
use tokio::task::spawn_blocking;

/// End of a write; the error is a sentence.
type Written = Result<(), String>;

/// Writes of one file or folder.
#[derive(Default)]
pub(crate) struct OneWrite {
    /// True if the disk lacks the wanted content.
    is_stale: bool,
    /// Start of the last write.
    begun: Option<Instant>,
    running: Option<Receiver<Written>>,
    /// Last fault, and the last that was reported.
    fault: Option<String>,
    told: Option<String>,
}

impl OneWrite {
    /// Notes that the content has changed, or that the disk has lost it.
    pub(crate) fn mark_stale(&mut self) {
        self.is_stale = true;
    }

    /// True if the disk lacks the wanted content.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Time since the start of the last write; `None` if there was none.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.begun.map(|begun| begun.elapsed())
    }

    /// True if a write may start: none runs, and none has failed within the pause.
    pub(crate) fn is_free(&mut self) -> bool {
        match self.running.as_mut().map(Receiver::try_recv) {
            Some(Err(TryRecvError::Empty)) => return false,
            Some(Err(TryRecvError::Closed)) => self.take(None),
            Some(Ok(done)) => self.take(Some(done)),
            None => {}
        }
        let is_soon = self.age().is_some_and(|age| age < Duration::from_secs(HEALTH_RETRY_SECS));
        self.fault.is_none() || !is_soon
    }

    /// Starts a write. Needs a Tokio runtime.
    pub(crate) fn begin(&mut self, write: impl FnOnce() -> Written + Send + 'static) {
        let (done, receiver) = channel();
        drop(spawn_blocking(move || drop(done.send(write()))));
        self.running = Some(receiver);
        (self.begun, self.is_stale) = (Some(Instant::now()), false);
    }

    /// Takes the result of a write; `None` after a panic.
    fn take(&mut self, done: Option<Written>) {
        self.running = None;
        self.fault = match done {
            None => Some("the write ended by a fault of the program".to_owned()),
            Some(done) => done.err(),
        };
        // Content that could not be written is still wanted.
        self.is_stale |= self.fault.is_some();
    }

    /// Waits for the end of the running write. Never returns if none runs. Cancel-safe.
    pub(crate) async fn wait(&mut self) {
        match &mut self.running {
            Some(running) => {
                let done = running.await.ok();
                self.take(done);
            }
            None => std::future::pending().await,
        }
    }

    /// Waits for the end of the running write, if there is one.
    pub(crate) async fn settle(&mut self) {
        if self.running.is_some() {
            self.wait().await;
        }
    }

    /// Writes for the last time, and waits for the end.
    pub(crate) async fn finish(&mut self, write: impl FnOnce() -> Written + Send + 'static) {
        let done = spawn_blocking(write).await.ok();
        self.take(done);
    }

    /// Reason of a failed write, once for each kind of fault.
    pub(crate) fn new_fault(&mut self) -> Option<&str> {
        if self.fault == self.told {
            return None;
        }
        self.told.clone_from(&self.fault);
        self.fault.as_deref()
    }
}
