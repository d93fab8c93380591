//! `rollback`: which older commits, tags or images would still start against the databases as they are now.

use std::collections::HashMap;
use std::path::Path;

use super::stages::planned;
use crate::cli::{RollbackArgs, RollbackFormat};
use crate::gather::builds::{Builds, Range, Sources};
use crate::gather::{self, Limits};
use crate::github::Destination;
use crate::plan::Plan;
use crate::publish::{Progress, print};
use crate::render;
use crate::report::rollback::{Answer, Candidate, Rollback};
use crate::target::TargetState;

/// Reads the histories once, judges every build against each, and prints what is found.
///
/// # Errors
/// Usage or configuration; or git cannot be asked for the builds.
pub async fn rollback(args: &RollbackArgs) -> anyhow::Result<u8> {
    let (inputs, Plan { targets, .. }) = planned(&args.plan, &Destination::default())?;
    let progress = Progress::new(targets.len());
    let limits = Limits { jobs: args.jobs.get(), timeout: args.timeout };
    let states = gather::gather(targets, &inputs.root, limits, &|| progress.tick()).await;
    progress.finish();
    let most = args.last.get();
    let range = match &args.tags {
        Some(pattern) => Range::Tags { pattern, most },
        None => Range::Commits { from: &args.from, most },
    };
    let builds = Builds::find(&inputs.root, range)?;
    let mut sources: HashMap<&Path, Sources> = HashMap::new();
    let mut targets = Vec::new();
    for state in &states {
        let directory = state.target.migrations.as_path();
        if !sources.contains_key(directory) {
            sources.insert(directory, builds.sources(directory)?);
        }
        targets.extend(sources.get(directory).map(|sources| answer(state, &builds, sources)));
    }
    let rollback = Rollback { targets, notes: builds.gap.map(str::to_owned).into_iter().collect() };
    print(&match args.format {
        RollbackFormat::Human => render::rollback(&rollback),
        RollbackFormat::Json => render::rollback_json(&rollback),
    });
    Ok(rollback.exit_code())
}

/// One target beside every build. What builds have in common is judged once.
fn answer(state: &TargetState, builds: &Builds, sources: &Sources) -> Answer {
    let TargetState { target, applied, .. } = state;
    let table = state.defined.as_ref().ok().and_then(|defined| defined.table.as_deref());
    let mut answer = Answer::new(target, applied);
    let mut judged: HashMap<usize, Candidate> = HashMap::new();
    for (build, group) in builds.builds.iter().zip(&sources.groups) {
        let known = judged.entry(*group).or_insert_with(|| {
            let defined = sources.defined(*group);
            Candidate::new(build.clone(), defined.as_ref(), (target, applied), table)
        });
        answer.candidates.push(Candidate { build: build.clone(), ..known.clone() });
    }
    answer
}
