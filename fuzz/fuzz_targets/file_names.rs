//! Run it with `scripts/fuzz file_names`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::file_names::body(data));
