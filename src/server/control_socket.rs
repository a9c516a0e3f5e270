//! The control socket on its path. The server binds the socket again after its path was removed,
//! alone or with its folder, because commands would no longer find the server.

use crate::sys::{hooks, socket};
use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Current listener of the control socket, and its path.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    path: PathBuf,
    listener: Mutex<UnixListener>,
    /// Descriptor for the next [`ControlSocket::take_up`], opened in advance so that a lack of
    /// descriptors does not matter.
    first: Mutex<Option<UnixListener>>,
    renewed: Notify,
    /// True once the server stops, so that the socket is not bound again.
    is_over: Mutex<bool>,
}

impl ControlSocket {
    /// Wraps a listener that is bound at a path.
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

    /// Current listener, for the entered runtime.
    pub(crate) fn take_up(&self) -> io::Result<tokio::net::UnixListener> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        socket::take_up(&mut first, || self.listener().try_clone())
            .and_then(tokio::net::UnixListener::from_std)
    }

    /// Waits until the listener is replaced. Cancel-safe.
    pub(crate) async fn renewed(&self) {
        self.renewed.notified().await;
    }

    /// Removes the path when the server stops, and prevents another bind.
    pub(crate) fn remove(&self) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        remove_control(&self.path);
    }

    /// Checks the path, and binds the socket again if the path does not exist. Returns a sentence
    /// if it has bound the socket; the error is a sentence too. Blocks on the disk.
    pub(crate) fn look(&self) -> Result<Option<String>, String> {
        // Locked until the end, so that a stopping server removes the last bound socket.
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
                Ok(Some(format!("the control socket `{shown}` was gone, and was recreated")))
            }
            Err(error) => {
                Err(format!("the control socket `{shown}` is gone and cannot be recreated: {error}"))
            }
        }
    }
}

/// Checks that a path can hold a socket: its parents are folders, and it is not another kind of
/// file. Returns true if a socket exists at the path.
pub(crate) fn place_of_control(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::FileTypeExt;
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => Ok(true),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "the path is a file that is not a socket")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.ancestors().skip(1).find(|folder| folder.exists());
            match folder.is_none_or(Path::is_dir) {
                true => Ok(false),
                false => Err(io::ErrorKind::NotADirectory.into()),
            }
        }
        // The user of the server may have access that the user of `check` lacks.
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
        // No process listens: a killed server has left the socket.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server answers at the socket")),
    }
}

/// Binds the control socket, for the user of the server alone. Replaces the socket of a killed
/// server.
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

/// Removes the control socket when the server has stopped, or its start has failed. If the removal
/// fails, the next start recognises the socket as stale.
pub(crate) fn remove_control(path: &Path) {
    hooks::hang(path);
    let _ = std::fs::remove_file(path);
}
