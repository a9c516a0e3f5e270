//! Counters: blocks written by one worker each, folded when somebody asks.
//!
//! A worker of the fast lane owns its block, so it adds with a plain load and store; the tasks of the
//! TCP lane share one, and add atomically. Readers may see a block a few queries old, never a torn number.

use std::array;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A lane by which queries come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

impl Lane {
    /// Every lane, in order.
    pub const ALL: [Lane; 2] = [Lane::Udp, Lane::Tcp];

    /// The word in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Lane::Udp => "udp",
            Lane::Tcp => "tcp",
        }
    }
}

macro_rules! drops {
    ($($name:ident = $word:literal, $about:literal;)*) => {
        /// Why something got no answer, or a connection its end.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Dropped { $(#[doc = $about] $name,)* }

        impl Dropped {
            /// Every reason, in order.
            pub const ALL: &[Dropped] = &[$(Dropped::$name),*];

            /// The word in metrics.
            pub fn word(self) -> &'static str {
                match self { $(Dropped::$name => $word,)* }
            }

            /// What it means, for the catalogue of metrics.
            pub fn about(self) -> &'static str {
                match self { $(Dropped::$name => $about,)* }
            }
        }
    };
}

drops! {
    Silence = "silence", "a message that must not be answered, such as a response";
    Cut = "cut", "a datagram longer than the server reads";
    BadPeer = "bad_peer", "a sender that cannot be answered, such as port 0";
    TooLong = "too_long", "a reply that does not fit its transport";
    Unsent = "unsent", "a reply that the kernel did not take";
    Panic = "panic", "a fault of the program while it answered; please report it";
    RareFull = "rare_full", "a rare message while too many of them waited";
    SocketError = "socket_error", "a receive or accept that failed";
    ConnectionsFull = "connections_full", "a connection past the limit in all";
    PrefixFull = "prefix_full", "a connection past the limit of its client prefix";
    SlowMessage = "slow_message", "a connection whose message took too long to arrive";
    SlowReader = "slow_reader", "a connection that did not take its answers";
}

/// Response codes counted each for itself: 0 to 23, the last that EDNS has given a name (BADCOOKIE);
/// the slot behind them counts all others.
const RCODES: usize = 25;
const DROPS: usize = Dropped::ALL.len();

/// Counters of one worker. Aligned so that no two workers share a cache line (or a pair of them, which
/// processors fetch together).
#[repr(align(128))]
#[derive(Debug)]
pub struct Block {
    lane: Lane,
    shared: bool,
    received: AtomicU64,
    replies: [AtomicU64; RCODES],
    drops: [AtomicU64; DROPS],
    connections: AtomicU64,
}

impl Block {
    /// A block that one thread writes.
    pub fn owned(lane: Lane) -> Block {
        Block::new(lane, false)
    }

    /// A block that several tasks write.
    pub fn shared(lane: Lane) -> Block {
        Block::new(lane, true)
    }

    fn new(lane: Lane, shared: bool) -> Block {
        Block {
            lane,
            shared,
            received: AtomicU64::new(0),
            replies: array::from_fn(|_| AtomicU64::new(0)),
            drops: array::from_fn(|_| AtomicU64::new(0)),
            connections: AtomicU64::new(0),
        }
    }

    /// Messages came in.
    pub fn received(&self, count: u64) {
        self.add(&self.received, count);
    }

    /// A reply with this response code was made.
    pub fn replied(&self, rcode: u16) {
        self.add(&self.replies[usize::from(rcode).min(RCODES - 1)], 1);
    }

    /// Something was dropped.
    pub fn dropped(&self, reason: Dropped, count: u64) {
        self.add(&self.drops[reason as usize], count);
    }

    /// A connection was accepted and admitted.
    pub fn connected(&self) {
        self.add(&self.connections, 1);
    }

    fn add(&self, counter: &AtomicU64, count: u64) {
        if self.shared {
            counter.fetch_add(count, Ordering::Relaxed);
        } else {
            counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
        }
    }
}

/// All counters of a server.
#[derive(Debug)]
pub struct Counters {
    blocks: Vec<Arc<Block>>,
    rare: Arc<Block>,
    /// Reloads that published.
    pub reloads_published: AtomicU64,
    /// Reloads that were refused.
    pub reloads_refused: AtomicU64,
}

impl Counters {
    /// Counters over the blocks that workers were given.
    pub fn new(blocks: Vec<Arc<Block>>) -> Counters {
        Counters {
            blocks,
            rare: Arc::new(Block::shared(Lane::Udp)),
            reloads_published: AtomicU64::new(0),
            reloads_refused: AtomicU64::new(0),
        }
    }

    /// The block for replies to rare UDP messages, which no worker makes.
    pub fn rare(&self) -> &Arc<Block> {
        &self.rare
    }

    /// The sums of one lane now.
    pub fn fold(&self, lane: Lane) -> Totals {
        let mut totals = Totals::default();
        for block in self.blocks.iter().chain([&self.rare]).filter(|b| b.lane == lane) {
            totals.received += block.received.load(Ordering::Relaxed);
            totals.connections += block.connections.load(Ordering::Relaxed);
            for (sum, counter) in totals.replies.iter_mut().zip(&block.replies) {
                *sum += counter.load(Ordering::Relaxed);
            }
            for (sum, counter) in totals.drops.iter_mut().zip(&block.drops) {
                *sum += counter.load(Ordering::Relaxed);
            }
        }
        totals
    }
}

/// Sums of one lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Messages that came in.
    pub received: u64,
    /// Connections admitted.
    pub connections: u64,
    replies: [u64; RCODES],
    drops: [u64; DROPS],
}

impl Totals {
    /// Replies by response code, those that occurred; `None` stands for codes past 23.
    pub fn replies(&self) -> impl Iterator<Item = (Option<u16>, u64)> {
        self.replies.iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, n)| ((i < RCODES - 1).then_some(i as u16), *n))
    }

    /// Replies in all.
    pub fn replied(&self) -> u64 {
        self.replies.iter().sum()
    }

    /// How often something was dropped for this reason.
    pub fn dropped(&self, reason: Dropped) -> u64 {
        self.drops[reason as usize]
    }
}

#[cfg(test)]
mod tests;
