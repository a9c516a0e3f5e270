//! Files with secrets that the server file names: cookie secrets, and the key of the certificate.

use crate::config::Sources;
use crate::config::server::WrittenPath;
use crate::finding::{Code, Finding, Findings, code};
use std::sync::Arc;

/// Finding for a file that cannot be read. An error only for a process that serves: other users may
/// check the rest of the files without access to the secrets.
pub(super) fn unreadable(written: &WrittenPath, why: &str, sources: &dyn Sources) -> Finding {
    let message = format!("`{}` cannot be read: {why}", written.path.display());
    if sources.serves() || !sources.is_withheld(&written.path) {
        Finding::error(code::UNREADABLE, message).at(written.at, "named here")
    } else {
        Finding::warning(code::UNREADABLE, message)
            .at(written.at, "not read")
            .help("the server itself must be able to read it")
    }
}

/// Octets of a file; `None` after a finding.
pub(super) fn contents(
    written: &WrittenPath,
    most: usize,
    sources: &dyn Sources,
    out: &mut Findings,
) -> Option<Arc<[u8]>> {
    match sources.read(&written.path) {
        Ok(octets) if octets.len() > most => {
            let message =
                format!("`{}` has {} octets, more than {most}", written.path.display(), octets.len());
            out.push(Finding::error(code::TOO_LARGE, message).at(written.at, "named here"));
            None
        }
        Ok(octets) => Some(octets),
        Err(why) => {
            out.push(unreadable(written, &why, sources));
            None
        }
    }
}

/// Warns of a file that every user may read or write. `harm` is what a reader of it can do.
pub(super) fn warn_of_readers(
    written: &WrittenPath,
    (code, harm): (Code, &str),
    sources: &dyn Sources,
    out: &mut Findings,
) {
    if !sources.is_open_to_all(&written.path) {
        return;
    }
    let shown = written.path.display();
    let message = format!("every user of this machine may read or write `{shown}`");
    out.push(
        Finding::warning(code, message).at(written.at, "named here").help(format!(
            "a reader {harm}: use `chmod o= {shown}`, with the server's user as owner or group"
        )),
    );
}
