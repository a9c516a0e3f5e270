//! Clients that a change moves, computed before the change is made.
//!
//! A change is a pair of snapshots: the one in service, and the one that an override
//! ([`prediction`]) or other files ([`comparison`]) would publish. Both kinds of change take the
//! same way:
//!
//! ```text
//!                    an override           other files                                  file
//!   policy changes   each policy           names of each policy, by their policy after  names
//!   clients          evenly drawn, few     every leaf of both sides, and cells in it    sample
//!   flows            one for all clients   one for IPv4, one for IPv6                   flow
//!   moves            shares of clients and of counted queries, in all and for each      moves
//!                    policy change
//! ```
//!
//! An override gets few clients, because a person waits for its prediction; it leaves routes and
//! names as they are. Files may change a route of one leaf, so every leaf is asked. Clients are
//! drawn by hashes: two nodes with equal snapshots give equal numbers.
//!
//! [`difference`] compares the same snapshots in words: lines for the values that changed.

pub(crate) mod answered;
pub(crate) mod comparison;
pub(crate) mod countries;
pub(crate) mod difference;
pub(crate) mod flow;
pub(crate) mod moves;
pub(crate) mod names;
pub(crate) mod prediction;
pub(crate) mod resolvers;
mod sample;

pub(crate) use difference::{Difference, difference};
