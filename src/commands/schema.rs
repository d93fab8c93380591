//! `schema`: what an editor or a program needs to know of a file format.

use crate::cli::Schema;
use crate::inputs::config;
use crate::publish::print;
use crate::render;

/// Prints a JSON Schema.
pub fn schema(of: Schema) -> u8 {
    let schema = match of {
        Schema::Config => config::schema(),
        Schema::Report => render::json_schema(),
    };
    print(&format!("{schema:#}\n"));
    0
}
