//! The single writer: the only one that publishes snapshots.
//!
//! Commands that wait together are answered by one run, and a run that has begun takes no more: whoever
//! asks while it reads is answered by the next, which is sure to see the files as they were when asked.

use crate::desk::Desk;
use crate::desk::cell::InService;
use crate::desk::command::{Command, Door, Origin, Reply, Report};
use crate::desk::event::Event;
use crate::finding::{Files, Finding, Findings, Severity, code};
use crate::limits::COMMAND_QUEUE;
use crate::reload::cycle::{self, Fixed, Fresh};
use crate::snapshot::{self, Snapshot};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::spawn_blocking;

/// How often retired snapshots are looked at. Workers let go of them within their wake-up time.
const SWEEP: Duration = Duration::from_millis(500);

/// The writer's door, and what comes in by it.
pub fn door() -> (Door, Receiver<Command>) {
    let (sender, receiver) = mpsc::channel(COMMAND_QUEUE);
    let door = move |command| sender.try_send(command).map_err(mpsc::error::TrySendError::into_inner);
    (Arc::new(door), receiver)
}

/// The writer's state.
pub struct Writer {
    desk: Arc<Desk>,
    root: PathBuf,
    fixed: Fixed,
    /// Snapshots out of service that somebody may still read.
    retired: Vec<Arc<InService>>,
}

impl Writer {
    /// A writer for a server that runs with `fixed`.
    pub fn new(desk: Arc<Desk>, root: PathBuf, fixed: Fixed) -> Writer {
        Writer { desk, root, fixed, retired: Vec::new() }
    }

    /// Works until every door is gone.
    pub async fn run(mut self, mut commands: Receiver<Command>) {
        loop {
            let command = if self.retired.is_empty() {
                commands.recv().await
            } else {
                match tokio::time::timeout(SWEEP, commands.recv()).await {
                    Ok(command) => command,
                    Err(_) => {
                        self.sweep();
                        continue;
                    }
                }
            };
            let Some(Command::Reload { origin, reply }) = command else { return };
            let mut requests = 1;
            let mut replies: Vec<Reply> = reply.into_iter().collect();
            while let Ok(Command::Reload { reply, .. }) = commands.try_recv() {
                requests += 1;
                replies.extend(reply);
            }
            let report = Arc::new(self.reload(origin, requests).await);
            for reply in replies {
                reply(Arc::clone(&report));
            }
        }
    }

    async fn reload(&mut self, origin: Origin, requests: usize) -> Report {
        tracing::info!(requests, "{}", Event::ReloadStarted { origin, requests });
        let began = Instant::now();
        let old = self.desk.snapshot.full();
        let (root, fixed, previous) = (self.root.clone(), self.fixed.clone(), Arc::clone(&old));
        // On a thread of its own: a million names take seconds, and signals must be seen meanwhile.
        let run = spawn_blocking(move || {
            let fresh = cycle::run(&root, Some(&previous), Some(&fixed), previous.sequence() + 1)?;
            let difference = snapshot::difference(&previous, &fresh.snapshot);
            Ok((fresh, difference))
        });
        let outcome = run.await.unwrap_or_else(|fault| {
            let finding = Finding::error(code::OWN_FAULT, format!("the reload ended by a fault of the program: {fault}"))
                .help("the snapshot before stays in service; please report this with the lines of the log around it");
            Err(Box::new((Findings::from(finding), Files::default())))
        });
        match outcome {
            Ok((fresh, difference)) => self.publish(fresh, difference, old, began),
            Err(refused) => self.refuse(*refused, &old, began),
        }
    }

    fn publish(&mut self, fresh: Fresh, difference: snapshot::Difference, old: Arc<Snapshot>, began: Instant) -> Report {
        let Fresh { snapshot, findings, files, .. } = fresh;
        let (sequence, digest) = (snapshot.sequence(), snapshot.digest().to_string());
        drop(old);
        self.retired.push(self.desk.snapshot.publish(Arc::new(snapshot)));
        self.desk.counters.reloads_published.fetch_add(1, Ordering::Relaxed);
        let lines = difference.to_string();
        let took = began.elapsed();
        let took_millis = took.as_millis() as u64;
        self.desk.counters.last_load.published(epoch_secs(), took.as_micros() as u64);
        let changes = lines.lines().count();
        tracing::info!(
            sequence,
            digest,
            changes,
            took_millis,
            "{}",
            Event::Published { sequence, digest: digest.clone(), changes, took_millis }
        );
        for line in lines.lines() {
            tracing::info!("changed: {line}");
        }
        log_findings(&findings, &files);
        self.sweep();
        Report { published: true, sequence, digest, difference: Some(difference), findings, files }
    }

    fn refuse(&mut self, (findings, files): (Findings, Files), old: &Snapshot, began: Instant) -> Report {
        self.desk.counters.last_load.refused(began.elapsed().as_micros() as u64);
        self.desk.counters.reloads_refused.fetch_add(1, Ordering::Relaxed);
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        log_findings(&findings, &files);
        let sequence = old.sequence();
        tracing::error!(errors, sequence, "{}", Event::Refused { errors, sequence });
        Report { published: false, sequence: old.sequence(), digest: old.digest().to_string(), difference: None, findings, files }
    }

    /// Frees retired snapshots that nobody reads any more, away from the threads that answer.
    fn sweep(&mut self) {
        // Once out of the cell, a snapshot gains no new readers: a count of one stays one.
        let (free, held) = std::mem::take(&mut self.retired).into_iter().partition(|service| Arc::strong_count(service) == 1);
        self.retired = held;
        let free: Vec<Arc<InService>> = free;
        self.desk.snapshot.settle(&self.retired);
        if !free.is_empty() {
            drop(spawn_blocking(move || {
                drop(free);
                crate::sys::memory::give_back();
            }));
        }
    }
}

/// Now, in seconds since 1970.
pub fn epoch_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// One line a finding: logs are searched by line, the picture goes to whoever asked.
fn log_findings(findings: &Findings, files: &Files) {
    for finding in findings.iter() {
        let place = finding.at.map(|at| files.place(at)).unwrap_or_default();
        match finding.severity {
            Severity::Error => tracing::error!(code = finding.code.id, place, "{}", finding.message),
            Severity::Warning => tracing::warn!(code = finding.code.id, place, "{}", finding.message),
            Severity::Note => tracing::info!(code = finding.code.id, place, "{}", finding.message),
        }
    }
}
