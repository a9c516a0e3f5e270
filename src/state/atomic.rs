//! Files of the state folder, replaced whole: whoever reads meets the old octets or the new, never
//! a part, also after a power cut.

use crate::sys::hooks;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Replaces a file by a temporary one beside it, which is on the disk before it takes the name. A
/// folder that is missing is an error: only who claims it makes it. On an error the old file is as it was.
pub(crate) fn write(path: &Path, octets: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Opened first: what fails behind the rename could not be taken back.
    let names = File::open(folder)?;
    hooks::hang(path);
    hooks::fault(folder)?;
    let fresh = beside(path, ".new");
    // What a crash has left, or a pipe that an open would wait for, gives way: the file is ours alone.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = create(&fresh).and_then(|mut file| {
        file.write_all(octets)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&fresh, path)) {
        let _ = fs::remove_file(&fresh);
        return Err(error);
    }
    // The new name itself is on the disk once its folder is.
    names.sync_all()
}

/// Makes a file that was not there, for the server's user alone.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
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

/// Opens a regular file; anything else is an error, and no pipe waits for its writer.
fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, crate::sys::NO_WAIT);
    let file = options.open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file")),
    }
}

/// The path with something added to its last name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
