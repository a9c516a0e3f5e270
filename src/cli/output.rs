//! What commands print on standard output.
//!
//! A reader that went away (`| head`) is no fault, and ends a command quietly. Any other error is
//! the command's own: whoever redirects into a full disk must not take half a page for a whole one.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether anything could not be printed. Standard output belongs to the process, as this does.
static HAS_FAILED: AtomicBool = AtomicBool::new(false);

/// Prints octets.
pub(super) fn write(octets: &[u8]) {
    let mut out = io::stdout().lock();
    note(out.write_all(octets).and_then(|()| out.flush()));
}

/// Notes what came of writing to standard output, and says once that it failed.
pub(super) fn note(outcome: io::Result<()>) {
    if let Err(error) = outcome
        && error.kind() != ErrorKind::BrokenPipe
        && !HAS_FAILED.swap(true, Ordering::Relaxed)
    {
        let _ = writeln!(io::stderr(), "error: standard output cannot be written: {error}");
    }
}

/// The exit status of a command, which has failed if anything could not be printed.
pub(super) fn status(of_command: ExitCode) -> ExitCode {
    if HAS_FAILED.load(Ordering::Relaxed) { ExitCode::FAILURE } else { of_command }
}
