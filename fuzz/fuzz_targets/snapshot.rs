//! Run it with `scripts/fuzz snapshot`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::snapshot::body(data));
