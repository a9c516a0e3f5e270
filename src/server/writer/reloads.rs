//! Reloads: waiting requests are coalesced into one run. A request during a run waits for the next
//! run, because the running one may have read the files before the request. Overrides do not wait
//! for a run: they are saved and published meanwhile, and apply to the result of the run too.
//!
//! ```text
//!        ask            start                     end               saves decide nothing
//!  ──▶ waiting ──▶ running (a thread) ──▶ done ──────────▶ judged ──▶ published, or refused
//!                     │ too late, or cancelled
//!                     └──▶ refused; the thread may hang, up to HUNG_ATTEMPTS_MAX of them
//! ```

use super::Writer;
use crate::finding::folded::{Folded, Told};
use crate::finding::{Files, Finding, Findings, Severity, code, render};
use crate::impact::{self, Difference};
use crate::limits::{FINDINGS_LOGGED_MAX, HUNG_ATTEMPTS_MAX};
use crate::reload::prepare::{self, Fresh, ZoneRules};
use crate::reload::safety;
use crate::reload::watch::Watch;
use crate::server::attempt::Attempt;
use crate::shared::command::{Origin, ReloadReply, ReloadStatus, Report, RunningStatus};
use crate::shared::event::Event;
use crate::sys::clock::epoch_secs;
use crate::zone::source::FolderStanding;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Interval of the checks for a run that hangs.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Name of a run in findings.
const WHAT: &str = "the reload";

/// Result of a run.
type Ran = Result<(Fresh, Difference), Box<(Findings, Files)>>;

/// Reloads of a server.
#[derive(Default)]
pub(super) struct Reloads {
    /// Requests that wait for the next run.
    waiting: Vec<Request>,
    running: Option<Run>,
    /// Result of a run that is not judged yet; the inner `None` means that the thread panicked.
    ended: Option<Option<Ran>>,
    /// Watches of given-up runs whose threads still hang.
    hung: Vec<Weak<Watch>>,
}

/// Request that waits for a run.
struct Request {
    origin: Origin,
    reply: Option<ReloadReply>,
    allow_loss: bool,
}

struct Run {
    attempt: Attempt<Ran>,
    replies: Vec<ReloadReply>,
    origin: Origin,
    allow_loss: bool,
}

impl Reloads {
    /// Lets a request wait for the next run.
    pub(super) fn ask(&mut self, origin: Origin, reply: Option<ReloadReply>, allow_loss: bool) {
        self.waiting.push(Request { origin, reply, allow_loss });
    }

    /// Waits for the end of a run, at most [`LOOK_EVERY`]: then [`Writer::advance_reload`] must
    /// check for a hang. Never returns if no run is in progress. Cancel-safe.
    pub(super) async fn wait(&mut self) {
        match &mut self.running {
            Some(run) if self.ended.is_none() => {
                if let Ok(ended) = tokio::time::timeout(LOOK_EVERY, run.attempt.wait()).await {
                    self.ended = Some(ended);
                }
            }
            _ => std::future::pending().await,
        }
    }

    /// True if a run has ended and waits to be judged.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// After a fault of the writer, gives up the running run. Its requests wait for the next run.
    pub(super) fn begin_anew(&mut self) {
        self.ended = None;
        if let Some(run) = self.running.take() {
            let replies = run.replies.into_iter().map(Some).chain([None]);
            self.waiting.extend(replies.map(|reply| Request {
                origin: run.origin.clone(),
                reply,
                allow_loss: run.allow_loss,
            }));
            self.hung.push(run.attempt.watch());
            run.attempt.give_up();
        }
    }

    /// Status of the reloads that run, wait or hang.
    pub(super) fn status(&mut self, folder: Arc<FolderStanding>) -> ReloadStatus {
        self.hung.retain(|watch| watch.strong_count() > 0);
        ReloadStatus {
            running: self.running.as_ref().map(|run| {
                let words = match self.ended {
                    Some(_) => "waiting for an override that is being saved".to_owned(),
                    None => run.attempt.words(),
                };
                let origin = run.origin.clone();
                RunningStatus { origin, age_secs: run.attempt.age().as_secs(), does: words }
            }),
            waiting: self.waiting.len(),
            hung: self.hung.len(),
            folder,
        }
    }
}

impl Writer {
    /// Begins a run for all waiting requests, unless a run is in progress.
    pub(super) fn start_reload(&mut self) {
        if self.reloads.running.is_some() {
            return;
        }
        let Some(Request { origin, .. }) = self.reloads.waiting.first() else { return };
        let origin = origin.clone();
        self.log_event(&Event::ReloadStarted {
            origin: origin.clone(),
            requests: self.reloads.waiting.len(),
        });
        let allow_loss = self.reloads.waiting.iter().any(|request| request.allow_loss);
        let replies = self.reloads.waiting.drain(..).filter_map(|request| request.reply).collect();
        self.reloads.hung.retain(|watch| watch.strong_count() > 0);
        if self.reloads.hung.len() >= HUNG_ATTEMPTS_MAX {
            let finding = Finding::error(
                code::DISK_HANGS,
                format!("{HUNG_ATTEMPTS_MAX} reloads that were given up still wait for the disk"),
            );
            let finding = finding.help("repair the disk, or restart the server when its files are readable");
            return self.refuse_reload(finding.into(), Files::default(), Duration::ZERO, replies);
        }
        let (root, running, previous) =
            (self.root.clone(), self.running(), Arc::clone(self.live().snapshot()));
        let sequence = self.shared.published.served().snapshot.sequence() + 1;
        // On a thread of its own, because a million names take seconds and the writer must handle
        // commands meanwhile.
        let attempt = Attempt::begin("reload", move |watch| {
            let rules = ZoneRules { recall: None, allow_loss };
            let fresh = prepare::run_watched(&root, Some(&previous), Some(&running), sequence, rules, watch)?;
            let difference = impact::difference(&previous, &fresh.snapshot);
            Ok((fresh, difference))
        });
        match attempt {
            Ok(attempt) => {
                self.shared.counters.reload_began.store(epoch_secs(), Ordering::Relaxed);
                self.reloads.running = Some(Run { attempt, replies, origin, allow_loss });
            }
            Err(error) => {
                let finding = Finding::error(code::OWN_FAULT, format!("the reload cannot begin: {error}"));
                let finding = finding
                    .help("check the limits on threads of the server (`TasksMax=` of the unit, `ulimit -u`)");
                self.refuse_reload(finding.into(), Files::default(), Duration::ZERO, replies);
            }
        }
    }

    /// Handles the end of a run, or gives up a run that takes too long.
    pub(super) fn advance_reload(&mut self) {
        let overdue = self.reloads.running.as_ref().and_then(|run| run.attempt.overdue(WHAT));
        if self.reloads.ended.is_none() {
            if let Some(finding) = overdue {
                self.give_up_reload(finding);
            }
            return;
        }
        // Wait for a running save of an override: the safety rules judge the new files with that
        // override in force or without it.
        if self.saves.is_deciding() {
            return;
        }
        if let (Some(ended), Some(run)) = (self.reloads.ended.take(), self.reloads.running.take()) {
            self.shared.counters.reload_began.store(0, Ordering::Relaxed);
            self.finish_reload(ended, run);
        }
    }

    /// Gives up the run, and refuses its requests.
    fn give_up_reload(&mut self, finding: Finding) {
        let Some(run) = self.reloads.running.take() else { return };
        self.shared.counters.reload_began.store(0, Ordering::Relaxed);
        self.shared.counters.reloads_given_up.fetch_add(1, Ordering::Relaxed);
        let took = run.attempt.age();
        self.reloads.ended = None;
        self.reloads.hung.push(run.attempt.watch());
        run.attempt.give_up();
        self.refuse_reload(finding.into(), Files::default(), took, run.replies);
    }

    /// Cancels the run. Returns its current step in words; the error means that no run is in
    /// progress.
    pub(super) fn cancel_reload(&mut self, author: &str) -> Result<String, String> {
        let Some(run) = &self.reloads.running else { return Err("no reload runs".to_owned()) };
        let (age, step) = (run.attempt.age().as_secs(), run.attempt.words());
        let words = match step.is_empty() {
            true => format!("begun {age} s ago"),
            false => format!("begun {age} s ago, {step}"),
        };
        let finding = Finding::error(code::RELOAD_CANCELLED, format!("{WHAT} was cancelled by {author}"));
        self.give_up_reload(finding.help("reload again when the files are correct"));
        Ok(words)
    }

    /// Publishes or refuses the result of a run, and answers its requests.
    fn finish_reload(&mut self, ended: Option<Ran>, run: Run) {
        let took = run.attempt.age();
        let Some(ended) = ended else {
            let finding = Finding::error(code::OWN_FAULT, "the reload ended by a fault of the program").help(
                "the snapshot before stays in service; please report this with the lines of the log around \
                 it",
            );
            return self.refuse_reload(finding.into(), Files::default(), took, run.replies);
        };
        let (mut fresh, difference) = match ended {
            Ok(fresh) => fresh,
            Err(refused) => return self.refuse_reload(refused.0, refused.1, took, run.replies),
        };
        // Judges by the current overrides and verdicts, including changes during the run.
        let running = self.running();
        let before = (self.live().snapshot(), Some(&running));
        let found = safety::judge(Some(before), &fresh.snapshot, epoch_secs());
        if found.has_errors() {
            let broken = found.iter().filter(|finding| finding.severity == Severity::Error);
            broken.cloned().for_each(|finding| fresh.findings.push(finding));
            return self.refuse_reload(fresh.findings, fresh.files, took, run.replies);
        }
        self.publish_reload(fresh, difference, took, run);
    }

    fn publish_reload(&mut self, fresh: Fresh, difference: Difference, took: Duration, run: Run) {
        let Fresh { snapshot, findings, files, .. } = fresh;
        let folder = Arc::clone(&snapshot.folder);
        let told = std::mem::replace(&mut self.told, Told::new(&findings, &files));
        let findings = told.new_ones(findings, &files);
        self.driver.follow(Arc::new(snapshot));
        let of_zones = self.zone_alarms.see(&folder, epoch_secs());
        self.kept_zones.follow(Arc::clone(&folder));
        self.publish();
        let served = self.shared.published.snapshot();
        let (sequence, digest) = (served.sequence(), served.digest().to_string());
        self.shared.counters.reloads_published.fetch_add(1, Ordering::Relaxed);
        let lines = difference.to_string();
        let took_millis = took.as_millis() as u64;
        self.shared.counters.last_reload.published(epoch_secs(), took.as_micros() as u64);
        let changes = lines.lines().count();
        let files_digest = served.files_digest().to_string();
        self.log_event(&Event::Published {
            sequence,
            digest: digest.clone(),
            files_digest: files_digest.clone(),
            changes,
            took_millis,
        });
        of_zones.iter().for_each(|event| self.log_event(event));
        for line in lines.lines() {
            tracing::info!("changed: {line}");
        }
        log_findings(&findings, &files);
        let difference = Some(difference);
        answer(
            run.replies,
            Report { published: true, sequence, digest, files_digest, folder, difference, findings, files },
        );
    }

    fn refuse_reload(&mut self, findings: Findings, files: Files, took: Duration, replies: Vec<ReloadReply>) {
        let old = self.shared.published.snapshot();
        let findings = self.told.new_ones(findings, &files);
        self.shared.counters.last_reload.refused(took.as_micros() as u64, first_error(&findings, &files));
        self.shared.counters.reloads_refused.fetch_add(1, Ordering::Relaxed);
        let errors = findings.errors();
        log_findings(&findings, &files);
        self.log_event(&Event::Refused { errors, sequence: old.sequence() });
        let (sequence, digest) = (old.sequence(), old.digest().to_string());
        let files_digest = old.files_digest().to_string();
        let folder = Arc::clone(&old.folder);
        answer(
            replies,
            Report {
                published: false,
                sequence,
                digest,
                files_digest,
                folder,
                difference: None,
                findings,
                files,
            },
        );
    }
}

fn answer(replies: Vec<ReloadReply>, report: Report) {
    let report = Arc::new(report);
    for reply in replies {
        reply(Arc::clone(&report));
    }
}

/// Logs one line for each finding, because logs are searched by line. The rendered findings go to
/// the client that requested the reload.
fn log_findings(findings: &Findings, files: &Files) {
    let told = findings.folded();
    // Errors first, because they are the reason for a refusal.
    let mut order: Vec<_> = told.iter().collect();
    order.sort_by_key(|folded| std::cmp::Reverse(folded.finding.severity));
    for Folded { finding, more, .. } in order.into_iter().take(FINDINGS_LOGGED_MAX) {
        // Without a place, the field is left out.
        let place = finding.at.map(|at| files.place(at));
        match finding.severity {
            Severity::ZoneError | Severity::Error => {
                tracing::error!(code = finding.code.id, place, "{}", finding.message);
            }
            Severity::Warning => tracing::warn!(code = finding.code.id, place, "{}", finding.message),
            Severity::Note => tracing::info!(code = finding.code.id, place, "{}", finding.message),
        }
        if *more > 0 {
            tracing::warn!(
                code = finding.code.id,
                place,
                more,
                "there are more findings like this one; `meridian check` prints them"
            );
        }
    }
    let untold = told.len().saturating_sub(FINDINGS_LOGGED_MAX) + findings.beyond();
    if untold > 0 {
        tracing::warn!(findings = untold, "more findings are not logged; `meridian check` prints them");
    }
}

/// First error with its place, and the number of the others.
fn first_error(findings: &Findings, files: &Files) -> String {
    let first = findings.iter().find(|finding| finding.severity == Severity::Error);
    let words = first.map_or_else(String::new, |finding| render::line(finding, files));
    match findings.errors() {
        0 | 1 => words,
        errors => format!("{words} (and {} more)", errors - 1),
    }
}
