//! Run it with `scripts/fuzz sources`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::sources::body(data));
