//! See `fuzz/src/zone_text.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| meridian_fuzz::zone_text::zone_text(data));
