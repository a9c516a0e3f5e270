//! The server: opens the sockets, starts the lanes and the writer, waits for signals, and drains.
//!
//! ```text
//! starting ──all sockets open──▶ serving ──SIGTERM, SIGINT──▶ draining ──▶ stopped
//!                                  │  ▲
//!                                  └──┘ SIGHUP, control: the writer publishes or refuses
//! ```

pub(crate) mod attempt;
mod banner;
pub(crate) mod compare;
#[cfg(unix)]
pub(crate) mod control_socket;
pub(crate) mod descriptors;
pub(crate) mod driver;
mod lanes;
pub(crate) mod ledger_alarms;
pub(crate) mod pages;
pub(crate) mod probe_queue;
pub(crate) mod runtimes;
pub(crate) mod saves;
pub(crate) mod signals;
pub(crate) mod sockets;
mod start;
pub(crate) mod state_keeper;
pub(crate) mod supervisor;
pub(crate) mod writer;
pub(crate) mod zone_alarms;

#[cfg(unix)]
use self::control_socket::ControlSocket;
use self::driver::Driver;
use self::lanes::Blocks;
use self::ledger_alarms::LedgerAlarms;
use self::runtimes::Runtimes;
use self::saves::Saves;
use self::signals::Signals;
use self::start::Opened;
use self::supervisor::{Supervisor, see_workers};
use self::writer::Writer;
use self::zone_alarms::ZoneAlarms;
use crate::control::socket_note;
use crate::finding::folded::Told;
use crate::finding::{Files, Finding, Findings, code};
use crate::limits::DRAIN_SECS;
use crate::probe::Prober;
use crate::reload::prepare::Fresh;
use crate::shared::Shared;
use crate::shared::command::{Command, CommandSender, Origin};
use crate::shared::counters::Counters;
use crate::shared::descriptors::Descriptors;
use crate::shared::event::Event;
use crate::shared::phase::Phase;
use crate::shared::published::Published;
use crate::shared::task::Task;
use crate::shared::tasks::TaskBoard;
use crate::state::event_log::EventLog;
use crate::state::folder::StateFolder;
use crate::state::lock::Claim;
use crate::sys::clock::epoch_secs;
use crate::sys::replace;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
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
}

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
    /// Threads, cores and buffers of UDP, for the banner.
    lanes: Vec<String>,
    /// The admin address as bound.
    admin: Option<SocketAddr>,
    control: PathBuf,
    #[cfg(unix)]
    control_socket: Arc<ControlSocket>,
    /// Absolute path of the server file.
    config: Arc<Path>,
    /// File with the process ID.
    pid_file: Option<PathBuf>,
    /// Socket note, with which commands find the control socket.
    note: Option<socket_note::SocketNote>,
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
    /// Reads the files, opens every socket and begins to answer. The refusal has all findings that
    /// prevent the start.
    pub fn start(options: &Options) -> Result<Server, Refusal> {
        let limit = crate::sys::descriptors::raise().map(|limit| limit.soft);
        let runtimes = Runtimes::new().map_err(|error| own_fault(&error))?;
        let context = runtimes.main.enter();
        let mut signals = Signals::catch().map_err(|error| own_fault(&error))?;
        drop(context);
        let began = Instant::now();
        let Fresh { snapshot, fixed, tcp_connections_at, mut findings, files } =
            start::read(&runtimes.main, &mut signals, options.config.clone())?;
        let (shares, found) =
            descriptors::share(&fixed.listen, tcp_connections_at, sockets::count(&fixed.listen), limit);
        found.into_iter().for_each(|finding| findings.push(finding));
        if findings.has_errors() {
            return Err(Box::new((findings, files)));
        }
        let descriptors = Arc::new(Descriptors::new(shares));
        let opened = start::open(&runtimes.main, &mut signals, &fixed, options.engine)?;
        let opened = match opened {
            Ok(opened) => opened,
            Err(found) => {
                findings.extend(found);
                return Err(Box::new((findings, files)));
            }
        };
        let Opened { sockets, claim, store, alarms, remembered, faults } = opened;
        let claim = Arc::new(Mutex::new(claim));
        let folder = StateFolder::new(&fixed.state, Arc::clone(&claim), store.good());
        findings.extend(sockets::cut(&fixed.listen, sockets::granted(&fixed.listen, sockets.udp.first())));
        // hickory's server uses no UDP workers.
        let own_workers = if options.engine == Engine::Fast { sockets.workers() } else { 0 };
        let blocks = Blocks::new(own_workers);
        let counters = Counters::new(blocks.all(), Arc::clone(&options.log_dropped));
        counters.last_reload.published(epoch_secs(), began.elapsed().as_micros() as u64);
        let stop = CancellationToken::new();
        let prober = Arc::new(Prober::within(Arc::clone(&descriptors)));
        let programs = Arc::clone(&prober);
        // Checks run on the runtime that is entered when the driver begins.
        let context = runtimes.probes.enter();
        // Overrides apply from the first answer on, so that a restart does not undo them. The first
        // round of probes precedes the first answer, because PoPs of unknown health count as up.
        let tasks = Arc::new(TaskBoard::new(counters.worker_turns().count()));
        let mut driver = Driver::begin(
            runtimes.probes.handle().clone(),
            Arc::new(snapshot),
            remembered,
            prober,
            Arc::clone(&tasks),
            stop.clone(),
        );
        drop(context);
        let signal = runtimes.main.block_on(async {
            driver.step();
            while !driver.live.is_first_round_over(driver.now()) {
                tokio::select! {
                    () = driver.wait() => {}
                    signal = signals.end() => return Some(signal),
                }
                driver.step();
            }
            None
        });
        if let Some(signal) = signal {
            programs.end_programs();
            control_socket::remove_control(&fixed.listen.control);
            programs.end_programs();
            runtimes.stop(Duration::from_secs(1));
            let finding = Finding::error(code::START_ENDED, format!("{signal} ended the start"));
            return Err(Box::new((finding.into(), Files::default())));
        }
        driver.step();
        let snapshot = driver.live.publication(1);
        let published = Published::new(Arc::new(snapshot), counters.worker_count());
        let now = driver.now();
        let mut operator_view = driver.live.operator_view(1, now);
        let ledger_alarms = LedgerAlarms::new(alarms, now.epoch_secs);
        let mut zone_alarms = ZoneAlarms::default();
        let of_zones = zone_alarms.see(&driver.live.snapshot().folder, now.epoch_secs);
        zone_alarms.show(&mut operator_view);
        ledger_alarms.show(&mut operator_view);
        let shared = Shared::new(published, counters, operator_view, Arc::clone(&tasks), descriptors);
        let shared = Arc::new(shared);
        let fault = fixed.exit_on_fault.then(CancellationToken::new);
        let event_log = EventLog::start(&fixed.state, Arc::clone(&shared), fault.clone())
            .map_err(|error| own_fault(&error))?;
        let (command_sender, commands) = writer::command_sender();
        let supervisor = Supervisor::new(tasks, event_log.clone(), stop.clone(), fault.clone());
        let mut server = Server {
            runtimes,
            prober: programs,
            signals,
            shared,
            event_log: event_log.clone(),
            command_sender,
            supervisor,
            fault,
            stop,
            tasks: Vec::new(),
            #[cfg(target_os = "linux")]
            workers: Workers::default(),
            bound: sockets.bound.clone(),
            lanes: sockets.lanes(&fixed.listen),
            admin: sockets.admin_address(),
            control: fixed.listen.control.clone(),
            #[cfg(unix)]
            control_socket: Arc::clone(&sockets.control),
            config: socket_note::absolute(&options.config).unwrap_or_else(|| options.config.clone()).into(),
            note: socket_note::leave(&options.config, &fixed.listen.control),
            pid_file: fixed.pid_file.clone(),
            engine: options.engine,
            findings,
            files,
            _claim: claim,
        };
        let control = Arc::clone(&sockets.control);
        server.start_lanes(sockets, &fixed, blocks).map_err(|error| own_fault(&error))?;
        for alarm in ledger_alarms.all() {
            server.log_event(&Event::LedgerAlarm { sentence: alarm.sentence.clone() });
        }
        for sentence in faults {
            server.log_event(&Event::MemoryFault { sentence });
        }
        of_zones.iter().for_each(|event| server.log_event(event));
        let writer = Writer::new(writer::Parts {
            shared: Arc::clone(&server.shared),
            root: options.config.clone(),
            saves: Saves::new(&fixed.state, store),
            fixed,
            driver,
            ledger_alarms,
            zone_alarms,
            event_log,
            supervisor: server.supervisor.clone(),
            told: Told::new(&server.findings, &server.files),
        });
        let (folder, asked) = (Arc::new(Mutex::new(folder)), Arc::clone(&server.command_sender));
        let stopped = server.stop.clone();
        let look = move || {
            state_keeper::keep(Arc::clone(&folder), Arc::clone(&control), Arc::clone(&asked), stopped.clone())
        };
        server
            .tasks
            .push(server.runtimes.writer.spawn(server.supervisor.clone().keep(Task::StateFolder, look)));
        let stop = server.stop.clone();
        server.tasks.push(server.runtimes.writer.spawn(writer.keep(commands, stop.clone())));
        let shared = Arc::clone(&server.shared);
        let see = move || see_workers(Arc::clone(&shared), stop.clone());
        server.tasks.push(server.runtimes.pages.spawn(server.supervisor.clone().keep(Task::Workers, see)));
        server.files.forget_all_but(&server.findings);
        crate::sys::memory::give_back();
        server.write_pid();
        server.shared.phase.enter(Phase::Serving);
        server.log_event(&Event::serving(&server.shared.published.snapshot()));
        Ok(server)
    }

    /// Writes the PID file. A failure is logged, and does not stop the server.
    fn write_pid(&self) {
        let Some(path) = &self.pid_file else { return };
        // Readable by all, for scripts and monitors of other users.
        let number = format!("{}\n", std::process::id());
        if let Err(error) = replace::whole(path, ".new", number.as_bytes(), 0o644) {
            tracing::error!(%error, "`{}` (`pid_file`) cannot be written", path.display());
        }
    }

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

    /// Path of the control socket.
    pub fn control(&self) -> &std::path::Path {
        &self.control
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
        self.note.iter().for_each(socket_note::SocketNote::remove);
        if let Some(path) = &self.pid_file {
            let _ = std::fs::remove_file(path);
        }
        #[cfg(unix)]
        self.control_socket.remove();
        self.runtimes.stop(Duration::from_secs(1));
        tracing::info!("{}", Event::Stopped);
    }
}

fn own_fault(error: &io::Error) -> Refusal {
    let finding = Finding::error(code::OWN_FAULT, format!("the server cannot start: {error}"));
    Box::new((finding.into(), Files::default()))
}
