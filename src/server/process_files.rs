//! Files by which other processes find a running server: the control socket, the socket note and
//! the PID file. They are removed when the server stops.

#[cfg(unix)]
use super::control_socket::ControlSocket;
use super::sockets::Sockets;
use crate::control::socket_note::SocketNote;
use crate::reload::running::RestartOnly;
use crate::sys::replace;
use std::path::PathBuf;
#[cfg(unix)]
use std::sync::Arc;

/// Files of a running server.
pub(super) struct ProcessFiles {
    /// Path of the control socket.
    pub(super) control: PathBuf,
    #[cfg(unix)]
    control_socket: Arc<ControlSocket>,
    /// Socket note, with which commands find the control socket.
    note: Option<SocketNote>,
    /// File with the process ID.
    pid_file: Option<PathBuf>,
}

impl ProcessFiles {
    /// Files of a server whose control socket is open. The PID file follows when it answers.
    pub(super) fn new(fixed: &RestartOnly, sockets: &Sockets, note: Option<SocketNote>) -> ProcessFiles {
        ProcessFiles {
            control: fixed.listen.control.clone(),
            #[cfg(unix)]
            control_socket: Arc::clone(&sockets.control),
            note,
            pid_file: fixed.pid_file.clone(),
        }
    }

    /// Writes the PID file. A failure is logged, and does not stop the server.
    pub(super) fn write_pid(&self) {
        let Some(path) = &self.pid_file else { return };
        // Readable by all, for scripts and monitors of other users.
        let number = format!("{}\n", std::process::id());
        if let Err(error) = replace::whole(path, ".new", number.as_bytes(), 0o644) {
            tracing::error!(%error, "`{}` (`pid_file`) cannot be written", path.display());
        }
    }

    /// Removes the files.
    pub(super) fn remove(&self) {
        self.note.iter().for_each(SocketNote::remove);
        if let Some(path) = &self.pid_file {
            let _ = std::fs::remove_file(path);
        }
        #[cfg(unix)]
        self.control_socket.remove();
    }
}
