//! `rollback`: which older commits, tags or images would still start against the databases as they are now.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::Arc;

use super::stages::{gathered, learn, limits, planned};
use crate::cli::{RollbackArgs, RollbackFormat};
use crate::gather::artifact::Knowledge;
use crate::gather::builds::{Builds, BuildsError, Range, Sources};
use crate::github::Destination;
use crate::parallel::in_parts;
use crate::plan::Plan;
use crate::publish::{Progress, print};
use crate::render;
use crate::report::rollback::{Answer, Candidate, Fate, Rollback};
use crate::source::{Build, Defined, Source, SourceError};
use crate::target::TargetState;

/// For fewer that differ no further thread is started.
const FEWEST_JUDGED: usize = 16;

/// Reads the histories once, judges every build against each, and prints what is found.
///
/// # Errors
/// Usage or configuration; or git cannot be asked for the builds.
pub async fn rollback(args: &RollbackArgs) -> anyhow::Result<u8> {
    let (inputs, Plan { targets, .. }) = planned(&args.plan, &Destination::default())?;
    let states = gathered(targets, &inputs.root, limits(args.limits.jobs, args.limits.timeout)).await;
    let (targets, notes) = if args.image.is_empty() {
        of_commits(args, &states, &inputs.root)?
    } else {
        (of_images(args, &states, &inputs.root).await, Vec::new())
    };
    let rollback = Rollback { targets, notes };
    print(&match args.format {
        RollbackFormat::Human => render::rollback(&rollback),
        RollbackFormat::Json => render::rollback_json(&rollback),
    });
    Ok(rollback.exit_code())
}

/// Every target beside commits or tags.
fn of_commits(
    args: &RollbackArgs,
    states: &[TargetState],
    root: &Path,
) -> Result<(Vec<Answer>, Vec<String>), BuildsError> {
    let most = args.last.get();
    let range = match &args.tags {
        Some(pattern) => Range::Tags { pattern, most },
        None => Range::Commits { from: &args.from, most },
    };
    let builds = Builds::find(root, range)?;
    let mut sources: HashMap<&Path, Sources> = HashMap::new();
    let mut answers = Vec::new();
    for state in states {
        let directory = state.target.migrations.as_path();
        if !sources.contains_key(directory) {
            sources.insert(directory, builds.sources(directory)?);
        }
        answers.extend(sources.get(directory).map(|sources| answer(state, &builds, sources)));
    }
    Ok((answers, builds.gap.map(str::to_owned).into_iter().collect()))
}

/// Every target beside images, each of which is read once for a service.
async fn of_images(args: &RollbackArgs, states: &[TargetState], root: &Path) -> Vec<Answer> {
    let knowledge = Knowledge::of(&states.iter().collect::<Vec<_>>(), root, learn()).await;
    let progress = Progress::new(args.image.len() * states.len());
    let mut answers: Vec<Answer> = states.iter().map(Answer::new).collect();
    for location in &args.image {
        let mut read: HashMap<(&str, &Path), Result<Defined, SourceError>> = HashMap::new();
        for (TargetState { target, applied, .. }, answer) in states.iter().zip(&mut answers) {
            let service = (target.service.as_str(), target.migrations.as_path());
            let defined = match read.entry(service) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(knowledge.defined(&Source::Image(location.clone()), target).await),
            };
            progress.tick();
            let build = Build::image(location, defined.as_ref().ok().map(|defined| &defined.origin));
            // The table is the checkout's, which no image names.
            let table = defined.as_ref().ok().and_then(|defined| defined.table.as_deref());
            let fate = Arc::new(Fate::new(defined.as_ref(), (target, applied), table));
            answer.candidates.push(Candidate { build, fate });
        }
    }
    progress.finish();
    answers
}

/// One target beside every build. What builds have in common is judged once.
fn answer(state: &TargetState, builds: &Builds, sources: &Sources) -> Answer {
    let TargetState { target, applied, .. } = state;
    let table = state.defined.as_ref().ok().and_then(|defined| defined.table.as_deref());
    let judge = |group: &usize| Arc::new(Fate::new(sources.defined(*group).as_ref(), (target, applied), table));
    let groups: Vec<usize> = (0..sources.distinct()).collect();
    let fates = in_parts(&groups, FEWEST_JUDGED, |part| part.iter().map(judge).collect::<Vec<_>>()).concat();
    let of_builds = builds.builds.iter().zip(&sources.groups);
    let candidates = of_builds
        .filter_map(|(build, group)| Some(Candidate { build: build.clone(), fate: fates.get(*group)?.clone() }));
    Answer { candidates: candidates.collect(), ..Answer::new(state) }
}
