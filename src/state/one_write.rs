//! Writes of one file or folder, one at a time and away from the writer: a disk that hangs or is
//! full stops nothing. A write that failed is tried again, though not at once.

use crate::limits::HEALTH_RETRY_SECS;
use std::time::{Duration, Instant};
use tokio::sync::oneshot::{Receiver, channel, error::TryRecvError};
use tokio::task::spawn_blocking;

/// The end of a write; the error is a sentence.
type Written = Result<(), String>;

/// The writes of one file or folder.
#[derive(Default)]
pub(crate) struct OneWrite {
    /// Whether the disk does not hold what it is to hold.
    is_stale: bool,
    /// When the last write began.
    begun: Option<Instant>,
    running: Option<Receiver<Written>>,
    /// The last fault, told once until it is another.
    fault: Option<String>,
    told: Option<String>,
}

impl OneWrite {
    /// The disk is to hold something else from now on, or has lost what it held.
    pub(crate) fn mark_stale(&mut self) {
        self.is_stale = true;
    }

    /// Whether the disk does not hold what it is to hold.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Time since the last write began; `None` if there was none.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.begun.map(|begun| begun.elapsed())
    }

    /// Whether a write may begin: none runs, and none has failed a moment ago.
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

    /// Begins a write. Must run inside a Tokio runtime.
    pub(crate) fn begin(&mut self, write: impl FnOnce() -> Written + Send + 'static) {
        let (done, receiver) = channel();
        drop(spawn_blocking(move || drop(done.send(write()))));
        self.running = Some(receiver);
        (self.begun, self.is_stale) = (Some(Instant::now()), false);
    }

    /// Takes the end of a write; `None` if it did not say how it ended.
    fn take(&mut self, done: Option<Written>) {
        self.running = None;
        self.fault = match done {
            None => Some("the write ended by a fault of the program".to_owned()),
            Some(done) => done.err(),
        };
        // What could not be written is still to be written.
        self.is_stale |= self.fault.is_some();
    }

    /// Waits for the end of the write that runs; for ever if none does. Safe to drop midway.
    pub(crate) async fn wait(&mut self) {
        match &mut self.running {
            Some(running) => {
                let done = running.await.ok();
                self.take(done);
            }
            None => std::future::pending().await,
        }
    }

    /// Waits for the end of the write that runs, if one does.
    pub(crate) async fn settle(&mut self) {
        if self.running.is_some() {
            self.wait().await;
        }
    }

    /// Writes for the last time, and waits for the end of it.
    pub(crate) async fn finish(&mut self, write: impl FnOnce() -> Written + Send + 'static) {
        let done = spawn_blocking(write).await.ok();
        self.take(done);
    }

    /// Why writing fails, once for each kind of fault.
    pub(crate) fn new_fault(&mut self) -> Option<&str> {
        if self.fault == self.told {
            return None;
        }
        self.told.clone_from(&self.fault);
        self.fault.as_deref()
    }
}
