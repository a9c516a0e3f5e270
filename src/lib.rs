//! Meridian: an authoritative DNS server that answers by place, health and load.
//!
//! ```text
//! 5  program   cli  server                          arguments, wiring, signals, drain
//! 4  edges     sys  state  transport  probe  reload  control   sockets, files, clocks, threads
//! ------------------------------------------------  below: no I/O, no clock, no dice, no lock
//! 3  core      answer  snapshot  impact  picture  shared  live  explain   pure function of a query; its tables
//! 2  words     config                               text -> checked values, or findings
//! 1  facts     zone  steer  health  latency  geo  tls  admin   facts about names, places and PoPs
//! 0  ground    wire  finding  budget  rfc3339  limits  closed_set   octets, faults, dates, bounds
//! ```
//!
//! A lower floor never imports a higher one, and a test checks it. ARCHITECTURE.md explains the
//! floors.

#![warn(unreachable_pub)]

#[cfg(all(not(target_os = "linux"), not(feature = "portable")))]
compile_error!("the fast engine needs Linux: build with the feature `portable`");

#[macro_use]
mod closed_set;

mod access;
mod admin;
mod answer;
mod budget;
mod cli;
mod config;
mod control;
mod explain;
mod finding;
mod geo;
mod health;
mod impact;
#[cfg_attr(not(feature = "geoip-build"), allow(dead_code, reason = "only the maker of maps uses it"))]
mod latency;
mod limits;
mod live;
mod overload;
mod picture;
mod probe;
mod proxies;
mod reload;
mod rfc3339;
mod rrl;
mod server;
mod shared;
mod snapshot;
mod state;
mod steer;
mod sys;
mod tls;
mod transport;
mod wire;
mod zone;

#[doc(hidden)]
pub mod testing;

pub use cli::main;
pub use sys::memory::{Allocator, keep_large_apart};
