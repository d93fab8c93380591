//! What mends it: commands for a shell in the repository's root, and SQL for the row. Both are printed, never run.

use std::fmt::Write;

use crate::explain::cause::short;
use crate::explain::repository::{Place, Repository, name};
use crate::explain::variant::Lines;
use crate::explain::{Subject, shell};
use crate::history::Engine;
use crate::migration::{Checksum, Version};
use crate::table_name;
use crate::target::TargetState;
use crate::text::harmless;

/// Writes the applied bytes to `path`: `git show` gives them as they were committed, whatever a checkout would do.
/// Empty where a name cannot be copied from a screen.
pub fn restore(repository: &Repository, place: &Place, path: &str) -> Vec<String> {
    let commit = short(&repository.index.commits[place.added]);
    let spec = repository.git.spec(&commit, &place.path);
    let command = || Some(format!("git show {}{} > {}", shell::word(&spec)?, place.variant.pipe(), shell::path(path)?));
    let keep = (place.variant.lines == Lines::CrLf).then(|| attribute(path, "-text"));
    let keep = keep.map_or_else(Vec::new, |line| line.into_iter().collect());
    command().map_or_else(Vec::new, |command| [keep, vec![command]].concat())
}

/// Appends a line to `.gitattributes`, whose last one may lack its end.
pub fn attribute(path: &str, attribute: &str) -> Option<String> {
    Some(format!("printf '\\n%s\\n' {} >> .gitattributes", shell::attribute(path, attribute)?))
}

/// Has a file checked out anew, by attributes of its own.
pub fn check_out_with(path: &str, with: &str) -> Vec<String> {
    let commands = || {
        let word = shell::path(path)?;
        let out = format!("rm {word} && git checkout -- {word}");
        Some(vec![attribute(path, with)?, "git add .gitattributes".to_owned(), out])
    };
    commands().unwrap_or_default()
}

/// Gives a file another name, in git too where git knows it.
pub fn rename(repository: &Repository, from: &str, to: &str) -> Vec<String> {
    let program = if repository.at_head(from).is_some() { "git mv" } else { "mv" };
    let command = || Some(format!("{program} {} {}", shell::path(from)?, shell::path(to)?));
    command().into_iter().collect()
}

/// Merges the base.
pub fn merge(base: &str) -> Vec<String> {
    shell::word(base).map(|base| format!("git merge {base}")).into_iter().collect()
}

/// The path of a file once it has a version that nothing of the service has yet.
pub fn renumbered(path: &str, subject: &Subject, states: &[TargetState]) -> Option<String> {
    let same = states.iter().filter(|state| state.target.service == subject.state.target.service);
    let versions = same.flat_map(|state| {
        let rows = state.applied.as_ref().map_or(&[][..], |history| history.rows());
        let files = state.defined.as_ref().map_or(&[][..], |defined| &defined.migrations);
        let merged = state.base.as_ref().map_or(&[][..], |base| &base.tip);
        rows.iter().map(|row| row.version).chain(files.iter().chain(merged).map(|migration| migration.version))
    });
    let next = versions.max()?.0.checked_add(1)?;
    let file = name(path);
    let (prefix, rest) = file.split_once('_')?;
    let width = if prefix.starts_with('0') { prefix.len() } else { 0 };
    Some(format!("{}{next:0width$}_{rest}", &path[..path.len() - file.len()]))
}

/// Gives the row the checksum of the file.
pub fn update_checksum(subject: &Subject, defined: &Checksum) -> Option<String> {
    let row = Row::of(subject)?;
    Some(format!("UPDATE {} SET checksum = {} WHERE {};", row.table, row.bytes(defined), row.is_it(subject)))
}

/// Gives the row the version of the file.
pub fn update_version(subject: &Subject, defined: Version) -> Option<String> {
    let row = Row::of(subject)?;
    Some(format!("UPDATE {} SET version = {defined} WHERE {};", row.table, row.is_it(subject)))
}

/// Takes the row away.
pub fn delete(subject: &Subject) -> Option<String> {
    let row = Row::of(subject)?;
    let mut sql = "-- Forgets a migration that ran: what it changed stays as it is.\n".to_owned();
    write!(sql, "DELETE FROM {} WHERE {};", row.table, row.is_it(subject)).ok()?;
    Some(sql)
}

/// How a row is spoken of in SQL.
struct Row {
    engine: Engine,
    table: String,
}

impl Row {
    fn of(subject: &Subject) -> Option<Self> {
        let target = &subject.state.target;
        let engine = target.database.as_ref().ok()?.engine();
        let of_sqlx_toml = subject.state.defined.as_ref().ok().and_then(|defined| defined.table.as_deref());
        let table = table_name::parse(target.history_table(of_sqlx_toml), engine).ok()?.quoted(engine);
        // What a screen would not show as it is could not be copied from there.
        (harmless(&table) == table).then_some(Self { engine, table })
    }

    fn is_it(&self, subject: &Subject) -> String {
        format!("version = {} AND checksum = {}", subject.version, self.bytes(subject.applied))
    }

    fn bytes(&self, checksum: &Checksum) -> String {
        match self.engine {
            Engine::Postgres => format!("decode('{checksum}', 'hex')"),
            Engine::MySql | Engine::Sqlite => format!("x'{checksum}'"),
        }
    }
}
