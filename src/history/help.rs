//! What to do about a history that could not be read: one text for each reason, and no two alike.

use std::borrow::Cow;

use super::{DatabaseErrorKind as Kind, NotStarted};

const NOT_CONFIGURED: &str = "Set `database-url: ${SOME_VARIABLE}` for the service or the environment in the configuration, and the variable in the step's `env:`.";
const SECRET_NOT_SET: &str = "Set the variable before this command; in a workflow, in the step's `env:` (`NAME: ${{ secrets.NAME }}`). A secret is empty where it does not exist: for forks, for Dependabot, and in jobs that do not name the environment.";
const WITHHELD: &str = "Nothing has to be done for the pull request. Its target is checked once it is in the merge queue or on a branch of the repository; Dependabot's runs get what the repository keeps among Dependabot's own secrets. With `--snapshot` (the input `snapshot`) it is checked here too, against a history that was written down.";
const MALFORMED_URL: &str = "Write it as `postgres://user:password@host:5432/database`, `mysql://user:password@host:3306/database` or `sqlite://path/to/file.db`, with `@ : / % ?` and `#` in the password percent-encoded.";
const NOT_UTF8: &str = "Write a `%` that belongs to the password as `%25`, and a letter as the escapes of its UTF-8 bytes: `ö` is `%C3%B6`, not `%F6`.";
const PERCENT_ENCODING: &str = "Write `%25` in the URL for every `%` of the password, and `%40 %3A %2F %3F %23` for `@ : / ? #`; then check user and password.";
const UNKNOWN_SCHEME: &str = "Use a URL that the service itself would give to sqlx, from its scheme on: without quotation marks around it, `NAME=` before it, or the name of a driver in the scheme (`mysql+pymysql:`).";
const TABLE_NAME: &str = "Write it as `table`, `schema.table` or with quoted parts as `\"Schema\".\"Table\"` (MySQL: in backticks), in `table` or in sqlx.toml's `table-name`.";
const DNS: &str = "Check the host name; a private network's names resolve only within it.";
const REFUSED: &str = "Check host and port, and that the database runs and may be reached from here.";
const TIMED_OUT: &str = "Check host and port, and that a firewall, a proxy or a VPN lets this machine through to the database. A `mysql:` URL that leads to a PostgreSQL server waits in vain, too. `--timeout` gives it longer.";
const SLOW: &str = "Look for a lock on the history table (a migration at work, a transaction left open) and for an overloaded server; `--timeout` gives it longer.";
const TLS_NOT_OFFERED: &str = "Switch TLS on at the server or the pooler. Only where the network itself is trusted: `sslmode=prefer` in the URL (MySQL: `ssl-mode=PREFERRED`).";
const TLS_NOT_TRUSTED: &str = "Name the authority that signed it: `sslrootcert=/path/to/ca.pem` in the URL (MySQL: `ssl-ca`; cloud providers publish theirs). If it should be a public one, check that nobody stands in between.";
const TLS_EXPIRED: &str = "Renew the certificate on the server, and check the clock of this machine.";
const TLS_WRONG_HOST: &str = "Use the host name that the certificate names, or have it issued for this one as well; `sslmode=verify-ca` (MySQL: `ssl-mode=VERIFY_CA`) does not compare names.";
const TLS_FILE: &str = "Check the paths in `sslrootcert`, `sslcert` and `sslkey` of the URL (MySQL: `ssl-ca`, `ssl-cert`, `ssl-key`), and who may read the files.";
const AUTHENTICATION: &str = "Check user and password; a password with `@ : / %` has to be percent-encoded in a URL. MariaDB rejects an account that requires TLS in the same words (`ssl-mode=required`).";
const AUTHENTICATION_METHOD: &str = "Let the account log in with a kind of password that sqlx knows: SCRAM or MD5 on PostgreSQL (pg_hba.conf), `caching_sha2_password` or `mysql_native_password` on MySQL, `mysql_native_password` on MariaDB. The service cannot log in otherwise, either.";
const NOT_ADMITTED: &str = "Ask for TLS if that is what the server demands (`sslmode=require`; MySQL: `ssl-mode=REQUIRED`); else have an administrator admit this machine for the user and database, in pg_hba.conf or as the host of MySQL's account.";
const NO_SUCH_DATABASE: &str = "Check the database's name or the file's path. The check never creates one.";
const PERMISSION_DENIED: &str = "Grant the role `SELECT` on the history table, and on PostgreSQL `USAGE` on its schema; nothing else is needed. A row-level security policy on it must not bind the role.";
const FILE_FORBIDDEN: &str = "Let this user read the file and enter its folder. A database in WAL mode also needs a writable folder, or one where its -wal and -shm files stand.";
const TOO_MANY_CONNECTIONS: &str = "Lower `--jobs`, or raise the connection limit of the server or role.";
const NOT_SERVING: &str = "Run the check again once the server is up; `--timeout` makes it wait longer by itself.";
const HUNG_UP: &str = "Check host and port, and what stands before the database: a proxy without a server behind it, a firewall, or a server that wants TLS from the start.";
const CONNECTION_LOST: &str = "Run the check again; if it recurs, look into the server's log.";
const WRONG_SHAPE: &str = "Check `table` and sqlx.toml's `table-name`: sqlx's own table has the columns version, description, installed_on, success, checksum and execution_time.";
const UNINTELLIGIBLE: &str = "Check that the URL (scheme, host and port, or the path) leads to the database itself.";
const TLS: &str = "Check the TLS parameters of the URL (`sslmode`, `sslrootcert`, `sslcert`; MySQL: `ssl-mode`, `ssl-ca`, `ssl-cert`) against what the server asks for.";
const NOT_PARTITIONED: &str = "`schemas` are those of one PostgreSQL database, and `databases` those of a MySQL or MariaDB server. On SQLite, and where each tenant has a PostgreSQL database, a tenant is an environment or a service with a `database-url` of its own.";
const TENANTS_SHARE_TABLE: &str = "Leave the schema out of `table`, and of sqlx.toml's `table-name`, if each tenant has a history; leave out `schemas` (MySQL: `databases`) if they have one in common.";
const NO_TENANT: &str = "Check the patterns in `schemas` (MySQL: `databases`): `*` stands for any letters, `?` for one, and upper and lower case are not the same. MySQL shows only databases on which the user has a privilege.";
const TENANTS_BEHIND_COMMAND: &str = "Give a `database-url`, by way of a tunnel where nothing else leads to the server; or a snapshot that was taken where one does.";
const COMMAND_NOT_ALLOWED: &str = "Give `--allow-commands` (the input `allow-commands: true`) where everybody who can change the configuration may run programs here; or put a `database-url` or a snapshot in its place. For the pull request of a fork that runs with secrets (`pull_request_target`, `workflow_run`) nothing allows it.";
const PROGRAM_ABSENT: &str = "Install it here, or check its name. No shell is asked: `|`, `$()` and aliases mean nothing, and a path is relative to the root of the repository.";
const PROGRAM_FORBIDDEN: &str = "Make it executable with `chmod +x` (in the repository with `git update-index --chmod=+x` too), or name its interpreter before it: `[sh, client.sh]`.";
const ARGUMENTS_TOO_LONG: &str =
    "Hand the query over with `query: stdin`, and shorten `run`; what the environment holds counts as well.";
const NO_INTERPRETER: &str = "Correct the path after its `#!`, which ends in an invisible `\\r` where the file has line breaks of Windows; or install that interpreter, or name another one before the script: `[sh, client.sh]`.";
const PROGRAM_FOREIGN: &str = "Take one that is built for this system and processor. A script begins with a line such as `#!/bin/sh`, or has its interpreter named before it: `[sh, client.sh]`.";
const NOT_STARTED: &str = "Run it by hand on this machine; what the system says stands above.";
const COMMAND_FAILED: &str =
    "Run it by hand, with `SELECT 1` in the place of the query; what it wrote to standard error stands above.";
const COMMAND_TIMED_OUT: &str = "Check that it asks for nothing (it has no terminal; `kubectl exec` wants no `-t`, `ssh` `-o BatchMode=yes`) and that what it connects to can be reached. `--timeout` gives it longer.";
const COMMAND_ANSWER: &str = "Let it run the query as it is, and print every row whole: `psql --csv -c`, `mysql --batch -e`, `sqlite3 -csv FILE`. A remote shell (`ssh`) would take the query apart: give it on standard input, with `query: stdin`.";
const SNAPSHOT_TOO_OLD: &str = "Take a new one where the database can be reached, with `migration-preflight snapshot`; or raise `max-age`, if a history of that age says enough.";
const SNAPSHOT_OF_THE_FUTURE: &str = "Check the clock of this machine and of the one that took it, and take a new one with `migration-preflight snapshot`.";
const SNAPSHOT_OF_ANOTHER_TABLE: &str = "Take a new one with `migration-preflight snapshot`, from a checkout with the same `table` and sqlx.toml (`table-name`, `create-schemas`) as this one.";

/// What to do next.
pub(super) fn help(kind: &Kind) -> Cow<'static, str> {
    Cow::Borrowed(match kind {
        Kind::NotGranted { grant, .. } => {
            return Cow::Owned(format!("Let an administrator run `{grant}`; nothing else is needed for this step."));
        }
        Kind::NotConfigured => NOT_CONFIGURED,
        Kind::SecretNotSet { .. } => SECRET_NOT_SET,
        Kind::SecretWithheld { .. } | Kind::CommandWithheld { .. } => WITHHELD,
        Kind::NotPartitioned(_) => NOT_PARTITIONED,
        Kind::TenantsShareTable => TENANTS_SHARE_TABLE,
        Kind::NoTenant => NO_TENANT,
        Kind::TenantsBehindCommand => TENANTS_BEHIND_COMMAND,
        Kind::CommandNotAllowed => COMMAND_NOT_ALLOWED,
        Kind::CommandNotStarted(why) => match why {
            NotStarted::Absent => PROGRAM_ABSENT,
            NotStarted::Forbidden => PROGRAM_FORBIDDEN,
            NotStarted::TooLong => ARGUMENTS_TOO_LONG,
            NotStarted::NoInterpreter => NO_INTERPRETER,
            NotStarted::Foreign => PROGRAM_FOREIGN,
            NotStarted::Other => NOT_STARTED,
        },
        Kind::CommandFailed => COMMAND_FAILED,
        Kind::CommandTimedOut => COMMAND_TIMED_OUT,
        Kind::CommandAnswer => COMMAND_ANSWER,
        Kind::MalformedUrl => MALFORMED_URL,
        Kind::NotUtf8 => NOT_UTF8,
        Kind::PercentEncoding => PERCENT_ENCODING,
        Kind::UnknownScheme => UNKNOWN_SCHEME,
        Kind::TableName => TABLE_NAME,
        Kind::Dns => DNS,
        Kind::Refused => REFUSED,
        Kind::TimedOut => TIMED_OUT,
        Kind::Slow => SLOW,
        Kind::TlsNotOffered => TLS_NOT_OFFERED,
        Kind::TlsNotTrusted => TLS_NOT_TRUSTED,
        Kind::TlsExpired => TLS_EXPIRED,
        Kind::TlsWrongHost => TLS_WRONG_HOST,
        Kind::TlsFile => TLS_FILE,
        Kind::Authentication => AUTHENTICATION,
        Kind::AuthenticationMethod => AUTHENTICATION_METHOD,
        Kind::NotAdmitted => NOT_ADMITTED,
        Kind::NoSuchDatabase => NO_SUCH_DATABASE,
        Kind::PermissionDenied => PERMISSION_DENIED,
        Kind::FileForbidden => FILE_FORBIDDEN,
        Kind::TooManyConnections => TOO_MANY_CONNECTIONS,
        Kind::NotServing => NOT_SERVING,
        Kind::HungUp => HUNG_UP,
        Kind::ConnectionLost => CONNECTION_LOST,
        Kind::WrongShape => WRONG_SHAPE,
        Kind::Unintelligible => UNINTELLIGIBLE,
        Kind::Tls => TLS,
        Kind::SnapshotTooOld => SNAPSHOT_TOO_OLD,
        Kind::SnapshotOfTheFuture => SNAPSHOT_OF_THE_FUTURE,
        Kind::SnapshotOfAnotherTable => SNAPSHOT_OF_ANOTHER_TABLE,
    })
}
