//! See `fuzz/src/csv.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| meridian_fuzz::csv::csv(data));
