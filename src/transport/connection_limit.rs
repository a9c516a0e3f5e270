//! Limits of TCP connections: in total, and for each client prefix.
//!
//! Past the limit of its prefix, a connection is refused. Past the limit in total, it is admitted,
//! and the connection that was idle for longest gives way (RFC 7766 section 6.2.3). Otherwise the
//! clients of a few prefixes could lock out all others with idle connections.

use crate::geo::prefix::Prefix;
use crate::limits::{CONNECTION_PREFIX_V4, CONNECTION_PREFIX_V6, CONNECTION_SITE_FACTOR, CONNECTION_SITE_V6};
use std::collections::HashMap;
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

/// Refusal of a connection, because its client prefix is at its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PrefixFull;

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

    /// Takes a permit for one more connection from `address`. The flag is true if the connection
    /// that was idle for longest gives way.
    pub(crate) fn enter(
        self: &Arc<ConnectionLimit>,
        address: IpAddr,
    ) -> Result<(ConnectionPermit, bool), PrefixFull> {
        let blocks = Blocks::of(address);
        let mut table = self.table();
        let maxima = [self.prefix_max, self.site_max];
        if blocks.iter().zip(maxima).any(|(block, max)| table.counted(block) >= max) {
            return Err(PrefixFull);
        }
        let has_displaced = table.total >= self.total_max && table.revoke_oldest();
        let revoked = Arc::new(Notify::new());
        let place = table.add(blocks, Arc::clone(&revoked));
        Ok((ConnectionPermit { connection_limit: Arc::clone(self), place, revoked }, has_displaced))
    }

    /// Connections in total.
    pub(crate) fn total_max(&self) -> usize {
        self.total_max as usize
    }

    /// Makes the connection that was idle for longest give way, for want of descriptors; false if
    /// there is none.
    pub(crate) fn make_room(&self) -> bool {
        self.table().revoke_oldest()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Code that holds the lock only counts and links, so the table is consistent even after a
        // panic.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionPermit {
    /// Notes that the connection was just active.
    pub(crate) fn touch(&self) {
        self.connection_limit.table().touch(self.place);
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
    prefix: Prefix,
    site: Option<Prefix>,
}

impl Blocks {
    fn of(address: IpAddr) -> Blocks {
        let address = address.to_canonical();
        match address {
            IpAddr::V4(_) => Blocks { prefix: Prefix::new(address, CONNECTION_PREFIX_V4), site: None },
            IpAddr::V6(_) => Blocks {
                prefix: Prefix::new(address, CONNECTION_PREFIX_V6),
                site: Some(Prefix::new(address, CONNECTION_SITE_V6)),
            },
        }
    }

    /// The prefix, then the site.
    fn iter(&self) -> impl Iterator<Item = Prefix> {
        [Some(self.prefix), self.site].into_iter().flatten()
    }
}

/// Connections in the order of their last activity, and their counts. Every operation takes the
/// same time, however many connections there are.
#[derive(Debug, Default)]
struct Table {
    /// Connections that hold a permit and need not give way.
    total: u32,
    counts: HashMap<Prefix, u32>,
    places: Vec<PlaceOf>,
    /// Places that no connection has.
    unused: Vec<usize>,
    /// The place that was idle for longest, and the one that was active last.
    ends: Option<(usize, usize)>,
}

/// Place of one connection.
#[derive(Debug)]
struct PlaceOf {
    blocks: Blocks,
    revoked: Arc<Notify>,
    /// True while the connection stands in the order; false once it must give way.
    is_listed: bool,
    /// Neighbours in the order: idle for longer, and active later.
    before: Option<usize>,
    behind: Option<usize>,
}

impl Table {
    fn counted(&self, block: Prefix) -> u32 {
        self.counts.get(&block).copied().unwrap_or(0)
    }

    /// Adds a connection as the one that was active last.
    fn add(&mut self, blocks: Blocks, revoked: Arc<Notify>) -> usize {
        for block in blocks.iter() {
            *self.counts.entry(block).or_insert(0) += 1;
        }
        self.total += 1;
        let new = PlaceOf { blocks, revoked, is_listed: true, before: None, behind: None };
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

    /// Moves a connection behind all others.
    fn touch(&mut self, place: usize) {
        if self.places[place].is_listed && self.ends.is_some_and(|(_, last)| last != place) {
            self.unlink(place);
            self.link(place);
        }
    }

    /// Makes the connection that was idle for longest give way: it counts no longer.
    fn revoke_oldest(&mut self) -> bool {
        let Some((oldest, _)) = self.ends else { return false };
        self.leave(oldest);
        self.places[oldest].revoked.notify_one();
        true
    }

    /// Frees the place of a connection that has ended.
    fn free(&mut self, place: usize) {
        if self.places[place].is_listed {
            self.leave(place);
        }
        self.unused.push(place);
    }

    /// Takes a connection out of the order and the counts.
    fn leave(&mut self, place: usize) {
        self.unlink(place);
        self.places[place].is_listed = false;
        self.total -= 1;
        for block in self.places[place].blocks.iter() {
            if let Some(count) = self.counts.get_mut(&block) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&block);
                }
            }
        }
    }

    /// Links a place behind all others.
    fn link(&mut self, place: usize) {
        let last = self.ends.map(|(_, last)| last);
        (self.places[place].before, self.places[place].behind) = (last, None);
        if let Some(last) = last {
            self.places[last].behind = Some(place);
        }
        self.ends = Some((self.ends.map_or(place, |(first, _)| first), place));
    }

    fn unlink(&mut self, place: usize) {
        let (before, behind) = (self.places[place].before, self.places[place].behind);
        if let Some(before) = before {
            self.places[before].behind = behind;
        }
        if let Some(behind) = behind {
            self.places[behind].before = before;
        }
        self.ends = self.ends.and_then(|(first, last)| {
            let first = if first == place { behind } else { Some(first) };
            let last = if last == place { before } else { Some(last) };
            first.zip(last)
        });
    }
}

#[cfg(test)]
mod tests;
