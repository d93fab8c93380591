//! Which services write to one history table, and what migrations the others have.
//!
//! Named by `history-group`, or found where database and table are surely the same. What it takes of services that are
//! no targets is read in the checkout, and nothing of it becomes a part of the report.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directory;
use super::table::Table;
use crate::group::{Group, Member};
use crate::source::{Defined, Source, SourceError};
use crate::sqlx_toml;
use crate::target::{Target, TargetState};

/// What says that services of one environment write to one table.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Tie {
    Named(String),
    Found(Table),
}

/// Gives every target the group that it is of, where there is another service. `beside` are those which are no targets.
pub fn read(states: &mut [TargetState], beside: &[Target], root: &Path) {
    let mut directories = states.iter().map(|state| &state.target).chain(beside).map(|target| &target.migrations);
    let first = directories.next();
    if directories.all(|directory| Some(directory) == first) {
        return;
    }
    let mut checkout = Checkout::of(states, root);
    let mut grouped: HashMap<Place, Vec<usize>> = HashMap::new();
    let targets: Vec<&Target> = states.iter().map(|state| &state.target).chain(beside).collect();
    let ties: Vec<Ties> =
        (0..).zip(&targets).map(|(index, target)| Ties::of(target, states.get(index), root)).collect();
    for (index, (target, ties)) in targets.iter().zip(&ties).enumerate() {
        ties.places(target).for_each(|place| grouped.entry(place).or_default().push(index));
    }
    let mut groups: HashMap<Vec<usize>, Option<Arc<Group>>> = HashMap::new();
    let mut of_states = Vec::new();
    for (state, ties) in states.iter().zip(&ties) {
        let mut members: Vec<usize> = ties.places(&state.target).flat_map(|place| grouped[&place].clone()).collect();
        members.sort_unstable();
        members.dedup();
        let is_shared = members.iter().any(|index| targets[*index].migrations != state.target.migrations);
        let group = groups.entry(members).or_insert_with_key(|members| {
            is_shared.then(|| {
                let member = |index: &usize| member(states.get(*index), targets[*index], &mut checkout);
                Arc::new(Group::new(members.iter().map(member).collect()))
            })
        });
        of_states.push(group.clone());
    }
    states.iter_mut().zip(of_states).for_each(|(state, group)| state.group = group);
}

/// A service of a group, which is a target if it has a state.
fn member(state: Option<&TargetState>, target: &Target, checkout: &mut Checkout) -> Member {
    let read = state.map(|state| state.defined.clone());
    let checked_out = match state {
        Some(state) if state.target.source == Source::Directory => None,
        _ => Some(checkout.read(&target.migrations)),
    };
    let sides = [read.clone(), checked_out.clone()];
    // Of what was built the checkout is but a second source.
    let is_unread = read.or(checked_out).is_some_and(|side| side.is_err());
    Member {
        service: target.service.clone(),
        migrations: target.migrations.clone(),
        is_named: target.history_group.is_some(),
        defined: sides.into_iter().flatten().filter_map(Result::ok).collect(),
        is_unread,
        start: None,
    }
}

/// One of the ties, in an environment.
type Place = (String, Tie);

/// What ties a service to others.
struct Ties(Vec<Tie>);

impl Ties {
    fn of(target: &Target, state: Option<&TargetState>, root: &Path) -> Self {
        let named = target.history_group.clone().map(Tie::Named);
        Self(named.into_iter().chain(Self::found(target, state, root).into_iter().map(Tie::Found)).collect())
    }

    /// The tables that the target is sure to write to: one, or that of each tenant where these are known.
    fn found(target: &Target, state: Option<&TargetState>, root: &Path) -> Vec<Table> {
        let url = target.database.as_ref().ok().and_then(|database| database.url());
        let Some((url, name)) = url.and_then(|url| Some((url, table(target, state, root)?))) else { return Vec::new() };
        let tenants = state.and_then(|state| state.tenants.as_deref());
        let schemas: Vec<Option<&str>> = match (&target.tenants, tenants) {
            (None, _) => vec![None],
            (Some(_), Some(tenants)) => tenants.names.iter().map(|name| Some(name.as_str())).collect(),
            (Some(_), None) => Vec::new(),
        };
        schemas.into_iter().filter_map(|schema| Table::of(url, &name, schema)).collect()
    }

    fn places<'a>(&'a self, target: &'a Target) -> impl Iterator<Item = Place> + 'a {
        self.0.iter().map(|tie| (target.environment.clone(), tie.clone()))
    }
}

/// The name of its history table: as it was read, else as the checkout has it. None where `sqlx.toml` does not tell.
fn table(target: &Target, state: Option<&TargetState>, root: &Path) -> Option<String> {
    if let Some(table) = &target.table {
        return Some(table.clone());
    }
    if let Some(Ok(defined)) = state.map(|state| &state.defined) {
        return Some(target.history_table(defined.table.as_deref()).to_owned());
    }
    let settings = sqlx_toml::of_migrations(root, &target.migrations).ok()?;
    Some(target.history_table(settings.migrate.table_name.as_deref()).to_owned())
}

/// The migrations directories of the checkout, each read once.
struct Checkout<'a> {
    root: &'a Path,
    read: HashMap<PathBuf, Result<Arc<Defined>, SourceError>>,
}

impl<'a> Checkout<'a> {
    /// With those that are read already.
    fn of(states: &[TargetState], root: &'a Path) -> Self {
        let checked_out = states.iter().filter(|state| state.target.source == Source::Directory);
        let read = checked_out.map(|state| (state.target.migrations.clone(), state.defined.clone())).collect();
        Self { root, read }
    }

    fn read(&mut self, directory: &Path) -> Result<Arc<Defined>, SourceError> {
        let read = || directory::read(self.root, directory).map(Arc::new);
        self.read.entry(directory.to_owned()).or_insert_with(read).clone()
    }
}
