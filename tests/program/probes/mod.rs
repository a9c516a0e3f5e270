//! Probes against real sockets on loopback, most of them hostile: each run ends, says the right
//! words, and leaves nothing behind.

mod exchange;
mod feeds;
mod local;
mod refusals;
mod replies;
mod secure;
mod target;
mod web;
mod work;
