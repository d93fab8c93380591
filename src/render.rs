//! The report as text, one function a format. Pure: what is written where is publish's business.

mod human;
mod json;
mod rules;

pub use human::human;
pub use json::{json, json_schema};
pub use rules::{rule, rules};
