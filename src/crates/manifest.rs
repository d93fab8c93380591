//! What a `Cargo.toml` says, as far as it matters here. Pure: cargo itself is not asked, which may be absent, and has to be
//! on a network for the answer.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::history::Engine;

/// A manifest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest(Table);

/// Where a crate has its build script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Build {
    /// At this path, relative to the crate, if there is such a file.
    At(PathBuf),
    /// It has none: `build = false`.
    None,
}

/// How a crate depends on sqlx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sqlx {
    /// By which name its sources call it.
    pub name: String,
    /// The engines whose features are on.
    pub engines: Vec<Engine>,
}

impl Manifest {
    /// Reads a manifest. What cargo would refuse may be taken, and says nothing then.
    ///
    /// # Errors
    /// It is no TOML; the message is one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let in_a_line = |error: toml::de::Error| error.message().replace('\n', " ");
        toml::from_str(text).map(Self).map_err(in_a_line)
    }

    /// The name of the package, unless there is none.
    pub fn package(&self) -> Option<&str> {
        self.0.get("package")?.get("name")?.as_str()
    }

    /// Whether this is the root of a workspace.
    pub fn is_workspace(&self) -> bool {
        self.0.contains_key("workspace")
    }

    /// The paths and patterns of the members of the workspace, and those that are none of its.
    pub fn members(&self) -> (Vec<&str>, Vec<&str>) {
        let list = |key: &str| {
            let list = self.0.get("workspace").and_then(|workspace| workspace.get(key)).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str).collect()
        };
        (list("members"), list("exclude"))
    }

    /// The folders of the crates that this one takes from a path, relative to it.
    pub fn path_dependencies(&self) -> Vec<&str> {
        let all = self.dependencies().chain(self.tables("dev-dependencies"));
        all.filter_map(|(_, dependency)| dependency.get("path")?.as_str()).collect()
    }

    /// The names of the packages that the crate itself depends on; `workspace` being the root of its workspace.
    pub fn packages(&self, workspace: Option<&Self>) -> BTreeSet<String> {
        self.dependencies().map(|(name, dependency)| package(name, dependency, workspace).to_owned()).collect()
    }

    /// How the crate depends on sqlx; `workspace` being the root of its workspace.
    pub fn sqlx(&self, workspace: Option<&Self>) -> Option<Sqlx> {
        let (name, dependency) =
            self.dependencies().find(|(name, dependency)| package(name, dependency, workspace) == "sqlx")?;
        let shared = inherited(name, dependency, workspace);
        let features = |dependency: &Value| {
            let features = dependency.get("features").and_then(Value::as_array);
            features.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let features: Vec<String> = [Some(dependency), shared].into_iter().flatten().flat_map(features).collect();
        let engines = [("postgres", Engine::Postgres), ("mysql", Engine::MySql), ("sqlite", Engine::Sqlite)];
        let is_on = |(feature, _): &(&str, Engine)| features.iter().any(|on| on == feature);
        let engines = engines.into_iter().filter(is_on).map(|(_, engine)| engine).collect();
        Some(Sqlx { name: name.replace('-', "_"), engines })
    }

    /// Where the build script is.
    pub fn build(&self) -> Build {
        match self.0.get("package").and_then(|package| package.get("build")) {
            Some(Value::Boolean(false)) => Build::None,
            Some(Value::String(path)) => Build::At(path.into()),
            _ => Build::At("build.rs".into()),
        }
    }

    /// The sources that programs and the library begin with, where the manifest names them.
    pub fn targets(&self) -> Vec<&Path> {
        let library = self.0.get("lib").into_iter();
        let programs = self.0.get("bin").and_then(Value::as_array).into_iter().flatten();
        library.chain(programs).filter_map(|target| target.get("path")?.as_str()).map(Path::new).collect()
    }

    /// The dependencies of the crate itself, for any system.
    fn dependencies(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.tables("dependencies")
    }

    fn tables(&self, key: &'static str) -> impl Iterator<Item = (&str, &Value)> {
        let of_systems = self.0.get("target").and_then(Value::as_table).into_iter().flatten();
        let tables = self.0.get(key).into_iter().chain(of_systems.filter_map(move |(_, system)| system.get(key)));
        tables.filter_map(Value::as_table).flatten().map(|(name, dependency)| (name.as_str(), dependency))
    }
}

/// The package that a dependency names.
fn package<'a>(name: &'a str, dependency: &'a Value, workspace: Option<&'a Manifest>) -> &'a str {
    let own = dependency.get("package");
    let package = own.or_else(|| inherited(name, dependency, workspace)?.get("package"));
    package.and_then(Value::as_str).unwrap_or(name)
}

/// What the workspace says of a dependency that is taken from there.
fn inherited<'a>(name: &str, dependency: &Value, workspace: Option<&'a Manifest>) -> Option<&'a Value> {
    dependency.get("workspace").and_then(Value::as_bool).filter(|inherits| *inherits)?;
    workspace?.0.get("workspace")?.get("dependencies")?.get(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlx(crates: &str, workspace: &str) -> Option<(String, Vec<Engine>)> {
        let parse = |text: &str| Manifest::parse(text).unwrap();
        let sqlx = parse(crates).sqlx(Some(&parse(workspace)))?;
        Some((sqlx.name, sqlx.engines))
    }

    #[test]
    fn sqlx_is_found_under_whatever_name_and_wherever_it_is_declared() {
        let found = |name: &str, engines: &[Engine]| Some((name.to_owned(), engines.to_vec()));
        assert_eq!(sqlx("[dependencies]\nsqlx = '0.9'", ""), found("sqlx", &[]));
        let renamed = "[dependencies]\nmy-db = { package = 'sqlx', version = '0.9', features = ['postgres'] }";
        assert_eq!(sqlx(renamed, ""), found("my_db", &[Engine::Postgres]));
        let (inherits, shared) = (
            "[dependencies]\ndb = { workspace = true, features = ['sqlite'] }",
            "[workspace.dependencies]\ndb = { package = 'sqlx', features = ['mysql'] }",
        );
        assert_eq!(sqlx(inherits, shared), found("db", &[Engine::MySql, Engine::Sqlite]));
        assert_eq!(sqlx("[dependencies]\nsqlx.workspace = true", ""), found("sqlx", &[]));
        assert_eq!(sqlx("[target.'cfg(unix)'.dependencies]\nsqlx = '0.9'", ""), found("sqlx", &[]));
        for none in ["", "[dependencies]\nsqlx = { package = 'other' }", "[dev-dependencies]\nsqlx = '0.9'", inherits] {
            assert_eq!(sqlx(none, ""), None, "{none}");
        }
    }

    #[test]
    fn a_build_script_is_where_it_is_by_default_or_where_it_is_said_to_be() {
        let build = |text: &str| Manifest::parse(text).unwrap().build();
        assert_eq!(build("[package]\nname = 'a'"), Build::At("build.rs".into()));
        assert_eq!(build("[package]\nbuild = 'build/main.rs'"), Build::At("build/main.rs".into()));
        assert_eq!(build("[package]\nbuild = true"), Build::At("build.rs".into()));
        assert_eq!(build("[package]\nbuild = false"), Build::None);
    }

    #[test]
    fn odd_manifests_say_nothing() {
        for text in [
            "package = 1",
            "dependencies = []\nbin = {}\ntarget = 'x'",
            "[workspace]\nmembers = 'a'",
            "[target]\na = 1",
        ] {
            let odd = Manifest::parse(text).unwrap();
            assert_eq!((odd.package(), odd.sqlx(Some(&odd)), odd.members()), (None, None, (vec![], vec![])), "{text}");
            assert!(odd.targets().is_empty() && odd.path_dependencies().is_empty() && odd.packages(None).is_empty());
        }
        assert!(Manifest::parse("[package\nname = 'a'").is_err_and(|error| !error.contains('\n')));
    }
}
