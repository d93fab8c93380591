//! The tests that need nothing but this machine.
#![allow(clippy::unwrap_used, clippy::panic)] // clippy.toml allows them in test functions, but not in what these call.

#[path = "../support/mod.rs"]
mod shared;
mod sqlite;
mod sqlx_oracle;
