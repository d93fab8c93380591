//! The tests that need real servers. `scripts/test` starts them; without it these tests fail, and are never skipped.
#![allow(clippy::unwrap_used, clippy::panic)] // clippy.toml allows them in test functions, but not in what these call.

mod command;
mod connecting;
mod faults;
mod mysql;
mod proxy;
mod reading;
mod repairing;
mod roles;
#[cfg(feature = "oracles")]
mod runner;
#[path = "../support/mod.rs"]
mod shared;
mod sharing;
mod snapshot;
mod sqlx_oracle;
mod support;
mod tenants;
