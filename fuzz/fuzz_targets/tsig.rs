//! See `fuzz/src/tsig.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| meridian_fuzz::tsig::tsig(data));
