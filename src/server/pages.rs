//! Starts the control pages: the control socket, the admin address, and the descriptor watch, on a
//! runtime of their own.

use crate::control::admin_host::AdminHosts;
use crate::control::{self, Shown, listener};
use crate::server::admin_listener::AdminListener;
#[cfg(unix)]
use crate::server::control_socket::ControlSocket;
use crate::server::descriptors;
use crate::server::supervisor::Supervisor;
use crate::shared::command::CommandSender;
use crate::shared::descriptors::Use;
use crate::shared::task::Task;
use crate::state::event_log::EventLog;
use crate::sys::socket::take_up;
use std::net::TcpListener;
use std::sync::Arc;
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Context of the pages.
pub(crate) struct PagesContext {
    /// State that the pages show.
    pub(crate) shown: Shown,
    /// Sender of commands to the writer.
    pub(crate) command_sender: CommandSender,
    /// The event log.
    pub(crate) event_log: EventLog,
    /// Supervisor of the tasks.
    pub(crate) supervisor: Supervisor,
    /// Cancelled when the server stops.
    pub(crate) stop: CancellationToken,
    /// Runtime of the handshakes of the admin address.
    pub(crate) handshakes: Handle,
}

/// Non-blocking sockets of the pages.
pub(crate) struct PageSockets {
    /// The control socket.
    #[cfg(unix)]
    pub(crate) control: Arc<ControlSocket>,
    /// The admin listener, and the hosts for which it serves pages.
    pub(crate) admin: Option<(TcpListener, Arc<AdminHosts>)>,
}

/// Starts to serve the pages. Returns the tasks, which end when the server stops.
pub(crate) fn start(runtime: &Runtime, context: PagesContext, sockets: PageSockets) -> Vec<JoinHandle<()>> {
    let PagesContext { shown, command_sender, event_log, supervisor, stop, handshakes } = context;
    let (shared, board) = (Arc::clone(&shown.shared), stop.clone());
    let watch = move || descriptors::watch(Arc::clone(&shared), event_log.clone(), board.clone());
    let mut tasks = vec![runtime.spawn(supervisor.clone().keep(Task::Descriptors, watch))];
    let held = Arc::clone(&shown.shared.descriptors);
    let share = held.shares().of(Use::Pages) / if sockets.admin.is_some() { 2 } else { 1 };
    #[cfg(unix)]
    {
        let (control, shown, held, stop) = (sockets.control, shown.clone(), Arc::clone(&held), stop.clone());
        let command_sender = Arc::clone(&command_sender);
        let serve = move || {
            let router = control::full(shown.clone(), Arc::clone(&command_sender));
            let (held, stop) = (Arc::clone(&held), stop.clone());
            let serve = move |listener| {
                listener::serve(listener, router.clone(), share, Arc::clone(&held), stop.clone())
            };
            serve_control(Arc::clone(&control), serve)
        };
        tasks.push(runtime.spawn(supervisor.clone().keep(Task::Control, serve)));
    }
    if let Some((listener, hosts)) = sockets.admin {
        let mut first = listener.try_clone().ok();
        let serve = move || {
            let router = control::admin(shown.clone(), Arc::clone(&command_sender), Arc::clone(&hosts));
            let shared = Arc::clone(&shown.shared);
            let (held, stop, handshakes) = (Arc::clone(&held), stop.clone(), handshakes.clone());
            let listener = take_up(&mut first, || listener.try_clone());
            async move {
                match listener.and_then(tokio::net::TcpListener::from_std) {
                    Ok(tcp) => {
                        let listener = AdminListener { tcp, shared, handshakes };
                        listener::serve(listener, router, share, held, stop).await
                    }
                    Err(error) => panic!("the listener cannot be reopened: {error}"),
                }
            }
        };
        tasks.push(runtime.spawn(supervisor.keep(Task::Admin, serve)));
    }
    tasks
}

/// Serves the control socket, and its new listener after each rebind.
#[cfg(unix)]
async fn serve_control<F: Future<Output = ()>>(
    control: Arc<ControlSocket>,
    serve: impl Fn(tokio::net::UnixListener) -> F,
) {
    loop {
        let listener = match control.take_up() {
            Ok(listener) => listener,
            Err(error) => panic!("the listener cannot be reopened: {error}"),
        };
        tokio::select! {
            () = serve(listener) => return,
            () = control.renewed() => {}
        }
    }
}
