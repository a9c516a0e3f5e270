//! The start of a server, as a list of named steps. Steps that read the disk have a time limit and
//! end at a signal, because a disk may hang.

use crate::control::socket_note::{self, SocketNote};
use crate::finding::folded::Told;
use crate::finding::{Files, Finding, Findings, code};
use crate::live::Remembered;
use crate::reload::prepare::{self, Fresh, ZoneRules};
use crate::reload::running::RestartOnly;
use crate::reload::watch::Watch;
use crate::server::attempt::Attempt;
use crate::server::begun::Begun;
use crate::server::control_socket::{self, ControlSocket};
use crate::server::driver::Driver;
use crate::server::lanes::Blocks;
use crate::server::ledger_alarms::LedgerAlarms;
#[cfg(target_os = "linux")]
use crate::server::privilege;
use crate::server::runtimes::{self, Runtimes};
use crate::server::saves::Saves;
use crate::server::signals::Signals;
use crate::server::sockets::{self, Sockets};
use crate::server::supervisor::see_workers;
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
use crate::state::folder::StateFolder;
use crate::state::ledger_store::{self, LedgerStore};
use crate::state::lock::{Claim, Taken};
use crate::state::{remembered, zone_store};
use crate::sys::clock::epoch_secs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;

/// Interval of the checks for a start that hangs.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Duration of a start without a line about its progress.
const LOGGED_FROM: Duration = Duration::from_secs(2);
/// Interval of the lines about the progress of a start.
const LOGGED_EVERY: Duration = Duration::from_secs(5);

impl Server {
    /// Reads the files, opens every socket and begins to answer. The refusal has all findings that
    /// prevent the start.
    pub fn start(options: &Options) -> Result<Server, Refusal> {
        crate::sys::caught::note_places();
        let limit = crate::sys::descriptors::raise().map(|limit| limit.soft);
        let mut start = Start::new(options)?;
        let began = Instant::now();
        let user = start.become_user()?;
        let fresh = start.read()?;
        start.is_still(user, &fresh.fixed)?;
        let descriptors = start.share_descriptors(&fresh, limit)?;
        let Opened { sockets, claim, store, alarms, remembered, faults } = start.open(&fresh.fixed)?;
        let Fresh { snapshot, mut fixed, .. } = fresh;
        // A process that is not the server's own has no sandbox that could forbid a first program.
        fixed.runs_programs |= options.own_process.is_none();
        let claim = Arc::new(Mutex::new(claim));
        let folder = StateFolder::new(&fixed.state, Arc::clone(&claim), store.good());
        let blocks = Blocks::new(start.own_workers(&sockets));
        let mut start = start.begin(&fixed)?;
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

/// A start under way that has opened nothing yet. This thread, the log and the attempt that reads
/// are its only threads, so that what the process gives up before others start, none of them has.
struct Start<'o> {
    options: &'o Options,
    /// Runtime of this thread.
    main: Runtime,
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

/// Alarms that a start raises.
struct Alarms {
    ledger: LedgerAlarms,
    zones: ZoneAlarms,
    /// Events of the zones' alarms.
    zone_events: Vec<Event>,
}

impl<'o> Start<'o> {
    /// Catches signals before the first file is read.
    fn new(options: &'o Options) -> Result<Start<'o>, Refusal> {
        let main = runtimes::main().map_err(|error| own_fault(&error))?;
        let context = main.enter();
        let signals = Signals::catch().map_err(|error| own_fault(&error))?;
        drop(context);
        Ok(Start { options, main, signals, findings: Findings::default(), files: Files::default() })
    }

    /// Becomes the user of the server file, before anything else is read: what a reload will not be
    /// able to read, the start cannot either.
    #[cfg(target_os = "linux")]
    fn become_user(&mut self) -> Result<Option<Arc<str>>, Refusal> {
        if self.options.own_process.is_none() {
            return Ok(None);
        }
        let config = self.options.config.clone();
        let work = move |watch: &Watch| {
            let Some(settings) = prepare::process_settings(&config, watch) else { return Ok(None) };
            let _waiting = watch.wait_for(&config);
            privilege::user_to_become(&settings).map(|user| Some((settings, user)))
        };
        let found = self.patiently("settings", work)?.map_err(refusal_by)?;
        let Some((settings, user)) = found else { return Ok(None) };
        if let Some(user) = user {
            privilege::become_user(&user).map_err(refusal_by)?;
        }
        let name = settings.user.clone();
        let work = move |watch: &Watch| {
            let _waiting = settings.folders.first().map(|folder| watch.wait_for(folder));
            privilege::folders_of(&settings)
        };
        self.patiently("folders", work)?.map_err(refusal_by)?;
        Ok(name)
    }

    /// Only Linux lets a process give up root's rights one by one.
    #[cfg(not(target_os = "linux"))]
    fn become_user(&mut self) -> Result<Option<Arc<str>>, Refusal> {
        Ok(None)
    }

    /// Refuses a server file that names another user than the one that the process has become.
    fn is_still(&self, user: Option<Arc<str>>, fixed: &RestartOnly) -> Result<(), Refusal> {
        if self.options.own_process.is_none() || user == fixed.user {
            return Ok(());
        }
        if cfg!(not(target_os = "linux")) {
            let finding = Finding::error(code::NO_USER, "`user` needs Linux");
            return Err(refusal_by(finding.help("start the server as that user, and remove `user`")));
        }
        let finding = Finding::error(code::SOURCE_CHANGED, "`user` changed while the server started");
        Err(refusal_by(finding.help("start again")))
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
            Ok(mut opened) => {
                self.findings.extend(std::mem::take(&mut opened.sockets.warnings));
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

    /// Leaves the socket note, gives up what only opening the sockets needed, and starts the
    /// threads of the server.
    fn begin(mut self, fixed: &RestartOnly) -> Result<Begun<'o>, Refusal> {
        let note = socket_note::leave(&self.options.config, &fixed.listen.control);
        let (rights, runtimes) = self
            .confine(fixed, note.as_ref())
            .and_then(|rights| {
                let runtimes = Runtimes::new(self.main).map_err(|error| own_fault(&error))?;
                Ok((rights, runtimes))
            })
            .inspect_err(|_| {
                control_socket::remove_control(&fixed.listen.control);
                note.iter().for_each(SocketNote::remove);
            })?;
        let Start { options, signals, findings, files, .. } = self;
        Ok(Begun { options, runtimes, signals, findings, files, rights, note })
    }

    /// Gives up what only opening the sockets needed. Returns the rights that are left, in words.
    fn confine(&mut self, fixed: &RestartOnly, note: Option<&SocketNote>) -> Result<Vec<String>, Refusal> {
        #[cfg(target_os = "linux")]
        if let Some(own) = &self.options.own_process {
            let folder = note.and_then(|note| note.path.parent());
            let rights = privilege::confine(own, fixed, folder).map_err(refusal_by)?;
            self.findings.extend(rights.findings);
            return Ok(rights.words);
        }
        let _ = (fixed, note);
        Ok(Vec::new())
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
        let mut logged = Logged::default();
        let signals = &mut self.signals;
        let finding = self.main.block_on(async {
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
                        if logged.is_due(attempt.age()) {
                            tracing::info!("the start goes on: {}", attempt.part().words());
                        }
                    }
                }
            }
        });
        finding.map_err(refusal_by)
    }
}

/// Time of the next line about a long start.
struct Logged {
    due: Duration,
}

impl Default for Logged {
    fn default() -> Logged {
        Logged { due: LOGGED_FROM }
    }
}

impl Logged {
    fn is_due(&mut self, age: Duration) -> bool {
        let is_due = age >= self.due;
        if is_due {
            self.due = age + LOGGED_EVERY;
        }
        is_due
    }
}

/// Refusal by one finding.
fn refusal_by(finding: Finding) -> Refusal {
    Box::new((Findings::from(finding), Files::default()))
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

#[cfg(test)]
mod tests;
