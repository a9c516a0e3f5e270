//! The laws of the server, each with a test that fails without it. ARCHITECTURE.md states them.

mod difference;
mod digests;
mod generator;
mod golden;
mod latency;
mod moves;
mod oracle;
mod planned;
mod rare;
mod reply;
mod reuse;
mod scope;
mod served;
mod shared_routes;
mod sharing;
mod snapshot;
mod way_back;
