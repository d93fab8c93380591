//! What the fuzz targets do with their input, each a function of bytes that panics when a promise is broken.
//!
//! cargo-fuzz calls the bodies through `fuzz_targets/`, and the ordinary test suite includes this very file
//! (`tests/integration/fuzz.rs`), so that the corpus and some mutations of it run on a stable toolchain as well.
//! The bodies know the program by its public functions only, and none of them leaves this machine.

pub mod config;
pub mod expression;
pub mod file_names;
pub mod history_rows;
pub mod matrix;
pub mod redaction;
pub mod server;
mod shown;
pub mod snapshot;
pub mod sources;
pub mod sqlx_toml;
pub mod table_name;
pub mod template;
pub mod url;
pub mod workflow;

/// What a target does with the bytes that it is given.
pub type Body = fn(&[u8]);

/// Every target by name: that of its file in `fuzz_targets/` and of its folder in `corpus/`.
pub const TARGETS: [(&str, Body); 14] = [
    ("config", config::body),
    ("expression", expression::body),
    ("file_names", file_names::body),
    ("history_rows", history_rows::body),
    ("matrix", matrix::body),
    ("redaction", redaction::body),
    ("server", server::body),
    ("snapshot", snapshot::body),
    ("sources", sources::body),
    ("sqlx_toml", sqlx_toml::body),
    ("table_name", table_name::body),
    ("template", template::body),
    ("url", url::body),
    ("workflow", workflow::body),
];
