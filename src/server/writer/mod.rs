//! The single writer: the only task that publishes snapshots.
//!
//! The writer handles commands, advances live state ([`Driver`]), and publishes each change that
//! affects an answer. `reloads.rs` has the reloads, `verbs.rs` the overrides and their saves. The
//! writer never waits for a file: all disk work runs on threads of its own.

mod reloads;
mod verbs;

use self::reloads::Reloads;
use crate::finding::folded::Told;
use crate::health::saved::SavedHealth;
use crate::limits::COMMAND_QUEUE;
use crate::live::{LiveState, Now, Remembered, SavedLoadAndRamps};
use crate::reload::running::{RestartOnly, Running};
use crate::server::compare::{self, Comparer};
use crate::server::driver::Driver;
use crate::server::ledger_alarms::LedgerAlarms;
use crate::server::saves::{Request, Saves};
use crate::server::supervisor::Supervisor;
use crate::server::zone_alarms::ZoneAlarms;
use crate::shared::Shared;
use crate::shared::command::{Command, CommandSender};
use crate::shared::event::{Event, Saved};
use crate::shared::published::ServedSnapshot;
use crate::shared::task::Task;
use crate::snapshot::Snapshot;
use crate::state::event_log::EventLog;
use crate::state::kept_zones::KeptZones;
use crate::state::remembered::Memory;
use crate::steer::status::Status;
use crate::sys::clock::uptime_ms;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

/// Interval of the checks for retired snapshots to free. Workers release a retired snapshot within
/// `WORKER_WAKE_MILLIS`.
const FREE_EVERY: Duration = Duration::from_millis(500);

/// Shortest pause between refreshes of the operator view while nothing is published and no event
/// occurs. The writer refreshes it only when it wakes, so the view of an idle server may be older.
const VIEW_EVERY: Duration = Duration::from_secs(1);

/// Creates the command channel of the writer.
pub(crate) fn command_sender() -> (CommandSender, Receiver<Command>) {
    let (sender, receiver) = mpsc::channel(COMMAND_QUEUE);
    let command_sender =
        move |command| sender.try_send(command).map_err(mpsc::error::TrySendError::into_inner);
    (Arc::new(command_sender), receiver)
}

/// State and connections of a writer.
pub(crate) struct Parts {
    /// State that threads share.
    pub(crate) shared: Arc<Shared>,
    /// The server file.
    pub(crate) root: PathBuf,
    /// Restart-only settings of the process.
    pub(crate) fixed: RestartOnly,
    /// Live state with its clock and probers.
    pub(crate) driver: Driver,
    /// Saves of the ledger.
    pub(crate) saves: Saves,
    /// Alarms of the ledger.
    pub(crate) ledger_alarms: LedgerAlarms,
    /// Alarms of zones.
    pub(crate) zone_alarms: ZoneAlarms,
    /// The event log.
    pub(crate) event_log: EventLog,
    /// Supervisor of the probers and of the writer.
    pub(crate) supervisor: Supervisor,
    /// Warnings and notes of the start.
    pub(crate) told: Told,
}

/// State of the writer.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    root: PathBuf,
    fixed: RestartOnly,
    driver: Driver,
    /// Snapshot of the files in service, to which the writer returns after a fault.
    in_service: Arc<Snapshot>,
    /// Saved health and load.
    memories: [Memory; 2],
    /// Last update of the operator view.
    shown: Instant,
    event_log: EventLog,
    /// Snapshots out of service that a reader may still hold.
    retired: Vec<Arc<ServedSnapshot>>,
    reloads: Reloads,
    /// Warnings and notes of the files in service.
    told: Told,
    comparer: Comparer,
    saves: Saves,
    ledger_alarms: LedgerAlarms,
    zone_alarms: ZoneAlarms,
    /// Last good texts of zones, on the disk.
    kept_zones: KeptZones,
    /// Time of the next save of an unsaved ledger.
    save_again: Option<Instant>,
    supervisor: Supervisor,
    /// Time of the last restart of a prober.
    mended_ms: u64,
}

impl Writer {
    /// Creates a writer.
    pub(crate) fn new(parts: Parts) -> Writer {
        let Parts {
            shared,
            root,
            fixed,
            driver,
            saves,
            ledger_alarms,
            zone_alarms,
            event_log,
            supervisor,
            told,
        } = parts;
        Writer {
            kept_zones: KeptZones::new(&fixed.state, Arc::clone(&driver.live.snapshot().folder)),
            in_service: Arc::clone(driver.live.snapshot()),
            memories: [Memory::of_health(&fixed.state), Memory::of_load(&fixed.state)],
            shown: Instant::now(),
            retired: Vec::new(),
            reloads: Reloads::default(),
            told,
            comparer: Comparer::default(),
            save_again: None,
            shared,
            root,
            fixed,
            driver,
            event_log,
            saves,
            ledger_alarms,
            zone_alarms,
            supervisor,
            mended_ms: uptime_ms(),
        }
    }

    /// Runs until the server stops, and restarts after a fault.
    pub(crate) async fn keep(mut self, mut commands: Receiver<Command>, stop: CancellationToken) {
        let supervisor = self.supervisor.clone();
        let mut is_anew = false;
        loop {
            let run = async {
                if is_anew {
                    self.begin_anew();
                }
                self.run(&mut commands, &stop).await;
            };
            if !supervisor.watch(Task::Writer, run).await {
                return self.save_and_stop().await;
            }
            is_anew = true;
        }
    }

    /// Restarts after a fault, with the files in service and the ledger in force. Health and load
    /// come from live state, or from the last saved state if live state panics. Waiting reloads are
    /// requested again; waiting verbs get the reply that their outcome is unknown.
    fn begin_anew(&mut self) {
        let now = self.driver.now();
        let live = &self.driver.live;
        let remembered = catch_unwind(AssertUnwindSafe(|| live.remembered(now)));
        let remembered = remembered.unwrap_or_else(|_| {
            let [health, load] = &self.memories;
            Remembered {
                ledger: live.ledger().clone(),
                health: SavedHealth::from_lines(health.last().lines()),
                load: SavedLoadAndRamps::from_lines(load.last().lines()),
            }
        });
        self.driver = self.driver.anew(Arc::clone(&self.in_service), remembered);
        self.reloads.begin_anew();
        self.comparer = Comparer::default();
        self.shared.counters.reload_began.store(0, Ordering::Relaxed);
        // Drops the purpose of a running save; the ledger in force is saved afterwards.
        self.saves.forget();
        self.save_again = Some(Instant::now());
        let alarm = self.ledger_alarms.miss(verbs::UNCERTAIN, now.epoch_secs);
        alarm.iter().for_each(|event| self.log_event(event));
        self.driver.step();
        // The time-driven events were logged before the fault.
        drop(self.driver.live.events(self.driver.now()));
        self.publish();
    }

    /// Handles commands and results until the server stops. A command is taken up at once, even
    /// during a reload; reloads wait for the next run, and verbs may wait for a running save.
    async fn run(&mut self, commands: &mut Receiver<Command>, stop: &CancellationToken) {
        loop {
            let wake = self.next_wake();
            let [health, load] = &mut self.memories;
            tokio::select! {
                // Ends with the current state: checks that the stop interrupts give no result.
                () = stop.cancelled() => return,
                command = commands.recv() => {
                    let Some(command) = command else { return };
                    self.handle_command(command);
                    // Handles at most one queue length of commands, because verdicts wait too.
                    for _ in 0..COMMAND_QUEUE {
                        let Ok(command) = commands.try_recv() else { break };
                        self.handle_command(command);
                    }
                }
                () = self.reloads.wait() => {}
                () = self.comparer.wait() => {}
                ended = self.saves.wait() => self.finish_save(ended),
                () = self.driver.wait() => {}
                () = health.wait() => {}
                () = load.wait() => {}
                () = self.kept_zones.wait() => {}
                () = async {
                    match wake {
                        Some(wake) => tokio::time::sleep(wake).await,
                        None => std::future::pending().await,
                    }
                } => {}
            }
            for task in self.driver.mend() {
                let pause = self.supervisor.tell(task, "a panic, which the log has");
                self.driver.mend_after(pause);
                self.mended_ms = uptime_ms();
            }
            self.look();
            self.advance_reload();
            self.begin_waiting();
            self.comparer.advance();
            self.save_again();
            self.free_retired();
            self.start_reload();
            Driver::TASKS.iter().for_each(|task| self.supervisor.see(*task, self.mended_ms));
        }
    }

    /// Time until the next work, apart from live state; `None` if no work is due.
    fn next_wake(&self) -> Option<Duration> {
        let sweep = (!self.retired.is_empty()).then_some(FREE_EVERY);
        let again = self.save_again.filter(|_| self.saves.is_idle());
        let again = again.map(|at| at.saturating_duration_since(Instant::now()));
        sweep.into_iter().chain(again).min()
    }

    fn handle_command(&mut self, command: Command) {
        let now = self.driver.now();
        match command {
            Command::Reload { origin, reply, allow_loss } => self.reloads.ask(origin, reply, allow_loss),
            Command::ReloadStatus { reply } => {
                let folder = Arc::clone(&self.live().snapshot().folder);
                reply(self.reloads.status(folder));
            }
            Command::CancelReload { author, reply } => reply(self.cancel_reload(&author)),
            Command::Compare { reply } => {
                let (root, running, live) = (self.root.clone(), self.running(), self.live().clone());
                let (served, counted) = (self.shared.published.snapshot(), self.shared.published.decisions());
                let compare = move |watch: &_| {
                    compare::compare(&root, &running, &live, (&served, &counted), now, watch)
                };
                self.comparer.begin(compare, reply);
            }
            Command::Override { change, reply } => self.handle_request(Request::Override(change, reply)),
            Command::Acknowledge { author, reply } => {
                self.handle_request(Request::Acknowledge(author, reply));
            }
            Command::StateFolder { look } => self.see_state_folder(look),
            Command::Push { push, reply } => reply(self.driver.live.handle_push(&push, now)),
            Command::PushLoad { push, reply } => reply(self.driver.live.handle_load_push(&push, now)),
        }
    }

    fn live(&self) -> &LiveState {
        &self.driver.live
    }

    /// Running state, with which a reload compares new files.
    fn running(&self) -> Running {
        Running {
            fixed: self.fixed.clone(),
            ledger: self.live().ledger().clone(),
            is_off: self.live().is_off(),
        }
    }

    /// Takes new results, publishes them if they change an answer, and logs the events.
    fn look(&mut self) {
        let stepped = self.driver.step();
        // Live state may differ without a change of an answer, as for a PoP that is off.
        let status = stepped.any().then(|| self.live().status());
        let is_other = |status: &Status| *status != *self.shared.published.served().snapshot.status;
        let status = status.filter(is_other);
        let is_published = status.is_some();
        if let Some(status) = status {
            self.put_into_service(status);
        }
        let now = self.driver.now();
        let events = self.driver.live.events(now);
        if is_published || !events.is_empty() || self.shown.elapsed() >= VIEW_EVERY {
            self.refresh_view();
        }
        let has = |memory| events.iter().any(|event| event.saved_in() == Some(memory));
        // Saves the progress, so that no restart logs it again.
        self.remember([has(Saved::Health), stepped.has_moved || has(Saved::Load)], now);
        events.iter().for_each(|event| self.log_event(event));
    }

    /// Publishes the current live state, even without a change.
    fn publish(&mut self) {
        self.driver.step();
        self.put_into_service(self.live().status());
        self.in_service = Arc::clone(self.live().snapshot());
        self.refresh_view();
        let now = self.driver.now();
        let events = self.driver.live.events(now);
        events.iter().for_each(|event| self.log_event(event));
    }

    fn put_into_service(&mut self, status: Status) {
        let sequence = self.shared.published.served().snapshot.sequence() + 1;
        let snapshot = self.live().snapshot().with_status(status, sequence);
        self.retired.push(self.shared.published.publish(Arc::new(snapshot)));
    }

    /// Refreshes the operator view.
    fn refresh_view(&mut self) {
        let (now, sequence) = (self.driver.now(), self.shared.published.served().snapshot.sequence());
        let mut operator_view = self.driver.live.operator_view(sequence, now);
        self.zone_alarms.show(&mut operator_view);
        self.ledger_alarms.show(&mut operator_view);
        self.shared.operator_view.store(Arc::new(operator_view));
        self.shown = Instant::now();
    }

    /// Saves zones, health and load for the next start: health and load at once if a verdict or a
    /// share has changed, else at intervals. Saves nothing while another server has the state
    /// folder.
    fn remember(&mut self, [has_turned, has_moved]: [bool; 2], now: Now) {
        let [health, load] = &mut self.memories;
        let live = &self.driver.live;
        if self.shared.counters.state_taken.load(Ordering::Relaxed) {
            return;
        }
        self.kept_zones.write();
        if live.is_watched() {
            health.remember(has_turned, || live.health_lines(now));
        }
        if live.is_loaded() {
            load.remember(has_moved, || live.load_lines(now));
        }
        self.tell_faults_of_memory();
    }

    fn tell_faults_of_memory(&mut self) {
        let of_zones = self.kept_zones.fault();
        let faults = self.memories.iter_mut().filter_map(Memory::fault).chain(of_zones);
        for sentence in faults.collect::<Vec<_>>() {
            self.log_event(&Event::MemoryFault { sentence });
        }
    }

    /// Saves the state for the next start, and ends the writer.
    async fn save_and_stop(mut self) {
        self.finish_saves().await;
        if !self.shared.counters.state_taken.load(Ordering::Relaxed) {
            self.kept_zones.close().await;
        }
        let now = self.driver.now();
        let [health, load] = &mut self.memories;
        let live = &self.driver.live;
        if live.is_watched() {
            health.close(live.health_lines(now)).await;
        }
        if live.is_loaded() {
            load.close(live.load_lines(now)).await;
        }
        self.tell_faults_of_memory();
    }

    fn log_event(&self, event: &Event) {
        self.event_log.append(event);
    }

    /// Frees retired snapshots without a reader, on a thread that does not answer queries.
    fn free_retired(&mut self) {
        if self.retired.is_empty() {
            return;
        }
        // A retired snapshot gains no new readers, so a reference count of one stays one.
        let (free, held) = std::mem::take(&mut self.retired)
            .into_iter()
            .partition(|service| Arc::strong_count(service) == 1);
        self.retired = held;
        let free: Vec<Arc<ServedSnapshot>> = free;
        self.shared.published.fold_retired(&self.retired);
        if !free.is_empty() {
            drop(spawn_blocking(move || {
                drop(free);
                crate::sys::memory::give_back();
            }));
        }
    }
}
