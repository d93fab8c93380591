//! What a run is told: flags, configuration, workflow, environment.

pub mod matrix;
pub mod workflow;
