//! The control socket on its path: a listener that is bound anew after an operator or a program has
//! removed the path, as with the folder in which it stands, since commands would no longer find the
//! server.

use crate::sys::{hooks, socket};
use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The listener that is served, and where it stands.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    path: PathBuf,
    listener: Mutex<UnixListener>,
    /// Listener that is taken up first: its descriptor is open before descriptors are short.
    first: Mutex<Option<UnixListener>>,
    renewed: Notify,
    /// The server stops: nothing is bound any more.
    is_over: Mutex<bool>,
}

impl ControlSocket {
    /// A listener that was bound at a path.
    pub(crate) fn new(path: &Path, listener: UnixListener) -> ControlSocket {
        let first = Mutex::new(listener.try_clone().ok());
        ControlSocket {
            path: path.to_owned(),
            first,
            listener: Mutex::new(listener),
            renewed: Notify::new(),
            is_over: Mutex::default(),
        }
    }

    fn listener(&self) -> MutexGuard<'_, UnixListener> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The listener of now, for a runtime. Must run inside one.
    pub(crate) fn take_up(&self) -> io::Result<tokio::net::UnixListener> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        socket::take_up(&mut first, || self.listener().try_clone())
            .and_then(tokio::net::UnixListener::from_std)
    }

    /// Waits until another listener is to be served. Safe to drop midway.
    pub(crate) async fn renewed(&self) {
        self.renewed.notified().await;
    }

    /// Removes the path, when the server stops; it is bound no more.
    pub(crate) fn remove(&self) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        remove_control(&self.path);
    }

    /// Looks at the path, and binds anew if nothing is there; gives what it did or could not do, in
    /// words. Asks the disk: call it where waiting is allowed.
    pub(crate) fn look(&self) -> Result<Option<String>, String> {
        // Held to the end, so that a server that stops removes what was bound last.
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_over {
            return Ok(None);
        }
        match std::fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            _ => return Ok(None),
        }
        let shown = self.path.display();
        match open_control(&self.path) {
            Ok(listener) => {
                *self.first.lock().unwrap_or_else(PoisonError::into_inner) = listener.try_clone().ok();
                *self.listener() = listener;
                self.renewed.notify_one();
                Ok(Some(format!("the control socket `{shown}` was gone, and was made anew")))
            }
            Err(error) => {
                Err(format!("the control socket `{shown}` is gone and cannot be made anew: {error}"))
            }
        }
    }
}

/// Checks that a socket can stand at a path: nothing else is there, and its parents are
/// folders. The result is true if a socket is there.
pub(crate) fn place_of_control(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::FileTypeExt;
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => Ok(true),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "there is a file of that name that is not a socket",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.ancestors().skip(1).find(|folder| folder.exists());
            match folder.is_none_or(Path::is_dir) {
                true => Ok(false),
                false => Err(io::ErrorKind::NotADirectory.into()),
            }
        }
        // Its user may look at files that `check` may not.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(false),
        Err(error) => Err(error),
    }
}

/// Checks that the control socket could be opened, without opening it.
pub(crate) fn probe_control(path: &Path) -> io::Result<()> {
    use std::os::unix::net::UnixStream;
    if !place_of_control(path)? {
        return Ok(());
    }
    match UnixStream::connect(path) {
        // No process listens: a server that was killed has left it.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server answers there")),
    }
}

/// Binds the control socket, for our user alone. What a killed server has left gives way.
pub(crate) fn open_control(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    use std::os::unix::fs::DirBuilderExt;
    probe_control(path)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o750).create(folder)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    socket::private(path)
}

/// Removes the control socket when the server has stopped. What cannot be removed is recognised as
/// stale by the next start.
pub(crate) fn remove_control(path: &Path) {
    hooks::hang(path);
    let _ = std::fs::remove_file(path);
}
