//! The stage that decides what is written so that files have the bytes which were applied. It reads the repository and the
//! working tree, and writes nothing: what it gives are edits that can be made without losing anything.
//!
//! The steps are those of the explanations, so that what is done is what is printed as commands.

mod ground;
mod item;

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::SystemTime;

use crate::explain::{Account, Content, Explanation, Step};
use crate::finding::Cause;
use crate::git::GitError;
use crate::migration::{Checksum, FileName};
use crate::target::TargetState;
use crate::text::slashed;
pub use ground::{Ground, NoGround};
pub use item::{Item, Selection, Ways, select};

/// Longer contents are not restored: they are held in memory, one at a time.
const MOST_BYTES: u64 = 64 << 20;

/// A file of the repository that may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is: no link leads there.
    pub path: PathBuf,
    /// As people call it.
    pub shown: String,
    /// When it was last changed and how long it is, where it is there already.
    pub seen: Option<(SystemTime, u64)>,
}

/// One thing to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// All of a file.
    Write {
        /// The file.
        file: File,
        /// What it is going to have.
        bytes: Vec<u8>,
    },
    /// One more line of a file.
    Append {
        /// The file.
        file: File,
        /// The line.
        line: String,
    },
    /// The name of a file.
    Rename {
        /// The file.
        from: File,
        /// What it is going to be called.
        to: File,
        /// What it is going to have, where that is something else than it has.
        bytes: Option<Vec<u8>>,
    },
}

/// Why nothing is written of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum No {
    /// It would lose something, or do what nobody wants.
    Refused(String),
    /// There is nothing to write.
    NotFound(String),
}

/// What there is to tell, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Of what: a migration, or a target.
    pub of: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a migration or a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its file was written.
    Wrote(String),
    /// A line was added to a file.
    Added(String, String),
    /// A file was renamed.
    Renamed(String, String),
    /// See [`No::Refused`].
    Refused(String),
    /// See [`No::NotFound`].
    NotFound(String),
    /// The disk failed, with what it said.
    Failed(String),
    /// It is as it was applied.
    AsApplied,
    /// No row has this version, in all histories or in those that could be read.
    NotApplied {
        /// Whether some could not be read.
        is_partly_unread: bool,
    },
    /// Somebody decided that it is to be left.
    LeftAlone(String),
    /// A side of the target could not be read.
    Unread(String),
    /// The target may be away.
    Away(String),
    /// There is nobody to ask for any content, or nowhere to write it.
    Blocked(String),
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Migrations whose files are as they were applied now.
    pub restored: usize,
    /// Migrations that were refused.
    pub refused: usize,
    /// Migrations of which there is nothing to write, or that the disk failed on.
    pub not_restored: usize,
    /// Targets that could not be read.
    pub unread: usize,
    /// Whether nothing at all could be restored.
    pub is_blocked: bool,
}

impl Tally {
    /// Counts an outcome that ends what is told of a migration or a target.
    pub fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Refused(_) => self.refused += 1,
            Outcome::NotFound(_) | Outcome::Failed(_) | Outcome::NotApplied { is_partly_unread: false } => {
                self.not_restored += 1;
            }
            Outcome::Unread(_) => self.unread += 1,
            Outcome::Blocked(_) => self.is_blocked = true,
            _ => {}
        }
    }

    /// 1 where something that was asked for was not done, 3 where something could not be read and nothing worse, else 0.
    pub fn exit_code(self) -> u8 {
        match self {
            Self { refused: 0, not_restored: 0, unread: 0, is_blocked: false, .. } => 0,
            Self { refused: 0, not_restored: 0, .. } => 3,
            _ => 1,
        }
    }
}

/// What has to be written so that `item` is as it was applied.
///
/// # Errors
/// Nothing may be written, or there is nothing to write.
pub fn edits(item: &Item, explanation: &Explanation, account: &Account, ground: &mut Ground) -> Result<Vec<Edit>, No> {
    if let Some(why) = &item.refused {
        return Err(No::Refused(why.clone()));
    }
    let directory = &item.states[0].target.migrations;
    if directory.has_root() {
        return Err(No::Refused(format!("`{}` does not lie in this repository", directory.display())));
    }
    let summary = &explanation.summary;
    if explanation.fix.is_empty() {
        return Err(No::NotFound(match explanation.cause {
            Cause::Unknown => summary.clone(),
            Cause::Renamed => format!(
                "{summary}; that version is applied as well, and `migration-preflight check` prints the SQL that mends the row"
            ),
            _ => format!("no file mends it: {summary}; `migration-preflight check` prints the SQL that mends the row"),
        }));
    }
    let maker = Maker { item, account, summary };
    let edits = explanation.fix.iter().map(|step| maker.edit(step, ground)).collect::<Result<Vec<_>, _>>()?;
    ground.take(&edits);
    Ok(edits)
}

/// Makes edits of steps.
struct Maker<'a> {
    item: &'a Item<'a>,
    account: &'a Account,
    summary: &'a str,
}

impl Maker<'_> {
    fn edit(&self, step: &Step, ground: &Ground) -> Result<Edit, No> {
        match step {
            // Where the base is merged later, it finds these very bytes.
            Step::Write { content, path }
            | Step::CheckOut { content, path, .. }
            | Step::Merge { content, path, .. } => {
                self.belongs(content, path)?;
                let bytes = self.bytes(content)?;
                Ok(Edit::Write { file: ground.file_to_write(path)?, bytes })
            }
            Step::Rename { from, to, content, .. } => self.rename(from, to, content.as_ref(), ground),
            Step::Attribute { file, line: Some(line) } => {
                Ok(Edit::Append { file: ground.file_to_append_to(file)?, line: line.clone() })
            }
            Step::Attribute { file, line: None } => Err(No::Refused(format!(
                "its name does not fit into a line of `{file}`, which has to keep its line ends"
            ))),
            Step::Stash { path } => {
                ground.file_to_write(path)?;
                Err(No::Refused(self.summary.to_owned()))
            }
            Step::Fetch { .. } => Err(No::NotFound(self.summary.to_owned())),
        }
    }

    fn rename(&self, from: &str, to: &str, content: Option<&Content>, ground: &Ground) -> Result<Edit, No> {
        if let Some(content) = content {
            self.belongs(content, to)?;
        } else if self.item.directory_is_absent {
            return Err(self.no_directory());
        }
        if let Some(holder) = self.item.holder_of(from) {
            return Err(No::Refused(format!("`{from}` is applied as it stands in {holder}")));
        }
        let source = ground.file_to_rename(from)?;
        let destination = ground.file_to_write(to)?;
        if destination.seen.is_some() {
            return Err(No::Refused(format!("`{to}` is in the way of `{from}`: rename or remove it first")));
        }
        let fits = |bytes: &[u8]| self.item.fits(bytes);
        let bytes = match content {
            _ if !self.item.is_of_version(to) => None,
            _ if read(&source).is_ok_and(|bytes| fits(&bytes)) => None,
            Some(content) => Some(self.bytes(content)?),
            None => return Err(No::Refused(format!("`{from}` has changed while it was looked at: try again"))),
        };
        Ok(Edit::Rename { from: source, to: destination, bytes })
    }

    /// Whether the bytes belong where the path says: in the service's directory, under the row's version.
    fn belongs(&self, content: &Content, path: &str) -> Result<(), No> {
        let folder = |path: &str| path.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned();
        if self.item.directory_is_absent && folder(&content.place.path) != folder(path) {
            return Err(self.no_directory());
        }
        if !self.item.is_of_version(path) {
            return Err(No::NotFound(format!("sqlx would not take `{path}` for migration {}", self.item.version)));
        }
        Ok(())
    }

    fn no_directory(&self) -> No {
        let directory = slashed(&self.item.states[0].target.migrations);
        No::Refused(format!(
            "there is no directory `{directory}`, nor was its file ever there: correct `migrations`, or make the directory"
        ))
    }

    /// The applied bytes, which have the row's checksum.
    fn bytes(&self, content: &Content) -> Result<Vec<u8>, No> {
        let of = &content.spec;
        let broken = |error: GitError| No::NotFound(format!("`{of}` cannot be read: {error}"));
        let bytes = self.account.bytes(content, MOST_BYTES).map_err(broken)?;
        let bytes = bytes.ok_or_else(|| No::NotFound(format!("`{of}` is longer than {} MiB", MOST_BYTES >> 20)))?;
        if self.item.fits(&bytes) {
            return Ok(bytes);
        }
        Err(No::NotFound(match Checksum::of(&bytes) == *self.item.applied {
            true => "what was applied is here, but `ignored-chars` in sqlx.toml leaves letters out of the checksum which counted then, so that no file has it".to_owned(),
            false => format!("`{of}` does not have the applied checksum by the sqlx.toml that counts here"),
        }))
    }
}

/// The bytes of a file that is not too long.
fn read(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(&file.path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Item<'_> {
    /// Whether sqlx finds the applied checksum in these bytes.
    fn fits(&self, bytes: &[u8]) -> bool {
        let ignored = self.states.first().and_then(|state| state.defined.as_ref().ok());
        ignored.and_then(|defined| Checksum::less(bytes, &defined.ignored_chars)).as_ref() == Some(self.applied)
    }

    /// Whether sqlx takes a file for the migration.
    fn is_of_version(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        matches!(FileName::parse(name), Some(Ok(name)) if name.version == self.version && name.kind.is_up())
    }

    /// Where a file is applied under its own version.
    fn holder_of(&self, path: &str) -> Option<String> {
        let holds = |state: &&&TargetState| {
            let Ok(defined) = &state.defined else { return false };
            let file = defined.migrations.iter().find(|migration| slashed(&migration.path) == path);
            let rows = state.applied.as_ref().map_or(&[][..], |history| history.rows());
            file.is_some_and(|file| rows.iter().any(|row| row.version == file.version && row.checksum == file.checksum))
        };
        let holders: Vec<_> = self.neighbours.iter().filter(holds).copied().collect();
        (!holders.is_empty()).then(|| item::places(&holders))
    }
}
