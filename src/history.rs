//! The database side: where the history is, what it holds, and why it could not be read.
//! Vocabulary: no I/O, and no secret in anything that can be printed.

mod command;
mod help;
mod snapshot;

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::github::WithoutSecrets;
use crate::migration::AppliedMigration;
use crate::secret::Secrets;
use crate::tenants::Partition;

pub use command::{Command, DatabaseCommand, NotStarted, QueryBy};
pub use snapshot::{AsOf, Database, LookUp, MaxAge, Record, Snapshot, written};

/// Which database system a URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumString, strum::VariantNames)]
pub enum Engine {
    /// `postgres://` and `postgresql://`
    #[strum(serialize = "postgres")]
    Postgres,
    /// `sqlite:`
    #[strum(serialize = "sqlite")]
    Sqlite,
    /// `mysql://` and `mariadb://`: MySQL and MariaDB
    #[strum(serialize = "mysql")]
    MySql,
}

impl Engine {
    /// What keeps tenants apart on one of its servers; nothing where it has none.
    pub fn partition(self) -> Option<Partition> {
        match self {
            Self::Postgres => Some(Partition::Schemas),
            Self::MySql => Some(Partition::Databases),
            Self::Sqlite => None,
        }
    }
}

/// A database URL. Neither `Debug` nor anything else prints it: [`DatabaseUrl::expose`] is the one way in.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    engine: Engine,
    url: String,
    secrets: Secrets,
    password: Option<Box<Command>>,
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
        let mut secrets = Secrets::default();
        secrets.add_url(&url);
        Ok(Self { engine, url, secrets, password: None })
    }

    /// The URL, knowing that the pieces from which it was put together are secrets as well.
    #[must_use]
    pub fn made_of<'a>(mut self, pieces: impl IntoIterator<Item = &'a str>) -> Self {
        pieces.into_iter().for_each(|piece| self.secrets.add_value(piece));
        self
    }

    /// The URL, whose password `command` prints.
    #[must_use]
    pub fn with_password_of(self, command: Command) -> Self {
        Self { password: Some(Box::new(command)), ..self }
    }

    /// The command that prints the password, where one does.
    pub fn password_command(&self) -> Option<&Command> {
        self.password.as_deref()
    }

    /// The URL with this `password`, whatever the password is made of.
    ///
    /// # Errors
    /// A URL that has no place for one.
    pub fn with_password(&self, password: &str) -> Result<Self, DatabaseError> {
        let no_place = || DatabaseError::new(DatabaseErrorKind::MalformedUrl, "it has no place for a password");
        let mut url = url::Url::parse(&self.url).map_err(|_| no_place())?;
        // Encoded here and wholly: the setter leaves a `%` as it is.
        let encoded = utf8_percent_encode(password, NON_ALPHANUMERIC).to_string();
        url.set_password(Some(&encoded)).map_err(|()| no_place())?;
        let mut with_password = Self::parse(url)?;
        with_password.secrets.add_plain_password(password);
        with_password.secrets.extend([self.secrets.clone()]);
        Ok(with_password)
    }

    /// The engine that the scheme names.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Everything in it that nobody may see.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AbsentTable {
    /// Its name as looked for.
    pub table: String,
    /// The schemas that do hold a table of this name, though the connection does not look there.
    pub elsewhere: Vec<String>,
    /// A schema that the name is qualified with and that does not exist either.
    pub absent_schema: Option<String>,
}

/// Why a history could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
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

    /// The error, blamed on GitHub where it is that a secret is not set and `whom` it gives none.
    #[must_use]
    pub fn withheld_from(self, whom: Option<WithoutSecrets>) -> Self {
        match (self.kind, whom) {
            (DatabaseErrorKind::SecretNotSet { variable }, Some(whom)) => {
                Self { kind: DatabaseErrorKind::SecretWithheld { variable, whom }, detail: self.detail }
            }
            (kind, _) => Self { kind, detail: self.detail },
        }
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
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
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
    /// The environment variable is unset because GitHub hands out no secrets for this event.
    #[error("GitHub gives {whom} no secrets, and {variable} is unset")]
    SecretWithheld {
        /// The name of the variable.
        variable: String,
        /// Whom.
        whom: WithoutSecrets,
    },
    /// No URL.
    #[error("the database URL is malformed")]
    MalformedUrl,
    /// A part of the URL is no UTF-8 once it is decoded.
    #[error("a part of the database URL is not UTF-8 once its `%` escapes are decoded")]
    NotUtf8,
    /// The credentials were rejected, and a `%` in them is no escape.
    #[error(
        "the database rejected the credentials, and a `%` in them is not followed by two hexadecimal digits: a `%` in the password must be written %25"
    )]
    PercentEncoding,
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
    /// The database answers, but was not done with the history within the timeout.
    #[error("the database did not hand out the history within the timeout")]
    Slow,
    /// The server demands or forbids TLS, or it could not be agreed on.
    #[error("the TLS connection could not be established")]
    Tls,
    /// The server has no TLS.
    #[error("the server does not offer TLS, which the URL demands")]
    TlsNotOffered,
    /// Nobody vouches for the server's certificate.
    #[error("the certificate of the server is not trusted")]
    TlsNotTrusted,
    /// The server's certificate is out of its time.
    #[error("the certificate of the server has expired, or is not valid yet")]
    TlsExpired,
    /// The server's certificate names somebody else.
    #[error("the certificate of the server is for another host")]
    TlsWrongHost,
    /// A certificate or key that the URL names cannot be read.
    #[error("a certificate or key that the URL names could not be read")]
    TlsFile,
    /// Wrong user or password.
    #[error("the database rejected the credentials")]
    Authentication,
    /// A plug-in or method of authentication that the driver does not speak.
    #[error("the server asks for a way of authentication that sqlx does not have")]
    AuthenticationMethod,
    /// No rule of the server's lets this user in from here, whatever the password.
    #[error("the server does not admit this user, to this database, from here, in this way")]
    NotAdmitted,
    /// The database does not exist.
    #[error("there is no such database")]
    NoSuchDatabase,
    /// The role may not read the history table, for a reason that no single privilege mends.
    #[error("the role may not read the history table")]
    PermissionDenied,
    /// The role lacks one privilege.
    #[error("the role may not {privilege}")]
    NotGranted {
        /// Which.
        privilege: Privilege,
        /// The SQL that grants it.
        grant: String,
    },
    /// The system does not let us read an SQLite file.
    #[error("the database file may not be read")]
    FileForbidden,
    /// The server has no connection left.
    #[error("the server has no connection left")]
    TooManyConnections,
    /// The server is not serving at the moment.
    #[error("the server is starting up, shutting down or recovering")]
    NotServing,
    /// The server hung up before the connection stood.
    #[error("the connection was closed before the server had answered")]
    HungUp,
    /// The connection broke while the history was read.
    #[error("the connection broke")]
    ConnectionLost,
    /// A table that sqlx did not make.
    #[error("the history table is not one that sqlx made")]
    WrongShape,
    /// An answer that is no history.
    #[error("the answer could not be understood")]
    Unintelligible,
    /// Tenants of a kind that the database has not.
    #[error("tenants are configured as `{}`, and this database keeps none in such", .0.key())]
    NotPartitioned(Partition),
    /// A table that all tenants would have in common.
    #[error("the history table is named with its schema, so that no tenant has one of its own")]
    TenantsShareTable,
    /// A pattern for tenants that finds none.
    #[error("a pattern finds no tenant")]
    NoTenant,
    /// Tenants behind a command.
    #[error("a `database-command` reads one history, and not one for each tenant")]
    TenantsBehindCommand,
    /// A command that nobody has allowed to be run.
    #[error("the command that the configuration names is not run, because nothing allows it")]
    CommandNotAllowed,
    /// A command that could hardly do anything without secrets.
    #[error("GitHub gives {whom} no secrets, and the command that the configuration names is not run without them")]
    CommandWithheld {
        /// Whom.
        whom: WithoutSecrets,
    },
    /// A command that the system cannot start.
    #[error("the command cannot be started")]
    CommandNotStarted(NotStarted),
    /// A command that says itself that it failed.
    #[error("the command failed")]
    CommandFailed,
    /// A command that does not end.
    #[error("the command did not end within the timeout")]
    CommandTimedOut,
    /// A command that prints something else than an answer.
    #[error("what the command printed is not what it was asked for")]
    CommandAnswer,
    /// A snapshot from before `max-age`.
    #[error("the snapshot is too old")]
    SnapshotTooOld,
    /// A snapshot that nobody can have taken yet.
    #[error("the snapshot is of a time to come")]
    SnapshotOfTheFuture,
    /// A snapshot of something else than what sqlx would read.
    #[error("the snapshot is of another history table")]
    SnapshotOfAnotherTable,
}

/// What a role needs for reading a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Privilege {
    /// Connecting to the database.
    Connect,
    /// Using the schema.
    Usage,
    /// Selecting from the table.
    Select,
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect to the database",
            Self::Usage => "use the schema of the history table",
            Self::Select => "select from the history table",
        })
    }
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
                | Self::Slow
                | Self::NoSuchDatabase
                | Self::HungUp
                | Self::ConnectionLost
                | Self::CommandTimedOut
                | Self::SnapshotTooOld
        ) || self.passes_by_itself()
    }

    /// Whether nobody could have read the database for this event.
    pub fn is_withheld(&self) -> bool {
        matches!(self, Self::SecretWithheld { .. } | Self::CommandWithheld { .. })
    }

    /// Whether the server itself says that it cannot serve *now*: what to ask again for.
    ///
    /// Nothing else is. Who is refused, hung up on or not resolved has mostly mistyped the URL or lacks a network, and
    /// wants to hear so at once; a rejected password locks accounts when it is tried again and again; and a query that
    /// was too slow has used the time up.
    pub fn passes_by_itself(&self) -> bool {
        matches!(self, Self::TooManyConnections | Self::NotServing)
    }

    /// What to do next.
    pub fn help(&self) -> Cow<'static, str> {
        help::help(self)
    }
}
