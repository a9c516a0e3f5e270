//! Files of the state folder, replaced whole: whoever reads meets the old octets or the new, never
//! a part, also after a power cut.

pub(crate) use crate::sys::replace::beside;
use crate::sys::{hooks, replace};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Replaces a file by one that only this user can read: overrides carry names and reasons. A folder
/// that is missing is an error: only who claims it makes it. On an error the old file is as it was.
pub(crate) fn write(path: &Path, octets: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    hooks::hang(path);
    hooks::fault(folder)?;
    replace::whole(path, ".new", octets, 0o600)
}

/// The octets of a file; `None` if there is none. Refuses more than `most` octets.
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

/// Opens a regular file; anything else is an error, a link too, and no pipe waits for its writer.
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
