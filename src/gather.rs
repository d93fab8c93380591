//! The stage that reads both sides of every target.

pub mod database;
pub mod directory;
mod postgres;
pub mod redact;
mod sqlite;
pub mod table_name;
