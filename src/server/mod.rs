//! The server: opens the sockets, starts the lanes and the writer, waits for signals, and drains.
//!
//! ```text
//! starting ──all sockets open──▶ serving ──SIGTERM, SIGINT──▶ draining ──▶ stopped
//!                                  │  ▲
//!                                  └──┘ SIGHUP, control: the writer publishes or refuses
//! ```

mod admin_listener;
pub(crate) mod attempt;
mod banner;
mod begun;
pub(crate) mod compare;
#[cfg(unix)]
pub(crate) mod control_socket;
pub(crate) mod descriptors;
pub(crate) mod driver;
mod lanes;
pub(crate) mod ledger_alarms;
#[cfg(target_os = "linux")]
mod overload;
mod pages;
#[cfg(target_os = "linux")]
mod privilege;
pub(crate) mod probe_queue;
mod process_files;
pub(crate) mod runtimes;
pub(crate) mod saves;
pub(crate) mod signals;
pub(crate) mod sockets;
mod start;
pub(crate) mod state_keeper;
pub(crate) mod streams;
pub(crate) mod supervisor;
pub(crate) mod writer;
pub(crate) mod zone_alarms;

use self::process_files::ProcessFiles;
use self::runtimes::Runtimes;
use self::signals::Signals;
use self::supervisor::Supervisor;
use crate::answer::Transport;
use crate::finding::{Files, Finding, Findings, code};
use crate::limits::DRAIN_SECS;
use crate::probe::Prober;
use crate::shared::Shared;
use crate::shared::command::{Command, CommandSender, Origin};
use crate::shared::event::Event;
use crate::shared::phase::Phase;
use crate::state::event_log::EventLog;
use crate::state::lock::Claim;
use crate::sys::log_queue::LogQueue;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Engine that carries the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// UDP and TCP lanes of this program (Linux).
    Fast,
    /// hickory's server for UDP, over the same core.
    #[cfg(feature = "portable")]
    Hickory,
}

impl Engine {
    /// UDP is carried by workers, each with a thread and a socket of its own.
    pub(crate) fn has_workers(self) -> bool {
        match self {
            Engine::Fast => true,
            #[cfg(feature = "portable")]
            Engine::Hickory => false,
        }
    }

    /// Name of the engine, as on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Engine::Fast => "fast",
            #[cfg(feature = "portable")]
            Engine::Hickory => "hickory",
        }
    }
}

/// Arguments of a start.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server file.
    pub config: PathBuf,
    /// The engine.
    pub engine: Engine,
    /// Counter of dropped log lines.
    pub log_dropped: Arc<AtomicU64>,
    /// The process, if it is the server's alone: then it becomes the user of the server file, gives
    /// up its capabilities and enters the sandbox.
    pub own_process: Option<OwnProcess>,
}

/// A process that serves and does nothing else, with its one thread that runs before the server
/// starts: that of the log.
#[derive(Clone, Debug)]
pub struct OwnProcess(pub(crate) LogQueue);

/// Reason why a server did not start: findings, and the files that they point into.
pub(crate) type Refusal = Box<(Findings, Files)>;

/// Cause of a stop by `exit_on_fault`, in words.
const FAULT: &str = "a fault of a task (`exit_on_fault`)";

/// A running server.
pub struct Server {
    runtimes: Runtimes,
    /// Ends its probe programs when the server stops.
    prober: Arc<Prober>,
    signals: Signals,
    shared: Arc<Shared>,
    event_log: EventLog,
    command_sender: CommandSender,
    supervisor: Supervisor,
    /// Cancelled by the first fault of a task; `None` without `exit_on_fault`.
    fault: Option<CancellationToken>,
    stop: CancellationToken,
    /// Tasks that end when the server stops.
    tasks: Vec<JoinHandle<()>>,
    #[cfg(target_os = "linux")]
    workers: Workers,
    bound: Vec<SocketAddr>,
    /// Addresses of the stream transports that have addresses of their own.
    streams: Vec<(Transport, SocketAddr)>,
    /// Threads, cores and buffers of UDP, for the banner.
    lanes: Vec<String>,
    /// Rights of the process, for the banner.
    rights: Vec<String>,
    /// The admin address as bound.
    admin: Option<SocketAddr>,
    /// Absolute path of the server file.
    config: Arc<Path>,
    process_files: ProcessFiles,
    engine: Engine,
    findings: Findings,
    files: Files,
    /// Held until the server has stopped.
    _claim: Arc<Mutex<Claim>>,
}

#[cfg(target_os = "linux")]
#[derive(Default)]
struct Workers {
    threads: crate::transport::worker::Workers,
    stop: Arc<std::sync::atomic::AtomicBool>,
}

impl Server {
    fn log_event(&self, event: &Event) {
        self.event_log.append(event);
    }

    /// Warnings and notes of the start.
    pub fn findings(&self) -> (&Findings, &Files) {
        (&self.findings, &self.files)
    }

    /// DNS addresses as bound, in the order of the file, with the assigned ports instead of port 0.
    pub fn dns(&self) -> &[SocketAddr] {
        &self.bound
    }

    /// Addresses, as bound, of the stream transports with addresses of their own, in the order of
    /// the file.
    pub fn streams(&self) -> &[(Transport, SocketAddr)] {
        &self.streams
    }

    /// Path of the control socket.
    pub fn control(&self) -> &std::path::Path {
        &self.process_files.control
    }

    /// State that threads share, for tests and for programs that embed a server.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Sender of commands to the writer.
    pub fn command_sender(&self) -> &CommandSender {
        &self.command_sender
    }

    /// Handles signals until a signal or a fault (`exit_on_fault`) stops the server. Returns true
    /// for a fault.
    pub(crate) fn wait(&mut self) -> bool {
        let fault = self.fault.clone();
        let fault = async {
            match fault {
                Some(fault) => fault.cancelled().await,
                None => std::future::pending().await,
            }
        };
        #[cfg(unix)]
        let (Signals { hangup, terminate, interrupt }, command_sender) =
            (&mut self.signals, &self.command_sender);
        let signal = self.runtimes.main.block_on(async {
            let mut fault = std::pin::pin!(fault);
            let (mut is_asked, mut pause) = (false, Duration::ZERO);
            #[cfg(unix)]
            loop {
                tokio::select! {
                    () = &mut fault => break FAULT,
                    _ = hangup.recv() => {
                        is_asked = true;
                    }
                    // Retries while the command queue is full or the writer restarts.
                    () = tokio::time::sleep(pause), if is_asked => {
                        let (origin, allow_loss) = (Origin::Signal, false);
                        let asked = command_sender(Command::Reload { origin, reply: None, allow_loss });
                        is_asked = asked.is_err();
                        pause = Duration::from_millis(if is_asked { 200 } else { 0 });
                    }
                    _ = terminate.recv() => break "SIGTERM",
                    _ = interrupt.recv() => break "SIGINT",
                }
            }
            #[cfg(not(unix))]
            {
                tokio::select! {
                    () = &mut fault => FAULT,
                    _ = tokio::signal::ctrl_c() => "an interrupt",
                }
            }
        });
        self.log_event(&Event::Stopping { signal });
        signal == FAULT
    }

    /// Stops accepting queries, waits for running answers, and ends every thread.
    pub fn stop(self) {
        self.shared.phase.enter(Phase::Draining);
        self.stop.cancel();
        #[cfg(target_os = "linux")]
        {
            self.workers.stop.store(true, std::sync::atomic::Ordering::Relaxed);
            self.workers.threads.join();
        }
        let tasks = self.tasks;
        self.runtimes.main.block_on(async {
            let all = async {
                for task in tasks {
                    let _ = task.await;
                }
            };
            let _ = tokio::time::timeout(Duration::from_secs(DRAIN_SECS + 1), all).await;
        });
        self.prober.end_programs();
        self.process_files.remove();
        self.runtimes.stop(Duration::from_secs(1));
        tracing::info!("{}", Event::Stopped);
    }
}

fn own_fault(error: &io::Error) -> Refusal {
    let finding = Finding::error(code::OWN_FAULT, format!("the server cannot start: {error}"));
    Box::new((finding.into(), Files::default()))
}
