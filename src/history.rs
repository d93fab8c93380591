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
    /// `mysql://` and `mariadb://`: MySQL and MariaDB
    MySql,
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
            "mysql" | "mariadb" => Engine::MySql,
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
        const KNOWN: [&str; 8] = ["mssql", "sqlserver", "jdbc", "mongodb", "redis", "file", "http", "https"];
        let detail = if KNOWN.contains(&scheme) { format!("`{scheme}:`; ") } else { String::new() };
        Self::new(
            DatabaseErrorKind::UnknownScheme,
            detail + "known are `postgres:`, `mysql:`, `mariadb:` and `sqlite:`",
        )
    }
}

/// The reasons for which a history cannot be read; each has its own remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseErrorKind {
    /// Configuration names no database for the target.
    #[error("no database is configured for this target")]
    NotConfigured,
    /// The environment variable is unset or empty.
    #[error("the environment variable {variable} is unset or empty")]
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

impl DatabaseErrorKind {
    /// Whether the database may simply be away, as one that is not required may be.
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::NotConfigured
                | Self::SecretNotSet { .. }
                | Self::Dns
                | Self::Refused
                | Self::TimedOut
                | Self::NoSuchDatabase
                | Self::TooManyConnections
                | Self::ConnectionLost
        )
    }

    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotConfigured => {
                "Set `database-url: ${SOME_VARIABLE}` for the service or the environment in the configuration, and the variable in the step's `env:`."
            }
            Self::SecretNotSet { .. } => {
                "Set the variable before this command; in a workflow, in the step's `env:` (`NAME: ${{ secrets.NAME }}`). A secret is empty where it does not exist: for forks, for Dependabot, and in jobs that do not name the environment."
            }
            Self::MalformedUrl => {
                "Write it as `postgres://user:password@host:5432/database`, `mysql://user:password@host:3306/database` or `sqlite://path/to/file.db`, with `@ : / % ?` and `#` in the password percent-encoded."
            }
            Self::UnknownScheme => "Use a URL that the service itself would give to sqlx.",
            Self::TableName => {
                "Write it as `table`, `schema.table` or with quoted parts as `\"Schema\".\"Table\"` (MySQL: in backticks), in `table` or in sqlx.toml's `table-name`."
            }
            Self::Dns => "Check the host name; a private network's names resolve only within it.",
            Self::Refused => "Check host and port, and that the database runs and may be reached from here.",
            Self::TimedOut => {
                "Check that a firewall lets this machine through and that nothing holds a lock on the history table; `--timeout` gives it longer."
            }
            Self::Tls => "Check `sslmode` and `sslrootcert` of the URL against what the server offers.",
            Self::Authentication => {
                "Check user and password; a password with `@ : / %` has to be percent-encoded in a URL."
            }
            Self::NoSuchDatabase => "Check the database's name or the file's path. The check never creates one.",
            Self::PermissionDenied => {
                "Grant the role `USAGE` on the schema and `SELECT` on the history table; nothing else is needed."
            }
            Self::TooManyConnections => "Lower `--jobs`, or raise the connection limit of the server or role.",
            Self::ConnectionLost => "Run the check again; if it recurs, look into the server's log.",
            Self::Unintelligible => {
                "Check that the URL leads to the database itself, and that the history table is the one that sqlx made."
            }
        }
    }
}
