//! The driver: runs live state with a clock and the probers.
//!
//! ```text
//!              due (ticket, target)            result
//!  LiveState ───────────────────────▶ prober ──────────▶ LiveState ──▶ writer: status, events
//! ```

use crate::health::Moment;
use crate::health::load::FeedTicket;
use crate::health::probe_result::ProbeResult;
use crate::health::schedule::Ticket;
use crate::live::{LiveState, Now, Remembered, Stepped};
use crate::probe::Prober;
use crate::probe::load::FeedRequest;
use crate::probe::runner;
use crate::server::probe_queue::ProbeQueue;
use crate::server::supervisor::pulse;
use crate::shared::task::Task;
use crate::shared::tasks::TaskBoard;
use crate::snapshot::Snapshot;
use crate::sys::clock::epoch_secs;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

/// Longest sleep without work. It is bounded, because clocks of virtual machines jump.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// Result of a check whose prober ended by a fault.
const LEFT: &str = "the prober ended by a fault of the program";

/// Shortest sleep while the prober has no room, so that due checks must wait.
const CROWDED: Duration = Duration::from_millis(20);

/// Live state with its clock and probers.
pub(crate) struct Driver {
    /// Live state.
    pub(crate) live: LiveState,
    began: Instant,
    checks: ProbeQueue<runner::Work, ProbeResult>,
    feeds: ProbeQueue<FeedRequest, Result<f64, Arc<str>>>,
    /// Earliest restart of a prober.
    mend_at: Option<Instant>,
    handle: Handle,
    prober: Arc<Prober>,
    tasks: Arc<TaskBoard>,
    stop: CancellationToken,
}

impl Driver {
    /// Tasks that a driver runs, which [`Driver::mend`] restarts.
    pub(crate) const TASKS: [Task; 2] = [Task::Checks, Task::Feeds];

    /// Begins the checks and load feeds of a snapshot, on a runtime.
    pub(crate) fn begin(
        handle: Handle,
        snapshot: Arc<Snapshot>,
        remembered: Remembered,
        prober: Arc<Prober>,
        tasks: Arc<TaskBoard>,
        stop: CancellationToken,
    ) -> Driver {
        let now = Now { moment: Moment(0), epoch_secs: epoch_secs() };
        Driver {
            live: LiveState::new(snapshot, remembered, now),
            began: Instant::now(),
            checks: checks(handle.clone(), Arc::clone(&prober), Arc::clone(&tasks), stop.clone()),
            feeds: feeds(handle.clone(), Arc::clone(&prober), Arc::clone(&tasks), stop.clone()),
            mend_at: None,
            handle,
            prober,
            tasks,
            stop,
        }
    }

    /// New driver after a fault, with a snapshot and remembered state.
    pub(crate) fn anew(&self, snapshot: Arc<Snapshot>, remembered: Remembered) -> Driver {
        let (prober, tasks) = (Arc::clone(&self.prober), Arc::clone(&self.tasks));
        Driver::begin(self.handle.clone(), snapshot, remembered, prober, tasks, self.stop.clone())
    }

    /// Restarts the probers that ended by a fault, and returns their tasks.
    pub(crate) fn mend(&mut self) -> Vec<Task> {
        let is_soon = self.mend_at.is_some_and(|at| Instant::now() < at);
        if self.stop.is_cancelled() || is_soon || !(self.checks.has_ended() || self.feeds.has_ended()) {
            return Vec::new();
        }
        let [checks, feeds] = Driver::TASKS;
        let (now, mut ended) = (self.now(), Vec::new());
        if self.checks.has_ended() {
            ended.push(checks);
            for ticket in self.checks.begin_anew() {
                self.live.handle_result(Ticket(ticket), &ProbeResult::without(LEFT), now);
            }
        }
        if self.feeds.has_ended() {
            ended.push(feeds);
            for ticket in self.feeds.begin_anew() {
                self.live.handle_reading(FeedTicket(ticket), Err(LEFT.into()), now);
            }
        }
        ended
    }

    /// Delays the next restart of a prober.
    pub(crate) fn mend_after(&mut self, pause: Duration) {
        self.mend_at = Some(Instant::now() + pause);
    }

    /// Current time, as the moment since the begin of the driver and as wall clock.
    pub(crate) fn now(&self) -> Now {
        Now { moment: Moment(self.began.elapsed().as_millis() as u64), epoch_secs: epoch_secs() }
    }

    /// Waits for a result, or until a step is due. Cancel-safe.
    pub(crate) async fn wait(&mut self) {
        let wake = self.live.next_wake(self.now()).map_or(SLEEP_MAX, Duration::from_millis);
        let is_crowded = !(self.checks.has_room() && self.feeds.has_room());
        let wake = if is_crowded { wake.max(CROWDED) } else { wake };
        tokio::select! {
            result = self.checks.wait() => self.take_result(result),
            reading = self.feeds.wait() => self.take_reading(reading),
            () = tokio::time::sleep(wake.min(SLEEP_MAX)) => {}
        }
    }

    fn take_result(&mut self, (ticket, result): (u64, ProbeResult)) {
        self.live.handle_result(Ticket(ticket), &result, self.now());
    }

    fn take_reading(&mut self, (ticket, reading): (u64, Result<f64, Arc<str>>)) {
        self.live.handle_reading(FeedTicket(ticket), reading, self.now());
    }

    /// Takes the results, advances live state to the current time, and hands out the due checks.
    pub(crate) fn step(&mut self) -> Stepped {
        while let Some(result) = self.checks.result() {
            self.take_result(result);
        }
        while let Some(reading) = self.feeds.result() {
            self.take_reading(reading);
        }
        let now = self.now();
        let stepped = self.live.step(now);
        while self.checks.has_room() {
            let Some(due) = self.live.poll_check(now) else { break };
            self.checks.hand_out(due.ticket.0, (due.ticket.0, due.target().clone()));
        }
        while self.feeds.has_room() {
            let Some(due) = self.live.poll_feed(now) else { break };
            let request = FeedRequest {
                ticket: due.ticket.0,
                pop: due.pop().clone(),
                service: due.feed().service.clone(),
                spec: Arc::clone(&due.feed().spec),
                timeout_ms: u32::try_from(due.timeout_ms()).unwrap_or(u32::MAX),
            };
            self.feeds.hand_out(due.ticket.0, request);
        }
        stepped
    }

    /// Switches to the snapshot of other files.
    pub(crate) fn follow(&mut self, snapshot: Arc<Snapshot>) {
        self.live.follow(snapshot, self.now());
    }
}

fn checks(
    handle: Handle,
    prober: Arc<Prober>,
    tasks: Arc<TaskBoard>,
    stop: CancellationToken,
) -> ProbeQueue<runner::Work, ProbeResult> {
    ProbeQueue::begin(handle, move |work, tell: UnboundedSender<(u64, ProbeResult)>| {
        let (prober, tasks, stop) = (Arc::clone(&prober), Arc::clone(&tasks), stop.clone());
        let done = move |ticket, result| drop(tell.send((ticket, result)));
        async move {
            tokio::select! {
                () = runner::run(prober, work, done, stop) => {}
                () = pulse(&tasks, Task::Checks) => {}
            }
        }
    })
}

fn feeds(
    handle: Handle,
    prober: Arc<Prober>,
    tasks: Arc<TaskBoard>,
    stop: CancellationToken,
) -> ProbeQueue<FeedRequest, Result<f64, Arc<str>>> {
    ProbeQueue::begin(handle, move |work, tell: UnboundedSender<(u64, Result<f64, Arc<str>>)>| {
        let (prober, tasks, stop) = (Arc::clone(&prober), Arc::clone(&tasks), stop.clone());
        let done = move |ticket, reading| drop(tell.send((ticket, reading)));
        async move {
            tokio::select! {
                () = runner::read(prober, work, done, stop) => {}
                () = pulse(&tasks, Task::Feeds) => {}
            }
        }
    })
}
