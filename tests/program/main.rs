//! The program and its edges: real sockets, signals, files, probes, the control socket.

mod cookies;
mod databases;
mod diff;
mod health;
mod logs;
mod metrics;
mod overrides;
mod probes;
mod process;
mod programs;
mod refused;
mod reload_under_load;
mod restarts;
mod shedding;
mod storms;
#[path = "../support/mod.rs"]
mod support;
mod transport;
