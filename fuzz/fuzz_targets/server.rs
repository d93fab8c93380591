//! Run it with `scripts/fuzz server`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::server::body(data));
