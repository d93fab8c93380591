//! Run it with `scripts/fuzz template`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::template::body(data));
