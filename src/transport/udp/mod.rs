//! The fast lane: one batch of datagrams in, one batch of answers out.

mod clients;
mod limit;

use crate::answer::bare::Message;
use crate::answer::stages::{Plans, Stages};
use crate::answer::{Client, Disposition, Outcome, QueryContext, Transport};
use crate::limits::{PREFETCH_MAX, QUARANTINE_MILLIS};
use crate::overload::DropSplit;
use crate::overload::OverloadState;
use crate::overload::known::SAMPLE;
use crate::rrl::RateLimit;
use crate::shared::Shared;
use crate::shared::answer_times::Sampler;
use crate::shared::counters::{CounterBlock, Dropped};
use crate::shared::published::ServedSnapshot;
use crate::snapshot::Snapshot;
use crate::sys::clock;
use crate::sys::datagram::Batch;
use crate::sys::socket;
use crate::transport::access::{Admission, admit};
use crate::transport::draw::Draws;
use crate::transport::quarantine;
use crate::transport::sender;
use crate::wire::hash::mix;
use crate::wire::rr::Rcode;
use clients::{Clients, Origin};
use limit::Limits;
use std::any::Any;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Pause of a worker after a receive that failed, so that a broken socket does not spin.
const PAUSE: Duration = Duration::from_millis(10);

/// Smallest share of a worker in `from_qps`: clients are not spread evenly, and no default limit is
/// passed with fewer queries a second.
const QPS_SHARE_MIN: u32 = 20;

/// Context of one worker thread.
pub(crate) struct WorkerContext {
    /// Socket of the worker.
    pub(crate) socket: Arc<UdpSocket>,
    /// Split of the kernel's drops by their reason.
    pub(crate) split: Arc<DropSplit>,
    /// State that threads share.
    pub(crate) shared: Arc<Shared>,
    /// Counters of the worker.
    pub(crate) block: Arc<CounterBlock>,
    /// Most datagrams per receive call.
    pub(crate) batch: usize,
    /// UDP workers of the server, this one included.
    pub(crate) workers: u32,
    /// CPU core that the worker is bound to.
    pub(crate) cpu: Option<u16>,
    /// Set when the server stops; the worker reads it at least every `WORKER_WAKE_MILLIS`.
    pub(crate) stop: Arc<AtomicBool>,
}

/// Serves until the stop flag is set.
pub(crate) fn serve(worker_context: &WorkerContext, drops: &mut Drops) {
    let mut kept = Kept::new(worker_context.batch);
    while !worker_context.stop.load(Ordering::Relaxed) {
        turn(worker_context, &mut kept, drops);
    }
}

/// One turn of the loop: receives a batch, or nothing until the receive timeout, and answers it.
/// Returns the number of datagrams.
#[inline(always)]
pub(crate) fn turn(worker_context: &WorkerContext, kept: &mut Kept, drops: &mut Drops) -> usize {
    worker_context.block.turned();
    match kept.batch.receive(&worker_context.socket) {
        Ok(count) => {
            let epoch_secs = clock::cookie_secs();
            drops.count(worker_context, epoch_secs);
            if count > 0 {
                kept.worker_scratch.query_rate.count(epoch_secs, count as u32);
                let began = kept.worker_scratch.sampler.is_due().then(Instant::now);
                let sent = answer_batch(
                    worker_context,
                    &mut kept.batch,
                    count,
                    epoch_secs,
                    &mut kept.worker_scratch,
                );
                if let Some(began) = began {
                    worker_context.block.took(began.elapsed().as_nanos() as u64, sent);
                }
            }
            count
        }
        Err(error) => {
            worker_context.block.dropped(Dropped::SocketError, 1);
            tracing::debug!(%error, "receiving on a UDP socket failed");
            std::thread::sleep(PAUSE);
            0
        }
    }
}

/// Buffers and state that a worker keeps from one turn to the next.
pub(crate) struct Kept {
    batch: Batch,
    worker_scratch: WorkerScratch,
}

impl Kept {
    /// Buffers for batches of `batch` datagrams.
    pub(crate) fn new(batch: usize) -> Kept {
        Kept {
            batch: Batch::new(batch),
            worker_scratch: WorkerScratch {
                draws: Draws::seeded(),
                stages: Stages::default(),
                query_rate: QueryRate::default(),
                sampler: Sampler::default(),
                plans_from_secs: 0,
                clients: Clients::default(),
            },
        }
    }
}

/// Counts of datagrams that the kernel dropped because the receive buffer of the socket was full,
/// or because strangers were shed.
/// The worker reads the kernel's counter once a second, so that the system call costs no query
/// time. The count outlives [`serve`], because the socket does.
#[derive(Default)]
pub(crate) struct Drops {
    asked_secs: u32,
    full: u32,
    shed: u32,
}

impl Drops {
    fn count(&mut self, worker_context: &WorkerContext, epoch_secs: u32) {
        if std::mem::replace(&mut self.asked_secs, epoch_secs) == epoch_secs {
            return;
        }
        // Without this counter in the kernel, the metrics stay 0.
        if let Ok(queue) = socket::receive_queue(&worker_context.socket) {
            let (full, shed) = worker_context.split.of(queue.drops);
            worker_context.block.dropped(Dropped::ReceiveFull, since(&mut self.full, full));
            worker_context.block.dropped(Dropped::Shed, since(&mut self.shed, shed));
        }
    }
}

/// New drops since the last reading of a counter, which counts modulo 2^32. A reading between a
/// change of the split and its counter may be lower than the last one; then the next counts.
fn since(seen: &mut u32, now: u32) -> u64 {
    let new = now.wrapping_sub(*seen);
    if new > u32::MAX / 2 {
        return 0;
    }
    *seen = now;
    u64::from(new)
}

/// State that a worker keeps from one query to the next.
struct WorkerScratch {
    draws: Draws,
    stages: Stages,
    query_rate: QueryRate,
    /// Batches whose answers are timed.
    sampler: Sampler,
    /// Second from which batches are planned again, after a panic in the stages.
    plans_from_secs: u32,
    /// Clients of a batch with datagrams of balancers.
    clients: Clients,
}

/// Queries of a worker in the current second and in the last one in which some came.
#[derive(Default)]
struct QueryRate {
    second: u32,
    now: u32,
    before: u32,
}

impl QueryRate {
    fn count(&mut self, second: u32, queries: u32) {
        if std::mem::replace(&mut self.second, second) != second {
            self.before = std::mem::take(&mut self.now);
        }
        self.now = self.now.saturating_add(queries);
    }

    /// The limits, if the node has so many queries that they hold: this worker has its share of
    /// `from_qps`, but no less than [`QPS_SHARE_MIN`].
    fn limits<'s>(&self, snapshot: &'s Snapshot, workers: u32) -> Option<&'s RateLimit> {
        let limits = snapshot.rate_limit.as_deref()?;
        (self.now.max(self.before) >= share(limits.from_qps, workers)).then_some(limits)
    }
}

/// Queries a second of one worker from which the limits hold.
fn share(from_qps: u32, workers: u32) -> u32 {
    (from_qps / workers.max(1)).max(from_qps.min(QPS_SHARE_MIN))
}

/// Answers a batch. Returns the number of replies that the kernel took.
fn answer_batch(
    worker_context: &WorkerContext,
    batch: &mut Batch,
    count: usize,
    epoch_secs: u32,
    worker_scratch: &mut WorkerScratch,
) -> u64 {
    worker_context.block.received(count as u64);
    // Loaded after the receive returns, so that a sleeping worker holds no snapshot.
    let service = worker_context.shared.published.served();
    let limits = worker_scratch.query_rate.limits(&service.snapshot, worker_context.workers);
    let in_force = InForce {
        service: &service,
        limits: limits.map(|limits| Limits {
            limits: limits.of_batch(),
            limiter: &worker_context.shared.limiter,
            block: &worker_context.block,
            snapshot: &service.snapshot,
        }),
        learned: (service.snapshot.overload)
            .map(|overload| (&worker_context.shared.overload, overload.known_after_secs)),
        clients: service.snapshot.proxies.as_deref().map(|proxies| {
            let mut clients = std::mem::take(&mut worker_scratch.clients);
            clients.read(proxies, batch, count, &worker_context.block);
            clients
        }),
        epoch_secs,
    };
    for start in (0..count).step_by(PREFETCH_MAX) {
        let end = count.min(start + PREFETCH_MAX);
        let plans = plan(worker_context, &in_force, batch, start..end, worker_scratch);
        let mut next = start;
        while next < end {
            // The core does not panic. If it ever does, one query is lost and counted, messages
            // like it are refused for a while, and the worker continues.
            let answered = catch_unwind(AssertUnwindSafe(|| {
                while next < end {
                    next += 1;
                    let place = (next - 1, next - 1 - start);
                    answer_one(worker_context, &in_force, batch, (place, &plans), worker_scratch);
                }
            }));
            if let Err(panic) = answered {
                take_in(worker_context, &in_force, batch, next - 1, &*panic);
            }
        }
    }
    if let Some(clients) = in_force.clients {
        worker_scratch.clients = clients;
    }
    let sent = batch.send(&worker_context.socket);
    if sent.failed > 0 {
        worker_context.block.dropped(Dropped::Unsent, sent.failed as u64);
    }
    sent.sent as u64
}

/// Runs the stages before the answers. Without plans, the worker answers each query by itself. A
/// panic here is counted as a fault, although it loses no query. Its message is not known, and may
/// be one that is never answered, so the worker does without plans for a while.
fn plan<'s>(
    worker_context: &WorkerContext,
    in_force: &InForce<'s>,
    batch: &Batch,
    part: Range<usize>,
    worker_scratch: &mut WorkerScratch,
) -> Plans<'s> {
    let (snapshot, stages) = (&in_force.service.snapshot, &mut worker_scratch.stages);
    // No message that is to be refused is parsed.
    if !worker_context.shared.quarantine.is_empty() || in_force.epoch_secs < worker_scratch.plans_from_secs {
        return Plans::default();
    }
    let planned = catch_unwind(AssertUnwindSafe(|| {
        let octets = |index| batch.octets(part.start + index);
        let resolver = |index| in_force.client(batch, part.start + index);
        stages.read(snapshot, part.len(), octets, resolver)
    }));
    planned.unwrap_or_else(|_| {
        worker_context.block.dropped(Dropped::Panic, 1);
        *stages = Stages::default();
        worker_scratch.plans_from_secs = in_force.epoch_secs + (QUARANTINE_MILLIS / 1_000) as u32;
        Plans::default()
    })
}

/// Takes in a message on which the program has panicked.
#[cold]
fn take_in(
    worker_context: &WorkerContext,
    in_force: &InForce<'_>,
    batch: &Batch,
    index: usize,
    panic: &(dyn Any + Send),
) {
    let client = Client { address: in_force.client(batch, index), transport: Transport::Udp };
    let WorkerContext { shared, block, .. } = worker_context;
    quarantine::take_in(shared, batch.octets(index), &client, block, panic);
}

/// Inputs that all messages of a batch share.
struct InForce<'a> {
    service: &'a ServedSnapshot,
    limits: Option<Limits<'a>>,
    /// Clients, if there are balancers.
    clients: Option<Clients>,
    /// State with the known prefixes, and the seconds after which a prefix is known; `None` without
    /// `overload`.
    learned: Option<(&'a OverloadState, u32)>,
    epoch_secs: u32,
}

impl InForce<'_> {
    /// Address of the client of a datagram, or [`NOBODY`].
    #[inline(always)]
    fn client(&self, batch: &Batch, index: usize) -> IpAddr {
        match self.clients.as_ref().map(|clients| clients.of(index)) {
            Some(Origin::Named(address)) => address,
            _ => batch.sender(index).map_or(NOBODY, |(address, _)| address),
        }
    }
}

/// Address in place of that of a sender without one.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[inline(always)]
fn answer_one(
    worker_context: &WorkerContext,
    in_force: &InForce<'_>,
    batch: &mut Batch,
    ((index, lane), plans): ((usize, usize), &Plans<'_>),
    worker_scratch: &mut WorkerScratch,
) {
    let (datagram, room) = batch.exchange(index);
    if datagram.cut {
        return worker_context.block.dropped(Dropped::Cut, 1);
    }
    let Some((mut address, _)) = datagram.sender.filter(sender::is_answerable) else {
        return worker_context.block.dropped(sender::reason(datagram.sender), 1);
    };
    if let Some(clients) = &in_force.clients {
        match clients.of(index) {
            Origin::Sender => {}
            Origin::Named(client) => address = client,
            Origin::Dropped(reason) => return worker_context.block.dropped(reason, 1),
        }
    }
    let client = Client { address, transport: Transport::Udp };
    let context = QueryContext { draw: worker_scratch.draws.draw(), epoch_secs: in_force.epoch_secs };
    let message = Message { octets: datagram.octets, client: &client, context };
    let snapshot = &in_force.service.snapshot;
    let mut may_slip = true;
    match admit(&worker_context.shared.quarantine, snapshot, &message, &worker_context.block, room) {
        Admission::Allowed => {
            let stages = &mut worker_scratch.stages;
            stages.respond((plans, lane), snapshot, datagram.octets, &client, context, room);
        }
        Admission::Refused(outcome) => worker_scratch.stages.outcome = outcome,
        Admission::Quarantined(outcome) => (worker_scratch.stages.outcome, may_slip) = (outcome, false),
        Admission::Dropped => return,
    }
    if let Some(limits) = &in_force.limits
        && !limits.allow(&message, may_slip, lane, &mut worker_scratch.stages, room)
    {
        return worker_context.block.dropped(Dropped::RateLimited, 1);
    }
    match worker_scratch.stages.outcome.disposition {
        Disposition::Send(length) if batch.reply(index, length) => {
            if let Some(learned) = in_force.learned
                && mix(context.draw, SAMPLE).is_multiple_of(SAMPLE)
            {
                learn(learned, batch.sender(index), &worker_scratch.stages.outcome, context.epoch_secs);
            }
            worker_context.block.answered(in_force.service, &worker_scratch.stages.outcome)
        }
        Disposition::Send(_) => worker_context.block.dropped(Dropped::TooLong, 1),
        Disposition::Silence => worker_context.block.dropped(Dropped::Silence, 1),
    }
}

/// Notes the sender of a query that got an answer: a filter sees the sender, also of a balancer.
/// Errors, NXDOMAIN among them, and TC are none, so that a flood of names that do not exist makes
/// nothing known. While known prefixes pass before strangers, they stay known, and no other is
/// learned.
#[cold]
fn learn(
    (state, after_secs): (&OverloadState, u32),
    sender: Option<(IpAddr, u16)>,
    outcome: &Outcome,
    epoch_secs: u32,
) {
    if let (Some((address, _)), Rcode::NOERROR, false) = (sender, outcome.rcode, outcome.truncated) {
        match state.is_frozen.load(Ordering::Relaxed) {
            true => state.known.refresh(address, epoch_secs, after_secs),
            false => state.known.note(address, epoch_secs, after_secs),
        }
    }
}

#[cfg(test)]
mod tests;
