//! `rules`: the catalogue.

use crate::finding::Rule;
use crate::publish::print;
use crate::render;

/// Prints every rule in a line, or all that there is to say of one.
pub fn rules(rule: Option<Rule>) -> u8 {
    print(&rule.map_or_else(render::rules, render::rule));
    0
}
