//! Run it with `scripts/fuzz workflow`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::workflow::body(data));
