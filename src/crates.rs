//! The crates of a repository, as far as they have to do with migrations: which of them call `migrate!()`, for which
//! directory, and whether cargo compiles them again when a file is added there.
//!
//! Manifests and sources are read and nothing is run: cargo may be absent, and has to be on a network to resolve anything.
//! What cannot be read is passed over, and told of by [`Found`]. Never reads a migration.

pub mod build_script;
pub mod calls;
mod embedders;
mod files;
mod manifest;
mod path;
pub mod rust;
mod workspace;

pub use embedders::Embedders;
pub use path::relative;
pub use workspace::is_passed_by;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::history::Engine;
use crate::sqlx_toml;
use crate::text::slashed;
use manifest::{Build, Manifest};

/// How deep below the root a crate may stand.
const DEPTH: usize = 8;

/// A crate that depends on sqlx, or could be depended on by one that does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crate {
    /// The name of its package.
    pub name: String,
    /// Where its `Cargo.toml` stands, relative to the root of the repository.
    pub folder: PathBuf,
    /// The packages that it depends on.
    pub packages: BTreeSet<String>,
    /// The engines that it has sqlx for.
    pub engines: Vec<Engine>,
    /// Where it asks for migrations.
    pub calls: Vec<Call>,
    /// Where a macro of its own calls `migrate!()` with a path that it is given, as `file:line`.
    pub handed_on: Vec<String>,
    /// Whether it calls `set_ignore_missing(true)`.
    pub ignores_missing: bool,
    /// `table-name` of its `sqlx.toml`.
    pub table: Option<String>,
    /// Its build script, relative to the root of the repository, and the text of that.
    script: Option<(PathBuf, String)>,
}

/// Where a crate asks for migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// For those of this directory, relative to the root of the repository.
    pub directory: PathBuf,
    /// In which file, relative to the root of the repository, with `/` between its parts.
    pub file: String,
    /// In which line.
    pub line: u32,
    /// In which way.
    pub way: Way,
}

/// In which way a crate asks for migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `migrate!()`: they become a part of the program.
    Embeds,
    /// `Migrator::new`: the program reads them when it starts.
    Reads,
    /// Either, in what only a test or an example has.
    InTests,
}

/// What a walk through a repository finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Every crate, in order of their folders.
    pub crates: Vec<Crate>,
    /// The files that could not be read, and why.
    pub unread: Vec<(String, String)>,
}

impl Crate {
    /// The calls of `migrate!()` for a directory.
    pub fn embeds<'a>(&'a self, directory: &'a Path) -> impl Iterator<Item = &'a Call> {
        self.calls.iter().filter(move |call| call.way == Way::Embeds && call.directory == directory)
    }

    /// Whether cargo compiles the crate again when a file is added to a directory that it embeds.
    pub fn watches(&self, directory: &Path) -> bool {
        let watches = |(_, text): &(PathBuf, String)| build_script::watches(text, &self.folder, directory);
        self.script.as_ref().is_some_and(watches)
    }

    /// The build script, relative to the root of the repository, with `/` between its parts.
    pub fn script(&self) -> Option<String> {
        self.script.as_ref().map(|(path, _)| slashed(path))
    }
}

/// Every crate below `root`, whichever workspaces they belong to.
pub fn every_crate(root: &Path) -> Found {
    let tree = WalkDir::new(root).max_depth(DEPTH).sort_by_file_name().into_iter();
    let entries = tree.filter_entry(|entry| entry.depth() == 0 || !is_passed_by(&entry.file_name().to_string_lossy()));
    let is_manifest = |entry: &walkdir::DirEntry| entry.file_name() == sqlx_toml::MANIFEST;
    let (mut manifests, mut found) = (BTreeMap::new(), Found::default());
    for entry in entries.filter_map(Result::ok).filter(is_manifest) {
        let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let read = files::text(entry.path()).map_err(|error| error.to_string());
        match read.and_then(|text| Manifest::parse(&text)) {
            Ok(manifest) => drop(manifests.insert(path.parent().unwrap_or(Path::new("")).to_owned(), manifest)),
            Err(why) => found.unread.push((slashed(path), why)),
        }
    }
    for (folder, manifest) in &manifests {
        let is_workspace = |folder: &Path| manifests.get(folder).is_some_and(Manifest::is_workspace);
        let workspace = workspace::nearest(folder, is_workspace).and_then(|folder| manifests.get(&folder));
        found.crates.extend(read(root, folder, manifest, workspace, &OF_TESTS));
    }
    found
}

/// Reads the crate at `folder`, and as its tests what is in folders of it called so; `workspace` being the root of its
/// workspace. Nothing where there is no package.
fn read(
    root: &Path,
    folder: &Path,
    manifest: &Manifest,
    workspace: Option<&Manifest>,
    tests: &[&str],
) -> Option<Crate> {
    let name = manifest.package()?.to_owned();
    let mut krate =
        Crate { name, folder: folder.to_owned(), packages: manifest.packages(workspace), ..Crate::default() };
    let Some(sqlx) = manifest.sqlx(workspace) else { return Some(krate) };
    krate.engines = sqlx.engines;
    // A `sqlx.toml` that sqlx would refuse is reported when the directory is read.
    let settings = sqlx_toml::of_crate(root, folder).unwrap_or_default().migrate;
    krate.table = settings.table_name.as_deref().map(str::to_owned);
    let default = settings.migrations_dir.as_deref().unwrap_or("migrations");
    if let Build::At(path) = manifest.build()
        && let Some(path) = path::joined(folder, path)
        && let Ok(text) = files::text(&root.join(&path))
    {
        krate.script = Some((path, text));
    }
    let within = |places: Vec<PathBuf>| places.iter().map(|place| root.join(place)).collect::<Vec<_>>();
    krate.add(root, &within(places(folder, manifest)), (&sqlx.name, default), false);
    let tests = tests.iter().filter_map(|name| path::joined(folder, name)).collect();
    krate.add(root, &within(tests), (&sqlx.name, default), true);
    Some(krate)
}

/// Folders of a crate in which cargo looks for what is no part of its programs.
const OF_TESTS: [&str; 3] = ["tests", "benches", "examples"];

/// Where the programs and the library of the crate at `folder` have their sources: in `src`, and where the manifest says
/// with all that stands beside it, which are its modules. In the folder of the crate there is too much else.
fn places(folder: &Path, manifest: &Manifest) -> Vec<PathBuf> {
    let targets = manifest.targets().into_iter().filter_map(|path| path::joined(folder, path)).map(|target| {
        let beside = target.parent().filter(|beside| *beside != folder && beside.starts_with(folder));
        let is_shared = |beside: &&Path| OF_TESTS.iter().any(|name| beside.starts_with(folder.join(name)));
        beside.filter(|beside| !is_shared(beside)).map(Path::to_owned).unwrap_or(target)
    });
    let all: BTreeSet<PathBuf> = targets.chain([folder.join("src")]).collect();
    let is_within = |place: &&PathBuf| place.ancestors().skip(1).any(|above| all.contains(above));
    all.iter().filter(|place| !is_within(place)).cloned().collect()
}

impl Crate {
    /// Adds what the sources below some places ask for. sqlx is called, and the directory by default is, as `names` says.
    fn add(&mut self, root: &Path, places: &[PathBuf], (sqlx, default): (&str, &str), are_tests: bool) {
        let mut tests = BTreeSet::new();
        let mut said = Vec::new();
        for (path, text) in files::sources(places) {
            if !calls::may_say(&text) {
                continue;
            }
            let says = calls::read(&text, sqlx);
            let folder = of_modules(&path);
            tests.extend(says.test_modules.iter().map(|name| folder.join(name)));
            said.push((path, says));
        }
        for (path, says) in said {
            // `tests.rs` and all of `tests/`.
            let in_tests = are_tests || path.with_extension("").ancestors().any(|above| tests.contains(above));
            self.ignores_missing |= says.ignores_missing && !in_tests;
            let file = slashed(path.strip_prefix(root).unwrap_or(&path));
            self.handed_on.extend(says.handed_on.iter().filter(|_| !in_tests).map(|line| format!("{file}:{line}")));
            for call in says.calls {
                let way = match call {
                    _ if in_tests || call.in_tests => Way::InTests,
                    _ if call.is_embedding => Way::Embeds,
                    _ => Way::Reads,
                };
                let asked = call.path.as_deref().unwrap_or(default);
                let directory =
                    if call.is_embedding { path::joined(&self.folder, asked) } else { self.at_runtime(root, asked) };
                self.calls.extend(directory.map(|directory| Call {
                    directory,
                    file: file.clone(),
                    line: call.line,
                    way,
                }));
            }
        }
    }

    /// The directory that a program finds at `path`: one is in the folder of the crate when it starts, or in the root.
    fn at_runtime(&self, root: &Path, path: &str) -> Option<PathBuf> {
        let places = [self.folder.as_path(), Path::new("")].into_iter().filter_map(|folder| path::joined(folder, path));
        places.into_iter().find(|directory| root.join(directory).is_dir())
    }
}

/// The folder that the modules of a source stand in, as files of their own.
fn of_modules(source: &Path) -> PathBuf {
    let is_root = source.file_stem().is_some_and(|stem| stem == "lib" || stem == "main" || stem == "mod");
    if is_root { source.parent().unwrap_or(source).to_owned() } else { source.with_extension("") }
}

#[cfg(test)]
mod tests;
