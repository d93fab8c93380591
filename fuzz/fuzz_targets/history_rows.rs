//! Run it with `scripts/fuzz history_rows`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::history_rows::body(data));
