//! Run it with `scripts/fuzz url`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::url::body(data));
