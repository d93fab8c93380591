//! What users of the crate and of the program see.

mod architecture;
mod cli;
mod config;
mod support;
