//! Atomic replacement of files in the state folder: a reader gets the old content or the new, never
//! a mixture, also after a power cut.

pub(crate) use crate::sys::replace::beside;
use crate::sys::{hooks, replace};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Replaces a file. Only the server's user can read it, since overrides hold names and reasons. A
/// missing folder is an error, because only the claim creates it. On an error the old file is
/// unchanged.
pub(crate) fn write(path: &Path, octets: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    hooks::hang(path);
    hooks::fault(folder)?;
    replace::whole(path, ".new", octets, 0o600)
}

/// Content of a file; `None` if there is none. More than `most` octets are an error.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut octets = Vec::new();
    file.take(most + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {most} octets")));
    }
    Ok(Some(octets))
}

/// Opens a regular file without waiting; links, pipes and others are errors.
fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, crate::sys::NO_WAIT | crate::sys::NO_LINK);
    let file = options.open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file")),
    }
}
