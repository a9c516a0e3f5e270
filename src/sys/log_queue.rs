//! Queue of log lines for an output that may be slow, full, closed or blocked.
//!
//! A separate thread writes the lines, which reach it through a bounded queue. The caller never
//! waits and never fails: a line without room, or one that the output refuses, is dropped and
//! counted. The next successful line is preceded by a report of the number lost.

use crate::limits::{LOG_LINE_OCTETS_MAX, LOG_QUEUE};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

/// Pause between attempts to queue a flush.
const PAUSE: Duration = Duration::from_millis(5);

/// Handle of a log queue; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct LogQueue {
    sender: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
}

/// Entry of a queue.
#[derive(Debug)]
enum Entry {
    /// Octets for the output.
    Line(Vec<u8>),
    /// Request of a caller that waits until everything before it is written.
    Flush(SyncSender<()>),
    /// Work for the thread of the output, and its caller.
    Run(Work, SyncSender<()>),
}

/// Work for the thread of an output.
struct Work(Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Work")
    }
}

impl LogQueue {
    /// Starts the thread of an output. `lost` makes the line that reports a number of lost lines.
    /// Fails if the thread cannot be started.
    pub(crate) fn start(
        name: &str,
        output: impl Write + Send + 'static,
        lost: impl Fn(u64) -> Vec<u8> + Send + 'static,
    ) -> io::Result<LogQueue> {
        let (sender, entries) = sync_channel(LOG_QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&dropped);
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || write_entries(&entries, output, &counter, lost))?;
        Ok(LogQueue { sender, dropped })
    }

    /// Queues a line, which ends with a line feed. Never waits.
    pub(crate) fn line(&self, mut line: Vec<u8>) {
        if line.len() > LOG_LINE_OCTETS_MAX {
            line.truncate(LOG_LINE_OCTETS_MAX - 4);
            line.extend_from_slice(b"...\n");
        }
        self.queue(line);
    }

    /// Queues a text of many lines as one entry, whatever its length. Never waits.
    pub(crate) fn text(&self, text: &str) {
        self.queue(text.as_bytes().to_vec());
    }

    fn queue(&self, octets: Vec<u8>) {
        if self.sender.try_send(Entry::Line(octets)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counter of dropped lines.
    pub(crate) fn dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped)
    }

    /// Waits up to `patience` until queued lines are written. Returns true if they are.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        self.wait_for(Entry::Flush, patience)
    }

    /// Runs work on the thread of the output, after the lines that are queued, and waits for its
    /// end up to `patience`. Returns true if it has ended; else it runs once the output moves.
    pub(crate) fn run(&self, work: Box<dyn FnOnce() + Send>, patience: Duration) -> bool {
        self.wait_for(|done| Entry::Run(Work(work), done), patience)
    }

    /// Queues an entry, and waits until the thread has done it.
    fn wait_for(&self, entry: impl FnOnce(SyncSender<()>) -> Entry, patience: Duration) -> bool {
        let (done, flushed) = sync_channel(1);
        let end = Instant::now() + patience;
        let mut entry = entry(done);
        while let Err(TrySendError::Full(back)) = self.sender.try_send(entry) {
            if Instant::now() >= end {
                return false;
            }
            entry = back;
            std::thread::sleep(PAUSE);
        }
        flushed.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok()
    }
}

fn write_entries(
    entries: &Receiver<Entry>,
    mut output: impl Write,
    dropped: &AtomicU64,
    lost: impl Fn(u64) -> Vec<u8>,
) {
    let mut reported = 0;
    // A failed write may have left half a line.
    let mut is_torn = false;
    for entry in entries {
        match entry {
            Entry::Flush(done) => drop(done.try_send(())),
            Entry::Run(work, done) => {
                (work.0)();
                let _ = done.try_send(());
            }
            Entry::Line(line) => {
                let missing = dropped.load(Ordering::Relaxed) - reported;
                let end: &[u8] = if is_torn { b"\n" } else { b"" };
                if missing > 0 && output.write_all(&[end, &lost(missing)].concat()).is_ok() {
                    reported += missing;
                    is_torn = false;
                }
                let end: &[u8] = if is_torn { b"\n" } else { b"" };
                let written = output.write_all(&[end, &line].concat()).and_then(|()| output.flush());
                is_torn = written.is_err();
                if is_torn {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
