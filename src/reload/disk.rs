//! Files of the disk: read whole, within limits, and compared for changes during the reading.
//!
//! No file is mapped into memory: a file that is rewritten in place would change, or end, under a
//! mapping. Each file is remembered with its stamp, so that a reload notices a file that changed
//! while others were still being read.

use crate::config::{Sources, is_zone_file};
use crate::limits::{CONFIG_OCTETS_MAX, DATABASE_OCTETS_MAX, READ_ATTEMPTS, READ_PAUSE_MILLIS};
use crate::reload::watch::{Waiting, Watch};
use crate::sys::{beneath, hooks};
use crate::wire::cookie::SECRET_LEN;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

/// Octets per read.
const READ_PART: usize = 4 << 20;

/// Reader of files on the disk.
#[derive(Debug)]
pub(crate) struct Disk<'w> {
    watch: &'w Watch,
    /// Paths of all files read, each with the stamp of its content.
    read: Mutex<Vec<(PathBuf, Stamp)>>,
    /// True if no server will serve the content.
    is_for_check: bool,
}

/// Distinguishes two states of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// Device, inode and time of status change. They differ for a file that was renamed into place,
    /// or whose modification time was set back.
    identity: (u64, u64, i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt;
            (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
        };
        #[cfg(not(unix))]
        let identity = (0, 0, 0, 0);
        Stamp { length: metadata.len(), modified: metadata.modified().ok(), identity }
    }
}

impl<'w> Disk<'w> {
    /// Starts without a file. `is_for_check`: no server will serve the content.
    pub(crate) fn new(watch: &'w Watch, is_for_check: bool) -> Disk<'w> {
        Disk { watch, read: Mutex::default(), is_for_check }
    }

    /// Notes that the disk is asked for a path; an error if the reading was given up.
    fn ask(&self, path: &Path) -> Result<Waiting<'w>, String> {
        if self.watch.is_given_up() {
            return Err("the reading was given up".to_owned());
        }
        let waiting = self.watch.wait_for(path);
        hooks::hang(path);
        Ok(waiting)
    }

    /// Reads a file; `open` opens it anew for each attempt.
    fn read_by(&self, path: &Path, open: impl Fn() -> Result<File, String>) -> Result<Arc<[u8]>, String> {
        for attempt in 0..READ_ATTEMPTS {
            if attempt > 0 {
                sleep(Duration::from_millis(READ_PAUSE_MILLIS));
            }
            let waiting = self.ask(path)?;
            if let Some((octets, stamp)) = read_once(&open()?, limit(path), &waiting)? {
                self.read.lock().unwrap_or_else(PoisonError::into_inner).push((path.to_owned(), stamp));
                return Ok(octets);
            }
        }
        Err("the file kept changing while it was read".to_owned())
    }

    /// Files that have changed since they were read, in the order of reading. A deployment read
    /// from such files mixes two states and must not be published.
    pub(crate) fn changed(&self) -> Vec<PathBuf> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.iter()
            .filter(|(path, stamp)| {
                let _waiting = self.watch.wait_for(path);
                fs::metadata(path).map_or(true, |metadata| Stamp::of(&metadata) != *stamp)
            })
            .map(|(path, _)| path.clone())
            .collect()
    }
}

impl Sources for Disk<'_> {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        self.read_by(path, || {
            // The kind is checked before the file is opened, because opening a device may have
            // effects; it is checked again on the open file.
            check_kind(&fs::metadata(path).map_err(|error| sentence(&error))?)?;
            beneath::open(path).map_err(|error| sentence(&error))
        })
    }

    /// A zone file may be a symbolic link, as container mounts make them: the owner of the folder
    /// decides that. An `$INCLUDE` comes from the author of the zone, and must not open files
    /// outside the folder. So the kernel resolves its path, below the open folder.
    fn read_inside(&self, folder: &Path, relative: &Path) -> Result<Arc<[u8]>, String> {
        self.read_by(&folder.join(relative), || {
            beneath::open_beneath(folder, relative).map_err(|error| match error.kind() {
                io::ErrorKind::CrossesDevices => {
                    "it is a link that leads outside the folder of zones".to_owned()
                }
                _ => sentence(&error),
            })
        })
    }

    fn is_open_to_all(&self, path: &Path) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let Ok(_waiting) = self.ask(path) else { return false };
            fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o006 != 0)
        }
        #[cfg(not(unix))]
        {
            let _ = path;
            false
        }
    }

    fn serves(&self) -> bool {
        !self.is_for_check
    }

    fn is_withheld(&self, path: &Path) -> bool {
        let Ok(_waiting) = self.ask(path) else { return false };
        beneath::open(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    }

    fn own_secret(&self) -> Option<[u8; SECRET_LEN]> {
        // One secret for the life of the process: a reload must not invalidate earlier cookies.
        static OWN: OnceLock<Option<[u8; SECRET_LEN]>> = OnceLock::new();
        *OWN.get_or_init(crate::sys::random::octets)
    }

    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        self.watch.each(count, work);
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        let sentence = |error: io::Error| sentence(&error);
        let mut files = Vec::new();
        let _waiting = self.ask(folder)?;
        for entry in fs::read_dir(folder).map_err(sentence)? {
            let path = entry.map_err(sentence)?.path();
            // Links are followed, because container mounts deploy by symbolic link. A path that
            // cannot be examined is listed, so that reading it gives the reason; so is a folder in
            // the place of a zone file.
            if fs::metadata(&path).map_or(true, |metadata| metadata.is_file()) || is_zone_file(&path) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

/// Content of a file at one moment, with its stamp.
type Stamped = (Arc<[u8]>, Stamp);

/// Reads the content, or returns `None` if the file changed meanwhile.
fn read_once(mut file: &File, limit: usize, waiting: &Waiting<'_>) -> Result<Option<Stamped>, String> {
    let before = file.metadata().map_err(|error| sentence(&error))?;
    check_kind(&before)?;
    if before.len() > limit as u64 {
        return Err(too_large(before.len(), limit));
    }
    // Reads into the final allocation. If the file grows or shrinks meanwhile, it is read again.
    let mut octets: Arc<[u8]> = std::iter::repeat_n(0, before.len() as usize).collect();
    let room = Arc::get_mut(&mut octets).unwrap_or_default();
    // Reads in parts, so that a slow disk is not mistaken for one that hangs.
    let parts = room.chunks_mut(READ_PART).try_for_each(|part| {
        waiting.go_on();
        file.read_exact(part)
    });
    let is_whole = match parts.and_then(|()| file.read(&mut [0])) {
        Ok(more) => more == 0,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
        Err(error) => return Err(sentence(&error)),
    };
    let after = file.metadata().map_err(|error| sentence(&error))?;
    let stamp = Stamp::of(&after);
    Ok((is_whole && Stamp::of(&before) == stamp).then_some((octets, stamp)))
}

fn check_kind(metadata: &Metadata) -> Result<(), String> {
    if metadata.is_dir() {
        Err("it is a folder, not a file".to_owned())
    } else if !metadata.is_file() {
        Err("it is not a regular file".to_owned())
    } else {
        Ok(())
    }
}

fn limit(path: &Path) -> usize {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mmdb")) {
        DATABASE_OCTETS_MAX
    } else {
        CONFIG_OCTETS_MAX
    }
}

fn too_large(length: u64, limit: usize) -> String {
    format!("it has {length} octets, past the limit of {limit}")
}

fn sentence(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "the permission to read it is missing".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
