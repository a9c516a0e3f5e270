//! A start whose sockets are open: the threads of the server run, the first round of probes begins,
//! and nothing is answered yet.

use crate::control::socket_note::{self, SocketNote};
use crate::finding::{Files, Finding, Findings, code};
use crate::live::Remembered;
use crate::probe::Prober;
use crate::reload::running::RestartOnly;
#[cfg(target_os = "linux")]
use crate::server::Workers;
use crate::server::driver::Driver;
use crate::server::process_files::ProcessFiles;
use crate::server::runtimes::Runtimes;
use crate::server::signals::Signals;
use crate::server::sockets::Sockets;
use crate::server::supervisor::Supervisor;
use crate::server::writer;
use crate::server::{Options, Refusal, Server, control_socket, own_fault};
use crate::shared::Shared;
use crate::shared::command::Command;
use crate::shared::counters::Counters;
use crate::shared::descriptors::Descriptors;
use crate::shared::tasks::TaskBoard;
use crate::snapshot::Snapshot;
use crate::state::event_log::EventLog;
use crate::state::lock::Claim;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

/// A start whose sockets are open.
pub(super) struct Begun<'o> {
    /// Arguments of the start.
    pub(super) options: &'o Options,
    /// Threads of the server.
    pub(super) runtimes: Runtimes,
    /// Signals, which have been caught from the beginning.
    pub(super) signals: Signals,
    /// Findings so far.
    pub(super) findings: Findings,
    /// Files to which the findings refer.
    pub(super) files: Files,
    /// Rights that the process has left, in words.
    pub(super) rights: Vec<String>,
    /// Socket note, with which commands find the control socket.
    pub(super) note: Option<SocketNote>,
}

/// Live state and its probers, before the server exists.
pub(super) struct Probing {
    /// Live state.
    pub(super) driver: Driver,
    /// Prober of the checks and feeds.
    pub(super) prober: Arc<Prober>,
    /// Heartbeats of the tasks.
    pub(super) tasks: Arc<TaskBoard>,
    /// Stops the probers, and the server later.
    pub(super) stop: CancellationToken,
}

impl Begun<'_> {
    /// Begins live state and its probes. Overrides apply from the first answer on, so that a
    /// restart does not undo them.
    pub(super) fn begin_probes(
        &self,
        snapshot: Snapshot,
        remembered: Remembered,
        descriptors: &Arc<Descriptors>,
        counters: &Counters,
    ) -> Probing {
        let stop = CancellationToken::new();
        let prober = Arc::new(Prober::within(Arc::clone(descriptors)));
        let tasks = Arc::new(TaskBoard::new(counters.worker_turns().count()));
        // Checks run on the runtime that is entered when the driver begins.
        let _context = self.runtimes.probes.enter();
        let driver = Driver::begin(
            self.runtimes.probes.handle().clone(),
            Arc::new(snapshot),
            remembered,
            Arc::clone(&prober),
            Arc::clone(&tasks),
            stop.clone(),
        );
        Probing { driver, prober, tasks, stop }
    }

    /// Waits for the first round of probes, which precedes the first answer, because PoPs of
    /// unknown health count as up. Returns a signal that ends the start.
    pub(super) fn first_round(&mut self, driver: &mut Driver) -> Option<&'static str> {
        let signals = &mut self.signals;
        let signal = self.runtimes.main.block_on(async {
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
        if signal.is_none() {
            driver.step();
        }
        signal
    }

    /// Ends a start during its first round of probes.
    pub(super) fn ended(self, signal: &str, prober: &Prober, control: &Path) -> Refusal {
        prober.end_programs();
        control_socket::remove_control(control);
        prober.end_programs();
        self.note.iter().for_each(SocketNote::remove);
        self.runtimes.stop(Duration::from_secs(1));
        let finding = Finding::error(code::START_ENDED, format!("{signal} ended the start"));
        Box::new((finding.into(), Files::default()))
    }

    /// The server of this start, which does not answer yet, and the far end of its command channel.
    pub(super) fn server(
        self,
        fixed: &RestartOnly,
        sockets: &Sockets,
        claim: Arc<Mutex<Claim>>,
        probing: &Probing,
        shared: Arc<Shared>,
    ) -> Result<(Server, Receiver<Command>), Refusal> {
        let stop = probing.stop.clone();
        let fault = fixed.exit_on_fault.then(CancellationToken::new);
        let event_log = EventLog::start(&fixed.state, Arc::clone(&shared), fault.clone())
            .map_err(|error| own_fault(&error))?;
        let (command_sender, commands) = writer::command_sender();
        let tasks = Arc::clone(&probing.tasks);
        let config = &self.options.config;
        let server = Server {
            supervisor: Supervisor::new(tasks, event_log.clone(), stop.clone(), fault.clone()),
            runtimes: self.runtimes,
            prober: Arc::clone(&probing.prober),
            signals: self.signals,
            shared,
            event_log,
            command_sender,
            fault,
            stop,
            tasks: Vec::new(),
            #[cfg(target_os = "linux")]
            workers: Workers::default(),
            bound: sockets.bound.clone(),
            streams: sockets.streams_at.clone(),
            lanes: sockets.lanes(&fixed.listen),
            rights: self.rights,
            admin: sockets.admin_address(),
            config: socket_note::absolute(config).unwrap_or_else(|| config.clone()).into(),
            process_files: ProcessFiles::new(fixed, sockets, self.note),
            engine: self.options.engine,
            findings: self.findings,
            files: self.files,
            _claim: claim,
        };
        Ok((server, commands))
    }
}
