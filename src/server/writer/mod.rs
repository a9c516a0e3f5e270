//! The single writer: the only one that publishes snapshots.
//!
//! It takes commands, keeps live state stepping ([`Driver`]), and publishes what an answer would
//! show. Reloads stand in `reloads.rs`, overrides and the disk in `verbs.rs`. Nothing here waits
//! for a file: whatever asks the disk runs on a thread of its own.

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
use crate::shared::event::Event;
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

/// Interval between looks at retired snapshots. Workers let go of them within their wake-up time.
const FREE_EVERY: Duration = Duration::from_millis(500);

/// Time between updates of the operator view for results that change no answer.
const VIEW_EVERY: Duration = Duration::from_secs(1);

/// Makes the writer's command channel: its sender and its receiver.
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
    /// Settings that the process was started with.
    pub(crate) fixed: RestartOnly,
    /// Live state with its clock and its prober.
    pub(crate) driver: Driver,
    /// Saves of the ledger.
    pub(crate) saves: Saves,
    /// Alarms of the ledger.
    pub(crate) ledger_alarms: LedgerAlarms,
    /// Alarms of zones.
    pub(crate) zone_alarms: ZoneAlarms,
    /// The event log.
    pub(crate) event_log: EventLog,
    /// Keeps probers going, and this task.
    pub(crate) supervisor: Supervisor,
    /// Warnings and notes of the start.
    pub(crate) told: Told,
}

/// The writer's state.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    root: PathBuf,
    fixed: RestartOnly,
    driver: Driver,
    /// The files in service: what a fault goes back to.
    in_service: Arc<Snapshot>,
    /// Saved health and load.
    memories: [Memory; 2],
    /// When the operator view last showed probe results.
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
    /// When a ledger that the disk does not have is saved again.
    save_again: Option<Instant>,
    supervisor: Supervisor,
    /// When probers were last begun.
    mended_ms: u64,
}

impl Writer {
    /// A writer at the beginning of its work.
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

    /// Works until the server stops, and begins anew after a fault.
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

    /// Goes on after a fault with the files in service and the ledger in force. Health and load
    /// come from live state, or from the disk if live state cannot be asked any more. Reloads are
    /// asked again; the reply to a waiting verb is that its outcome is not known.
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
        // A save under way is decided anew: the disk gets the ledger in force.
        self.saves.forget();
        self.save_again = Some(Instant::now());
        let alarm = self.ledger_alarms.miss(verbs::UNCERTAIN, now.epoch_secs);
        alarm.iter().for_each(|event| self.log_event(event));
        self.driver.step();
        // Events of the clock were logged before.
        drop(self.driver.live.events(self.driver.now()));
        self.publish();
    }

    /// Works until the server stops. Whatever is not a reload is done at once, also while one runs.
    async fn run(&mut self, commands: &mut Receiver<Command>, stop: &CancellationToken) {
        loop {
            let wake = self.next_wake();
            let [health, load] = &mut self.memories;
            tokio::select! {
                // Ends with the state that is known now: checks that the stop cuts off give no
                // result.
                () = stop.cancelled() => return,
                command = commands.recv() => {
                    let Some(command) = command else { return };
                    self.handle_command(command);
                    // Those that waited with it, and no more: verdicts wait too.
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
            [Task::Checks, Task::Feeds].iter().for_each(|task| self.supervisor.see(*task, self.mended_ms));
        }
    }

    /// Time until the next work, beside that of live state; `None` for ever.
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

    /// State that new files are compared with.
    fn running(&self) -> Running {
        Running {
            fixed: self.fixed.clone(),
            ledger: self.live().ledger().clone(),
            is_off: self.live().is_off(),
        }
    }

    /// Takes new results, publishes them if an answer would differ, and logs events.
    fn look(&mut self) {
        let stepped = self.driver.step();
        // Live state may differ only where no answer shows it, as for a PoP that is off.
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
        let has_turned = events.iter().any(|event| matches!(event, Event::Health(_)));
        // So that no restart logs it again.
        let has_progress = events
            .iter()
            .any(|event| matches!(event, Event::OverrideProgress { .. } | Event::OverrideExpired { .. }));
        self.remember([has_turned, stepped.has_moved || has_progress], now);
        events.iter().for_each(|event| self.log_event(event));
    }

    /// Publishes live state as it is now, also where it does not differ. Gives number and digest.
    fn publish(&mut self) -> (u64, String) {
        self.driver.step();
        let told = self.put_into_service(self.live().status());
        self.in_service = Arc::clone(self.live().snapshot());
        self.refresh_view();
        let now = self.driver.now();
        let events = self.driver.live.events(now);
        events.iter().for_each(|event| self.log_event(event));
        told
    }

    fn put_into_service(&mut self, status: Status) -> (u64, String) {
        let sequence = self.shared.published.served().snapshot.sequence() + 1;
        let snapshot = self.live().snapshot().with_status(status, sequence);
        let digest = snapshot.digest().to_string();
        self.retired.push(self.shared.published.publish(Arc::new(snapshot)));
        (sequence, digest)
    }

    /// Refreshes what operators see.
    fn refresh_view(&mut self) {
        let (now, sequence) = (self.driver.now(), self.shared.published.served().snapshot.sequence());
        let mut operator_view = self.driver.live.operator_view(sequence, now);
        self.zone_alarms.show(&mut operator_view);
        self.ledger_alarms.show(&mut operator_view);
        self.shared.operator_view.store(Arc::new(operator_view));
        self.shown = Instant::now();
    }

    /// Writes down what is remembered: at once if something has turned.
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

    /// The last words: what the next start begins with.
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

    /// Frees retired snapshots without a reader, away from the threads that answer.
    fn free_retired(&mut self) {
        if self.retired.is_empty() {
            return;
        }
        // Once out of the cell, a snapshot gains no new readers: a count of one stays one.
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
