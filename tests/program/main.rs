//! The program and its edges: real sockets, signals, files, probes, the control socket.

#[cfg(debug_assertions)] // the hooks that make trouble are not in other builds
mod access;
mod api;
mod chaos;
mod completions;
mod compliance;
mod cookies;
mod databases;
mod diff;
mod doh;
mod doq;
mod dot;
mod explain;
mod health;
mod held;
mod latency;
mod logs;
mod map;
mod metrics;
mod output;
#[cfg(target_os = "linux")]
mod overload;
mod overrides;
mod page;
mod privilege;
mod probes;
mod process;
mod programs;
mod prometheus;
mod proxies;
#[cfg(debug_assertions)] // the hook that makes the program panic is not in other builds
mod quarantine;
mod rate_limit;
mod refused;
mod reload_under_load;
mod restarts;
mod rounds;
mod series;
mod shedding;
#[cfg(target_os = "linux")]
mod socket_affinity;
mod storms;
mod transport;
mod zones;
