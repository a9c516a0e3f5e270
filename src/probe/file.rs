//! `file` check: a file that contains `UP` or `DOWN`. Each run reads the file. That is cheap, and a
//! file watch would miss changes on a network file system.

use super::{Finding, Trial, words};
use crate::health::spec::FileCheck;
use crate::health::targets::Target;
use crate::limits::PROBE_FILE_OCTETS_MAX;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::Semaphore;

/// Reads the file and judges its content and age.
pub(super) async fn run(
    check: &FileCheck,
    target: &Target,
    places: &Arc<Semaphore>,
    trial: &mut Trial,
) -> Finding {
    let (octets, age_secs) = beginning(path(check, target), places, trial).await?;
    judge(&octets, age_secs)
}

/// Reads the first octets of a file, and the seconds since it was written.
pub(super) async fn beginning(
    path: PathBuf,
    places: &Arc<Semaphore>,
    trial: &mut Trial,
) -> Result<(Vec<u8>, u64), String> {
    trial.doing = "waiting for other files";
    // Waiting for a free place is the node's own delay, not a failure of the target.
    trial.is_own = true;
    let place = Arc::clone(places).acquire_owned().await.map_err(|_| "the prober stops".to_owned())?;
    trial.is_own = false;
    trial.doing = "reading the file";
    let read = tokio::task::spawn_blocking(move || {
        // The thread holds the place, because a dead file system may keep the thread past the
        // timeout.
        let _place = place;
        read(&path).map_err(|error| (path, error))
    });
    let done = read.await.map_err(|_| "the file cannot be read".to_owned())?;
    done.map_err(|(path, error)| match (trial.before_sending(&error, None), error.kind()) {
        (_, io::ErrorKind::NotFound) => format!("no file {}", path.display()),
        (why, _) => format!("{}: {why}", path.display()),
    })
}

/// Judges the content of a file that was written `age_secs` ago.
pub fn judge(octets: &[u8], age_secs: u64) -> Result<(), String> {
    let octets = words::unmarked(octets).map_err(|why| format!("the file {why}"))?;
    let mut parts = octets.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty());
    let first = parts.next().ok_or("the file is empty")?;
    if first.eq_ignore_ascii_case(b"DOWN") {
        return Err("the file says DOWN".to_owned());
    }
    if !first.eq_ignore_ascii_case(b"UP") {
        return Err(format!("the file begins with {}, neither UP nor DOWN", words::quoted(first)));
    }
    let Some(second) = parts.next() else { return Ok(()) };
    // `UP 30s`, read as a plain `UP`, would hold for ever.
    let Some(secs) = std::str::from_utf8(second).ok().and_then(|text| text.parse::<u64>().ok()) else {
        return Err(format!("the file says UP {}, which is no number of seconds", words::quoted(second)));
    };
    if age_secs <= secs { Ok(()) } else { Err(format!("the file says UP {secs} and is {age_secs} s old")) }
}

fn path(check: &FileCheck, target: &Target) -> PathBuf {
    if !check.path.contains('{') {
        return PathBuf::from(&*check.path);
    }
    let address = target.address.to_string();
    check
        .path
        .replace("{pop}", &target.pop)
        .replace("{service}", &target.service)
        .replace("{address}", &address)
        .into()
}

/// Reads the beginning of the file and its age in seconds. A modification time in the future counts
/// as now.
fn read(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    // Opening a named pipe would wait for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("is no regular file"));
    }
    let file = File::open(path)?;
    let written = file.metadata()?.modified()?;
    let mut octets = Vec::with_capacity(PROBE_FILE_OCTETS_MAX);
    file.take(PROBE_FILE_OCTETS_MAX as u64).read_to_end(&mut octets)?;
    let age = SystemTime::now().duration_since(written).unwrap_or_default();
    Ok((octets, age.as_secs()))
}

#[cfg(test)]
mod tests;
