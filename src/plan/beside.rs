//! The targets that a run leaves out, as far as they may share a history table with those that it checks.

use std::collections::HashSet;

use indexmap::IndexSet;

use super::seeds::{self, Seed};
use super::{Variables, target};
use crate::inputs::Inputs;
use crate::source::SourceChoice;
use crate::target::Target;

/// The other services in the environments of `seeds`: those of the filters' `left_out`, and where the run is one leg of a
/// matrix, those of the whole one and of the configuration. They are read as they are checked out, whatever the run
/// checks; one that cannot be planned is none.
pub(super) fn beside(inputs: &Inputs, seeds: &[Seed], left_out: &[Seed], variables: Variables) -> Vec<Target> {
    let is_leg = inputs.matrix.as_ref().is_some_and(|matrix| matrix.is_one_leg);
    let environments: IndexSet<&str> = seeds.iter().map(|seed| seed.environment.as_str()).collect();
    let of_leg = if is_leg { of_leg(inputs, &environments) } else { Vec::new() };
    let mut known: HashSet<(&str, &str)> = seeds.iter().map(name).collect();
    let others = left_out.iter().chain(&of_leg).filter(|seed| environments.contains(seed.environment.as_str()));
    let others: Vec<&Seed> = others.filter(|seed| known.insert(name(seed))).collect();
    if others.is_empty() {
        return Vec::new();
    }
    let checked_out = Inputs { source: SourceChoice::Directory(None), migrations: None, ..inputs.clone() };
    others.into_iter().filter_map(|seed| target(&checked_out, seed, false, variables).ok()).collect()
}

fn name(seed: &Seed) -> (&str, &str) {
    (&seed.service, &seed.environment)
}

fn of_leg(inputs: &Inputs, environments: &IndexSet<&str>) -> Vec<Seed> {
    let whole = inputs.whole.as_ref().and_then(|whole| seeds::of_matrix(inputs, whole).ok());
    let environments: Vec<String> = environments.iter().map(|name| (*name).to_owned()).collect();
    whole.into_iter().flatten().chain(seeds::configured(inputs, &environments)).collect()
}
