//! What a run is told: flags, configuration, workflow, environment.
