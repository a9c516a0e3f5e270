//! Counters: each worker writes a block of its own, and readers sum the blocks.
//!
//! A UDP worker owns its block, so it adds with a plain load and store. The tasks of the TCP lane
//! share a block and add atomically. A reader may see a block that is a few queries old, never a
//! torn number.

use crate::admin::{Unopened, Unproven};
use crate::answer::{Outcome, Transport};
use crate::rrl::{Limit, Treatment};
use crate::shared::answer_times::{AnswerTimes, SAMPLE_EVERY};
use crate::shared::cell::Cell;
use crate::shared::decisions::WorkerId;
use crate::shared::published::ServedSnapshot;
use crate::snapshot::locate::Evidence;
use crate::wire::cookie::CookieStatus;
use crate::wire::rr::RrType;
use arc_swap::ArcSwapOption;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

macro_rules! drops {
    ($($name:ident = $word:literal, $about:literal;)*) => {
        /// Reason for which a message got no answer, or a connection was closed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Dropped { $(#[doc = $about] $name,)* }

        impl Dropped {
            /// All reasons, in order.
            pub(crate) const ALL: &[Dropped] = &[$(Dropped::$name),*];

            /// Name in metrics.
            pub(crate) fn word(self) -> &'static str {
                match self { $(Dropped::$name => $word,)* }
            }

            /// Meaning, for the catalogue of metrics.
            pub(crate) fn about(self) -> &'static str {
                match self { $(Dropped::$name => $about,)* }
            }
        }
    };
}

drops! {
    Silence = "silence", "a message that must not be answered, such as a response, or is none of the DNS";
    Cut = "cut", "a datagram longer than the server reads";
    BadPeer = "bad_peer", "a sender that cannot be answered, such as port 0";
    ServicePort = "service_port",
        "a datagram from the port of a service that answers anything, such as echo or chargen";
    TooLong = "too_long", "a reply that does not fit its transport";
    ReceiveFull = "receive_full",
        "a datagram for which the socket's buffer had no room, or with a wrong checksum, which the kernel \
         counts alike; counted once a second";
    Shed = "shed",
        "a datagram of a prefix that is not known, dropped before the socket's buffer under `overload`, or \
         any that found no room meanwhile; counted once a second";
    Unsent = "unsent", "a reply that the kernel did not take";
    Panic = "panic", "a fault of the program while it answered; please report it";
    Access = "access", "a message or connection of a client that `access` drops";
    ProxyMissing = "proxy_missing",
        "a message or connection of an address in `proxy_protocol` without a PROXY header of version 2";
    ProxyVersion = "proxy_version", "a PROXY header of an unknown version or command";
    ProxyFamily = "proxy_family", "a PROXY header of an unknown family or protocol";
    ProxyLength = "proxy_length",
        "a PROXY header that is cut, too long, or too short for its addresses, or has a broken TLV";
    ProxyAddress = "proxy_address", "a PROXY header whose client address is not unicast";
    RateLimited = "rate_limited", "an answer past a rate limit; see `meridian_rate_limited_total`";
    SocketError = "socket_error", "a receive or accept that failed";
    ConnectionsFull = "connections_full", "a connection that was idle for longest, closed for a new one";
    PrefixFull = "prefix_full",
        "a connection closed for a new one of the same client prefix, which is at its limit";
    SlowMessage = "slow_message", "a connection whose message took too long to arrive";
    SlowReader = "slow_reader", "a connection that did not take its answers";
    HandshakeFailed = "handshake_failed", "a connection whose TLS handshake failed or was broken off";
    BadRequest = "bad_request", "an HTTP request without a DNS message, answered with an HTTP error";
    ProtocolError = "protocol_error", "a connection whose client broke a rule of DNS over QUIC";
}

/// Slots of response codes: one each for 0 to 23 (BADCOOKIE, the last that EDNS defines), and one
/// for all others.
const RCODES: usize = 25;
const DROPS: usize = Dropped::ALL.len();

/// Query types with a counter of their own; one more slot counts all others. These are the frequent
/// types, and those that an operator looks for. A label for every type would let clients create
/// 65,536 of them.
pub(crate) const TYPES: [RrType; 20] = [
    RrType::A,
    RrType::NS,
    RrType::CNAME,
    RrType::SOA,
    RrType::PTR,
    RrType::HINFO,
    RrType::MX,
    RrType::TXT,
    RrType::AAAA,
    RrType::LOC,
    RrType::SRV,
    RrType::NAPTR,
    RrType::DNAME,
    RrType::DS,
    RrType::DNSKEY,
    RrType::TLSA,
    RrType::SVCB,
    RrType::HTTPS,
    RrType::ANY,
    RrType::CAA,
];
const TYPE_SLOTS: usize = TYPES.len() + 1;
/// Slot of each type below 258, so that counting needs no search.
const SLOT_OF_TYPE: [u8; 258] = {
    let mut slots = [TYPES.len() as u8; 258];
    let mut index = 0;
    while index < TYPES.len() {
        slots[TYPES[index].0 as usize] = index as u8;
        index += 1;
    }
    slots
};

/// Slots of answers past a rate limit: for each limit one a treatment.
const LIMITED: usize = Limit::COUNT * Treatment::ALL.len();

/// Makes the block of counters, their sums, and all functions that name each of them.
macro_rules! counters {
    ($($(#[doc = $about:literal])* $vis:vis $name:ident: $cell:ty;)*) => {
        /// Counters of one worker. Aligned so that no two workers share a cache line, or a pair of
        /// lines that processors fetch together.
        #[repr(align(128))]
        #[derive(Debug)]
        pub struct CounterBlock {
            transport: Transport,
            worker: WorkerId,
            $($name: $cell,)*
            /// Iterations of the receive loop, including those without a message. Each block has
            /// its own, and nothing sums them.
            turns: AtomicU64,
        }

        impl CounterBlock {
            fn new(transport: Transport, worker: WorkerId) -> CounterBlock {
                CounterBlock { transport, worker, $($name: Cell::zero(),)* turns: Cell::zero() }
            }

            fn add_to(&self, totals: &mut Totals) {
                $(self.$name.add_to(&mut totals.$name);)*
            }
        }

        /// Sums of one transport.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Totals {
            $($(#[doc = $about])* $vis $name: <$cell as Cell>::Sum,)*
        }
    };
}

counters! {
    /// Messages received.
    pub received: AtomicU64;
    /// Connections admitted.
    pub(crate) connections: AtomicU64;
    /// Replies with TC set.
    pub(crate) truncated: AtomicU64;
    /// Replies, by response code.
    replies: [AtomicU64; RCODES];
    /// Drops, by reason.
    drops: [AtomicU64; DROPS];
    /// Replies, by query type.
    types: [AtomicU64; TYPE_SLOTS];
    /// Decisions, by evidence.
    evidence: [AtomicU64; Evidence::ALL.len()];
    /// Messages refused by the access lists.
    pub(crate) refused: AtomicU64;
    /// PROXY headers read, with and without a client.
    pub proxy_headers: AtomicU64;
    /// Messages refused because the program has panicked on one like them.
    pub(crate) quarantine_refused: AtomicU64;
    /// Answers past a rate limit, by limit and treatment.
    limited: [AtomicU64; LIMITED];
    /// Replies, by the status of the cookie.
    cookies: [AtomicU64; CookieStatus::ALL.len()];
    /// Times of answers, of a sample.
    pub times: AnswerTimes;
}

impl CounterBlock {
    /// Block that one thread writes; no other block has its worker ID.
    pub fn single_writer(transport: Transport, worker: usize) -> CounterBlock {
        CounterBlock::new(transport, WorkerId { index: worker, is_multi_writer: false })
    }

    /// Block that several tasks write.
    pub(crate) fn multi_writer(transport: Transport, worker: usize) -> CounterBlock {
        CounterBlock::new(transport, WorkerId { index: worker, is_multi_writer: true })
    }

    /// Counts an iteration of the loop.
    pub(crate) fn turned(&self) {
        self.add(&self.turns, 1);
    }

    /// Counts received messages.
    pub fn received(&self, count: u64) {
        self.add(&self.received, count);
    }

    /// Messages received so far.
    pub(crate) fn received_count(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Counts a received message. True if the time of its answer is to be measured.
    pub(crate) fn arrived(&self) -> bool {
        self.add(&self.received, 1).is_multiple_of(u64::from(SAMPLE_EVERY))
    }

    /// Counts answers that took this time together, from receipt to sending.
    pub(crate) fn took(&self, nanos: u64, answers: u64) {
        self.add(self.times.bucket(nanos), answers);
        self.add(self.times.nanos(), nanos.saturating_mul(answers));
    }

    /// Counts a reply with this response code.
    #[inline(always)]
    pub(crate) fn replied(&self, rcode: u16) {
        self.add(&self.replies[usize::from(rcode).min(RCODES - 1)], 1);
    }

    /// Counts the core's reply to a message, answered from `service`.
    #[inline(always)]
    pub fn answered(&self, service: &ServedSnapshot, outcome: &Outcome) {
        self.replied(outcome.rcode.0);
        let slot =
            SLOT_OF_TYPE.get(usize::from(outcome.qtype.0)).map_or(TYPES.len(), |slot| usize::from(*slot));
        self.add(&self.types[slot], 1);
        self.add(&self.cookies[outcome.cookie as usize], 1);
        if outcome.truncated {
            self.add(&self.truncated, 1);
        }
        if let Some(zone) = outcome.zone {
            service.decision_counters.count_zone(self.worker, zone, outcome.rcode);
        }
        if let Some(decided) = &outcome.decided {
            self.add(&self.evidence[decided.evidence as usize], 1);
            service.decision_counters.count(self.worker, decided);
        }
    }

    /// Counts drops of a message, or closed connections.
    pub(crate) fn dropped(&self, reason: Dropped, count: u64) {
        self.add(&self.drops[reason as usize], count);
    }

    /// Counts a message refused by the access lists.
    pub(crate) fn refused(&self) {
        self.add(&self.refused, 1);
    }

    /// Counts a PROXY header that was read.
    pub(crate) fn proxy_header(&self) {
        self.add(&self.proxy_headers, 1);
    }

    /// Counts a message refused by the quarantine.
    pub(crate) fn quarantine_refused(&self) {
        self.add(&self.quarantine_refused, 1);
    }

    /// Counts an answer past a rate limit.
    pub(crate) fn limited(&self, limit: Limit, treatment: Treatment) {
        self.add(&self.limited[limit.index() * Treatment::ALL.len() + treatment as usize], 1);
    }

    /// Counts an admitted connection.
    pub(crate) fn connected(&self) {
        self.add(&self.connections, 1);
    }

    /// Adds, and returns the value before.
    #[inline(always)]
    fn add(&self, counter: &AtomicU64, count: u64) -> u64 {
        if self.worker.is_multi_writer {
            return counter.fetch_add(count, Ordering::Relaxed);
        }
        let before = counter.load(Ordering::Relaxed);
        counter.store(before.wrapping_add(count), Ordering::Relaxed);
        before
    }
}

/// Counters of a server.
#[derive(Debug)]
pub struct Counters {
    blocks: Vec<Arc<CounterBlock>>,
    /// Reloads that published a snapshot.
    pub(crate) reloads_published: AtomicU64,
    /// Reloads that were refused.
    pub(crate) reloads_refused: AtomicU64,
    /// Reloads that were given up because the disk did not answer, or by request; also counted as
    /// refused.
    pub(crate) reloads_given_up: AtomicU64,
    /// Start of the running reload, in seconds since 1970; 0 if none runs.
    pub(crate) reload_began: AtomicU64,
    /// True if the last check of the state folder found a fault.
    pub(crate) state_fault: AtomicBool,
    /// True if another server has claimed the state folder: nothing is written there.
    pub(crate) state_taken: AtomicBool,
    /// Last reload; the start counts as one.
    pub(crate) last_reload: LastReload,
    /// Events that the event log has lost.
    pub(crate) events_dropped: AtomicU64,
    /// Requests that the admin address refused for want of a proof, by [`Unproven`].
    pub(crate) unproven: [AtomicU64; Unproven::ALL.len()],
    /// Connections that the admin address closed before their first request, by [`Unopened`].
    pub(crate) unopened: [AtomicU64; Unopened::ALL.len()],
    /// Lines that the log on stderr has lost.
    pub(crate) log_dropped: Arc<AtomicU64>,
}

/// Result of the last reload. The writer sets it; each field is consistent by itself only.
#[derive(Debug, Default)]
pub(crate) struct LastReload {
    /// Reason of its refusal, in words; `None` if it was published.
    refusal: ArcSwapOption<String>,
    /// Time of the last publication, in seconds since 1970.
    pub(crate) published_epoch_secs: AtomicU64,
    /// Duration of the last reload that was published or refused, in microseconds.
    pub(crate) took_micros: AtomicU64,
}

impl LastReload {
    /// Notes a published reload.
    pub(crate) fn published(&self, epoch_secs: u64, took_micros: u64) {
        self.refusal.store(None);
        self.published_epoch_secs.store(epoch_secs, Ordering::Relaxed);
        self.took_micros.store(took_micros, Ordering::Relaxed);
    }

    /// Notes a refused reload, with the reason.
    pub(crate) fn refused(&self, took_micros: u64, why: String) {
        self.refusal.store(Some(Arc::new(why)));
        self.took_micros.store(took_micros, Ordering::Relaxed);
    }

    /// Reason of its refusal; `None` if it was published.
    pub(crate) fn refusal(&self) -> Option<Arc<String>> {
        self.refusal.load_full()
    }
}

impl Counters {
    /// Counters over the blocks of the workers, and the counter of lost log lines.
    pub(crate) fn new(blocks: Vec<Arc<CounterBlock>>, log_dropped: Arc<AtomicU64>) -> Counters {
        Counters {
            blocks,
            reloads_published: AtomicU64::new(0),
            reloads_refused: AtomicU64::new(0),
            reloads_given_up: AtomicU64::new(0),
            reload_began: AtomicU64::new(0),
            state_fault: AtomicBool::new(false),
            state_taken: AtomicBool::new(false),
            last_reload: LastReload::default(),
            events_dropped: AtomicU64::new(0),
            unproven: Default::default(),
            unopened: Default::default(),
            log_dropped,
        }
    }

    /// Number of shards of decision counters that the blocks need.
    pub(crate) fn worker_count(&self) -> usize {
        self.blocks.iter().map(|block| block.worker.index + 1).max().unwrap_or(0)
    }

    /// Blocks of the UDP workers with threads of their own.
    fn udp_workers(&self) -> impl Iterator<Item = &CounterBlock> {
        let blocks = self.blocks.iter().map(|block| &**block);
        blocks.filter(|block| block.transport == Transport::Udp && !block.worker.is_multi_writer)
    }

    /// Loop iterations of each UDP worker with a thread of its own, by worker number.
    pub fn worker_turns(&self) -> impl Iterator<Item = (usize, u64)> {
        self.udp_workers().map(|block| (block.worker.index, block.turns.load(Ordering::Relaxed)))
    }

    /// Messages that each UDP worker with a thread of its own has received, by worker number.
    pub(crate) fn worker_queries(&self) -> impl Iterator<Item = (usize, u64)> {
        self.udp_workers().map(|block| (block.worker.index, block.received.load(Ordering::Relaxed)))
    }

    /// The sums of one transport now.
    pub fn fold(&self, transport: Transport) -> Totals {
        let mut totals = Totals::default();
        for block in self.blocks.iter().filter(|block| block.transport == transport) {
            block.add_to(&mut totals);
        }
        totals
    }
}

impl Totals {
    /// Replies by response code, without zeros; `None` stands for codes above 23.
    pub(crate) fn replies(&self) -> impl Iterator<Item = (Option<u16>, u64)> {
        self.replies
            .iter()
            .enumerate()
            .filter(|(_, n)| **n > 0)
            .map(|(i, n)| ((i < RCODES - 1).then_some(i as u16), *n))
    }

    /// Replies by query type, without zeros; `None` stands for types that are not in [`TYPES`].
    /// Messages that are no query count as `None`.
    pub(crate) fn types(&self) -> impl Iterator<Item = (Option<RrType>, u64)> {
        self.types.iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, n)| (TYPES.get(i).copied(), *n))
    }

    /// Decisions by evidence: name and count.
    pub(crate) fn evidence(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Evidence::ALL.iter().zip(&self.evidence).map(|(evidence, n)| (evidence.word(), *n))
    }

    /// Answers past a rate limit, by limit and treatment, without zeros.
    pub(crate) fn limited(&self) -> impl Iterator<Item = (Limit, Treatment, u64)> {
        let pairs = Limit::all().flat_map(|limit| Treatment::ALL.map(|treatment| (limit, treatment)));
        pairs.zip(self.limited).filter(|(_, n)| *n > 0).map(|((limit, treatment), n)| (limit, treatment, n))
    }

    /// Replies by the status of the query's DNS cookie: name and count.
    pub fn cookies(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CookieStatus::ALL.iter().zip(&self.cookies).map(|(standing, n)| (standing.word(), *n))
    }

    /// All replies.
    pub fn replied(&self) -> u64 {
        self.replies.iter().sum()
    }

    /// Number of drops for this reason.
    pub fn dropped(&self, reason: Dropped) -> u64 {
        self.drops[reason as usize]
    }
}

#[cfg(test)]
mod tests;
