//! Run it with `scripts/fuzz table_name`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::table_name::body(data));
