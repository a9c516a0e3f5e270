//! Limits of TCP connections: in total, and for each client prefix.

use crate::geo::prefix::Prefix;
use crate::limits::{CONNECTION_PREFIX_V4, CONNECTION_PREFIX_V6};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts connections and refuses those past a limit.
#[derive(Debug)]
pub(crate) struct ConnectionLimit {
    total_max: u32,
    prefix_max: u32,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: u32,
    prefixes: HashMap<Prefix, u32>,
}

/// Reason for the refusal of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitReached {
    /// The total is at its limit.
    Total,
    /// The client prefix is at its limit.
    Prefix,
}

/// Permit for one connection; released on drop.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    connection_limit: Arc<ConnectionLimit>,
    prefix: Prefix,
}

impl ConnectionLimit {
    /// A limit of `total_max` connections in total, and of `prefix_max` from each /24 (IPv4) or /56
    /// (IPv6).
    pub(crate) fn new(total_max: u32, prefix_max: u32) -> ConnectionLimit {
        ConnectionLimit { total_max, prefix_max, counts: Mutex::default() }
    }

    /// Takes a permit for one more connection from `address`.
    pub(crate) fn enter(
        self: &Arc<ConnectionLimit>,
        address: IpAddr,
    ) -> Result<ConnectionPermit, LimitReached> {
        let address = address.to_canonical();
        let prefix =
            Prefix::new(address, if address.is_ipv4() { CONNECTION_PREFIX_V4 } else { CONNECTION_PREFIX_V6 });
        let mut counts = self.counts();
        if counts.total >= self.total_max {
            return Err(LimitReached::Total);
        }
        let here = counts.prefixes.get(&prefix).copied().unwrap_or(0);
        if here >= self.prefix_max {
            return Err(LimitReached::Prefix);
        }
        counts.prefixes.insert(prefix, here + 1);
        counts.total += 1;
        Ok(ConnectionPermit { connection_limit: Arc::clone(self), prefix })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Code that holds the lock only counts, so the counts are consistent even after a panic.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut counts = self.connection_limit.counts();
        counts.total -= 1;
        if let Some(here) = counts.prefixes.get_mut(&self.prefix) {
            *here -= 1;
            if *here == 0 {
                counts.prefixes.remove(&self.prefix);
            }
        }
    }
}

#[cfg(test)]
mod tests;
