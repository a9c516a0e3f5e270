//! Saves the last good texts of zones, one write at a time, outside the writer task: a hanging or
//! full disk blocks nothing.

use crate::state::one_write::OneWrite;
use crate::state::zone_store;
use crate::zone::source::FolderStanding;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Kept zones of one server.
pub(crate) struct KeptZones {
    state: PathBuf,
    /// Zones whose texts the folder must hold.
    wanted: Arc<FolderStanding>,
    write: OneWrite,
}

impl KeptZones {
    /// Starts with the zones of the served snapshot, which are saved first.
    pub(crate) fn new(state: &Path, folder: Arc<FolderStanding>) -> KeptZones {
        let mut write = OneWrite::default();
        write.mark_stale();
        KeptZones { state: state.to_owned(), wanted: folder, write }
    }

    /// Takes over the zones of a new snapshot.
    pub(crate) fn follow(&mut self, folder: Arc<FolderStanding>) {
        self.wanted = folder;
        self.write.mark_stale();
    }

    /// Notes that the disk has lost the texts, so that they are saved at once.
    pub(crate) fn is_lost(&mut self) {
        self.write.mark_stale();
    }

    /// Starts a write if one is due and none runs. Needs a Tokio runtime.
    pub(crate) fn write(&mut self) {
        if self.write.is_free() && self.write.is_stale() {
            self.write.begin(self.work());
        }
    }

    /// Work of one write.
    fn work(&self) -> impl FnOnce() -> Result<(), String> + Send + 'static {
        let (state, wanted) = (self.state.clone(), Arc::clone(&self.wanted));
        move || zone_store::keep(&state, &wanted)
    }

    /// Waits for the end of a write, after which [`KeptZones::write`] must be called again. Never
    /// returns if none runs. Cancel-safe.
    pub(crate) async fn wait(&mut self) {
        self.write.wait().await;
    }

    /// Waits for a running write, then writes once more if the disk is out of date.
    pub(crate) async fn close(&mut self) {
        self.write.settle().await;
        if self.write.is_stale() {
            let work = self.work();
            self.write.finish(work).await;
        }
    }

    /// Sentence about a failed write, once for each kind of fault.
    pub(crate) fn fault(&mut self) -> Option<String> {
        let why = self.write.new_fault()?;
        Some(format!("last good texts of zones are not kept over a restart: {why}"))
    }
}
