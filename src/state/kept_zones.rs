//! Writes down which zones go on from their last good texts, one write at a time, away from the
//! writer: a disk that hangs or is full stops nothing.

use crate::limits::HEALTH_RETRY_SECS;
use crate::state::zone_store;
use crate::zone::source::ZoneSource;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot::{Receiver, channel, error::TryRecvError};
use tokio::task::spawn_blocking;

/// The kept zones of one server.
pub(crate) struct KeptZones {
    state: PathBuf,
    /// What the folder is to hold.
    wanted: Arc<[ZoneSource]>,
    /// Whether the folder does not hold it yet.
    is_stale: bool,
    /// When the last write began.
    written: Option<Instant>,
    writing: Option<Receiver<Result<(), String>>>,
    /// The last fault, told once until it is another.
    fault: Option<String>,
    told: Option<String>,
}

impl KeptZones {
    /// Those of a state folder, which is to hold what the snapshot in service keeps.
    pub(crate) fn new(state: &Path, sources: Arc<[ZoneSource]>) -> KeptZones {
        KeptZones {
            state: state.to_owned(),
            wanted: sources,
            is_stale: true,
            written: None,
            writing: None,
            fault: None,
            told: None,
        }
    }

    /// Takes what the snapshot in service keeps.
    pub(crate) fn follow(&mut self, sources: Arc<[ZoneSource]>) {
        self.wanted = sources;
        self.is_stale = true;
    }

    /// The disk has lost it: it is written at once.
    pub(crate) fn is_lost(&mut self) {
        self.is_stale = true;
    }

    /// Begins a write if one is due and none runs. Must run inside a Tokio runtime.
    pub(crate) fn write(&mut self) {
        match self.writing.as_mut().map(Receiver::try_recv) {
            Some(Err(TryRecvError::Empty)) => return,
            Some(Err(TryRecvError::Closed)) => self.take(None),
            Some(Ok(done)) => self.take(Some(done)),
            None => {}
        }
        let is_soon = self.written.is_some_and(|at| at.elapsed() < Duration::from_secs(HEALTH_RETRY_SECS));
        if !self.is_stale || (self.fault.is_some() && is_soon) {
            return;
        }
        let (state, wanted) = (self.state.clone(), Arc::clone(&self.wanted));
        let (done, receiver) = channel();
        self.writing = Some(receiver);
        drop(spawn_blocking(move || drop(done.send(zone_store::keep(&state, &wanted)))));
        (self.written, self.is_stale) = (Some(Instant::now()), false);
    }

    fn take(&mut self, done: Option<Result<(), String>>) {
        self.writing = None;
        self.fault = match done {
            None => Some("the write ended by a fault of the program".to_owned()),
            Some(done) => done.err(),
        };
        // What could not be written is still to be written, though not at once again.
        self.is_stale |= self.fault.is_some();
    }

    /// Waits for the end of a write, behind which [`KeptZones::write`] is to be called again; for
    /// ever if none runs. Safe to drop midway.
    pub(crate) async fn wait(&mut self) {
        match &mut self.writing {
            Some(writing) => {
                let done = writing.await.ok();
                self.take(done);
            }
            None => std::future::pending().await,
        }
    }

    /// Writes for the last time, behind a write that runs.
    pub(crate) async fn close(&mut self) {
        if self.writing.is_some() {
            self.wait().await;
        }
        if self.is_stale {
            let (state, wanted) = (self.state.clone(), Arc::clone(&self.wanted));
            let done = spawn_blocking(move || zone_store::keep(&state, &wanted)).await.ok();
            self.take(done);
        }
    }

    /// A sentence if writing fails, once for each kind of fault.
    pub(crate) fn fault(&mut self) -> Option<String> {
        if self.fault == self.told {
            return None;
        }
        self.told.clone_from(&self.fault);
        let why = self.fault.as_ref()?;
        Some(format!("last good texts of zones are not kept over a restart: {why}"))
    }
}
