//! What users of the crate and of the program see, as far as it needs no server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // clippy.toml allows them in test functions, but not in what these call.

mod action;
mod architecture;
mod artifacts;
#[cfg(feature = "oracles")]
mod binaries;
mod binary;
mod cli;
mod command;
mod config;
mod events;
mod explain;
mod fuzz;
mod gather;
mod github;
mod hostile;
mod image;
mod incident;
mod init;
#[cfg(feature = "oracles")]
mod launcher;
mod markup;
mod matrix;
mod merge;
mod panics;
mod pull_request;
mod restore;
mod revision;
mod rollback;
mod sarif;
mod secrets;
#[path = "../support/mod.rs"]
mod shared;
mod sharing;
mod size;
mod snapshot;
mod sqlite;
mod sqlx_oracle;
mod tenants;
