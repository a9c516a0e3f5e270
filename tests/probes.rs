//! Probes against real sockets on loopback, most of them hostile: each run ends, says the right
//! words, and leaves nothing behind.

#[path = "probes/exchange.rs"]
mod exchange;
#[path = "probes/feeds.rs"]
mod feeds;
#[path = "probes/local.rs"]
mod local;
#[path = "probes/secure.rs"]
mod secure;
#[path = "probes/target.rs"]
mod target;
#[path = "probes/web.rs"]
mod web;
#[path = "probes/work.rs"]
mod work;
