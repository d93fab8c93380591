//! One service for each directory of migrations, named after the crate that asks for it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use crate::crates::{Call, Crate, Way};
use crate::history::Engine;
use crate::inputs::survey::Survey;
use crate::inputs::template::{Template, upper_snake};
use crate::text::slashed;

/// Folders whose migrations are for tests.
const OF_TESTS: [&str; 7] = ["tests", "test", "fixtures", "testdata", "examples", "example", "benches"];

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    /// Its name.
    pub name: String,
    /// What else it may be called by a workflow.
    pub aliases: Vec<String>,
    /// Its migrations, relative to the root of the repository, with `/` between its parts.
    pub directory: String,
    /// How many up migrations there are.
    pub count: usize,
    /// The crates that ask for them, where, and whether the migrations become a part of the program.
    pub askers: Vec<(String, String, bool)>,
    /// The crates that depend on those.
    pub dependents: Vec<String>,
    /// The history table that `sqlx.toml` names, and that file.
    pub table: Option<(String, String)>,
    /// Whether it starts though migrations are missing.
    pub ignores_missing: bool,
    /// The engine that it has sqlx for, where it is one.
    pub engine: Option<Engine>,
    /// The crates that embed the directory and do not watch it.
    pub unwatched: Vec<String>,
}

type Askers<'a> = Vec<(&'a Crate, &'a Call)>;

/// The services of a repository, in order of their directories, and what is none, and why.
pub(super) fn of(survey: &Survey) -> (Vec<Service>, Vec<String>) {
    let mut asked: BTreeMap<&Path, Askers> = BTreeMap::new();
    for krate in &survey.found.crates {
        krate.calls.iter().for_each(|call| asked.entry(&call.directory).or_default().push((krate, call)));
    }
    let (mut services, mut passed_over) = (Vec::new(), Vec::new());
    for krate in &survey.found.crates {
        let handed_on =
            |place: &String| format!("a macro of `{}` ({place}) is given the path of migrations", krate.name);
        passed_over.extend(krate.handed_on.iter().map(handed_on));
    }
    for (directory, asks) in &asked {
        let runs: Askers = asks.iter().filter(|(_, call)| call.way != Way::InTests).copied().collect();
        let at = |(krate, call): &(&Crate, &Call)| format!("`{}` ({}:{})", krate.name, call.file, call.line);
        let first = runs.first().or(asks.first()).map(at).unwrap_or_default();
        let shown = slashed(directory);
        match survey.directories.get(*directory) {
            _ if runs.is_empty() => passed_over.push(format!("{first} asks for {shown} in tests only")),
            None => passed_over.push(format!("{first} asks for {shown}, and there is no such directory")),
            Some(_) if !can_be_written(&shown) => passed_over.push(unwritable(&shown)),
            Some(count) => services.push(asked_for(directory, *count, &runs, &survey.found.crates)),
        }
    }
    // Where no program asks for any, those of tests are what `sqlx migrate run` is for.
    let is_alone = services.is_empty();
    let is_asked_for = |path: &Path| {
        asked.get(path).is_some_and(|asks| !is_alone || asks.iter().any(|(_, call)| call.way != Way::InTests))
    };
    for (directory, count) in survey.directories.iter().filter(|(path, _)| !is_asked_for(path)) {
        let shown = slashed(directory);
        if !directory.iter().any(|part| OF_TESTS.iter().any(|name| part == *name)) {
            match can_be_written(&shown) {
                true => services.push(by_itself(directory, *count, survey)),
                false => passed_over.push(unwritable(&shown)),
            }
        }
    }
    services.sort_by(|one, other| one.directory.cmp(&other.directory));
    name_apart(&mut services);
    (services, passed_over)
}

/// Whether the configuration can name a path. Braces in it would be placeholders.
fn can_be_written(path: &str) -> bool {
    Template::parse_path(path).is_ok_and(|template| template.placeholders().next().is_none())
}

fn unwritable(path: &str) -> String {
    format!("{path} is no path that a configuration can name")
}

/// The service of a directory that crates ask for.
fn asked_for(directory: &Path, count: usize, askers: &Askers, crates: &[Crate]) -> Service {
    // The crate that the directory stands in; else the first one.
    let holder = askers.iter().filter(|(krate, _)| directory.starts_with(&krate.folder));
    let holder = holder.max_by_key(|(krate, _)| krate.folder.components().count()).unwrap_or(&askers[0]).0;
    let mut told: Vec<&Crate> = Vec::new();
    let mut places = Vec::new();
    for (krate, call) in askers {
        if !told.iter().any(|other| other.folder == krate.folder) {
            told.push(krate);
            places.push((krate.name.clone(), format!("{}:{}", call.file, call.line), call.way == Way::Embeds));
        }
    }
    let depends = |krate: &&Crate| {
        told.iter().any(|asker| krate.packages.contains(&asker.name))
            && !told.iter().any(|asker| asker.folder == krate.folder)
    };
    let dependents: Vec<&Crate> = crates.iter().filter(depends).collect();
    let starts_without =
        |krate: &&Crate| krate.ignores_missing && krate.calls.iter().all(|call| call.directory == *directory);
    let embeds = |krate: &&&Crate| krate.embeds(directory).next().is_some() && !krate.watches(directory);
    let mut engines: Vec<Engine> = told.iter().chain(&dependents).flat_map(|krate| krate.engines.clone()).collect();
    engines.dedup();
    Service {
        name: holder.name.clone(),
        aliases: [Some(holder.folder.as_path()), directory.parent()]
            .into_iter()
            .flatten()
            .filter_map(|folder| Some(folder.file_name()?.to_str()?.to_owned()))
            .collect(),
        directory: slashed(directory),
        count,
        askers: places,
        table: holder.table.clone().map(|table| (table, slashed(&holder.folder.join("sqlx.toml")))),
        ignores_missing: told.iter().chain(&dependents).copied().any(|krate| starts_without(&krate)),
        engine: <[Engine; 1]>::try_from(engines).ok().map(|[engine]| engine),
        unwatched: told.iter().filter(embeds).map(|krate| krate.name.clone()).collect(),
        dependents: dependents.into_iter().map(|krate| krate.name.clone()).collect(),
    }
}

/// The service of a directory that nothing asks for, named after the folder that it stands in.
fn by_itself(directory: &Path, count: usize, survey: &Survey) -> Service {
    let name = |folder: &Path| Some(folder.file_name()?.to_str()?.to_owned());
    Service {
        name: directory.parent().and_then(name).or_else(|| survey.folder().map(str::to_owned)).unwrap_or("app".into()),
        aliases: Vec::new(),
        directory: slashed(directory),
        count,
        askers: Vec::new(),
        dependents: Vec::new(),
        table: None,
        ignores_missing: false,
        engine: None,
        unwatched: Vec::new(),
    }
}

/// Gives services names that a configuration can have, and that stay apart as part of a secret's name, where `a-b` is
/// `A_B` as `a_b` is: those that are called the same get the name of their folder, else that of the directory behind their
/// own, and a number where that is not enough.
fn name_apart(services: &mut [Service]) {
    for service in services.iter_mut() {
        // cargo would refuse such a name, and nobody has asked cargo.
        service.name = service.name.trim().replace(char::is_control, "-");
        if service.name.is_empty() {
            service.name = "app".to_owned();
        }
    }
    let own: Vec<String> = services.iter().map(|service| service.name.clone()).collect();
    rename(services, |_, service| {
        let folder = Path::new(&service.directory).parent().map(slashed).unwrap_or_default().replace('/', "-");
        if folder.is_empty() { service.name.clone() } else { folder }
    });
    rename(services, |index, service| match Path::new(&service.directory).file_name() {
        Some(directory) => format!("{}-{}", own[index], directory.to_string_lossy()),
        None => service.name.clone(),
    });
    let mut seen: HashMap<String, usize> = HashMap::new();
    rename(services, |_, service| {
        let number = seen.entry(upper_snake(&service.name)).or_default();
        *number += 1;
        format!("{}-{number}", service.name)
    });
}

/// Gives another name to those that cannot be told apart.
fn rename(services: &mut [Service], mut other: impl FnMut(usize, &Service) -> String) {
    let mut times: HashMap<String, usize> = HashMap::new();
    services.iter().for_each(|service| *times.entry(upper_snake(&service.name)).or_default() += 1);
    for (index, service) in services.iter_mut().enumerate() {
        if times[&upper_snake(&service.name)] > 1 {
            service.name = other(index, service);
        }
    }
}
