//! The control loop of an overload: reads the receive queue of each UDP socket, and attaches,
//! changes and removes its filter. It runs beside the workers, which know nothing of it, on a
//! runtime of two threads, so that no work of the writer or of a page delays it.

use crate::geo::prefix::Prefix;
use crate::limits::{OVERLOAD_OVER_SECS, SHED_TICK_MILLIS};
use crate::overload::throttle::{Change, Reading, Share, Throttle};
use crate::overload::{DropSplit, Overload, Passing};
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
/// Time with a filter from which an overload is logged. A burst is over before.
const BURST: Duration = Duration::from_secs(1);
/// Part of the known prefixes that a filter keeps if the kernel has no memory for all of them.
const FEWER: usize = 4;

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
    /// Counters at the last reading.
    received: u64,
    drops: u32,
    /// Datagrams shed, by the split, and since the loop began.
    split_shed: u32,
    shed: u64,
}

/// An overload that lasts, or ended less than [`OVERLOAD_OVER_SECS`] ago.
struct Episode {
    began: Instant,
    /// Last moment with a filter at any socket.
    last: Instant,
    is_logged: bool,
    lowest: Share,
    /// Datagrams shed at all sockets when it began.
    shed: u64,
    /// Sequence number of the snapshot of `own`.
    sequence: u64,
    /// Prefixes of the operator.
    own: Vec<Prefix>,
    passing: [Passing; 2],
    /// Known prefixes in the filters of each family.
    known: [usize; 2],
}

/// The loop.
pub(crate) struct OverloadLoop {
    shared: Arc<Shared>,
    event_log: EventLog,
    sockets: Vec<Watched>,
    episode: Option<Episode>,
    /// Secret of the filters of IPv6.
    key: u64,
    is_refused: bool,
}

impl OverloadLoop {
    /// Begins without filters, and removes those of a loop that ended by a fault.
    pub(crate) fn new(shared: Arc<Shared>, event_log: EventLog, sockets: &[WorkerSocket]) -> OverloadLoop {
        let watched = sockets.iter().map(|of| {
            let drops = socket::receive_queue(&of.socket).map_or(0, |queue| queue.drops);
            Watched {
                is_v6: of.socket.local_addr().is_ok_and(|address| address.is_ipv6()),
                throttle: Throttle::default(),
                received: of.block.received_count(),
                drops,
                split_shed: of.split.of(drops).1,
                shed: 0,
                of: of.clone(),
            }
        });
        let mut sockets: Vec<Watched> = watched.collect();
        sockets.iter_mut().for_each(Watched::detach);
        shared.overload.enforce(None);
        let key = RandomState::new().hash_one(0);
        OverloadLoop { shared, event_log, sockets, episode: None, key, is_refused: false }
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
        self.renew(snapshot, settings);
        for index in 0..self.sockets.len() {
            let Some(change) = self.sockets[index].step() else { continue };
            match change {
                Change::Attach(share) => {
                    self.begin(snapshot, settings, now);
                    self.attach(index, share);
                }
                Change::Detach => self.sockets[index].detach(),
            }
        }
        let lowest = self.sockets.iter().filter_map(|watched| watched.throttle.share()).min();
        self.shared.overload.enforce(lowest);
        self.follow(lowest, now);
    }

    /// Begins an episode, with the prefixes that are known now, if none lasts.
    fn begin(&mut self, snapshot: &Snapshot, settings: Overload, now: Instant) {
        if self.episode.is_some() {
            return;
        }
        let own = own(snapshot);
        self.episode = Some(Episode {
            began: now,
            last: now,
            is_logged: false,
            lowest: Share::new(u64::from(Share::WHOLE)),
            shed: self.shed(),
            sequence: snapshot.sequence(),
            passing: self.passing(&own, settings),
            own,
            known: [0; 2],
        });
    }

    /// Prefixes that pass: those of the operator, and those that are known now.
    fn passing(&self, own: &[Prefix], settings: Overload) -> [Passing; 2] {
        let known = self.shared.overload.known.list(cookie_secs(), settings.known_after_secs);
        let passing = Passing::of(own, &known);
        let left_out: usize = passing.iter().map(|passing| passing.left_out).sum();
        if left_out > 0 {
            tracing::warn!(
                "{left_out} prefixes of `exempt` and `proxy_protocol` have no place in the filters of \
                 `overload`: their queries are those of strangers"
            );
        }
        passing
    }

    /// Renews the filters after a reload that changed the prefixes of the operator.
    fn renew(&mut self, snapshot: &Snapshot, settings: Overload) {
        let Some(episode) = &mut self.episode else { return };
        if std::mem::replace(&mut episode.sequence, snapshot.sequence()) == snapshot.sequence() {
            return;
        }
        let own = own(snapshot);
        if own == episode.own {
            return;
        }
        let passing = self.passing(&own, settings);
        if let Some(episode) = &mut self.episode {
            (episode.own, episode.passing) = (own, passing);
        }
        for index in 0..self.sockets.len() {
            if let Some(share) = self.sockets[index].throttle.share() {
                self.attach(index, share);
            }
        }
    }

    fn attach(&mut self, index: usize, share: Share) {
        let (watched, key) = (&mut self.sockets[index], self.key);
        let Some(episode) = &mut self.episode else { return };
        let family = usize::from(watched.is_v6);
        match watched.attach(&episode.passing[family], share, key) {
            Ok(known) => episode.known[family] = known,
            Err(error) => {
                watched.detach();
                if !std::mem::replace(&mut self.is_refused, true) {
                    tracing::warn!(%error, "the kernel takes no filter of a UDP socket: `overload` is idle");
                }
            }
        }
    }

    /// Logs the beginning and the end of an episode.
    fn follow(&mut self, lowest: Option<Share>, now: Instant) {
        let shed = self.shed();
        let Some(episode) = &mut self.episode else { return };
        if let Some(lowest) = lowest {
            episode.last = now;
            episode.lowest = episode.lowest.min(lowest);
        }
        let shed = shed.saturating_sub(episode.shed);
        if !episode.is_logged && episode.last.duration_since(episode.began) >= BURST {
            episode.is_logged = true;
            let known = episode.known.iter().sum();
            self.event_log.append(&Event::OverloadBegan { shed, known, percent: episode.lowest.percent() });
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
        }
        self.shared.overload.enforce(None);
        let shed = self.episode.as_ref().map(|episode| self.shed().saturating_sub(episode.shed));
        self.end(shed.unwrap_or(0));
    }

    /// Datagrams shed at all sockets since the loop began.
    fn shed(&self) -> u64 {
        self.sockets.iter().map(|watched| watched.shed).sum()
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

    /// Attaches a filter. Returns the number of known prefixes in it.
    fn attach(&mut self, passing: &Passing, share: Share, key: u64) -> io::Result<usize> {
        let filter = |narrow: &[u64]| {
            let numbers = PassingNumbers { narrow, wide: &passing.wide };
            ShedFilter::new(self.is_v6, numbers, share.parts(), key).attach(&self.of.socket)?;
            Ok(passing.known_in(narrow.len()))
        };
        let narrow = &passing.narrow[..];
        // The split turns first: what a filter sheds is never counted as a full buffer.
        self.of.split.begin(socket::receive_queue(&self.of.socket)?.drops);
        filter(narrow).or_else(|_| filter(&narrow[..narrow.len() / FEWER]))
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
