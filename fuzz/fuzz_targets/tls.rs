//! See `fuzz/src/tls.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| meridian_fuzz::tls::tls(data));
