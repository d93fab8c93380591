//! Run it with `scripts/fuzz redaction`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::redaction::body(data));
