//! An attempt: work that asks the disk, on a thread of its own, which is given up where the disk
//! does not answer. The thread then hangs for itself, and its result goes nowhere.

use crate::finding::{Finding, code};
use crate::limits::{ATTEMPT_SECS, DISK_ANSWER_SECS};
use crate::reload::watch::Watch;
use crate::sys::hooks;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// An attempt under way.
pub(crate) struct Attempt<T> {
    watch: Arc<Watch>,
    done: oneshot::Receiver<T>,
    began: Instant,
}

impl<T: Send + 'static> Attempt<T> {
    /// Begins one. The error is a thread that the system does not give.
    pub(crate) fn begin(
        name: &str,
        work: impl FnOnce(&Watch) -> T + Send + 'static,
    ) -> std::io::Result<Attempt<T>> {
        let (sender, done) = oneshot::channel();
        let watch = Arc::new(Watch::default());
        let at_work = Arc::clone(&watch);
        std::thread::Builder::new().name(name.to_owned()).spawn(move || drop(sender.send(work(&at_work))))?;
        Ok(Attempt { watch, done, began: Instant::now() })
    }

    /// Waits for the end; `None` if the work ended by a panic. Safe to drop midway.
    pub(crate) async fn wait(&mut self) -> Option<T> {
        (&mut self.done).await.ok()
    }

    /// Time since it began.
    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Current step, in words.
    pub(crate) fn words(&self) -> String {
        self.watch.words()
    }

    /// The finding for which it is to be given up, once it has taken too long.
    pub(crate) fn overdue(&self, what: &str) -> Option<Finding> {
        if let Some((path, since)) = self.watch.waits_for()
            && since >= Duration::from_secs(hooks::secs("DISK_ANSWER", DISK_ANSWER_SECS))
        {
            let (path, secs) = (path.display(), since.as_secs());
            let finding = Finding::error(
                code::DISK_HANGS,
                format!("{what} was given up: `{path}` has not answered for {secs} s"),
            );
            return Some(finding.help(
                "see whether its disk answers, and no pipe stands in place of the file; then try again",
            ));
        }
        (self.age() >= Duration::from_secs(ATTEMPT_SECS)).then(|| {
            Finding::error(
                code::DISK_HANGS,
                format!("{what} was given up after {ATTEMPT_SECS} s, while {}", self.words()),
            )
            .help("see what keeps the node busy; then try again")
        })
    }

    /// The watch over it, which lives until it is dropped and its thread has ended.
    pub(crate) fn watch(&self) -> Weak<Watch> {
        Arc::downgrade(&self.watch)
    }

    /// Gives it up: its thread ends at the next look.
    pub(crate) fn give_up(self) {
        self.watch.give_up();
    }
}
