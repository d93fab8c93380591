//! What can be wrong with a template, and what to do about each.

use crate::inputs::diagnostic::quote;

/// A text that is no template, or one that cannot be filled in. Holds names of placeholders, never a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Nothing but blanks.
    #[error("the value is empty")]
    Empty,
    /// `${{ … }}`
    #[error("a GitHub expression `${{{{ … }}}}` is not evaluated in this file")]
    GitHubExpression,
    /// `${NAME}` outside a database URL.
    #[error("an environment variable `${{…}}` is read only in `database-url`")]
    VariableHere,
    /// `${NAME`
    #[error("a `${{` has no closing `}}`")]
    UnclosedVariable,
    /// `${}`
    #[error("`${{}}` names no environment variable")]
    EmptyVariable,
    /// `${A-B}`
    #[error("the name of an environment variable has letters, digits and `_` only")]
    VariableName,
    /// `$NAME`
    #[error("a `$` without a `{{` stands for nothing")]
    BareVariable,
    /// `{service`
    #[error("a `{{` has no closing `}}`")]
    UnclosedPlaceholder,
    /// `{}`
    #[error("`{{}}` names no placeholder")]
    EmptyPlaceholder,
    /// `service}`
    #[error("a `}}` has no opening `{{`")]
    StrayBrace,
    /// `postgres://app:secret@db`
    #[error("a password is written in this file")]
    Password,
    /// `STAGING_URL`, `mssql://…`
    #[error("this is no URL of a database")]
    NoUrl,
    /// White space or a control character in a URL.
    #[error("a URL has no blanks and no control characters")]
    Blank,
    /// A control character in a path.
    #[error("the path holds a control character")]
    Control,
    /// `/srv/migrations`
    #[error("the path is absolute")]
    Absolute,
    /// `../migrations`
    #[error("the path leads out of the repository")]
    AboveRoot,
    /// `backend\migrations`
    #[error("the path is written with `\\`")]
    Backslash,
    /// Nothing to fill in.
    #[error("there is no value for the placeholder `{{{}}}`", quote(.0).trim_matches('`'))]
    NoValue(String),
    /// Something to fill in, and nothing in it.
    #[error("the value for the placeholder `{{{}}}` is empty", quote(.0).trim_matches('`'))]
    EmptyValue(String),
    /// `../../x` to fill into a path.
    #[error("the value for the placeholder `{{{}}}` would lead elsewhere than the path says", quote(.0).trim_matches('`'))]
    Escape(String),
}

impl TemplateError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "write a value, or remove the line",
            Self::GitHubExpression => {
                "name an environment variable, such as `${DATABASE_URL}`, and set it from the expression under `env:` of the workflow's step"
            }
            Self::VariableHere => "write the text itself, or a placeholder such as `{service}`",
            Self::UnclosedVariable => {
                "write `${NAME}`; a placeholder may stand in it, as in `${{SERVICE}_DATABASE_URL}`"
            }
            Self::EmptyVariable => "write the name of the variable that holds the URL, such as `${DATABASE_URL}`",
            Self::VariableName => "write `${NAME}`: no default values, no blanks, and no variable inside another",
            Self::BareVariable => "write `${NAME}` for an environment variable",
            Self::UnclosedPlaceholder | Self::EmptyPlaceholder => "write a placeholder such as `{service}`",
            Self::StrayBrace => "write a placeholder such as `{service}`; a brace cannot stand for itself",
            Self::Password => {
                "a secret is named, never written: put the URL into a secret and write `${NAME}`, the environment variable that holds it; and change this password, for it is in the repository's history"
            }
            Self::NoUrl => {
                "write `${NAME}` for an environment variable that holds the URL, or a URL that begins with `postgres:`, `postgresql:` or `sqlite:`"
            }
            Self::Blank => "write blanks in a URL as `%20`",
            Self::Control => "remove it; a line break in quotes counts too",
            Self::Absolute | Self::AboveRoot => {
                "paths are relative to the root of the repository, such as `backend/content-service/migrations`"
            }
            Self::Backslash => "write `/` between the parts of a path, on Windows too",
            Self::NoValue(_) => "placeholders are `{service}`, `{environment}` and the keys of the matrix entry",
            Self::EmptyValue(_) => "give the matrix entry a value",
            Self::Escape(_) => "a name that stands in a path has no `..` and does not begin with `/`",
        }
    }
}
