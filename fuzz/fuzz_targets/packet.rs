//! See `fuzz/src/packet.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| meridian_fuzz::packet::packet(data));
