//! Run it with `scripts/fuzz expression`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::expression::body(data));
