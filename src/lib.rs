//! Meridian: an authoritative DNS server that answers by place, health and load.
//!
//! ```text
//! 5  program   cli  server                       arguments, wiring, signals, drain
//! 4  edges     sys transport probe reload control   sockets, files, clocks, threads
//! --------------------------------------- below: no I/O, no clock, no dice, no lock
//! 3  core      answer  snapshot  shared          the pure function; the immutable thing it reads
//! 2  words     config                            text -> checked values, or findings
//! 1  facts     geo  zone  steer  health
//! 0  ground    wire  finding  limits
//! ```
//!
//! A lower floor never imports a higher one; a test keeps that. ARCHITECTURE.md tells the rest.

#[cfg(all(not(target_os = "linux"), not(feature = "portable")))]
compile_error!("the fast engine needs Linux: build with the feature `portable`");

pub mod answer;
pub mod cli;
pub mod config;
pub mod control;
pub mod finding;
pub mod geo;
pub mod health;
pub mod limits;
pub mod probe;
pub mod reload;
pub mod rfc3339;
pub mod server;
pub mod shared;
pub mod snapshot;
pub mod state;
pub mod steer;
pub mod sys;
pub mod transport;
pub mod wire;
pub mod zone;
