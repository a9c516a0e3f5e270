//! Fuzz targets: each takes any octets and panics if something that must hold does not.
//!
//! They are reached in two ways: by cargo-fuzz from `fuzz/fuzz_targets`, guided by coverage, and by
//! `tests/fuzzing/main.rs` on the stable compiler, from fixed seeds and by mutation of sound
//! inputs.

pub mod cost;
pub mod csv;
pub mod doq;
pub mod feed;
pub mod http;
pub mod lanes;
pub mod mmdb;
pub mod packet;
pub mod probe;
pub mod proxy;
pub mod rare;
pub mod rdata;
pub mod sample;
pub mod state;
pub mod stream;
pub mod tls;
pub mod tsig;
pub mod yaml;
pub mod zone_text;
