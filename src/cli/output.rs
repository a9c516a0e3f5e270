//! Standard output of commands.
//!
//! A reader that has closed the pipe (`| head`) is no fault, and ends a command quietly. Any other
//! error of a write fails the command, so that half a page on a full disk does not pass for a whole
//! one.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// True if a write to standard output has failed. One flag for the process, as standard output is
/// one.
static HAS_FAILED: AtomicBool = AtomicBool::new(false);

/// Prints octets.
pub(super) fn write(octets: &[u8]) {
    let mut out = io::stdout().lock();
    note(out.write_all(octets).and_then(|()| out.flush()));
}

/// Notes the result of a write to standard output, and reports the first failure on stderr.
pub(super) fn note(outcome: io::Result<()>) {
    if let Err(error) = outcome
        && error.kind() != ErrorKind::BrokenPipe
        && !HAS_FAILED.swap(true, Ordering::Relaxed)
    {
        let _ = writeln!(io::stderr(), "error: standard output cannot be written: {error}");
    }
}

/// Exit status of a command, which has failed if a write to standard output has.
pub(super) fn status(of_command: ExitCode) -> ExitCode {
    if HAS_FAILED.load(Ordering::Relaxed) { ExitCode::FAILURE } else { of_command }
}
