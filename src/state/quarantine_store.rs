//! Quarantine folder: a file for each message on which the program has panicked. The newest files
//! stay, up to [`QUARANTINE_FILES_MAX`].

use crate::limits::{QUARANTINE_FILE_OCTETS_MAX, QUARANTINE_FILES_MAX};
use crate::shared::captured::Captured;
use crate::state::atomic;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Name of the folder in the state folder.
pub(crate) const FOLDER: &str = "quarantine";
/// Ending of a file.
const ENDING: &str = ".txt";

/// Writes the file of a message, and removes the oldest files past the limit. Returns its path. The
/// state folder must exist.
pub(crate) fn keep(state: &Path, captured: &Captured) -> io::Result<PathBuf> {
    let folder = state.join(FOLDER);
    make(&folder)?;
    let others = list(&folder)?;
    let path = free_path(&folder, &others, captured.epoch_secs);
    atomic::write(&path, captured.text().as_bytes())?;
    // The clock may stand behind the others, and one of them may resist its removal.
    let mut over = (others.len() + 1).saturating_sub(QUARANTINE_FILES_MAX);
    for old in &others {
        if over == 0 {
            break;
        }
        over -= usize::from(fs::remove_file(old).is_ok());
    }
    Ok(path)
}

/// Files of a quarantine folder, the oldest first; none if there is no folder. Other files are left
/// out.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry?;
        paths.extend(order(&entry.file_name().to_string_lossy()).map(|order| (order, entry.path())));
    }
    paths.sort();
    Ok(paths.into_iter().map(|(_, path)| path).collect())
}

/// Reads a file. The error is a sentence.
pub(crate) fn read(path: &Path) -> Result<Captured, String> {
    let octets = match atomic::read(path, QUARANTINE_FILE_OCTETS_MAX) {
        Ok(Some(octets)) => octets,
        Ok(None) => return Err("there is no such file".to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    let text = String::from_utf8(octets).map_err(|_| "it is not UTF-8".to_owned())?;
    Captured::read(&text)
}

/// Creates the folder, for the server's user alone.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Path of a new file of this time beside others: `SECONDS-NUMBER.txt`.
fn free_path(folder: &Path, others: &[PathBuf], epoch_secs: u64) -> PathBuf {
    let orders = others.iter().filter_map(|path| order(&path.file_name()?.to_string_lossy()));
    let last = orders.filter(|(secs, _)| *secs == epoch_secs).map(|(_, number)| number).max();
    let number = last.map_or(1, |last| last.saturating_add(1));
    folder.join(format!("{epoch_secs}-{number}{ENDING}"))
}

/// Time and number in the name of a file; `None` if the name is another's.
fn order(name: &str) -> Option<(u64, u64)> {
    let (secs, number) = name.strip_suffix(ENDING)?.split_once('-')?;
    let is_number = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    if !is_number(secs) || !is_number(number) {
        return None;
    }
    Some((secs.parse().ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests;
