//! Comparisons: predict the clients that a reload of the files on the disk would move.

use crate::finding::{Files, Finding, code};
use crate::impact::comparison::Comparison;
use crate::live::{LiveState, Now};
use crate::reload::prepare::{self, ZoneRules};
use crate::reload::running::Running;
use crate::reload::watch::Watch;
use crate::server::attempt::Attempt;
use crate::shared::command::Compared;
use crate::shared::decisions::Decisions;
use crate::snapshot::Snapshot;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Name of a comparison in findings.
const WHAT: &str = "the comparison";

/// Interval of the checks for a comparison that hangs.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Callback with the result of a comparison.
type Reply = Box<dyn FnOnce(Compared) + Send>;

/// Runs one comparison at a time, because a comparison uses a core for at least as long as a
/// reload.
#[derive(Default)]
pub(crate) struct Comparer {
    running: Option<(Attempt<Compared>, Reply)>,
    /// Result that is not sent yet; the inner `None` means that the thread panicked.
    ended: Option<Option<Compared>>,
    hung: Weak<Watch>,
}

impl Comparer {
    /// Begins a comparison on a thread of its own. Refuses if another comparison runs.
    pub(crate) fn begin(&mut self, compare: impl FnOnce(&Watch) -> Compared + Send + 'static, reply: Reply) {
        if self.running.is_some() || self.hung.strong_count() > 0 {
            let finding =
                Finding::error(code::RELOAD_BUSY, "another comparison is running or waits for the disk")
                    .help("try again when the other comparison has ended");
            return reply(refused(finding));
        }
        match Attempt::begin("comparison", compare) {
            Ok(attempt) => self.running = Some((attempt, reply)),
            Err(error) => {
                let finding = Finding::error(code::OWN_FAULT, format!("{WHAT} cannot begin: {error}"));
                reply(refused(finding.help(
                    "check the limits on threads of the server (`TasksMax=` of the unit, `ulimit -u`)",
                )));
            }
        }
    }

    /// Waits for the end of a comparison, at most [`LOOK_EVERY`]: then [`Comparer::advance`] must
    /// check for a hang. Never returns if no comparison runs. Cancel-safe.
    pub(crate) async fn wait(&mut self) {
        match &mut self.running {
            Some((attempt, _)) if self.ended.is_none() => {
                if let Ok(ended) = tokio::time::timeout(LOOK_EVERY, attempt.wait()).await {
                    self.ended = Some(ended);
                }
            }
            _ => std::future::pending().await,
        }
    }

    /// Sends the result of a comparison that has ended, or gives up one that takes too long.
    pub(crate) fn advance(&mut self) {
        let Some((attempt, _)) = &self.running else { return };
        let answer = match self.ended.take() {
            Some(Some(compared)) => compared,
            Some(None) => {
                let finding =
                    Finding::error(code::OWN_FAULT, format!("{WHAT} ended by a fault of the program"));
                refused(finding.help("please report this with the lines of the log around it"))
            }
            None => match attempt.overdue(WHAT) {
                Some(finding) => {
                    self.hung = attempt.watch();
                    refused(finding)
                }
                None => return,
            },
        };
        if let Some((attempt, reply)) = self.running.take() {
            attempt.give_up();
            reply(answer);
        }
    }
}

fn refused(finding: Finding) -> Compared {
    Err(Box::new((finding.into(), Files::default())))
}

/// Reads and compiles the files as a reload would, and compares the answers in every leaf before
/// and after, under the live state. Blocks for at least as long as a reload.
pub(crate) fn compare(
    root: &Path,
    running: &Running,
    live: &LiveState,
    (served, counted): (&Snapshot, &Decisions),
    now: Now,
    watch: &Watch,
) -> Compared {
    let sequence = served.sequence() + 1;
    let fresh = prepare::run_watched(
        root,
        Some(live.snapshot()),
        Some(running),
        sequence,
        ZoneRules::default(),
        watch,
    )?
    .snapshot;
    watch.enter("comparing");
    let after = live.comparison(Arc::new(fresh), now);
    Ok(Comparison::new(served, &after, counted.by_pop()))
}
