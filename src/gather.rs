//! The stage that reads both sides of every target.
pub mod directory;
