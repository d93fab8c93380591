//! What mends it: steps, which are printed as commands for a shell in the repository's root and which `restore` takes
//! itself, and SQL for the row, which is printed and never run.

use crate::explain::repository::{Place, Repository, folder, name, short, version};
use crate::explain::{Subject, shell};
use crate::history::Engine;
use crate::migration::{Checksum, Version};
use crate::table_name::{self, TableName};
use crate::target::TargetState;
use crate::text::harmless;

const ATTRIBUTES: &str = ".gitattributes";

/// One thing to do so that a row and its file fit. A command of a shell is one rendering of it, `restore` is the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The applied bytes are written to a file.
    Write {
        /// The bytes.
        content: Content,
        /// The file.
        path: String,
    },
    /// A file gets another name.
    Rename {
        /// The name that it has.
        from: String,
        /// The name that it gets.
        to: String,
        /// Whether the last commit has the file.
        is_tracked: bool,
        /// The bytes that it has to have under the new name, where it is the one that was applied.
        content: Option<Content>,
    },
    /// A line is appended to a `.gitattributes`.
    Attribute {
        /// That file.
        file: String,
        /// The line; none where a file's name does not fit into one.
        line: Option<String>,
    },
    /// git checks a file out anew, by attributes that were just appended: it then has the applied bytes.
    CheckOut {
        /// The bytes that it then has.
        content: Content,
        /// The file.
        path: String,
        /// The `.gitattributes`.
        attributes: String,
    },
    /// A change that nobody committed is put aside.
    Stash {
        /// The file that was changed.
        path: String,
    },
    /// The base is merged, which has the applied bytes.
    Merge {
        /// The name of the base.
        base: String,
        /// The bytes.
        content: Content,
        /// The file that has them then.
        path: String,
    },
    /// What a clone has left behind is fetched.
    Fetch {
        /// The command that does it.
        command: &'static str,
    },
}

/// The applied bytes, and where git has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The content that they are made of, and how.
    pub place: Place,
    /// How git calls it: `COMMIT:PATH`.
    pub spec: String,
}

/// Fetches what a clone has left behind.
pub fn fetch(command: &'static str) -> Vec<Step> {
    vec![Step::Fetch { command }]
}

impl Step {
    /// The commands of a shell that do it; none where a name cannot be copied from a screen.
    fn commands(&self) -> Option<Vec<String>> {
        let command = match self {
            Self::Write { content, path } => content.written_to(path)?,
            Self::Rename { from, to, is_tracked, .. } => {
                let program = if *is_tracked { "git mv" } else { "mv" };
                format!("{program} {} {}", shell::path(from)?, shell::path(to)?)
            }
            Self::Attribute { file, line } => {
                format!("printf '\\n%s\\n' {} >> {}", shell::word(line.as_ref()?)?, shell::path(file)?)
            }
            Self::CheckOut { path, attributes, .. } => {
                let (word, attributes) = (shell::path(path)?, shell::path(attributes)?);
                return Some(vec![format!("git add {attributes}"), format!("rm {word} && git checkout -- {word}")]);
            }
            Self::Stash { path } => format!("git stash push -- {}", shell::path(path)?),
            Self::Merge { base, .. } => format!("git merge {}", shell::word(base)?),
            Self::Fetch { command } => (*command).to_owned(),
        };
        Some(vec![command])
    }
}

impl Content {
    fn of(repository: &Repository, place: &Place) -> Self {
        let commit = short(&repository.index.commits[place.added]);
        Self { place: place.clone(), spec: repository.git.spec(&commit, &place.path) }
    }

    /// `git show` gives the bytes as they were committed, whatever a checkout would do.
    fn written_to(&self, path: &str) -> Option<String> {
        let pipe = self.place.variant.pipe();
        Some(format!("git show {}{pipe} > {}", shell::word(&self.spec)?, shell::path(path)?))
    }
}

/// The commands that do all the steps, or none where one has none.
pub fn commands(steps: &[Step]) -> Vec<String> {
    let commands: Option<Vec<_>> = steps.iter().map(Step::commands).collect();
    commands.map_or_else(Vec::new, |commands| commands.concat())
}

/// Writes the applied bytes to `path`, and has git keep the ends of its lines where they are not LF.
pub fn restore(repository: &Repository, place: &Place, path: &str) -> Vec<Step> {
    let keep = place.has_crlf().then(|| attribute(repository, path, "-text"));
    let write = Step::Write { content: Content::of(repository, place), path: path.to_owned() };
    keep.into_iter().chain([write]).collect()
}

/// Gives one file attributes, in the `.gitattributes` that is nearest to it: no other overrules that one.
pub fn attribute(repository: &Repository, path: &str, attribute: &str) -> Step {
    let folders = path.match_indices('/').map(|(end, _)| &path[..=end]).rev();
    let nearest = folders.into_iter().find(|folder| repository.root.join(folder).join(ATTRIBUTES).exists());
    let folder = nearest.unwrap_or_default();
    let line = shell::attribute(&path[folder.len()..], attribute);
    Step::Attribute { file: format!("{folder}{ATTRIBUTES}"), line }
}

/// Has a file checked out anew, by attributes of its own.
pub fn check_out_with(repository: &Repository, place: &Place, path: &str, with: &str) -> Vec<Step> {
    let keep = attribute(repository, path, with);
    let attributes = if let Step::Attribute { file, .. } = &keep { file.clone() } else { ATTRIBUTES.to_owned() };
    vec![keep, Step::CheckOut { content: Content::of(repository, place), path: path.to_owned(), attributes }]
}

/// Gives a file another name, in git too where git knows it. As the one at `place` it was applied, where that is said.
pub fn rename(repository: &Repository, from: &str, to: &str, place: Option<&Place>) -> Step {
    let is_tracked = repository.at_head(from).is_some();
    let content = place.map(|place| Content::of(repository, place));
    Step::Rename { from: from.to_owned(), to: to.to_owned(), is_tracked, content }
}

/// Merges the base, which has what was applied at `place`: it belongs to `path`.
pub fn merge(repository: &Repository, base: &str, place: &Place, path: &str) -> Vec<Step> {
    vec![Step::Merge { base: base.to_owned(), content: Content::of(repository, place), path: path.to_owned() }]
}

/// The path of a file once it has a version that nothing of the service has yet, nor was given in this run.
pub fn renumbered(path: &str, subject: &Subject, states: &[TargetState], repository: &Repository) -> Option<String> {
    let mut numbers = repository.numbers.borrow_mut();
    if let Some(known) = numbers.get(path) {
        return Some(known.clone());
    }
    let same = states.iter().filter(|state| state.target.service == subject.state.target.service);
    let versions = same.flat_map(|state| {
        let rows = state.applied.as_ref().map_or(&[][..], |history| history.rows());
        let files = state.defined.as_ref().map_or(&[][..], |defined| &defined.migrations);
        let merged = state.base.as_ref().map_or(&[][..], |base| &base.tip);
        rows.iter().map(|row| row.version).chain(files.iter().chain(merged).map(|migration| migration.version))
    });
    let given = numbers.values().filter(|other| folder(other) == folder(path)).filter_map(|other| version(other));
    let next = versions.chain(given).max()?.0.checked_add(1)?;
    let file = name(path);
    let (prefix, rest) = file.split_once('_')?;
    let width = if prefix.starts_with('0') { prefix.len() } else { 0 };
    let renumbered = format!("{}{next:0width$}_{rest}", &path[..path.len() - file.len()]);
    numbers.insert(path.to_owned(), renumbered.clone());
    Some(renumbered)
}

/// Gives the row the checksum of the file.
pub fn update_checksum(subject: &Subject, defined: &Checksum) -> Option<String> {
    let rows = Rows::of(subject)?;
    let (checksum, is_it) = (rows.bytes(defined), rows.are_it(subject));
    Some(rows.each(|table| format!("UPDATE {table} SET checksum = {checksum} WHERE {is_it};")))
}

/// Gives the row the version of the file.
pub fn update_version(subject: &Subject, defined: Version) -> Option<String> {
    let rows = Rows::of(subject)?;
    let is_it = rows.are_it(subject);
    Some(rows.each(|table| format!("UPDATE {table} SET version = {defined} WHERE {is_it};")))
}

/// Takes the row away.
pub fn delete(subject: &Subject) -> Option<String> {
    let rows = Rows::of(subject)?;
    let is_it = rows.are_it(subject);
    let sql = rows.each(|table| format!("DELETE FROM {table} WHERE {is_it};"));
    Some(format!("-- Forgets a migration that ran: what it changed stays as it is.\n{sql}"))
}

/// How a row is spoken of in SQL: that of one table, or of the table of each tenant.
struct Rows {
    engine: Engine,
    tables: Vec<String>,
}

/// The SQL for more tenants is not written out.
const MOST_TENANTS: usize = 20;

impl Rows {
    fn of(subject: &Subject) -> Option<Self> {
        let TargetState { target, defined, tenants, .. } = subject.state;
        let engine = target.database.as_ref().ok()?.engine();
        let of_sqlx_toml = defined.as_ref().ok().and_then(|defined| defined.table.as_deref());
        let name = table_name::parse(target.history_table(of_sqlx_toml), engine).ok()?;
        let of_tenant = |schema: &String| TableName { schema: Some(schema.clone()), ..name.clone() }.quoted(engine);
        let tables: Vec<String> = match tenants {
            Some(tenants) => tenants.names.iter().map(of_tenant).collect(),
            None => vec![name.quoted(engine)],
        };
        // What a screen would not show as it is could not be copied from there.
        tables.iter().all(|table| harmless(table) == *table).then_some(Self { engine, tables })
    }

    /// A statement for each table, a line each.
    fn each(&self, statement: impl Fn(&str) -> String) -> String {
        let shown = self.tables.iter().take(MOST_TENANTS).map(|table| statement(table));
        let others = self.tables.len().saturating_sub(MOST_TENANTS);
        let others = (others > 0).then(|| format!("-- And the same for {others} tenants more."));
        shown.chain(others).collect::<Vec<_>>().join("\n")
    }

    fn are_it(&self, subject: &Subject) -> String {
        format!("version = {} AND checksum = {}", subject.version, self.bytes(subject.applied))
    }

    fn bytes(&self, checksum: &Checksum) -> String {
        match self.engine {
            Engine::Postgres => format!("decode('{checksum}', 'hex')"),
            Engine::MySql | Engine::Sqlite => format!("x'{checksum}'"),
        }
    }
}
