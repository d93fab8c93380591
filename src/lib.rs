//! Will this build start against that database?

pub mod compare;
pub mod finding;
pub mod gather;
pub mod history;
pub mod inputs;
pub mod migration;
pub mod render;
pub mod report;
pub mod source;
pub mod startup;
pub mod target;
pub mod yaml;
