//! Explanations as the JSON report has them.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{Cause, Commit, Difference, Explanation};

/// Who, when and how to mend it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ExplanationV1<'a> {
    /// `deleted`, `edited`, `renamed`, `behind-base`, `unmerged-branch`, `collision`, `line-endings` or `unknown`.
    #[schemars(with = "String", extend("enum" = [
        "deleted", "edited", "renamed", "behind-base", "unmerged-branch", "collision", "line-endings", "unknown"
    ]))]
    cause: Cause,
    /// The cause in a sentence or two.
    summary: Cow<'a, str>,
    /// In what the applied content and the file differ.
    #[schemars(with = "Option<String>", extend("enum" = [
        "line-endings", "bom", "final-newline", "white-space", "comments", "sql", null
    ]))]
    difference: Option<Difference>,
    /// A few lines of that, from the applied content to the file.
    diff: Cow<'a, [String]>,
    /// The commit that brought the applied content in.
    added: Option<CommitV1<'a>>,
    /// The commit that edited, deleted or renamed it.
    changed: Option<CommitV1<'a>>,
    /// Branches and tags that hold it.
    branches: Cow<'a, [String]>,
    /// Commands that mend it, for a POSIX shell in the root of the repository.
    fix: Cow<'a, [String]>,
    /// SQL that mends the row instead. Nothing ever runs it.
    repair_sql: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct CommitV1<'a> {
    /// Its full name.
    id: Cow<'a, str>,
    /// The author's name.
    author: Cow<'a, str>,
    /// When it was written: ISO 8601.
    date: Cow<'a, str>,
    /// The first line of its message.
    subject: Cow<'a, str>,
    /// The pull request that the subject names.
    pull_request: Option<u64>,
}

impl<'a> ExplanationV1<'a> {
    pub(super) fn of(explanation: &'a Explanation) -> Self {
        Self {
            cause: explanation.cause,
            summary: explanation.summary.as_str().into(),
            difference: explanation.difference,
            diff: explanation.diff.as_slice().into(),
            added: explanation.added.as_ref().map(CommitV1::of),
            changed: explanation.changed.as_ref().map(CommitV1::of),
            branches: explanation.branches.as_slice().into(),
            fix: explanation.fix.as_slice().into(),
            repair_sql: explanation.repair_sql.as_deref().map(Cow::Borrowed),
        }
    }

    pub(super) fn into_explanation(self) -> Explanation {
        Explanation {
            cause: self.cause,
            summary: self.summary.into_owned(),
            difference: self.difference,
            diff: self.diff.into_owned(),
            added: self.added.map(CommitV1::into_commit),
            changed: self.changed.map(CommitV1::into_commit),
            branches: self.branches.into_owned(),
            fix: self.fix.into_owned(),
            repair_sql: self.repair_sql.map(Cow::into_owned),
        }
    }
}

impl<'a> CommitV1<'a> {
    fn of(commit: &'a Commit) -> Self {
        Self {
            id: commit.id.as_str().into(),
            author: commit.author.as_str().into(),
            date: commit.date.as_str().into(),
            subject: commit.subject.as_str().into(),
            pull_request: commit.pull_request,
        }
    }

    fn into_commit(self) -> Commit {
        Commit {
            id: self.id.into_owned(),
            author: self.author.into_owned(),
            date: self.date.into_owned(),
            subject: self.subject.into_owned(),
            pull_request: self.pull_request,
        }
    }
}
