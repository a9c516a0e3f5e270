//! Limits of connections: in total, and for each client prefix.
//!
//! The limits of prefixes are for clients. A balancer has the connections of many clients, so its
//! connections count in total alone until a PROXY header names the client; one that speaks for the
//! balancer itself counts so until its end.
//!
//! A new connection is always admitted. Past a limit, the connection that was idle for longest
//! gives way (RFC 7766 section 6.2.3): one of the same prefix or site past their limits, else one
//! of all. Otherwise a few clients could lock out all others, or their neighbours, with idle
//! connections.
//!
//! Connections without a message go first while they are a quarter or more of those that are
//! limited together. They may not go first always: then each newcomer would have to ask before the
//! next one comes.

use crate::geo::prefix::Prefix;
use crate::limits::{CONNECTION_SITE_FACTOR, CONNECTION_SITE_V6};
use std::collections::HashMap;
use std::iter;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Counts connections.
#[derive(Debug)]
pub(crate) struct ConnectionLimit {
    total_max: u32,
    prefix_max: u32,
    site_max: u32,
    table: Mutex<Table>,
}

/// Limit for which another connection gives way to a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// Limit of the client prefix or site.
    Prefix,
    /// Limit in total.
    Total,
}

/// Permit for one connection; released on drop.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    connection_limit: Arc<ConnectionLimit>,
    place: usize,
    revoked: Arc<Notify>,
}

/// Connections that one client prefix may have if it is `asked` for by the file: no more than a
/// quarter of the total, so that no prefix makes all others give way.
pub(crate) fn prefix_max(total_max: u32, asked: u32) -> u32 {
    asked.min((total_max / 4).max(1))
}

impl ConnectionLimit {
    /// A limit of `total_max` connections in total, and of `prefix_max` from each /24 (IPv4) or /56
    /// (IPv6), but no more than [`prefix_max`] of the total; from each /48, of
    /// [`CONNECTION_SITE_FACTOR`] times as many, but no more than half of the total.
    pub(crate) fn new(total_max: u32, asked: u32) -> ConnectionLimit {
        let prefix_max = prefix_max(total_max, asked);
        let site_max = prefix_max.saturating_mul(CONNECTION_SITE_FACTOR).min(total_max / 2).max(1);
        ConnectionLimit { total_max, prefix_max, site_max, table: Mutex::default() }
    }

    /// Takes a permit for one more connection of a client, or of a balancer whose client is not yet
    /// known (`None`). With a limit, a connection that was idle for longest gives way.
    pub(crate) fn enter(
        self: &Arc<ConnectionLimit>,
        client: Option<IpAddr>,
    ) -> (ConnectionPermit, Option<Full>) {
        let blocks = client.map_or(Blocks::NONE, Blocks::of);
        let mut table = self.table();
        let displaced = match self.full(&table, blocks) {
            Some(block) => table.revoke_oldest(Some(block)).then_some(Full::Prefix),
            None if table.all.count >= self.total_max => table.revoke_oldest(None).then_some(Full::Total),
            None => None,
        };
        let revoked = Arc::new(Notify::new());
        let place = table.add(blocks, Arc::clone(&revoked));
        (ConnectionPermit { connection_limit: Arc::clone(self), place, revoked }, displaced)
    }

    /// Connections in total.
    pub(crate) fn total_max(&self) -> usize {
        self.total_max as usize
    }

    /// Connections that need not give way.
    pub(crate) fn count(&self) -> usize {
        self.table().all.count as usize
    }

    /// Makes the connection that was idle for longest give way, for want of descriptors; false if
    /// there is none.
    pub(crate) fn make_room(&self) -> bool {
        self.table().revoke_oldest(None)
    }

    /// The block that has as many connections as it may have.
    fn full(&self, table: &Table, blocks: Blocks) -> Option<Prefix> {
        let maxima = [self.prefix_max, self.site_max];
        let full = blocks.iter().zip(maxima).find(|(block, max)| table.counted(*block) >= *max);
        full.map(|(block, _)| block)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Code that holds the lock only counts and links, so the table is consistent even after a
        // panic.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionPermit {
    /// Notes that the connection has just sent a message.
    pub(crate) fn touch(&self) {
        self.connection_limit.table().touch(self.place);
    }

    /// Counts the connection of a balancer for its client too. With a limit of the client's prefix,
    /// another connection of that prefix gives way; returns true if one does.
    pub(crate) fn name(&self, client: IpAddr) -> bool {
        let (limit, blocks) = (&self.connection_limit, Blocks::of(client));
        let mut table = limit.table();
        if !table.places[self.place].is_listed {
            return false;
        }
        table.unlink(self.place);
        let full = limit.full(&table, blocks);
        let is_displaced = full.is_some_and(|block| table.revoke_oldest(Some(block)));
        table.places[self.place].blocks = blocks;
        table.link(self.place);
        is_displaced
    }

    /// Waits until the connection must give way to another.
    pub(crate) async fn revoked(&self) {
        self.revoked.notified().await;
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.connection_limit.table().free(self.place);
    }
}

/// Blocks by which a connection is counted: /24, or /56 and /48.
#[derive(Clone, Copy, Debug)]
struct Blocks {
    prefix: Option<Prefix>,
    site: Option<Prefix>,
}

impl Blocks {
    /// Blocks of a connection that counts in total alone.
    const NONE: Blocks = Blocks { prefix: None, site: None };

    fn of(address: IpAddr) -> Blocks {
        let site = |address: IpAddr| address.is_ipv6().then(|| Prefix::new(address, CONNECTION_SITE_V6));
        Blocks { prefix: Some(Prefix::of_client(address)), site: site(address.to_canonical()) }
    }

    /// The prefix, then the site.
    fn iter(self) -> impl Iterator<Item = Prefix> {
        [self.prefix, self.site].into_iter().flatten()
    }

    /// The orders in which a connection stands, each with the number of its link: that of all
    /// connections (`None`), then those of the blocks.
    fn orders(self) -> impl Iterator<Item = (usize, Option<Prefix>)> {
        iter::once(None).chain(self.iter().map(Some)).enumerate()
    }
}

/// Connections and their orders. Every operation takes the same time, however many connections
/// there are.
#[derive(Debug, Default)]
struct Table {
    all: Order,
    blocks: HashMap<Prefix, Order>,
    places: Vec<PlaceOf>,
    /// Places that no connection has.
    unused: Vec<usize>,
}

/// Connections that are limited together, and need not give way.
#[derive(Debug, Default)]
struct Order {
    count: u32,
    /// Number of connections without a message.
    silent_count: u32,
    /// Queue of connections in the order of their last message, and of those without a message in
    /// the order in which their clients became known.
    queues: [Queue; 2],
}

/// First and last place of a queue.
type Queue = Option<(usize, usize)>;

/// Place of one connection.
#[derive(Debug)]
struct PlaceOf {
    blocks: Blocks,
    revoked: Arc<Notify>,
    /// True while the connection stands in the orders; false once it must give way.
    is_listed: bool,
    /// True until the first message.
    is_silent: bool,
    /// Neighbours in the queue of each order.
    links: [Link; 3],
}

/// Neighbours in a queue: earlier and later.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    before: Option<usize>,
    behind: Option<usize>,
}

impl Order {
    /// Connection that gives way first.
    fn oldest(&self) -> Option<usize> {
        let [active, silent] = self.queues.map(|queue| queue.map(|(first, _)| first));
        if self.silent_count * 4 >= self.count { silent.or(active) } else { active }
    }
}

impl Table {
    fn counted(&self, block: Prefix) -> u32 {
        self.blocks.get(&block).map_or(0, |order| order.count)
    }

    /// Adds a connection without a message.
    fn add(&mut self, blocks: Blocks, revoked: Arc<Notify>) -> usize {
        let new = PlaceOf { blocks, revoked, is_listed: true, is_silent: true, links: Default::default() };
        let place = match self.unused.pop() {
            Some(place) => {
                self.places[place] = new;
                place
            }
            None => {
                self.places.push(new);
                self.places.len() - 1
            }
        };
        self.link(place);
        place
    }

    /// Moves a connection that has sent a message behind all others.
    fn touch(&mut self, place: usize) {
        let is_last = self.all.queues[0].is_some_and(|(_, last)| last == place);
        if self.places[place].is_listed && !is_last {
            self.unlink(place);
            self.places[place].is_silent = false;
            self.link(place);
        }
    }

    /// Makes the connection that was idle for longest give way, of a block or of all: it counts no
    /// longer.
    fn revoke_oldest(&mut self, block: Option<Prefix>) -> bool {
        let order = block.map_or(Some(&self.all), |block| self.blocks.get(&block));
        let Some(oldest) = order.and_then(Order::oldest) else { return false };
        self.unlink(oldest);
        self.places[oldest].is_listed = false;
        self.places[oldest].revoked.notify_one();
        true
    }

    /// Frees the place of a connection that has ended.
    fn free(&mut self, place: usize) {
        if self.places[place].is_listed {
            self.unlink(place);
        }
        self.unused.push(place);
    }

    /// Links a place behind all others of its orders.
    fn link(&mut self, place: usize) {
        let is_silent = self.places[place].is_silent;
        for (number, block) in self.places[place].blocks.orders() {
            let order = match block {
                None => &mut self.all,
                Some(block) => self.blocks.entry(block).or_default(),
            };
            order.count += 1;
            order.silent_count += u32::from(is_silent);
            let queue = &mut order.queues[usize::from(is_silent)];
            let last = queue.map(|(_, last)| last);
            *queue = Some((queue.map_or(place, |(first, _)| first), place));
            self.places[place].links[number] = Link { before: last, behind: None };
            if let Some(last) = last {
                self.places[last].links[number].behind = Some(place);
            }
        }
    }

    /// Takes a place out of its orders.
    fn unlink(&mut self, place: usize) {
        let is_silent = self.places[place].is_silent;
        for (number, block) in self.places[place].blocks.orders() {
            let Link { before, behind } = self.places[place].links[number];
            if let Some(before) = before {
                self.places[before].links[number].behind = behind;
            }
            if let Some(behind) = behind {
                self.places[behind].links[number].before = before;
            }
            let order = match block {
                None => &mut self.all,
                Some(block) => self.blocks.entry(block).or_default(),
            };
            order.count -= 1;
            order.silent_count -= u32::from(is_silent);
            let queue = &mut order.queues[usize::from(is_silent)];
            *queue = queue.and_then(|(first, last)| {
                let first = if first == place { behind } else { Some(first) };
                let last = if last == place { before } else { Some(last) };
                first.zip(last)
            });
            if let Some(block) = block.filter(|_| order.count == 0) {
                self.blocks.remove(&block);
            }
        }
    }
}

#[cfg(test)]
mod tests;
