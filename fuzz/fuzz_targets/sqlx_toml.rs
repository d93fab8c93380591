//! Run it with `scripts/fuzz sqlx_toml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| migration_preflight_fuzz::sqlx_toml::body(data));
