//! Saves of the ledger: one at a time, on a thread of its own, so that a hanging disk delays
//! neither verdicts nor publications.
//!
//! ```text
//!         begin            done
//!  idle ────────▶ saving ────────▶ idle
//!                   │ SAVE_SECS                        done
//!                   └───────────▶ late (alarm) ────────────────▶ idle; the ledger in force is
//!                                                                saved again
//! ```
//!
//! A late save may still reach the disk, although its change was refused. The ledger in force is
//! therefore saved once more as soon as the disk answers.

use crate::limits::{SAVE_SECS, SAVES_WAITING_MAX};
use crate::live::draft::Draft;
use crate::shared::command::{OverrideChange, OverrideReport};
use crate::state::ledger_store::{Good, LedgerStore};
use crate::steer::ledger::Ledger;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout_at};

/// Callback with the report of an override.
pub(crate) type OverrideReply = Box<dyn FnOnce(OverrideReport) + Send>;

/// Callback with the ended alarms of an acknowledgement.
pub(crate) type AcknowledgeReply = Box<dyn FnOnce(Result<Vec<String>, String>) + Send>;

/// A request that needs the disk.
pub(crate) enum Request {
    /// An override.
    Override(OverrideChange, OverrideReply),
    /// Acknowledgement of a damaged ledger, with its author.
    Acknowledge(Arc<str>, AcknowledgeReply),
}

/// Purpose of a save.
pub(crate) enum Purpose {
    /// Override that comes into force when it is saved.
    Override(Box<Draft>, OverrideReply),
    /// Acknowledgement of a damaged ledger, with its author.
    Acknowledge(Arc<str>, AcknowledgeReply),
    /// Save of the ledger in force, which is unsaved.
    Rewrite,
}

/// End of a wait for a save.
pub(crate) enum Ended {
    /// The save of a ledger has ended. Without a purpose, the save was late and its request was
    /// refused.
    Done(Option<Purpose>, Ledger, Result<(), String>),
    /// The disk has not answered in time.
    Late(Purpose),
}

/// Saves of one server.
pub(crate) struct Saves {
    state: PathBuf,
    /// `None` while a save runs.
    store: Option<LedgerStore>,
    /// Contents of the file.
    good: Arc<Good>,
    running: Option<Running>,
    /// Requests that wait for the running save.
    waiting: VecDeque<Request>,
}

struct Running {
    work: JoinHandle<(LedgerStore, io::Result<()>)>,
    /// `None` once the save is late.
    purpose: Option<Purpose>,
    /// The ledger that is being saved.
    ledger: Ledger,
    deadline: Instant,
}

impl Saves {
    /// Creates the saves of a state folder.
    pub(crate) fn new(state: &Path, store: LedgerStore) -> Saves {
        Saves {
            state: state.to_owned(),
            good: store.good(),
            store: Some(store),
            running: None,
            waiting: VecDeque::new(),
        }
    }

    /// True if a save may begin.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_none()
    }

    /// True if the disk has not answered in time.
    pub(crate) fn is_late(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.purpose.is_none())
    }

    /// Drops the waiting requests and the purpose of the running save. After the end of that save,
    /// the ledger in force is saved.
    pub(crate) fn forget(&mut self) {
        self.waiting.clear();
        if let Some(running) = &mut self.running {
            running.purpose = None;
        }
    }

    /// True while a save of an override runs and is not late: the override comes into force at the
    /// end of the save.
    pub(crate) fn is_deciding(&self) -> bool {
        let purpose = self.running.as_ref().and_then(|running| running.purpose.as_ref());
        matches!(purpose, Some(Purpose::Override(..)))
    }

    /// Begins a save. No other save may be running.
    pub(crate) fn begin(&mut self, ledger: Ledger, purpose: Purpose) {
        let (store, state, saved) = (self.store.take(), self.state.clone(), ledger.clone());
        let good = Arc::clone(&self.good);
        let acknowledges = matches!(purpose, Purpose::Acknowledge(..));
        let work = spawn_blocking(move || {
            let ledger = saved;
            let mut store = store.unwrap_or_else(|| LedgerStore::reopen(&state, good));
            let done = if acknowledges { store.acknowledge(&ledger) } else { store.save(&ledger) };
            (store, done)
        });
        let deadline = Instant::now() + Duration::from_secs(SAVE_SECS);
        self.running = Some(Running { work, purpose: Some(purpose), ledger, deadline });
    }

    /// Lets a request wait for the running save. The error returns the request if too many wait, or
    /// the save is late.
    pub(crate) fn wait_behind(&mut self, request: Request) -> Result<(), Request> {
        if self.is_late() || self.waiting.len() >= SAVES_WAITING_MAX {
            return Err(request);
        }
        self.waiting.push_back(request);
        Ok(())
    }

    /// Takes the next waiting request.
    pub(crate) fn next_waiting(&mut self) -> Option<Request> {
        self.waiting.pop_front()
    }

    /// Waits for the end or the deadline of a save. Never returns if no save runs. Cancel-safe.
    pub(crate) async fn wait(&mut self) -> Ended {
        let Some(running) = &mut self.running else { return std::future::pending().await };
        let done = if running.purpose.is_some() {
            match timeout_at(running.deadline, &mut running.work).await {
                Ok(done) => done,
                Err(_) => match running.purpose.take() {
                    Some(purpose) => return Ended::Late(purpose),
                    None => return std::future::pending().await,
                },
            }
        } else {
            (&mut running.work).await
        };
        let Some(Running { purpose, ledger, .. }) = self.running.take() else {
            return std::future::pending().await;
        };
        match done {
            Ok((store, done)) => {
                let path = store.path().display().to_string();
                self.store = Some(store);
                Ended::Done(purpose, ledger, done.map_err(|error| format!("{path}: {error}")))
            }
            // The panic has dropped the store; the next save reopens it.
            Err(fault) => Ended::Done(
                purpose,
                ledger,
                Err(format!("the save ended by a fault of the program: {fault}")),
            ),
        }
    }
}
