//! What users of the crate and of the program see.

mod config;
