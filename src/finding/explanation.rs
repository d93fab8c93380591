//! Who, when and how to mend it: what the repository's own history says of a finding.

/// Why a row and the source do not fit, by content. What mends it is said in commands, one a line, unless `Fix` is
/// something else: the stage that explains knows it more exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<Fix = String> {
    /// The one word for it.
    pub cause: Cause,
    /// What it is in a sentence or two, for people: a lowercase fragment, as messages are.
    pub summary: String,
    /// In what the applied content differs from the one in the source.
    pub difference: Option<Difference>,
    /// A few lines of that difference, each with `+`, `-` or a blank before it; the applied content is the old one.
    pub diff: Vec<String>,
    /// The commit that brought the applied content in.
    pub added: Option<Commit>,
    /// The commit that edited, deleted or renamed it.
    pub changed: Option<Commit>,
    /// Branches and tags that hold the applied content where it is missing.
    pub branches: Vec<String>,
    /// Commands that mend it, to be run in the root of the repository, each in a line of its own.
    pub fix: Vec<Fix>,
    /// SQL that would mend the row instead: printed, never run, and guarded by the old checksum.
    pub repair_sql: Option<String>,
}

impl<Fix> Explanation<Fix> {
    /// The same, with what mends it put in another way.
    pub fn with_fix<Other>(self, put: impl FnOnce(Vec<Fix>) -> Vec<Other>) -> Explanation<Other> {
        let Self { cause, summary, difference, diff, added, changed, branches, fix, repair_sql } = self;
        Explanation { cause, summary, difference, diff, added, changed, branches, fix: put(fix), repair_sql }
    }
}

/// The causes that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The file was here and was deleted.
    Deleted,
    /// The file was changed after it was applied.
    Edited,
    /// The file stands here under another name: with another version, or in another place.
    Renamed,
    /// The base branch has it, and this one not yet.
    BehindBase,
    /// Only branches that were never merged here have it.
    UnmergedBranch,
    /// Two different migrations took one version.
    Collision,
    /// Nothing but the ends of lines differs.
    LineEndings,
    /// Nothing in this repository has the applied content.
    Unknown,
}

/// What differs between two contents: the least that takes in all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// CRLF against LF.
    LineEndings,
    /// A byte order mark.
    Bom,
    /// The line break at the very end.
    FinalNewline,
    /// White space.
    WhiteSpace,
    /// Comments, and white space.
    Comments,
    /// The SQL itself.
    Sql,
}

/// A commit, as far as people want to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its full name.
    pub id: String,
    /// The author's name.
    pub author: String,
    /// When it was written: ISO 8601 with the author's offset.
    pub date: String,
    /// The first line of its message.
    pub subject: String,
    /// The pull request that the subject names: `(#12)`, or `Merge pull request #12`.
    pub pull_request: Option<u64>,
}
