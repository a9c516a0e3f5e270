//! Replaces files atomically: a reader sees the old octets or the new ones, never a mixture, even
//! after a power failure. Only regular files are written, and never through a link.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Mode of a new file that others may read.
const READABLE: u32 = 0o644;

/// Replaces a file that a person has named. Anything but a regular file in its place, and the file
/// `source` itself, are errors. A file keeps its mode, and its owner and group as far as this
/// process may give files away; a new file is readable by all.
///
/// A link is an error too: replacing it would leave its target unchanged, and writing through it
/// would change a file that was not named.
pub(crate) fn named(target: &Path, octets: &[u8], source: Option<&Path>) -> io::Result<()> {
    let mut replacement = Replacement::of_named(target, source)?;
    replacement.write_all(octets)?;
    replacement.finish()
}

/// Replaces the object at a path, even a link, by a file with this mode. A temporary file beside
/// the object is on the disk before it takes the name. After an error the old file is unchanged,
/// unless only the last step fails: then the new file is in place, but its name may not be on the
/// disk.
///
/// The temporary file has the name of the target followed by `ending`. A missing folder is an
/// error.
pub(crate) fn whole(path: &Path, ending: &str, octets: &[u8], mode: u32) -> io::Result<()> {
    let mut replacement = Replacement::begin(path, ending, mode, None)?;
    replacement.write_all(octets)?;
    replacement.finish()
}

/// The contents of a file that is being replaced, until they are finished. Without the finish the
/// old file stays, and the new octets go.
#[derive(Debug)]
pub(crate) struct Replacement {
    file: File,
    /// Path of the temporary file; `None` once it has the name of the target.
    fresh: Option<PathBuf>,
    path: PathBuf,
    /// Folder of both.
    names: File,
    mode: u32,
    owner: Option<fs::Metadata>,
}

impl Replacement {
    /// Begins what [`named`] does at once.
    pub(crate) fn of_named(target: &Path, source: Option<&Path>) -> io::Result<Replacement> {
        let refuse = |words: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, words.to_owned()));
        let (mode, owner) = match fs::symlink_metadata(target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (READABLE, None),
            Err(error) => return Err(error),
            Ok(there) if there.is_symlink() => {
                return refuse("it is a link; name its target, or remove the link");
            }
            Ok(there) if !there.is_file() => return refuse("it is not a regular file"),
            Ok(there) => {
                if source.is_some_and(|source| is_same(source, &there)) {
                    return refuse("it is the source itself");
                }
                (mode_of(&there), Some(there))
            }
        };
        Replacement::begin(target, &format!(".{}.new", std::process::id()), mode, owner)
    }

    fn begin(path: &Path, ending: &str, mode: u32, owner: Option<fs::Metadata>) -> io::Result<Replacement> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Open the folder first, because a failure after the rename could not be undone.
        let names = File::open(folder)?;
        let fresh = beside(path, ending);
        // Remove leftovers of a crash, or a pipe on which an open would wait: the file must be ours
        // alone.
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = create(&fresh)?;
        Ok(Replacement { file, fresh: Some(fresh), path: path.to_owned(), names, mode, owner })
    }

    /// Puts the new file in its place. After an error the old file is unchanged, unless only the
    /// last step fails.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        // Change the owner before the mode, because the system may reduce the mode when the owner
        // changes.
        if let Some(owner) = &self.owner {
            give(&self.file, owner);
        }
        set_mode(&self.file, self.mode)?;
        self.file.sync_all()?;
        if let Some(fresh) = &self.fresh {
            fs::rename(fresh, &self.path)?;
        }
        self.fresh = None;
        // The new name is on the disk once its folder is.
        self.names.sync_all()
    }
}

impl Write for Replacement {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.file.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some(fresh) = &self.fresh {
            // If removing fails too, the first error is the one to report.
            let _ = fs::remove_file(fresh);
        }
    }
}

/// The path with an ending added to its last component.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Creates a new file that no other user can read.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Gives a file the owner and group of another, or only the group, as far as this process may.
#[cfg(unix)]
fn give(file: &File, of: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    if fchown(file, Some(of.uid()), Some(of.gid())).is_err() {
        // Only root may change owners; otherwise the file keeps this process's user, like its other
        // files.
        let _ = fchown(file, None, Some(of.gid()));
    }
}

#[cfg(not(unix))]
fn give(_: &File, _: &fs::Metadata) {}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn mode_of(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777
}

#[cfg(not(unix))]
fn mode_of(_: &fs::Metadata) -> u32 {
    READABLE
}

/// True if a path leads to the file with this metadata, under any name.
#[cfg(unix)]
fn is_same(path: &Path, there: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).is_ok_and(|of_path| (of_path.dev(), of_path.ino()) == (there.dev(), there.ino()))
}

#[cfg(not(unix))]
fn is_same(_: &Path, _: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests;
