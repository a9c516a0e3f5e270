//! The start of a server, as a list of named steps. Steps that read the disk have a time limit and
//! end at a signal, because a disk may hang.

use crate::control::socket_note;
use crate::finding::folded::Told;
use crate::finding::{Files, Finding, Findings, code};
use crate::live::Remembered;
use crate::probe::Prober;
use crate::reload::prepare::{self, Fresh, ZoneRules};
use crate::reload::running::RestartOnly;
use crate::reload::watch::Watch;
#[cfg(target_os = "linux")]
use crate::server::Workers;
use crate::server::attempt::Attempt;
use crate::server::control_socket::{self, ControlSocket};
use crate::server::driver::Driver;
use crate::server::lanes::Blocks;
use crate::server::ledger_alarms::LedgerAlarms;
use crate::server::process_files::ProcessFiles;
use crate::server::runtimes::Runtimes;
use crate::server::saves::Saves;
use crate::server::signals::Signals;
use crate::server::sockets::{self, Sockets};
use crate::server::supervisor::{Supervisor, see_workers};
use crate::server::writer::{self, Writer};
use crate::server::zone_alarms::ZoneAlarms;
use crate::server::{Engine, Options, Refusal, Server, descriptors, own_fault, state_keeper};
use crate::shared::Shared;
use crate::shared::command::Command;
use crate::shared::counters::Counters;
use crate::shared::descriptors::Descriptors;
use crate::shared::event::Event;
use crate::shared::phase::Phase;
use crate::shared::published::Published;
use crate::shared::task::Task;
use crate::shared::tasks::TaskBoard;
use crate::snapshot::Snapshot;
use crate::state::event_log::EventLog;
use crate::state::folder::StateFolder;
use crate::state::ledger_store::{self, LedgerStore};
use crate::state::lock::{Claim, Taken};
use crate::state::{remembered, zone_store};
use crate::sys::clock::epoch_secs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

/// Interval of the checks for a start that hangs.
const LOOK_EVERY: Duration = Duration::from_millis(250);

impl Server {
    /// Reads the files, opens every socket and begins to answer. The refusal has all findings that
    /// prevent the start.
    pub fn start(options: &Options) -> Result<Server, Refusal> {
        crate::sys::caught::note_places();
        let limit = crate::sys::descriptors::raise().map(|limit| limit.soft);
        let mut start = Start::new(options)?;
        let began = Instant::now();
        let fresh = start.read()?;
        let descriptors = start.share_descriptors(&fresh, limit)?;
        let Opened { sockets, claim, store, alarms, remembered, faults } = start.open(&fresh.fixed)?;
        let Fresh { snapshot, fixed, .. } = fresh;
        let claim = Arc::new(Mutex::new(claim));
        let folder = StateFolder::new(&fixed.state, Arc::clone(&claim), store.good());
        let blocks = Blocks::new(start.own_workers(&sockets));
        let counters = Counters::new(blocks.all(), Arc::clone(&options.log_dropped));
        counters.last_reload.published(epoch_secs(), began.elapsed().as_micros() as u64);
        let mut probing = start.begin_probes(snapshot, remembered, &descriptors, &counters);
        if let Some(signal) = start.first_round(&mut probing.driver) {
            return Err(start.ended(signal, &probing.prober, &fixed.listen.control));
        }
        let alarms = Alarms::new(alarms, &probing.driver);
        let shared = publish(&mut probing.driver, &alarms, counters, &probing.tasks, descriptors);
        let (mut server, commands) = start.server(&fixed, &sockets, claim, &probing, shared)?;
        let control = Arc::clone(&sockets.control);
        server.start_lanes(sockets, &fixed, blocks).map_err(|error| own_fault(&error))?;
        alarms.events(faults).iter().for_each(|event| server.log_event(event));
        let writer = Writer::new(writer::Parts {
            shared: Arc::clone(&server.shared),
            root: options.config.clone(),
            saves: Saves::new(&fixed.state, store),
            fixed,
            driver: probing.driver,
            ledger_alarms: alarms.ledger,
            zone_alarms: alarms.zones,
            event_log: server.event_log.clone(),
            supervisor: server.supervisor.clone(),
            told: Told::new(&server.findings, &server.files),
        });
        server.keep_state(folder, control);
        server.run_writer(writer, commands);
        server.watch_workers();
        server.enter_service();
        Ok(server)
    }

    /// Looks after the state folder and the control socket.
    fn keep_state(&mut self, folder: StateFolder, control: Arc<ControlSocket>) {
        let (folder, asked) = (Arc::new(Mutex::new(folder)), Arc::clone(&self.command_sender));
        let stop = self.stop.clone();
        let look = move || {
            state_keeper::keep(Arc::clone(&folder), Arc::clone(&control), Arc::clone(&asked), stop.clone())
        };
        self.tasks.push(self.runtimes.writer.spawn(self.supervisor.clone().keep(Task::StateFolder, look)));
    }

    /// Runs the writer, which begins to take commands.
    fn run_writer(&mut self, writer: Writer, commands: Receiver<Command>) {
        self.tasks.push(self.runtimes.writer.spawn(writer.keep(commands, self.stop.clone())));
    }

    /// Watches the UDP workers.
    fn watch_workers(&mut self) {
        let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
        let see = move || see_workers(Arc::clone(&shared), stop.clone());
        self.tasks.push(self.runtimes.pages.spawn(self.supervisor.clone().keep(Task::Workers, see)));
    }

    /// Frees the memory of the start, writes the PID file, and logs that the server answers.
    fn enter_service(&mut self) {
        self.files.forget_all_but(&self.findings);
        crate::sys::memory::give_back();
        self.process_files.write_pid();
        self.shared.phase.enter(Phase::Serving);
        self.log_event(&Event::serving(&self.shared.published.snapshot()));
    }
}

/// A start under way: its threads, and its findings so far.
struct Start<'o> {
    options: &'o Options,
    runtimes: Runtimes,
    signals: Signals,
    findings: Findings,
    /// Files to which the findings refer.
    files: Files,
}

/// Sockets and state that are open before the first answer.
struct Opened {
    sockets: Sockets,
    /// Lock of the state folder.
    claim: Claim,
    /// The store of the ledger.
    store: LedgerStore,
    /// Faults of the ledger that an operator must acknowledge.
    alarms: Vec<String>,
    /// Remembered state with which live state begins.
    remembered: Remembered,
    /// One sentence for each fault of the remembered state.
    faults: Vec<String>,
}

/// Live state and its probers, before the server exists.
struct Probing {
    driver: Driver,
    prober: Arc<Prober>,
    tasks: Arc<TaskBoard>,
    /// Stops the probers, and the server later.
    stop: CancellationToken,
}

/// Alarms that a start raises.
struct Alarms {
    ledger: LedgerAlarms,
    zones: ZoneAlarms,
    /// Events of the zones' alarms.
    zone_events: Vec<Event>,
}

impl<'o> Start<'o> {
    /// Starts the threads, and catches signals before the first file is read.
    fn new(options: &'o Options) -> Result<Start<'o>, Refusal> {
        let runtimes = Runtimes::new().map_err(|error| own_fault(&error))?;
        let context = runtimes.main.enter();
        let signals = Signals::catch().map_err(|error| own_fault(&error))?;
        drop(context);
        Ok(Start { options, runtimes, signals, findings: Findings::default(), files: Files::default() })
    }

    /// Reads and compiles the files. The findings and files go to the start.
    fn read(&mut self) -> Result<Fresh, Refusal> {
        let config = self.options.config.clone();
        let work = move |watch: &Watch| {
            let recall = |state: &Path| {
                let _waiting = watch.wait_for(state);
                zone_store::load(state)
            };
            let rules = ZoneRules { recall: Some(&recall), allow_loss: false };
            prepare::run_watched(&config, None, None, 1, rules, watch)
        };
        let mut fresh = self.patiently("start", work)??;
        self.findings = std::mem::take(&mut fresh.findings);
        self.files = std::mem::take(&mut fresh.files);
        Ok(fresh)
    }

    /// Shares the descriptors of the process, of which there are at most `limit`.
    fn share_descriptors(
        &mut self,
        fresh: &Fresh,
        limit: Option<usize>,
    ) -> Result<Arc<Descriptors>, Refusal> {
        let listen = &fresh.fixed.listen;
        let (shares, found) = descriptors::share(listen, sockets::count(listen), limit);
        found.into_iter().for_each(|finding| self.findings.push(finding));
        if self.findings.has_errors() {
            return Err(self.refusal());
        }
        Ok(Arc::new(Descriptors::new(shares)))
    }

    /// Opens the sockets and the state folder, or finds every reason why it cannot.
    fn open(&mut self, fixed: &RestartOnly) -> Result<Opened, Refusal> {
        let (settings, engine) = (fixed.clone(), self.options.engine);
        let opened = self.patiently("state", move |watch| {
            let _waiting = watch.wait_for(&settings.state);
            crate::sys::hooks::hang(&settings.state);
            open(&settings, engine)
        })?;
        match opened {
            Ok(opened) => {
                let granted = sockets::granted(&fixed.listen, opened.sockets.udp.first());
                self.findings.extend(sockets::cut(&fixed.listen, granted));
                Ok(opened)
            }
            Err(found) => {
                self.findings.extend(found);
                Err(self.refusal())
            }
        }
    }

    /// Number of UDP workers of this program; hickory's server uses none.
    fn own_workers(&self, sockets: &Sockets) -> usize {
        if self.options.engine.has_workers() { sockets.workers() } else { 0 }
    }

    /// Begins live state and its probes. Overrides apply from the first answer on, so that a
    /// restart does not undo them.
    fn begin_probes(
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
    fn first_round(&mut self, driver: &mut Driver) -> Option<&'static str> {
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
    fn ended(self, signal: &str, prober: &Prober, control: &Path) -> Refusal {
        prober.end_programs();
        control_socket::remove_control(control);
        prober.end_programs();
        self.runtimes.stop(Duration::from_secs(1));
        let finding = Finding::error(code::START_ENDED, format!("{signal} ended the start"));
        Box::new((finding.into(), Files::default()))
    }

    /// The server of this start, which does not answer yet, and the far end of its command channel.
    fn server(
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
            admin: sockets.admin_address(),
            config: socket_note::absolute(config).unwrap_or_else(|| config.clone()).into(),
            process_files: ProcessFiles::new(self.options, fixed, sockets),
            engine: self.options.engine,
            findings: self.findings,
            files: self.files,
            _claim: claim,
        };
        Ok((server, commands))
    }

    /// Takes the findings, which refuse the start.
    fn refusal(&mut self) -> Refusal {
        Box::new((std::mem::take(&mut self.findings), std::mem::take(&mut self.files)))
    }

    /// Runs work on a thread of its own, until it ends, takes too long, or a signal ends the start.
    fn patiently<T: Send + 'static>(
        &mut self,
        name: &str,
        work: impl FnOnce(&Watch) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let mut attempt = Attempt::begin(name, work).map_err(|error| own_fault(&error))?;
        let signals = &mut self.signals;
        let finding = self.runtimes.main.block_on(async {
            loop {
                tokio::select! {
                    done = attempt.wait() => {
                        return done.ok_or_else(|| {
                            Finding::error(code::OWN_FAULT, "the start ended by a fault of the program")
                                .help("please report this with the lines of the log around it")
                        });
                    }
                    signal = signals.end() => {
                        return Err(Finding::error(
                            code::START_ENDED,
                            format!("{signal} ended the start, while {}", attempt.words()),
                        ));
                    }
                    () = tokio::time::sleep(LOOK_EVERY) => {
                        if let Some(finding) = attempt.overdue("the start") {
                            return Err(finding);
                        }
                    }
                }
            }
        });
        finding.map_err(|finding| Box::new((Findings::from(finding), Files::default())))
    }
}

impl Alarms {
    /// Alarms for the faults of the ledger, and for the zones that the first snapshot lacks.
    fn new(faults: Vec<String>, driver: &Driver) -> Alarms {
        let now = driver.now().epoch_secs;
        let mut zones = ZoneAlarms::default();
        let zone_events = zones.see(&driver.live.snapshot().folder, now);
        Alarms { ledger: LedgerAlarms::new(faults, now), zones, zone_events }
    }

    /// Events of the start, in the order of the event log.
    fn events(&self, faults: Vec<String>) -> Vec<Event> {
        let ledger = self.ledger.all().map(|alarm| Event::LedgerAlarm { sentence: alarm.sentence.clone() });
        let faults = faults.into_iter().map(|sentence| Event::MemoryFault { sentence });
        ledger.chain(faults).chain(self.zone_events.iter().cloned()).collect()
    }
}

/// Opens the sockets, takes the state folder and reads the state in it.
fn open(fixed: &RestartOnly, engine: Engine) -> Result<Opened, Findings> {
    let mut is_taken = Claim::is_taken(&fixed.state);
    let opened = Sockets::open(&fixed.listen, engine).and_then(|sockets| match Claim::new(&fixed.state) {
        Ok(claim) if !is_taken => Ok((sockets, claim)),
        Ok(_) | Err(Taken) => {
            control_socket::remove_control(&fixed.listen.control);
            is_taken = true;
            Err(Findings::default())
        }
    });
    let (sockets, claim) = opened.map_err(|mut found| {
        if is_taken {
            found.push(taken(fixed));
        }
        found
    })?;
    let ledger_store::Opened { store, ledger, alarms } = LedgerStore::open(&fixed.state);
    let ((health, mut faults), (load, more)) =
        (remembered::recall(&fixed.state), remembered::recall_load(&fixed.state));
    faults.extend(more);
    Ok(Opened { sockets, claim, store, alarms, remembered: Remembered { ledger, health, load }, faults })
}

fn taken(fixed: &RestartOnly) -> Finding {
    Finding::error(
        code::STATE_TAKEN,
        format!("another server runs on the state folder `{}`", fixed.state.display()),
    )
    .help("stop that server, or give this one a folder of its own (`state`)")
}

/// Publishes the first snapshot, with the alarms of the start in the operator view.
fn publish(
    driver: &mut Driver,
    alarms: &Alarms,
    counters: Counters,
    tasks: &Arc<TaskBoard>,
    descriptors: Arc<Descriptors>,
) -> Arc<Shared> {
    let snapshot = driver.live.publication(1);
    let published = Published::new(Arc::new(snapshot), counters.worker_count());
    let mut operator_view = driver.live.operator_view(1, driver.now());
    alarms.zones.show(&mut operator_view);
    alarms.ledger.show(&mut operator_view);
    Arc::new(Shared::new(published, counters, operator_view, Arc::clone(tasks), descriptors))
}
