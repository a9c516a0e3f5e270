//! Access lists: clients that are refused or get no answer, by the prefix of their source address.
//! The longest prefix that contains an address decides; an address in no list is allowed.
//!
//! A verdict reads nothing but its arguments, so that `explain` gives the verdict of the server.
//! Over UDP a source address can be forged, so `allow` proves nothing about a sender.

use crate::geo::layered::disjoint;
use crate::geo::prefix::Prefix;
use crate::geo::trie::{AddressBits, AddressTable, ValueBlock};
use std::net::IpAddr;

closed_set! {
    /// Treatment of the messages of a client. Its word is the key of its list.
    pub(crate) enum Action {
        /// REFUSED, without a look at the zones.
        Refuse = "refuse",
        /// No reply, and no connection.
        Drop = "drop",
        /// The answer.
        Allow = "allow",
    }
}

/// Verdict about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Treatment.
    pub(crate) action: Action,
    /// Prefix that decided; `None` for an address in no list.
    pub(crate) prefix: Option<Prefix>,
}

/// Value in the tables for an address in no list.
const UNLISTED: u32 = 0;

/// Compiled lists.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Access {
    /// Prefixes with their treatments, sorted. Their numbers in the tables begin at 1.
    entries: Box<[(Prefix, Action)]>,
    v4: AddressTable<u32>,
    v6: AddressTable<u128>,
}

impl Access {
    /// Compiles lists in which each prefix stands once. `None` if they would be cut into too many
    /// parts ([`crate::geo::layered::TOO_MANY_LEAVES`]).
    pub(crate) fn new(mut entries: Vec<(Prefix, Action)>) -> Option<Access> {
        entries.sort_by_key(|(prefix, _)| *prefix);
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (number, (prefix, _)) in (UNLISTED + 1..).zip(&entries) {
            match *prefix {
                Prefix::V4 { bits, len } => v4.push((bits, len, Some(number))),
                Prefix::V6 { bits, len } => v6.push((bits, len, Some(number))),
            }
        }
        Some(Access { v4: table(v4)?, v6: table(v6)?, entries: entries.into() })
    }

    /// The lists: prefixes with their treatments, sorted.
    pub(crate) fn entries(&self) -> &[(Prefix, Action)] {
        &self.entries
    }

    /// Verdict about a source address.
    pub(crate) fn verdict(&self, address: IpAddr) -> Verdict {
        let number = match address.to_canonical() {
            IpAddr::V4(address) => self.v4.lookup(address.to_bits()).0,
            IpAddr::V6(address) => self.v6.lookup(address.to_bits()).0,
        };
        let entry = number.checked_sub(UNLISTED + 1).and_then(|index| self.entries.get(index as usize));
        match entry {
            Some(&(prefix, action)) => Verdict { action, prefix: Some(prefix) },
            None => Verdict { action: Action::Allow, prefix: None },
        }
    }
}

/// Table of one family, with [`UNLISTED`] wherever no prefix is.
fn table<K: AddressBits>(mut layers: Vec<(K, u8, Option<u32>)>) -> Option<AddressTable<K>> {
    if !layers.iter().any(|(_, len, _)| *len == 0) {
        layers.push((K::ZERO, 0, Some(UNLISTED)));
    }
    let block = |(start, len, value)| ValueBlock { start, len, value };
    Some(AddressTable::new(&disjoint(layers)?.into_iter().map(block).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests;
