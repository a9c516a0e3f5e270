//! The single writer: the only one that publishes snapshots.
//!
//! Commands that wait together are answered by one run, and a run that has begun takes no more:
//! whoever asks while it reads is answered by the next, which is sure to see the files as they were
//! when asked. Overrides do not wait for a run: they are published at once, and again with what the
//! run gives.

use crate::finding::{Files, Finding, Findings, Severity, code};
use crate::health::health_state::HealthState;
use crate::health::probe_result::ProbeResult;
use crate::limits::{COMMAND_QUEUE, EXPIRY_LOOK_SECS, FINDINGS_LOGGED_MAX, SAVE_RETRY_SECS, SAVE_SECS};
use crate::reload::prepare::{self, Fresh, RestartOnly};
use crate::server::compare::{self, Comparer};
use crate::server::health_control::HealthControl;
use crate::server::load_control::LoadControl;
use crate::server::overrides::{self, Draft, LiveInputs, Overrides};
use crate::server::safety;
use crate::server::saves::{Ended, OverrideReply, Purpose, Request, Saves};
use crate::server::service_state;
use crate::server::view;
use crate::shared::Shared;
use crate::shared::command::{
    Command, CommandSender, Origin, OverrideChange, OverrideOutcome, OverrideReport, ProbePush, ReloadReply,
    Report,
};
use crate::shared::event::Event;
use crate::shared::prediction;
use crate::shared::published::ServedSnapshot;
use crate::snapshot::{self, Snapshot};
use crate::state::event_log::EventLog;
use crate::state::remembered::Memory;
use crate::steer::ledger::Ledger;
use crate::sys::clock::epoch_secs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;

/// How often retired snapshots are looked at. Workers let go of them within their wake-up time.
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

/// The writer's state.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    root: PathBuf,
    fixed: RestartOnly,
    overrides: Overrides,
    health_control: HealthControl,
    load_control: LoadControl,
    /// What is remembered of health, and of load.
    memories: [Memory; 2],
    /// When the operator view last showed probe results.
    shown: Instant,
    event_log: EventLog,
    /// Snapshots out of service that somebody may still read.
    retired: Vec<Arc<ServedSnapshot>>,
    /// When an override changes answers next by itself, in seconds since 1970.
    step_at: Option<u64>,
    /// Reloads that no run has begun for.
    waiting: Vec<(Origin, Option<ReloadReply>)>,
    running: Option<RunningReload>,
    comparer: Comparer,
    saves: Saves,
    /// When a ledger that the disk does not have is saved again.
    save_again: Option<Instant>,
}

/// A reload that reads and compiles on a thread of its own.
struct RunningReload {
    work: JoinHandle<ReloadResult>,
    replies: Vec<ReloadReply>,
    began: Instant,
}

type ReloadResult = Result<(Fresh, snapshot::Difference), Box<(Findings, Files)>>;

/// The refusal of a verb that would wait for a disk which hangs, or behind too many others.
const DISK_BUSY: &str = "the disk of the state folder has not answered an earlier save; `--unsaved` \
                         applies the change in memory, under an alarm";

/// The refusal of a verb that the disk does not take in time.
const NOT_SAVED: &str = "the disk of the state folder has not answered in time; `--unsaved` applies the \
                         change in memory, under an alarm";

fn unsafe_with_overrides(sentence: &str) -> Finding {
    Finding::error(code::UNSAFE, format!("with the overrides in force, {sentence}")).help(
        "take an override back (`meridian pop list` tells them), or write `safety_off_until:` with a \
            date to come",
    )
}

impl Writer {
    /// A writer for a server that runs with `fixed`.
    pub(crate) fn new(
        shared: Arc<Shared>,
        root: PathBuf,
        fixed: RestartOnly,
        (overrides, saves): (Overrides, Saves),
        health_control: HealthControl,
        load_control: LoadControl,
        event_log: EventLog,
    ) -> Writer {
        let memories = [Memory::of_health(&fixed.state), Memory::of_load(&fixed.state)];
        // A step between the first publication and now is not left out.
        let step_at = overrides
            .ledger
            .next_step(epoch_secs().saturating_sub(5), overrides::ahead_secs(&shared.published.snapshot()));
        Writer {
            shared,
            root,
            fixed,
            overrides,
            health_control,
            load_control,
            memories,
            shown: Instant::now(),
            event_log,
            retired: Vec::new(),
            step_at,
            waiting: Vec::new(),
            running: None,
            comparer: Comparer::default(),
            saves,
            save_again: None,
        }
    }

    /// Works until the server stops. Whatever is not a reload is done at once, also while one runs.
    pub(crate) async fn run(mut self, mut commands: Receiver<Command>, stop: CancellationToken) {
        loop {
            let wake = self.next_wake();
            let running = self.running.as_mut().map(|run| &mut run.work);
            let [health, load] = &mut self.memories;
            tokio::select! {
                // What is known now, and nothing of what checks say that are cut off.
                () = stop.cancelled() => return self.save_and_stop().await,
                command = commands.recv() => {
                    let Some(command) = command else { return self.save_and_stop().await };
                    self.handle_command(command);
                    // Those that waited with it, and no more: verdicts wait too.
                    for _ in 0..COMMAND_QUEUE {
                        let Ok(command) = commands.try_recv() else { break };
                        self.handle_command(command);
                    }
                }
                result = async {
                    match running {
                        Some(work) => work.await,
                        None => std::future::pending().await,
                    }
                } => {
                    self.finish_reload(result);
                }
                ended = self.saves.wait() => self.finish_save(ended),
                () = self.health_control.wait() => {}
                () = self.load_control.wait() => {}
                () = health.wait() => {}
                () = load.wait() => {}
                () = async {
                    match wake {
                        Some(wake) => tokio::time::sleep(wake).await,
                        None => std::future::pending().await,
                    }
                } => {}
            }
            self.advance_overrides();
            self.poll();
            self.save_again();
            self.free_retired();
            self.start_reload();
        }
    }

    /// How long nothing has to be done by itself; `None` for ever.
    fn next_wake(&self) -> Option<Duration> {
        let expiry = self.overrides.ledger.next_expiry().into_iter().chain(self.step_at).min().map(|until| {
            let secs = until.saturating_sub(epoch_secs()).min(EXPIRY_LOOK_SECS);
            Duration::from_secs(secs).max(FREE_EVERY / 5)
        });
        let sweep = (!self.retired.is_empty()).then_some(FREE_EVERY);
        let again = self.save_again.filter(|_| self.saves.is_idle());
        let again = again.map(|at| at.saturating_duration_since(Instant::now()));
        expiry.into_iter().chain(sweep).chain(again).min()
    }

    fn handle_command(&mut self, command: Command) {
        match command {
            Command::Reload { origin, reply } => self.waiting.push((origin, reply)),
            Command::Compare { reply } => {
                let (root, fixed, ledger) =
                    (self.root.clone(), self.fixed.clone(), self.overrides.ledger.clone());
                let (served, counted) = (self.shared.published.snapshot(), self.shared.published.decisions());
                let probed = self.health_control.health_state().slots.clone();
                self.comparer.begin(
                    move || compare::compare(&root, &fixed, &ledger, &served, &counted, &probed),
                    reply,
                );
            }
            Command::Override { change, reply } => self.handle_request(Request::Override(change, reply)),
            Command::Acknowledge { author, reply } => {
                self.handle_request(Request::Acknowledge(author, reply));
            }
            Command::Push { push, reply } => reply(self.handle_probe_push(&push)),
            Command::PushLoad { push, reply } => {
                reply(match self.load_control.handle_push(&push.pop, push.service.as_deref(), push.value) {
                    true => Ok(()),
                    false => Err(format!(
                        "`{}` has no load feed that waits for pushes there; `meridian pop show {}` tells its \
                         feeds",
                        push.pop, push.pop
                    )),
                })
            }
        }
    }

    /// Begins a run for all reloads that wait, unless one runs.
    fn start_reload(&mut self) {
        let Some((origin, _)) = self.waiting.first().filter(|_| self.running.is_none()) else { return };
        self.log_event(&Event::ReloadStarted { origin: *origin, requests: self.waiting.len() });
        let replies = self.waiting.drain(..).filter_map(|(_, reply)| reply).collect();
        let (root, fixed, previous) =
            (self.root.clone(), self.fixed.clone(), self.shared.published.snapshot());
        let overrides = self.overrides.ledger.clone();
        // On a thread of its own: a million names take seconds, and signals must be seen meanwhile.
        let work = spawn_blocking(move || {
            let sequence = previous.sequence() + 1;
            let mut fresh = prepare::run(&root, Some(&previous), Some(&fixed), sequence)?;
            // Under the overrides of now, so that the difference is what the files have changed.
            fresh.snapshot = overrides::with_live_state(
                &overrides,
                &fresh.snapshot,
                LiveInputs { health_state: &HealthState::default(), left: &[], sheds: &[] },
                epoch_secs(),
                sequence,
            );
            let difference = snapshot::difference(&previous, &fresh.snapshot);
            Ok((fresh, difference))
        });
        self.running = Some(RunningReload { work, replies, began: Instant::now() });
    }

    /// Publishes or refuses what a run gave, and answers those who asked for it.
    fn finish_reload(&mut self, result: Result<ReloadResult, JoinError>) {
        let Some(RunningReload { replies, began, .. }) = self.running.take() else { return };
        let result = result.unwrap_or_else(|fault| {
            let finding = Finding::error(
                code::OWN_FAULT,
                format!("the reload ended by a fault of the program: {fault}"),
            )
            .help(
                "the snapshot before stays in service; please report this with the lines of the log \
                    around it",
            );
            Err(Box::new((Findings::from(finding), Files::default())))
        });
        let report = Arc::new(match result {
            Ok((mut fresh, difference)) => {
                // Under the overrides of now: what was said while the files were read counts too.
                let previous = self.shared.published.snapshot();
                let broken =
                    safety::broken_by_files(&self.overrides.ledger, &previous, &fresh.snapshot, epoch_secs());
                drop(previous);
                if broken.is_empty() {
                    self.publish_reload(fresh, difference, began)
                } else {
                    broken
                        .into_iter()
                        .for_each(|sentence| fresh.findings.push(unsafe_with_overrides(&sentence)));
                    self.refuse_reload((fresh.findings, fresh.files), began)
                }
            }
            Err(refused) => self.refuse_reload(*refused, began),
        });
        for reply in replies {
            reply(Arc::clone(&report));
        }
    }

    /// Puts a snapshot into service under the overrides and verdicts of now, with the next sequence
    /// number.
    fn publish(&mut self, snapshot: &Snapshot) -> (u64, String) {
        let (now, sequence) = (epoch_secs(), self.shared.published.served().snapshot.sequence() + 1);
        let progress = self.overrides.progress(now);
        self.step_at = self.overrides.ledger.next_step(now, overrides::ahead_secs(snapshot));
        self.health_control.follow(&snapshot.target_set);
        self.health_control.handle_overrides(&self.overrides.overridden(&snapshot.pops, now));
        self.update_service(snapshot);
        self.load_control.poll(snapshot);
        let snapshot = self.overrides.with_live_state(snapshot, self.live_inputs(), now, sequence);
        let digest = snapshot.digest().to_string();
        self.refresh_view(&snapshot);
        self.retired.push(self.shared.published.publish(Arc::new(snapshot)));
        progress.iter().for_each(|event| self.log_event(event));
        (sequence, digest)
    }

    /// What probes and feeds say now, for the snapshot that they follow.
    fn live_inputs(&self) -> LiveInputs<'_> {
        LiveInputs {
            health_state: self.health_control.health_state(),
            left: self.load_control.left(),
            sheds: self.load_control.sheds(),
        }
    }

    /// Updates load and ramps with the service state of a snapshot.
    fn update_service(&mut self, snapshot: &Snapshot) {
        service_state::update(&self.health_control, &self.overrides, &mut self.load_control, snapshot);
    }

    /// Refreshes the operator view with a snapshot, its overrides and its health.
    fn refresh_view(&mut self, snapshot: &Snapshot) {
        let mut operator_view = self.overrides.operator_view(snapshot, epoch_secs());
        view::add_health(&mut operator_view, &mut self.health_control, snapshot, epoch_secs());
        view::add_load(&mut operator_view, &mut self.load_control, snapshot);
        self.load_control.weigh();
        self.shared.operator_view.store(Arc::new(operator_view));
        self.shown = Instant::now();
    }

    /// Looks at what probes have found: hands out what is due, publishes what an answer would show,
    /// and tells what happened.
    fn poll(&mut self) {
        let has_turned = self.health_control.poll().is_some();
        let served = self.shared.published.snapshot();
        if has_turned {
            self.update_service(&served);
        }
        let has_moved = self.load_control.poll(&served);
        let mut events = self.health_control.events(epoch_secs());
        let has_health = !events.is_empty();
        events.extend(self.load_control.events(epoch_secs()));
        let next = (has_turned || has_moved).then(|| {
            self.overrides.with_live_state(&served, self.live_inputs(), epoch_secs(), served.sequence() + 1)
        });
        // The health state may differ only where no answer shows it, as for a PoP that is off.
        match next.filter(|next| next.status != served.status) {
            Some(next) => {
                self.refresh_view(&next);
                self.retired.push(self.shared.published.publish(Arc::new(next)));
            }
            None if !events.is_empty() || self.shown.elapsed() >= VIEW_EVERY => self.refresh_view(&served),
            None => {}
        }
        drop(served);
        let [health, load] = &mut self.memories;
        if self.health_control.has_targets() {
            health.remember(has_health, |now| self.health_control.saved(now).to_lines());
        }
        if !self.load_control.is_idle() {
            load.remember(has_moved, |now| self.load_control.saved_lines(now));
        }
        events.iter().for_each(|event| self.log_event(event));
        for sentence in self.memories.iter_mut().filter_map(Memory::fault).collect::<Vec<_>>() {
            self.log_event(&Event::MemoryFault { sentence });
        }
    }

    /// Finishes saves of overrides in their time: a change that the disk has is in force after a
    /// restart, so its request is answered.
    async fn finish_saves(&mut self) {
        let all = async {
            if self.overrides.is_unsaved() && self.saves.is_idle() {
                self.saves.begin(self.overrides.ledger.clone(), Purpose::Rewrite);
            }
            while !self.saves.is_idle() {
                let ended = self.saves.wait().await;
                self.finish_save(ended);
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(SAVE_SECS), all).await;
        while let Some(request) = self.saves.next_waiting() {
            match request {
                Request::Override(_, reply) => reply(self.not_saved("the server stops; nothing was changed")),
                Request::Acknowledge(_, reply) => reply(Err("the server stops".to_owned())),
            }
        }
    }

    /// The last words: what the next start begins with.
    async fn save_and_stop(mut self) {
        self.finish_saves().await;
        let now = epoch_secs();
        let [health, load] = &mut self.memories;
        if self.health_control.has_targets() {
            health.close(self.health_control.saved(now).to_lines()).await;
        }
        if !self.load_control.is_idle() {
            load.close(self.load_control.saved_lines(now)).await;
        }
        for sentence in self.memories.iter_mut().filter_map(Memory::fault).collect::<Vec<_>>() {
            self.log_event(&Event::MemoryFault { sentence });
        }
    }

    /// A result that a probe outside has found.
    fn handle_probe_push(&mut self, push: &ProbePush) -> Result<(), String> {
        let result = match push.up {
            true => ProbeResult::well(),
            false => ProbeResult::failed(push.reason.as_deref().unwrap_or("pushed as down")),
        };
        let services: Vec<Arc<str>> = match &push.service {
            Some(service) => vec![service.clone()],
            None => {
                let target_set = self.health_control.monitor().target_set();
                let of_pop = target_set
                    .targets
                    .iter()
                    .filter(|target| target.pop == push.pop && target.probe == push.probe);
                let mut services: Vec<Arc<str>> = of_pop.map(|target| target.service.clone()).collect();
                services.sort();
                services.dedup();
                services
            }
        };
        let taken: usize = services
            .iter()
            .map(|service| {
                self.health_control.handle_push(&push.probe, &push.pop, service, push.address, &result)
            })
            .sum();
        if taken > 0 {
            return Ok(());
        }
        Err(format!(
            "nothing of `{}` waits for pushes of a probe `{}`; `meridian pop show {}` tells what is probed",
            push.pop, push.probe, push.pop
        ))
    }

    /// Begins what needs the disk, or lets it wait behind a save that runs. A dry run waits for
    /// nothing. A change that need not be saved waits for a save that is in time, because the
    /// ledger of that save comes into force whole.
    fn handle_request(&mut self, request: Request) {
        let waits = match &request {
            Request::Override(change, _) => !(change.dry_run || (change.unsaved && self.saves.is_late())),
            Request::Acknowledge(..) => true,
        };
        let refused = match waits && !self.saves.is_idle() {
            true => self.saves.wait_behind(request).err(),
            false => return self.begin_request(request),
        };
        match refused {
            Some(Request::Override(_, reply)) => reply(self.not_saved(DISK_BUSY)),
            Some(Request::Acknowledge(_, reply)) => reply(Err(DISK_BUSY.to_owned())),
            None => {}
        }
    }

    fn begin_request(&mut self, request: Request) {
        match request {
            Request::Override(change, reply) => self.begin_override(&change, reply),
            Request::Acknowledge(_, reply) if self.overrides.alarms().is_empty() => reply(Ok(Vec::new())),
            Request::Acknowledge(author, reply) => {
                self.saves.begin(self.overrides.ledger.clone(), Purpose::Acknowledge(author, reply));
            }
        }
    }

    /// Looks at a change, and saves it if it is to be done: what a node serves, it serves again
    /// after a restart.
    fn begin_override(&mut self, change: &OverrideChange, reply: OverrideReply) {
        let now = epoch_secs();
        self.advance_overrides();
        let current = self.shared.published.snapshot();
        let is_down = view::down_pops(&current);
        let draft = self.overrides.draft(change, &current, &is_down, now);
        drop(current);
        match &draft.ended {
            OverrideOutcome::Done if change.unsaved => {
                let alarm = self.overrides.keep_unsaved(draft.ledger.clone(), now);
                alarm.iter().for_each(|event| self.log_event(event));
                self.save_again = Some(Instant::now());
                self.publish_override(draft, reply);
            }
            OverrideOutcome::Done => {
                self.saves.begin(draft.ledger.clone(), Purpose::Override(Box::new(draft), reply));
            }
            OverrideOutcome::DryRun => {
                let in_the_end = draft.in_the_end.clone();
                self.predict(self.report(draft), in_the_end, reply);
            }
            OverrideOutcome::Unsafe(_) | OverrideOutcome::Refused(_) => reply(self.report(draft)),
        }
    }

    /// Publishes an override that holds now, and answers the request for it.
    fn publish_override(&mut self, mut draft: Draft, reply: OverrideReply) {
        let current = self.shared.published.snapshot();
        self.publish(&current);
        drop(current);
        std::mem::take(&mut draft.events).iter().for_each(|event| self.log_event(event));
        reply(self.report(draft));
    }

    /// The outcome of a change, with the snapshot in service.
    fn report(&self, draft: Draft) -> OverrideReport {
        OverrideReport { pops: draft.pops, warnings: draft.warnings, ..self.outcome(draft.ended) }
    }

    /// The refusal of a change that the disk does not have.
    fn not_saved(&self, sentence: &str) -> OverrideReport {
        self.outcome(OverrideOutcome::Refused(sentence.to_owned()))
    }

    fn outcome(&self, ended: OverrideOutcome) -> OverrideReport {
        let served = self.shared.published.snapshot();
        OverrideReport {
            ended,
            sequence: served.sequence(),
            digest: served.digest().to_string(),
            pops: Vec::new(),
            warnings: Vec::new(),
            prediction: None,
        }
    }

    /// Goes on behind a save that has ended, or whose time is over.
    fn finish_save(&mut self, ended: Ended) {
        match ended {
            Ended::Late(purpose) => {
                let alarm = self.overrides.hangs(epoch_secs());
                alarm.iter().for_each(|event| self.log_event(event));
                self.refuse_save(purpose, NOT_SAVED);
                // The requests behind it would wait for the same disk.
                while let Some(request) = self.saves.next_waiting() {
                    self.handle_request(request);
                }
            }
            Ended::Done(None, ledger, result) => {
                self.overrides.answers();
                if result.is_ok() && ledger == self.overrides.ledger {
                    self.overrides.end_disk_alarms();
                    self.save_again = None;
                } else {
                    // The disk may have a change that was refused.
                    let why = result.err().unwrap_or_else(|| "it took a change that was refused".to_owned());
                    self.refuse_save(Purpose::Rewrite, &why);
                }
            }
            Ended::Done(Some(purpose), _, Err(why)) => self.refuse_save(purpose, &why),
            Ended::Done(Some(Purpose::Override(mut draft, reply)), _, Ok(())) => {
                // What has ended meanwhile has ended, and is told once.
                self.advance_overrides();
                draft.ledger.expire(epoch_secs());
                self.overrides.keep(std::mem::take(&mut draft.ledger));
                self.publish_override(*draft, reply);
            }
            Ended::Done(Some(Purpose::Acknowledge(author, reply)), _, Ok(())) => {
                let over = self.overrides.acknowledge();
                self.log_event(&Event::LedgerAcknowledged { author: author.to_string() });
                reply(Ok(over));
            }
            Ended::Done(Some(Purpose::Rewrite), _, Ok(())) => {
                self.overrides.end_disk_alarms();
                self.save_again = None;
            }
        }
        let served = self.shared.published.snapshot();
        self.refresh_view(&served);
        while self.saves.is_idle() {
            let Some(request) = self.saves.next_waiting() else { break };
            self.begin_request(request);
        }
    }

    /// Answers a request whose save has failed or is late.
    fn refuse_save(&mut self, purpose: Purpose, why: &str) {
        match purpose {
            Purpose::Override(_, reply) => {
                reply(
                    self.not_saved(&format!("the ledger cannot be written, so nothing was changed: {why}")),
                );
            }
            Purpose::Acknowledge(_, reply) => {
                reply(Err(format!("the ledger cannot be written, so the alarm stays: {why}")));
            }
            Purpose::Rewrite => {
                let sentence = format!("the overrides in force are not on the disk: {why}");
                let alarm = self.overrides.miss(&sentence, epoch_secs());
                alarm.iter().for_each(|event| self.log_event(event));
                let is_first = alarm.is_some() && !self.saves.is_late();
                let pause = Duration::from_secs(if is_first { 0 } else { SAVE_RETRY_SECS });
                self.save_again = Some(Instant::now() + pause);
            }
        }
    }

    /// Saves the ledger in force once more if the disk does not have it.
    fn save_again(&mut self) {
        if self.save_again.is_some_and(|at| at <= Instant::now()) && self.saves.is_idle() {
            self.save_again = None;
            if self.overrides.is_unsaved() {
                self.saves.begin(self.overrides.ledger.clone(), Purpose::Rewrite);
            }
        }
    }

    /// Tells what would move, on a thread of its own: it asks many clients, and nothing waits for
    /// it but who asked.
    fn predict(&self, changed: OverrideReport, in_the_end: Ledger, reply: OverrideReply) {
        let (before, counted, loads) =
            (self.shared.published.snapshot(), self.shared.published.decisions(), self.overrides.loads());
        let after = overrides::with_live_state(
            &in_the_end,
            &before,
            self.live_inputs(),
            epoch_secs(),
            before.sequence(),
        );
        drop(spawn_blocking(move || {
            let prediction = Some(prediction::predict(&before, &after, &counted, &loads));
            reply(OverrideReport { prediction, ..changed });
        }));
    }

    /// Lets overrides begin, go on and end whose time has come.
    fn advance_overrides(&mut self) {
        let now = epoch_secs();
        let ended = self.overrides.expire(now);
        if ended.is_empty() && self.step_at.is_none_or(|at| now < at) {
            return;
        }
        let current = self.shared.published.snapshot();
        self.publish(&current);
        for entry in ended {
            self.log_event(&Event::OverrideExpired { entry });
        }
    }

    fn log_event(&self, event: &Event) {
        self.event_log.append(event);
    }

    fn publish_reload(&mut self, fresh: Fresh, difference: snapshot::Difference, began: Instant) -> Report {
        let Fresh { snapshot, findings, files, .. } = fresh;
        let (sequence, digest) = self.publish(&snapshot);
        drop(snapshot);
        self.shared.counters.reloads_published.fetch_add(1, Ordering::Relaxed);
        let lines = difference.to_string();
        let took = began.elapsed();
        let took_millis = took.as_millis() as u64;
        self.shared.counters.last_reload.published(epoch_secs(), took.as_micros() as u64);
        let changes = lines.lines().count();
        self.log_event(&Event::Published { sequence, digest: digest.clone(), changes, took_millis });
        for line in lines.lines() {
            tracing::info!("changed: {line}");
        }
        log_findings(&findings, &files);
        Report { published: true, sequence, digest, difference: Some(difference), findings, files }
    }

    fn refuse_reload(&mut self, (findings, files): (Findings, Files), began: Instant) -> Report {
        let old = self.shared.published.snapshot();
        self.shared.counters.last_reload.refused(began.elapsed().as_micros() as u64);
        self.shared.counters.reloads_refused.fetch_add(1, Ordering::Relaxed);
        let errors = findings.count(Severity::Error);
        log_findings(&findings, &files);
        self.log_event(&Event::Refused { errors, sequence: old.sequence() });
        Report {
            published: false,
            sequence: old.sequence(),
            digest: old.digest().to_string(),
            difference: None,
            findings,
            files,
        }
    }

    /// Frees retired snapshots that nobody reads any more, away from the threads that answer.
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

/// Logs one line for each finding, because logs are searched by line. The drawing goes to the
/// client that asked for the reload.
fn log_findings(findings: &Findings, files: &Files) {
    let told = findings.counted();
    // Errors first: they are what a refused load is about.
    let mut order: Vec<_> = told.iter().collect();
    order.sort_by_key(|(finding, _)| std::cmp::Reverse(finding.severity));
    for (finding, more) in order.into_iter().take(FINDINGS_LOGGED_MAX) {
        let place = finding.at.map(|at| files.place(at)).unwrap_or_default();
        match finding.severity {
            Severity::Error => tracing::error!(code = finding.code.id, place, "{}", finding.message),
            Severity::Warning => tracing::warn!(code = finding.code.id, place, "{}", finding.message),
            Severity::Note => tracing::info!(code = finding.code.id, place, "{}", finding.message),
        }
        if *more > 0 {
            tracing::warn!(
                code = finding.code.id,
                place,
                more,
                "there are more findings like this one in its file"
            );
        }
    }
    let untold = told.len().saturating_sub(FINDINGS_LOGGED_MAX) + findings.beyond();
    if untold > 0 {
        tracing::warn!(findings = untold, "more findings are not logged; `meridian check` tells them");
    }
}
