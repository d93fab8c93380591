//! The tests that need nothing but this machine.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "../support/mod.rs"]
mod shared;

mod sqlite;
mod sqlx_oracle;
