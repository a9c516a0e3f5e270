//! Event log: `events.jsonl` in the state folder, one JSON object per line, written by a thread.
//!
//! Adding an event never blocks: the queue is bounded. An event that does not fit, or that a full
//! disk refuses, is dropped and counted.

use crate::health::load::event::LoadEvent;
use crate::limits::{
    EVENT_LOG_OCTETS_MAX, EVENT_QUEUE, PULSE_MILLIS, QUARANTINE_MILLIS, QUARANTINE_WAITING,
    RESTART_PAUSE_MILLIS_MAX,
};
use crate::shared::Shared;
use crate::shared::event::Event;
use crate::shared::one_line;
use crate::shared::task::Task;
use crate::shared::tasks::Runner;
use crate::state::atomic::beside;
use crate::state::quarantine_store;
use crate::sys::clock::{epoch_secs, uptime_ms};
use crate::sys::hooks;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Name of the file in the state folder.
pub(crate) const FILE: &str = "events.jsonl";

/// Sender into the log. The log ends when all of its senders are dropped.
#[derive(Clone)]
pub(crate) struct EventLog {
    sender: SyncSender<String>,
    shared: Arc<Shared>,
}

impl EventLog {
    /// Starts the log of a state folder. The first panic of its thread cancels `fault`; with `None`
    /// the thread only starts again.
    pub(crate) fn start(
        state: &Path,
        shared: Arc<Shared>,
        fault: Option<CancellationToken>,
    ) -> std::io::Result<EventLog> {
        // No two processes of one host have one ID in one second.
        shared.recent_events.name_run(format!("{:x}.{:x}", epoch_secs(), std::process::id()));
        let (sender, lines) = sync_channel(EVENT_QUEUE);
        let (path, counts) = (state.join(FILE), Arc::clone(&shared));
        let runner = shared.tasks.runner(Task::Events);
        std::thread::Builder::new().name("events".to_owned()).spawn(move || {
            // A panic costs the line that caused it.
            while catch_unwind(AssertUnwindSafe(|| keep(&path, &lines, &counts, &runner))).is_err() {
                counts.counters.events_dropped.fetch_add(1, Ordering::Relaxed);
                let alarm = "the task `events` has ended by a panic, and was restarted".to_owned();
                runner.ended(alarm, uptime_ms());
                // Goes to the server's log only, because this thread writes the event log.
                log(&Event::TaskEnded { task: Task::Events.word(), why: "a panic".to_owned() });
                fault.iter().for_each(CancellationToken::cancel);
            }
        })?;
        Ok(EventLog { sender, shared })
    }

    /// Adds an event to both logs: to the server's log as a line, to the event log with the time
    /// and the sequence number of the served snapshot.
    pub(crate) fn append(&self, event: &Event) {
        log(event);
        let line = line(event, &self.shared);
        if self.sender.try_send(line).is_err() {
            self.shared.counters.events_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Line of an event for the event log, which readers of recent events get too.
fn line(event: &Event, shared: &Shared) -> String {
    let (now, sequence) = (epoch_secs(), shared.published.served().snapshot.sequence());
    let line = one_line::json(&event.line(now, sequence)).into_owned();
    let public = event.public().line(now, sequence);
    let public = one_line::json(&public);
    let public = Some(&*public).filter(|public| **public != *line);
    shared.recent_events.push(event.kind(), &line, public, || event.short_line(now, sequence));
    line
}

/// Writes a line to the server's log, with numbers as fields.
fn log(event: &Event) {
    match event {
        Event::Serving { digest, files_digest } => tracing::info!(digest, files_digest, "{event}"),
        Event::ReloadStarted { requests, .. } => tracing::info!(requests, "{event}"),
        Event::Published { sequence, digest, files_digest, changes, took_millis } => {
            tracing::info!(sequence, digest, files_digest, changes, took_millis, "{event}");
        }
        Event::Refused { errors, sequence } => tracing::error!(errors, sequence, "{event}"),
        Event::Stopping { signal } => tracing::info!(signal, "{event}"),
        Event::LedgerAlarm { .. }
        | Event::MemoryFault { .. }
        | Event::TaskEnded { .. }
        | Event::StateFolder { .. }
        | Event::Quarantined { .. }
        | Event::DescriptorsShort { .. } => tracing::error!("{event}"),
        Event::Zone { standing: "current" | "gone", .. } => tracing::info!("{event}"),
        Event::Zone { .. } => tracing::error!("{event}"),
        Event::ClockStepped { .. } | Event::OverloadBegan { .. } => tracing::warn!("{event}"),
        Event::Health(health) if health.is_alarm() => tracing::error!(kind = event.kind(), "{event}"),
        Event::Health(health) if health.is_bad() => tracing::warn!(kind = event.kind(), "{event}"),
        Event::Load(
            LoadEvent::FeedLost { .. }
            | LoadEvent::NoRoom { .. }
            | LoadEvent::Oscillates { .. }
            | LoadEvent::Lost { .. },
        ) => {
            tracing::warn!(kind = event.kind(), "{event}");
        }
        Event::Load(
            LoadEvent::FeedBack { .. }
            | LoadEvent::HasRoom { .. }
            | LoadEvent::Calm { .. }
            | LoadEvent::Began { .. }
            | LoadEvent::Ended { .. },
        )
        | Event::Health(_) => tracing::info!(kind = event.kind(), "{event}"),
        Event::OverrideSet { .. }
        | Event::OverrideProgress { .. }
        | Event::OverrideExpired { .. }
        | Event::TaskWell { .. }
        | Event::StrayFile { .. }
        | Event::LedgerAcknowledged { .. }
        | Event::OverloadEnded { .. }
        | Event::DescriptorsEnough
        | Event::Stopped => tracing::info!("{event}"),
    }
}

fn keep(path: &Path, lines: &Receiver<String>, shared: &Shared, runner: &Runner) {
    let mut log = Log { path: path.to_owned(), most: EVENT_LOG_OCTETS_MAX };
    let began_ms = uptime_ms();
    loop {
        let now_ms = uptime_ms();
        runner.beat(now_ms);
        if now_ms.saturating_sub(began_ms) > RESTART_PAUSE_MILLIS_MAX {
            runner.is_well();
        }
        match lines.recv_timeout(Duration::from_millis(PULSE_MILLIS)) {
            Ok(line) => append(&mut log, &line, shared),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return keep_quarantined(&mut log, shared),
        }
        keep_quarantined(&mut log, shared);
    }
}

/// Appends a line, or counts it as dropped.
fn append(log: &mut Log, line: &str, shared: &Shared) {
    let is_taken = shared.counters.state_taken.load(Ordering::Relaxed);
    if is_taken || log.append(line).is_err() {
        shared.counters.events_dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// Writes the files of the messages that wait for one, with an event for each; at most as many as
/// can wait, so that a flood of them does not keep the thread from its other work.
fn keep_quarantined(log: &mut Log, shared: &Shared) {
    for _ in 0..QUARANTINE_WAITING {
        let Some(captured) = shared.quarantine.next() else { return };
        let kept = match log.path.parent() {
            Some(state) if !shared.counters.state_taken.load(Ordering::Relaxed) => {
                quarantine_store::keep(state, &captured).map_err(|error| error.to_string())
            }
            _ => Err("the state folder is another server's".to_owned()),
        };
        let kept = match kept {
            Ok(path) => format!("the message is kept in {}", path.display()),
            Err(why) => {
                shared.quarantine.lose();
                format!("the message is lost, because it cannot be written: {why}")
            }
        };
        let (transport, source) = (captured.transport.word(), captured.source);
        let event = Event::Quarantined {
            sentence: format!(
                "a message over {transport} from {source} made the program panic at {} ({}); questions like \
                 it are refused for {} minutes; {kept}",
                captured.place,
                captured.panic,
                QUARANTINE_MILLIS / 60_000
            ),
        };
        self::log(&event);
        append(log, &line(&event, shared), shared);
    }
}

/// True if the last line of a file has no line end.
fn is_half_written(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

struct Log {
    path: PathBuf,
    most: u64,
}

impl Log {
    /// Opens the file for each line: events are rare, and a log that was moved away is started
    /// again.
    fn append(&mut self, line: &str) -> std::io::Result<()> {
        let octets = fs::metadata(&self.path).map_or(0, |meta| meta.len());
        if octets + line.len() as u64 + 1 > self.most && octets > 0 {
            fs::rename(&self.path, beside(&self.path, ".1"))?;
        }
        if let Some(folder) = self.path.parent() {
            hooks::fault(folder)?;
        }
        let mut options = File::options();
        options.create(true).append(true).read(true);
        // A pipe or a link in its place is an error, and is not waited for. The group may read the
        // log.
        #[cfg(unix)]
        {
            let flags = crate::sys::NO_WAIT | crate::sys::NO_LINK;
            std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
        }
        let mut file = options.open(&self.path)?;
        if !file.metadata()?.is_file() {
            return Err(std::io::ErrorKind::InvalidInput.into());
        }
        // Ends the partial line of a crash or a full disk, so that it spoils no other.
        let end = if is_half_written(&mut file)? { "\n" } else { "" };
        // One call, so that a full disk cannot leave a partial line unnoticed.
        file.write_all(format!("{end}{line}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests;
