//! The stage that reads both sides of every target.
