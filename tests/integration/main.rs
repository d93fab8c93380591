//! What users of the crate and of the program see, as far as it needs no server.

mod architecture;
mod cli;
mod config;
mod gather;
mod incident;
mod matrix;
mod support;
