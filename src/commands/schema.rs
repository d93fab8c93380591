//! `schema`: what an editor or a program needs to know of a file format.

use crate::cli::Schema;
use crate::inputs::config;
use crate::publish::print;
use crate::report::{rollback, snapshot, v1};

/// Prints a JSON Schema.
pub fn schema(of: Schema) -> u8 {
    let schema = match of {
        Schema::Config => config::schema(),
        Schema::Report => v1::json_schema(),
        Schema::Rollback => rollback::json_schema(),
        Schema::Snapshot => snapshot::json_schema(),
    };
    print(&format!("{schema:#}\n"));
    0
}
