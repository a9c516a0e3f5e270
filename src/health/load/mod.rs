//! Load: utilisation of PoPs, and the cells that overloaded PoPs shed.
//!
//! ```text
//!           poll_due                 handle_reading
//!  [`LoadController`] ─▶ probe/ (feeds) ──────────────▶ smoothed ──▶ [`shed`]: share that leaves,
//!     ▲ [`feeds`], made of [`spec`]s                                 │     a slow integral
//!     │                                                              ▼
//!     └── handle_push                    [`headroom`]: PoPs that take them ──▶ [`quantize`]: steps
//!                                                                  of 1/256 for the status
//! ```
//!
//! The signal lags: a feed is read every 15 s, and resolvers cache answers for a TTL. A rule that
//! switches by thresholds never settles on such a signal, so this one changes gradually; see
//! [`shed`].

pub(crate) mod controller;
pub(crate) mod event;
pub(crate) mod feeds;
pub(crate) mod headroom;
mod quantize;
pub(crate) mod report;
pub(crate) mod saved;
pub(crate) mod shed;
pub(crate) mod spec;

pub use controller::{DueFeed, FeedTicket, LoadController, ShedRow};

#[cfg(test)]
mod tests;
