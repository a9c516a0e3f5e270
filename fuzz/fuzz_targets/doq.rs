//! See `fuzz/src/doq.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| meridian_fuzz::doq::doq(data));
