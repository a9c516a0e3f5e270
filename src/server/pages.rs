//! The start of the control pages: the control socket, the admin address, and the watch over
//! descriptors, on a runtime of their own.

use crate::control::{self, Shown, listener};
use crate::server::descriptors;
use crate::shared::command::CommandSender;
use crate::state::event_log::EventLog;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What the pages are served with.
pub(crate) struct PagesContext {
    /// What they show.
    pub(crate) shown: Shown,
    /// Where verbs go.
    pub(crate) command_sender: CommandSender,
    /// Where events go.
    pub(crate) event_log: EventLog,
    /// Cancelled when the server stops.
    pub(crate) stop: CancellationToken,
}

/// The sockets of the pages, non-blocking.
pub(crate) struct PageSockets {
    /// The control socket.
    #[cfg(unix)]
    pub(crate) control: std::os::unix::net::UnixListener,
    /// The admin listener.
    pub(crate) admin: Option<TcpListener>,
}

/// Begins to serve; gives the tasks, which end when the server stops.
pub(crate) fn start(
    runtime: &Runtime,
    context: PagesContext,
    sockets: PageSockets,
) -> io::Result<Vec<JoinHandle<()>>> {
    let _entered = runtime.enter();
    let PagesContext { shown, command_sender, event_log, stop } = context;
    let shared = &shown.shared;
    let held = || Arc::clone(&shared.descriptors);
    let mut tasks = vec![runtime.spawn(descriptors::watch(Arc::clone(shared), event_log, stop.clone()))];
    #[cfg(unix)]
    {
        let listener = tokio::net::UnixListener::from_std(sockets.control)?;
        let router = control::full(shown.clone(), command_sender);
        tasks.push(runtime.spawn(listener::serve(listener, router, held(), stop.clone())));
    }
    if let Some(listener) = sockets.admin {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let router = control::read_only(shown.clone());
        tasks.push(runtime.spawn(listener::serve(listener, router, held(), stop)));
    }
    Ok(tasks)
}
