//! Progress of long work on standard error: a bar on a terminal, else a line now and then.
//!
//! Work of less than [`SHOWN_FROM`] shows nothing. Nothing goes to standard output. Loops of this
//! folder call [`Progress::at`]. Loops of other folders know no terminal: they call a closure with
//! their counts, or count in a [`Watch`], which a thread beside them reads ([`beside`]).

use crate::finding::{Files, Findings};
use crate::reload::prepare::{self, Fresh, ZoneRules};
use crate::reload::watch::{Part, Watch};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Time before anything is shown.
const SHOWN_FROM: Duration = Duration::from_secs(2);
/// Interval of the bar on a terminal.
const DRAWN_EVERY: Duration = Duration::from_millis(250);
/// Interval of lines elsewhere; a log of a day-long import stays short.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Calls between two looks at the clock, which costs about as much as a line of a log.
const CALLS_PER_LOOK: u32 = 64;
/// Cells of the bar.
const CELLS: u64 = 24;
/// Return to the first column, and deletion of the line (ECMA-48).
const CLEAR: &str = "\r\x1b[K";

/// Progress of one loop. The bar is cleared when this is dropped.
pub(crate) struct Progress {
    noun: &'static str,
    begun: Instant,
    painter: Painter,
    calls: u32,
}

impl Progress {
    /// Progress over things with a name, such as `lines`.
    pub(crate) fn new(noun: &'static str) -> Progress {
        Progress { noun, begun: Instant::now(), painter: Painter::of_stderr(), calls: 0 }
    }

    /// Draws if it is time. `done` of `all` (where known) things are done.
    pub(crate) fn at(&mut self, done: u64, all: Option<u64>) {
        self.calls = self.calls.wrapping_add(1);
        if self.calls.is_multiple_of(CALLS_PER_LOOK) {
            let age = self.begun.elapsed();
            let part = Part { noun: self.noun, done, all, age };
            print(self.painter.draw(age, &part));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        print(self.painter.end());
    }
}

/// Reads and compiles the deployment at `root` like [`prepare::run`], with progress.
pub(crate) fn prepared(root: &Path) -> Result<Fresh, Box<(Findings, Files)>> {
    let watch = Watch::default();
    beside(&watch, || {
        prepare::run_watched(root, None, None, prepare::NEVER_SERVED, ZoneRules::default(), &watch)
    })
}

/// Runs work that counts in a watch, with progress.
pub(crate) fn beside<T>(watch: &Watch, work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        let (end, ended) = channel::<()>();
        // If the system refuses a thread, the work goes on without progress.
        let _ = std::thread::Builder::new().spawn_scoped(scope, move || {
            let (begun, mut painter) = (Instant::now(), Painter::of_stderr());
            while ended.recv_timeout(DRAWN_EVERY) == Err(RecvTimeoutError::Timeout) {
                print(painter.draw(begun.elapsed(), &watch.part()));
            }
            print(painter.end());
        });
        let done = work();
        drop(end);
        done
    })
}

fn print(text: Option<String>) {
    if let Some(text) = text {
        let mut stderr = io::stderr().lock();
        // A reader that is gone is no fault of the work.
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}

/// Decision what to print when. The time since the begin is an argument.
struct Painter {
    is_terminal: bool,
    due: Duration,
    has_bar: bool,
}

impl Painter {
    fn of_stderr() -> Painter {
        Painter::new(io::stderr().is_terminal())
    }

    fn new(is_terminal: bool) -> Painter {
        Painter { is_terminal, due: if is_terminal { SHOWN_FROM } else { LINE_EVERY }, has_bar: false }
    }

    /// Text to print now, if it is time.
    fn draw(&mut self, now: Duration, part: &Part) -> Option<String> {
        if now < self.due {
            return None;
        }
        self.due = now + if self.is_terminal { DRAWN_EVERY } else { LINE_EVERY };
        if !self.is_terminal {
            return Some(format!("{}\n", part.words()));
        }
        self.has_bar = true;
        let cells = part.share().map_or_else(String::new, |share| {
            let full = (share * CELLS as f64) as usize;
            format!("[{}{}] ", "#".repeat(full), "-".repeat(CELLS as usize - full))
        });
        Some(format!("{CLEAR}{cells}{}", part.words()))
    }

    /// Text that clears the bar, if there is one.
    fn end(&mut self) -> Option<String> {
        std::mem::take(&mut self.has_bar).then(|| CLEAR.to_owned())
    }
}

#[cfg(test)]
mod tests;
