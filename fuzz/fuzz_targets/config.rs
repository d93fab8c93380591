//! Run it with `scripts/fuzz config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::config::body(data));
