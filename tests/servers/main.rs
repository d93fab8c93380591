//! The tests that need real servers. `scripts/test` starts them; without it these tests fail, and are never skipped.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod connecting;
mod proxy;
mod reading;
#[path = "../support/mod.rs"]
mod shared;
mod sqlx_oracle;
mod support;
