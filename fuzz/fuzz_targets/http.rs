//! See `fuzz/src/http.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| meridian_fuzz::http::http(data));
