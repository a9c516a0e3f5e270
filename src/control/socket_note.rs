//! Socket note: a file in which a running server stores the path of its control socket. Commands
//! use the note when the server file is broken, or names another socket than at the start of the
//! server.
//!
//! The note has two lines: the path of the socket and the path of the server file. A server writes
//! the note to the first writable place of:
//!
//! 1. `$RUNTIME_DIRECTORY` (systemd), else `/run/meridian` where that exists: `<key>.control`;
//! 2. beside the server file: `.<name of the server file>.control`;
//! 3. `$XDG_RUNTIME_DIR/meridian`: `<key>.control`.
//!
//! The key is a hash of the server file's path, so that servers on one machine have different
//! notes. Untrusted users cannot write to these places: a user who can write beside the server file
//! can also replace the server file. An orderly stop removes the note. After a crash, the note may
//! name a socket without a server, or one that another server has taken over. A command that
//! follows a note therefore asks the server at the socket for its server file.

use crate::sys::replace;
use crate::wire::hash;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Most octets of a note: it holds two paths.
const NOTE_OCTETS_MAX: u64 = 16 << 10;

/// A note that a running server has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SocketNote {
    /// Path of the note.
    pub(crate) path: PathBuf,
    /// The control socket.
    pub(crate) socket: PathBuf,
}

/// Absolute path of a file. Links in the folder are resolved. The file itself may be a link whose
/// target changes, as in container mounts, so it is not resolved.
pub(crate) fn absolute(config: &Path) -> Option<PathBuf> {
    let folder = match config.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    Some(fs::canonicalize(folder).ok()?.join(config.file_name()?))
}

/// Places of a note, in order. The server writes to one; commands read all.
fn places(config: &Path) -> Vec<PathBuf> {
    let key = format!("{:016x}.control", hash::octets(config.as_os_str().as_encoded_bytes()));
    let variable = |name: &str| {
        let folders = std::env::var_os(name).filter(|value| !value.is_empty())?;
        // systemd separates several folders by colons.
        std::env::split_paths(&folders).next().filter(|folder| folder.is_absolute())
    };
    let mut beside = OsString::from(".");
    beside.push(config.file_name().unwrap_or_default());
    beside.push(".control");
    let mut places: Vec<PathBuf> = variable("RUNTIME_DIRECTORY")
        .into_iter()
        .chain([PathBuf::from("/run/meridian")])
        .map(|folder| folder.join(&key))
        .collect();
    places.push(config.with_file_name(beside));
    places.extend(variable("XDG_RUNTIME_DIR").map(|folder| folder.join("meridian").join(&key)));
    places.dedup();
    places
}

/// Writes the note for a server file; `None` if no place is writable. That is no fault, because the
/// server file still names the socket.
pub(crate) fn leave(config: &Path, socket: &Path) -> Option<SocketNote> {
    let config = absolute(config)?;
    let socket = absolute(socket)?;
    let text = format!("{}\n{}\n", socket.to_str()?, config.to_str()?);
    let path = places(&config).into_iter().find(|place| write(place, &text).is_ok())?;
    Some(SocketNote { path, socket })
}

fn write(place: &Path, text: &str) -> io::Result<()> {
    let folder = place.parent().unwrap_or(Path::new("/"));
    // Creates only the folder below XDG_RUNTIME_DIR; the system creates the others.
    if std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|run| Path::new(&run).join("meridian") == folder) {
        fs::create_dir_all(folder)?;
    }
    // Replaces any file or link at the path, and follows no link.
    replace::whole(place, &format!(".{}.new", std::process::id()), text.as_bytes(), 0o644)
}

/// Notes for a server file, in the order of their places.
pub(crate) fn found(config: &Path) -> Vec<SocketNote> {
    let Some(config) = absolute(config) else { return Vec::new() };
    places(&config).iter().filter_map(|place| read(place, &config)).collect()
}

fn read(place: &Path, config: &Path) -> Option<SocketNote> {
    let metadata = fs::symlink_metadata(place).ok()?;
    if !metadata.is_file() || metadata.len() > NOTE_OCTETS_MAX || !is_trusted(place, &metadata, config) {
        return None;
    }
    let text = fs::read_to_string(place).ok()?;
    let (socket, rest) = text.split_once('\n')?;
    let is_ours = rest.strip_suffix('\n').map(Path::new) == Some(config) && Path::new(socket).is_absolute();
    is_ours.then(|| SocketNote { path: place.to_owned(), socket: socket.into() })
}

/// True for a note that can be trusted. Only root can create `/run/meridian`. Elsewhere, the owner
/// of the note must be root, this user or the owner of the server file. No group or other user may
/// have write access to the note.
fn is_trusted(place: &Path, note: &fs::Metadata, config: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let owner = |path: &str| fs::metadata(path).ok().map(|metadata| metadata.uid());
        let of_config = fs::metadata(config).ok().map(|metadata| metadata.uid());
        let known = [of_config, owner("/proc/self")];
        is_of_known_hand((note.uid(), note.mode()), place.starts_with("/run/meridian"), known)
    }
    #[cfg(not(unix))]
    {
        let _ = (place, note, config);
        true
    }
}

/// Decides [`is_trusted`] by owner and mode; `known` users are trusted besides root.
#[cfg(unix)]
fn is_of_known_hand((owner, mode): (u32, u32), is_roots_folder: bool, known: [Option<u32>; 2]) -> bool {
    let is_known = owner == 0 || known.contains(&Some(owner));
    mode & 0o022 == 0 && (is_known || is_roots_folder)
}

impl SocketNote {
    /// Removes the note, unless another server has replaced it.
    pub(crate) fn remove(&self) {
        let is_ours = fs::read_to_string(&self.path)
            .is_ok_and(|text| text.lines().next().map(Path::new) == Some(&*self.socket));
        if is_ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(all(test, unix))]
mod tests;
