//! The database side: where the history is, what it holds, and why it could not be read.
//! Vocabulary: no I/O, and no secret in anything that can be printed.

use std::fmt;

use crate::migration::AppliedMigration;

/// Which database system a URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// `postgres://` and `postgresql://`
    Postgres,
    /// `sqlite:`
    Sqlite,
}

impl Engine {
    /// Whether `written`, a schema's name as SQL would have it, names the schema `name`.
    ///
    /// PostgreSQL folds what is not quoted to lower case; SQLite compares without regard to case.
    pub fn names_schema(self, written: &str, name: &str) -> bool {
        let identified = self.identify(written);
        match self {
            Self::Postgres => identified.as_deref() == Some(name),
            Self::Sqlite => identified.is_some_and(|identified| identified.eq_ignore_ascii_case(name)),
        }
    }

    /// The name that `written` stands for in SQL; nothing where it is no single identifier, and so a syntax error.
    pub fn identify(self, written: &str) -> Option<String> {
        let written = written.trim_ascii();
        let start = |c: char| c == '_' || c.is_ascii_alphabetic() || !c.is_ascii();
        if written.starts_with(start) {
            let plain = written.chars().all(|c| start(c) || c == '$' || c.is_ascii_digit());
            let folds = self == Self::Postgres;
            return plain.then(|| if folds { written.to_ascii_lowercase() } else { written.to_owned() });
        }
        let quote = written.chars().next().filter(|c| *c == '"' || (self == Self::Sqlite && "`'[".contains(*c)))?;
        if quote == '[' {
            // The one kind of quotes whose end cannot stand inside.
            return written[1..].strip_suffix(']').filter(|inner| !inner.contains(']')).map(str::to_owned);
        }
        let inner = written[1..].strip_suffix(quote)?;
        let doubled = format!("{quote}{quote}");
        let ends_inside = inner.replace(&doubled, "").contains(quote);
        (!inner.is_empty() && !ends_inside).then(|| inner.replace(&doubled, &quote.to_string()))
    }
}

/// A database URL. Neither `Debug` nor anything else prints it: [`DatabaseUrl::expose`] is the one way in.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    engine: Engine,
    url: String,
}

impl DatabaseUrl {
    /// A URL whose scheme is known.
    ///
    /// # Errors
    /// A scheme that no engine has, or none at all. The error never holds the URL.
    pub fn parse(url: impl Into<String>) -> Result<Self, DatabaseError> {
        let url = url.into();
        let Some((scheme, _)) = url.split_once(':') else {
            return Err(DatabaseError::new(DatabaseErrorKind::MalformedUrl, "it has no scheme such as `postgres://`"));
        };
        let engine = match scheme.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => Engine::Postgres,
            "sqlite" => Engine::Sqlite,
            other => return Err(DatabaseError::unknown_scheme(other)),
        };
        Ok(Self { engine, url })
    }

    /// The engine that the scheme names.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The URL with its password, for the driver and for nothing else.
    pub fn expose(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({:?}, [redacted])", self.engine)
    }
}

/// The history, or its absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum History {
    /// The rows, ordered by version.
    Present(Vec<AppliedMigration>),
    /// There is no such table.
    Absent(AbsentTable),
}

impl History {
    /// The rows; none where the table is absent.
    pub fn rows(&self) -> &[AppliedMigration] {
        match self {
            Self::Present(rows) => rows,
            Self::Absent(_) => &[],
        }
    }
}

/// A history table that is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AbsentTable {
    /// Its name as looked for.
    pub table: String,
    /// The schemas that do hold a table of this name, though the connection does not look there.
    pub elsewhere: Vec<String>,
    /// A schema that the name is qualified with and that does not exist either.
    pub absent_schema: Option<String>,
}

/// Why a history could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}{}{detail}", if .detail.is_empty() { "" } else { ": " })]
pub struct DatabaseError {
    /// Which of the reasons that need different remedies.
    pub kind: DatabaseErrorKind,
    /// What the driver or the server said, free of secrets; may be empty.
    pub detail: String,
}

impl DatabaseError {
    /// An error with a detail that is known to hold no secret.
    pub fn new(kind: DatabaseErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// An error for `scheme`, which is printed only where it is a well-known one and so no part of a secret.
    fn unknown_scheme(scheme: &str) -> Self {
        const KNOWN: [&str; 10] =
            ["mysql", "mariadb", "mssql", "sqlserver", "jdbc", "mongodb", "redis", "file", "http", "https"];
        let detail = if KNOWN.contains(&scheme) { format!("`{scheme}:`; ") } else { String::new() };
        Self::new(DatabaseErrorKind::UnknownScheme, detail + "known are `postgres:`, `postgresql:` and `sqlite:`")
    }
}

/// The reasons for which a history cannot be read; each has its own remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseErrorKind {
    /// Configuration names no database for the target.
    #[error("no database is configured for this target")]
    NotConfigured,
    /// The environment variable is unset or empty.
    #[error("the environment variable {variable} is not set or empty")]
    SecretNotSet {
        /// Its name.
        variable: String,
    },
    /// No URL.
    #[error("the database URL is malformed")]
    MalformedUrl,
    /// No engine has this scheme.
    #[error("the database URL has an unknown scheme")]
    UnknownScheme,
    /// The history table's name cannot be looked up safely.
    #[error("the name of the history table is not a plain or quoted identifier")]
    TableName,
    /// The host's name does not resolve.
    #[error("the host name could not be resolved")]
    Dns,
    /// Nothing listens there.
    #[error("the connection was refused")]
    Refused,
    /// No answer within the timeout.
    #[error("no answer within the timeout")]
    TimedOut,
    /// TLS could not be agreed, or the certificate is not trusted.
    #[error("the TLS connection could not be established")]
    Tls,
    /// Wrong user or password.
    #[error("the database rejected the credentials")]
    Authentication,
    /// The database does not exist.
    #[error("there is no such database")]
    NoSuchDatabase,
    /// The role may not read the history table.
    #[error("the role may not read the history table")]
    PermissionDenied,
    /// The server has no connection left.
    #[error("the server has no connection left")]
    TooManyConnections,
    /// The connection broke.
    #[error("the connection broke")]
    ConnectionLost,
    /// An answer that is no history.
    #[error("the answer could not be understood")]
    Unintelligible,
}
