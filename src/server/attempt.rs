//! An attempt: disk work on a thread of its own. If the disk does not answer, the server gives the
//! attempt up: the thread hangs alone, and its result is dropped.

use crate::finding::{Finding, code};
use crate::limits::{ATTEMPT_SECS, DISK_ANSWER_SECS};
use crate::reload::watch::{Part, Watch};
use crate::sys::hooks;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Running attempt.
pub(crate) struct Attempt<T> {
    watch: Arc<Watch>,
    done: oneshot::Receiver<T>,
    began: Instant,
}

impl<T: Send + 'static> Attempt<T> {
    /// Begins an attempt. The error means that the system did not start a thread.
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

    /// Waits for the end; `None` if the work ended by a panic. Cancel-safe.
    pub(crate) async fn wait(&mut self) -> Option<T> {
        (&mut self.done).await.ok()
    }

    /// Time since the begin of the attempt.
    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Current step, in words.
    pub(crate) fn words(&self) -> String {
        self.watch.words()
    }

    /// Current part of the work, and how much of it is done.
    pub(crate) fn part(&self) -> Part {
        self.watch.part()
    }

    /// Finding about an attempt that has taken too long and must be given up; `None` before.
    pub(crate) fn overdue(&self, what: &str) -> Option<Finding> {
        if let Some((path, since)) = self.watch.waits_for()
            && since >= Duration::from_secs(hooks::secs("DISK_ANSWER", DISK_ANSWER_SECS))
        {
            let (path, secs) = (path.display(), since.as_secs());
            let finding = Finding::error(
                code::DISK_HANGS,
                format!("{what} was given up: `{path}` has not answered for {secs} s"),
            );
            return Some(finding.help(format!(
                "check that the disk answers and that `{path}` is not a named pipe (FIFO); then try again"
            )));
        }
        (self.age() >= Duration::from_secs(ATTEMPT_SECS)).then(|| {
            Finding::error(
                code::DISK_HANGS,
                format!("{what} was given up after {ATTEMPT_SECS} s, while {}", self.words()),
            )
            .help("find out what keeps the node busy; then try again")
        })
    }

    /// Watch of the attempt. It is dropped when the attempt is dropped and the thread has ended.
    pub(crate) fn watch(&self) -> Weak<Watch> {
        Arc::downgrade(&self.watch)
    }

    /// Gives the attempt up: the thread ends at its next check of the watch.
    pub(crate) fn give_up(self) {
        self.watch.give_up();
    }
}
