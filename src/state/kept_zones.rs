//! Writes down which zones go on from their last good texts, one write at a time, away from the
//! writer: a disk that hangs or is full stops nothing.

use crate::state::one_write::OneWrite;
use crate::state::zone_store;
use crate::zone::source::FolderStanding;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The kept zones of one server.
pub(crate) struct KeptZones {
    state: PathBuf,
    /// What the folder is to hold.
    wanted: Arc<FolderStanding>,
    write: OneWrite,
}

impl KeptZones {
    /// Those of a state folder, which is to hold what the snapshot in service keeps.
    pub(crate) fn new(state: &Path, folder: Arc<FolderStanding>) -> KeptZones {
        let mut write = OneWrite::default();
        write.mark_stale();
        KeptZones { state: state.to_owned(), wanted: folder, write }
    }

    /// Takes what the snapshot in service keeps.
    pub(crate) fn follow(&mut self, folder: Arc<FolderStanding>) {
        self.wanted = folder;
        self.write.mark_stale();
    }

    /// The disk has lost it: it is written at once.
    pub(crate) fn is_lost(&mut self) {
        self.write.mark_stale();
    }

    /// Begins a write if one is due and none runs. Must run inside a Tokio runtime.
    pub(crate) fn write(&mut self) {
        if self.write.is_free() && self.write.is_stale() {
            self.write.begin(self.work());
        }
    }

    /// The work of one write.
    fn work(&self) -> impl FnOnce() -> Result<(), String> + Send + 'static {
        let (state, wanted) = (self.state.clone(), Arc::clone(&self.wanted));
        move || zone_store::keep(&state, &wanted)
    }

    /// Waits for the end of a write, behind which [`KeptZones::write`] is to be called again; for
    /// ever if none runs. Safe to drop midway.
    pub(crate) async fn wait(&mut self) {
        self.write.wait().await;
    }

    /// Writes for the last time, behind a write that runs.
    pub(crate) async fn close(&mut self) {
        self.write.settle().await;
        if self.write.is_stale() {
            let work = self.work();
            self.write.finish(work).await;
        }
    }

    /// A sentence if writing fails, once for each kind of fault.
    pub(crate) fn fault(&mut self) -> Option<String> {
        let why = self.write.new_fault()?;
        Some(format!("last good texts of zones are not kept over a restart: {why}"))
    }
}
