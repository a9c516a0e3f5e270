//! See `fuzz/src/rare.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| meridian_fuzz::rare::rare(data));
