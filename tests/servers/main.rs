//! The tests that need a server; `scripts/test` starts it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "../support/mod.rs"]
mod support;

mod sqlx_oracle;
