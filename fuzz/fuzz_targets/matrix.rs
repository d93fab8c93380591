//! Run it with `scripts/fuzz matrix`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::matrix::body(data));
