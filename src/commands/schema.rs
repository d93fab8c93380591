//! `schema`: what an editor needs to know of the configuration file.

use crate::inputs::config;
use crate::publish::print;

/// Prints the JSON Schema of the configuration file.
pub fn schema() -> u8 {
    print(&format!("{:#}\n", config::schema()));
    0
}
