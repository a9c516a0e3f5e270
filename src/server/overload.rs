//! The control loop of an overload: reads the receive queue of each UDP socket, and attaches,
//! changes and removes its filter. It runs beside the workers, which know nothing of it, on a
//! runtime of two threads, so that no work of the writer or of a page delays it.

use crate::geo::prefix::Prefix;
use crate::limits::{FILTER_AGAIN_SECS, OVERLOAD_OVER_SECS, OVERLOAD_RENEW_SECS, SHED_TICK_MILLIS};
use crate::overload::throttle::{Change, Reading, Share, Throttle};
use crate::overload::{DropSplit, Fitted, InForce, Overload, Passing};
use crate::shared::Shared;
use crate::shared::counters::CounterBlock;
use crate::shared::event::Event;
use crate::snapshot::Snapshot;
use crate::state::event_log::EventLog;
use crate::sys::clock::cookie_secs;
use crate::sys::shed_filter::{self, PassingNumbers, ShedFilter};
use crate::sys::socket;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Pause between two looks at the settings while `overload` is off.
const IDLE: Duration = Duration::from_secs(1);
/// Time with a filter, pauses not counted, from which an overload is logged. A burst is over
/// before.
const BURST: Duration = Duration::from_secs(1);

/// Socket of a UDP worker.
#[derive(Clone)]
pub(crate) struct WorkerSocket {
    /// The socket.
    pub(crate) socket: Arc<UdpSocket>,
    /// Counters of the worker.
    pub(crate) block: Arc<CounterBlock>,
    /// Split of its drops.
    pub(crate) split: Arc<DropSplit>,
}

/// State of the loop for one socket.
struct Watched {
    of: WorkerSocket,
    is_v6: bool,
    throttle: Throttle,
    /// Moment until which a kernel that took no filter is not asked again.
    refused_until: Option<Instant>,
    /// Counters at the last reading.
    received: u64,
    drops: u32,
    /// Datagrams shed, by the split, and since the loop began.
    split_shed: u32,
    shed: u64,
}

/// Prefixes of the filters, from the first filter on until no socket has one.
struct Lists {
    /// Sequence number of the snapshot of `own`.
    sequence: u64,
    /// Prefixes of the operator.
    own: Vec<Prefix>,
    passing: [Passing; 2],
    /// True if the table of known prefixes was young at first.
    is_young: bool,
    /// True for a family without a known prefix at first.
    is_empty: [bool; 2],
    taken: Instant,
    /// Prefixes in the filters of each family.
    fitted: [Fitted; 2],
}

/// An overload that lasts, or ended less than [`OVERLOAD_OVER_SECS`] ago.
struct Episode {
    began: Instant,
    /// Last moment with a filter at any socket, and the time with one in all.
    last: Instant,
    filtered: Duration,
    /// True if a socket had a filter at the last look.
    is_filtered: bool,
    is_logged: bool,
    lowest: Share,
    /// Datagrams shed at all sockets when it began.
    shed: u64,
    /// Most known prefixes that passed.
    known: usize,
}

/// The loop.
pub(crate) struct OverloadLoop {
    shared: Arc<Shared>,
    event_log: EventLog,
    sockets: Vec<Watched>,
    lists: Option<Lists>,
    episode: Option<Episode>,
    /// Secret of the filters of IPv6.
    key: u64,
    /// Last moment at which a refused filter was logged.
    warned: Option<Instant>,
}

impl OverloadLoop {
    /// Begins without filters, and removes those of a loop that ended by a fault.
    pub(crate) fn new(shared: Arc<Shared>, event_log: EventLog, sockets: &[WorkerSocket]) -> OverloadLoop {
        let watched = sockets.iter().map(|of| {
            let drops = socket::receive_queue(&of.socket).map_or(0, |queue| queue.drops);
            Watched {
                is_v6: of.socket.local_addr().is_ok_and(|address| address.is_ipv6()),
                throttle: Throttle::default(),
                refused_until: None,
                received: of.block.received_count(),
                drops,
                split_shed: of.split.of(drops).1,
                shed: 0,
                of: of.clone(),
            }
        });
        let mut sockets: Vec<Watched> = watched.collect();
        sockets.iter_mut().for_each(Watched::detach);
        shared.overload.watch();
        shared.overload.enforce(InForce::default());
        let key = RandomState::new().hash_one(0);
        OverloadLoop { shared, event_log, sockets, lists: None, episode: None, key, warned: None }
    }

    /// Runs until the server stops.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let snapshot = self.shared.published.snapshot();
            let pause = match snapshot.overload {
                Some(settings) => {
                    self.tick(&snapshot, settings, Instant::now());
                    Duration::from_millis(SHED_TICK_MILLIS)
                }
                None => {
                    self.release();
                    IDLE
                }
            };
            drop(snapshot);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// One interval: a step for each socket.
    fn tick(&mut self, snapshot: &Snapshot, settings: Overload, now: Instant) {
        self.renew(snapshot, settings, now);
        for index in 0..self.sockets.len() {
            match self.sockets[index].step() {
                Some(Change::Attach(_)) if self.sockets[index].is_refused(now) => {
                    self.sockets[index].detach();
                }
                Some(Change::Attach(share)) => {
                    if self.lists.is_none() {
                        self.lists = Some(self.lists(snapshot, settings, now));
                    }
                    self.attach(index, share, now);
                }
                Some(Change::Detach) => self.sockets[index].detach(),
                None => {}
            }
        }
        let lowest = self.lowest();
        if lowest.is_none() {
            self.lists = None;
        }
        self.follow(lowest, now);
        let lists = self.lists.as_ref();
        self.shared.overload.enforce(InForce {
            lowest,
            passing: lists.map_or(0, Lists::known),
            is_frozen: lists.is_some_and(|lists| !self.is_cold(lists)),
            is_refused: self.sockets.iter().any(|watched| watched.is_refused(now)),
        });
    }

    /// Lowest share of strangers in force at any socket.
    fn lowest(&self) -> Option<Share> {
        self.sockets.iter().filter_map(|watched| watched.throttle.share()).min()
    }

    /// True if too little was known when strangers began to be shed: then prefixes go on to become
    /// known, and the lists are taken again every [`OVERLOAD_RENEW_SECS`].
    fn is_cold(&self, lists: &Lists) -> bool {
        let mut filtered = self.sockets.iter().filter(|watched| watched.throttle.share().is_some());
        lists.is_young || filtered.any(|watched| lists.is_empty[watched.family()])
    }

    /// Prefixes that pass: those of the operator, and those that are known now.
    fn lists(&self, snapshot: &Snapshot, settings: Overload, now: Instant) -> Lists {
        let (table, now_secs) = (&self.shared.overload.known, cookie_secs());
        let known = table.list(now_secs, settings.known_after_secs);
        let knows = |is_v6| known.iter().any(|prefix| prefix.address().is_ipv6() == is_v6);
        let own = own(snapshot);
        Lists {
            sequence: snapshot.sequence(),
            passing: Passing::of(&own, &known),
            own,
            is_young: table.is_young(now_secs, settings.known_after_secs),
            is_empty: [!knows(false), !knows(true)],
            taken: now,
            fitted: Default::default(),
        }
    }

    /// Renews the filters after a reload that changed the prefixes of the operator, and those that
    /// began without a known prefix.
    fn renew(&mut self, snapshot: &Snapshot, settings: Overload, now: Instant) {
        let is_cold = self.lists.as_ref().is_some_and(|lists| self.is_cold(lists));
        let Some(lists) = &mut self.lists else { return };
        let is_old = is_cold && now.duration_since(lists.taken).as_secs() >= OVERLOAD_RENEW_SECS;
        let is_reloaded = std::mem::replace(&mut lists.sequence, snapshot.sequence()) != snapshot.sequence();
        let is_other = is_reloaded && own(snapshot) != lists.own;
        if !is_old && !is_other {
            return;
        }
        let Lists { is_young, is_empty, fitted, .. } = *lists;
        self.lists = Some(Lists { is_young, is_empty, fitted, ..self.lists(snapshot, settings, now) });
        for index in 0..self.sockets.len() {
            if let Some(share) = self.sockets[index].throttle.share() {
                self.attach(index, share, now);
            }
        }
    }

    fn attach(&mut self, index: usize, share: Share, now: Instant) {
        let (watched, key) = (&mut self.sockets[index], self.key);
        let Some(lists) = &mut self.lists else { return };
        let family = watched.family();
        match watched.attach(&lists.passing[family], share, key) {
            Ok(fitted) => {
                watched.refused_until = None;
                let before = std::mem::replace(&mut lists.fitted[family], fitted);
                if fitted.left_out > before.left_out {
                    tracing::warn!(
                        "{} prefixes of `exempt` and `proxy_protocol` have no place in the filters of \
                         `overload`: their queries are those of strangers",
                        fitted.left_out
                    );
                }
            }
            Err(error) => {
                watched.detach();
                let again = Duration::from_secs(FILTER_AGAIN_SECS);
                watched.refused_until = Some(now + again);
                if self.warned.is_none_or(|warned| now.duration_since(warned) >= again) {
                    self.warned = Some(now);
                    tracing::warn!(%error, "the kernel takes no filter of a UDP socket: `overload` is idle");
                }
            }
        }
    }

    /// Logs the beginning and the end of an episode.
    fn follow(&mut self, lowest: Option<Share>, now: Instant) {
        let (shed, known) = (self.shed(), self.lists.as_ref().map_or(0, Lists::known));
        if lowest.is_some() && self.episode.is_none() {
            let lowest = Share::new(u64::from(Share::WHOLE));
            let (filtered, is_filtered, is_logged) = (Duration::ZERO, false, false);
            self.episode = Some(Episode {
                began: now,
                last: now,
                filtered,
                is_filtered,
                is_logged,
                lowest,
                shed,
                known,
            });
        }
        let Some(episode) = &mut self.episode else { return };
        if let Some(lowest) = lowest {
            if episode.is_filtered {
                episode.filtered += now.duration_since(episode.last);
            }
            episode.last = now;
            episode.lowest = episode.lowest.min(lowest);
            episode.known = episode.known.max(known);
        }
        episode.is_filtered = lowest.is_some();
        let shed = shed.saturating_sub(episode.shed);
        if !episode.is_logged && episode.filtered >= BURST {
            episode.is_logged = true;
            let (known, percent) = (episode.known, episode.lowest.percent());
            self.event_log.append(&Event::OverloadBegan { shed, known, percent });
        } else if now.duration_since(episode.last) >= Duration::from_secs(OVERLOAD_OVER_SECS) {
            self.end(shed);
        }
    }

    fn end(&mut self, shed: u64) {
        if let Some(episode) = self.episode.take().filter(|episode| episode.is_logged) {
            let secs = episode.last.duration_since(episode.began).as_secs();
            self.event_log.append(&Event::OverloadEnded { shed, secs, percent: episode.lowest.percent() });
        }
    }

    /// Removes all filters, after a reload that turned the settings off.
    fn release(&mut self) {
        for watched in &mut self.sockets {
            // Datagrams dropped until now begin no overload later.
            let _ = watched.reading();
            if watched.throttle.share().is_some() {
                watched.detach();
            }
            watched.refused_until = None;
        }
        self.lists = None;
        self.shared.overload.enforce(InForce::default());
        let shed = self.episode.as_ref().map(|episode| self.shed().saturating_sub(episode.shed));
        self.end(shed.unwrap_or(0));
    }

    /// Datagrams shed at all sockets since the loop began.
    fn shed(&self) -> u64 {
        self.sockets.iter().map(|watched| watched.shed).sum()
    }
}

impl Lists {
    /// Known prefixes in the filters of both families.
    fn known(&self) -> usize {
        self.fitted.iter().map(|fitted| fitted.known).sum()
    }
}

/// Prefixes of the operator that pass every filter.
fn own(snapshot: &Snapshot) -> Vec<Prefix> {
    let exempt = snapshot.rate_limit.iter().flat_map(|limits| &limits.exempt);
    let proxies = snapshot.proxies.iter().flat_map(|proxies| proxies.prefixes());
    exempt.chain(proxies).copied().collect()
}

impl Watched {
    /// Reads the queue, and steps. Without a reading nothing changes.
    fn step(&mut self) -> Option<Change> {
        let reading = self.reading()?;
        self.throttle.step(reading)
    }

    /// The queue, and what the counters have gained since the last reading.
    fn reading(&mut self) -> Option<Reading> {
        let queue = socket::receive_queue(&self.of.socket).ok()?;
        let received = self.of.block.received_count();
        Some(Reading {
            received: received.wrapping_sub(std::mem::replace(&mut self.received, received)),
            dropped: self.count(queue.drops),
            used: queue.used,
            room: queue.room,
        })
    }

    /// Takes the kernel's counter of drops. Returns those since the last time.
    fn count(&mut self, drops: u32) -> u32 {
        let (_, shed) = self.of.split.of(drops);
        self.shed += u64::from(shed.wrapping_sub(std::mem::replace(&mut self.split_shed, shed)));
        drops.wrapping_sub(std::mem::replace(&mut self.drops, drops))
    }

    /// Attaches a filter, with fewer prefixes if the kernel has no memory for all.
    fn attach(&mut self, passing: &Passing, share: Share, key: u64) -> io::Result<Fitted> {
        let drops = socket::receive_queue(&self.of.socket)?.drops;
        // The split turns first: what a filter sheds is never counted as a full buffer.
        let had_filter = self.of.split.begin(drops);
        let mut failed = None;
        for (narrow, wide) in passing.fewer() {
            let numbers = PassingNumbers { narrow: &passing.narrow[..narrow], wide: &passing.wide[..wide] };
            match ShedFilter::new(self.is_v6, numbers, share.parts(), key).attach(&self.of.socket) {
                Ok(()) => return Ok(passing.with((narrow, wide))),
                Err(error) => failed = Some(error),
            }
        }
        if !had_filter {
            self.of.split.end(drops);
        }
        Err(failed.unwrap_or_else(|| io::ErrorKind::Other.into()))
    }

    /// Index of its family in the lists.
    fn family(&self) -> usize {
        usize::from(self.is_v6)
    }

    /// True if the kernel took no filter lately.
    fn is_refused(&self, now: Instant) -> bool {
        self.refused_until.is_some_and(|until| now < until)
    }

    fn detach(&mut self) {
        self.throttle = Throttle::default();
        // Fails only if no filter can be removed, which then goes on and is counted so.
        if shed_filter::detach(&self.of.socket).is_ok()
            && let Ok(queue) = socket::receive_queue(&self.of.socket)
        {
            // Drops of the filter since the last reading begin no overload.
            self.count(queue.drops);
            self.of.split.end(queue.drops);
        }
    }
}
