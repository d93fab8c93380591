//! What a run is told: flags, configuration, workflow, environment.

pub mod config;
pub mod diagnostic;
pub mod template;
