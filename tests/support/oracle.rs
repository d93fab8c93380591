//! The oracle: sqlx's own resolver and `Migrator`, and whether our prediction is what they do.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use migration_preflight::gather::database::history;
use migration_preflight::gather::directory;
use migration_preflight::history::{DatabaseError, DatabaseErrorKind, DatabaseUrl, LookUp};
use migration_preflight::startup::{Outcome, StartupError, predict};
use sqlx::error::{BoxDynError, ErrorKind};
use sqlx::migrate::{MigrateError, Migration, MigrationSource, Migrator, ResolveConfig, ResolveWith};

use super::starts::Start;
use super::worlds::{Dice, World};

/// What sqlx resolves in the migrations directory of `world`, which stands in `root`.
pub async fn resolve(root: &Path, world: &World) -> Result<Vec<Migration>, BoxDynError> {
    if let Some(refused) = world.settings.refused {
        return Err(format!("sqlx.toml is refused: {refused}").into());
    }
    let mut config = ResolveConfig::new();
    config.ignore_chars(world.settings.ignored_chars.iter().copied());
    ResolveWith(root.join(world.directory), config).resolve().await
}

/// What a start came to: sqlx's error, and the versions it added to the history table, in order.
#[derive(Debug)]
pub struct Observed {
    pub error: Option<MigrateError>,
    pub applied: Vec<i64>,
}

/// The migrators that `start` may embed: migrations of one version and kind stand in any order.
pub fn migrators(
    start: &Start,
    resolved: Result<Vec<Migration>, BoxDynError>,
    dice: &mut Dice,
) -> Vec<Result<Migrator, MigrateError>> {
    let migrations = match resolved {
        Ok(migrations) => migrations,
        Err(error) => return vec![Err(MigrateError::Source(error))],
    };
    let ties = migrations.windows(2).any(|pair| pair[0] == pair[1]);
    let mut migrators = Vec::new();
    for _ in 0..if ties { 3 } else { 1 } {
        let mut migrations = migrations.clone();
        dice.shuffle(&mut migrations);
        let mut migrator = Migrator::with_migrations(migrations);
        migrator.set_ignore_missing(start.ignore_missing);
        migrator.dangerous_set_table_name(Cow::Borrowed(start.place.table));
        for schema in &start.world.settings.create_schemas {
            migrator.create_schema(schema.clone());
        }
        migrators.push(Ok(migrator));
    }
    migrators
}

/// Our prediction for `start`, whose crate stands in `root`.
///
/// # Errors
/// The history cannot be read, or the directory as a whole cannot: then sqlx must fail as well.
pub async fn predicted(root: &Path, start: &Start, url: &DatabaseUrl) -> Result<Outcome, Unread> {
    let create_schemas = start.place.create_schemas.iter().map(ToString::to_string).collect();
    let look_up = LookUp { create_schemas, ..LookUp::of(start.place.table) };
    let history = history(url, &look_up, Duration::from_secs(60));
    let history = history.await.map_err(Unread::History)?;
    let defined = directory::read(root, Path::new(start.world.directory)).map_err(|_| Unread::Source)?;
    Ok(predict(&defined, &history, start.engine, start.ignore_missing))
}

/// The side that we could not read, and so predict nothing.
#[derive(Debug)]
pub enum Unread {
    History(DatabaseError),
    Source,
}

/// What kind of outcome sqlx and the prediction agree on.
///
/// # Errors
/// They do not agree; says where.
pub fn agree(predicted: &Result<Outcome, Unread>, observed: &Observed) -> Result<&'static str, String> {
    let predicted = match (predicted, &observed.error) {
        (Ok(predicted), _) => predicted,
        (Err(Unread::Source), Some(MigrateError::Source(_))) => return Ok("broken"),
        // Before it comes to the rows, sqlx may fail over the directory or over a schema.
        (Err(Unread::History(unread)), Some(error))
            if unread.kind == DatabaseErrorKind::WrongShape && observed.applied.is_empty() =>
        {
            return match error {
                MigrateError::Execute(sqlx::Error::ColumnDecode { .. }) => Ok("unintelligible"),
                MigrateError::Source(_) => Ok("broken"),
                MigrateError::CreateSchemasNotSupported(_) => Ok("no schema"),
                MigrateError::Execute(sqlx::Error::Database(error)) if about_a_schema(&**error) => Ok("no schema"),
                error => Err(format!("sqlx: {error}, and we could not read the rows")),
            };
        }
        (Err(_), error) => return Err(format!("sqlx: {error:?}, and we could not read it")),
    };
    let applies: Vec<i64> = predicted.applies().iter().map(|version| version.0).collect();
    if applies != observed.applied {
        return Err(format!("applied {:?}, predicted {applies:?}", observed.applied));
    }
    let kind = match (&observed.error, predicted) {
        (None, Outcome::Starts) if applies.is_empty() => "starts",
        (None, Outcome::StartsAndApplies(_)) if !applies.is_empty() => "applies",
        (Some(error), Outcome::Fails { error: predicted, .. }) => return same_error(error, predicted, &applies),
        _ => return Err(format!("sqlx: {:?}", observed.error)),
    };
    Ok(kind)
}

fn same_error(error: &MigrateError, predicted: &StartupError, applies: &[i64]) -> Result<&'static str, String> {
    let kind = match (error, predicted) {
        (MigrateError::Dirty(_), StartupError::Dirty(_)) if applies.is_empty() => "dirty",
        (MigrateError::VersionMissing(_), StartupError::Missing(_)) if applies.is_empty() => "missing",
        (MigrateError::VersionMismatch(_), StartupError::Mismatch(_)) if applies.is_empty() => "mismatch",
        (MigrateError::VersionMismatch(_), StartupError::Mismatch(_)) => "mismatch after applying",
        (MigrateError::Source(_), StartupError::BrokenDirectory { .. }) if applies.is_empty() => return Ok("broken"),
        (MigrateError::CreateSchemasNotSupported(_), StartupError::NoSchema(_)) if applies.is_empty() => {
            return Ok("no schema");
        }
        (MigrateError::Execute(sqlx::Error::Database(database)), predicted) => {
            return match predicted {
                // The transaction of the second took nothing back of the first.
                StartupError::Duplicate(version) if applies.last() == Some(&version.0) => {
                    (database.kind() == ErrorKind::UniqueViolation).then_some("duplicate").ok_or(error.to_string())
                }
                StartupError::NoSchema(_) if applies.is_empty() && about_a_schema(&**database) => Ok("no schema"),
                _ => Err(format!("sqlx: {error}, predicted {predicted}")),
            };
        }
        _ => return Err(format!("sqlx: {error}, predicted {predicted}")),
    };
    if error.to_string() == predicted.to_string() {
        Ok(kind)
    } else {
        Err(format!("sqlx says `{error}`, and we `{predicted}`"))
    }
}

/// Whether creating a schema, or the table in it, failed for the schema's sake.
fn about_a_schema(error: &dyn sqlx::error::DatabaseError) -> bool {
    // PostgreSQL: invalid_schema_name, reserved_name, syntax_error.
    let known = error.code().is_some_and(|code| ["3F000", "42939", "42601"].contains(&&*code));
    let message = error.message().to_lowercase();
    let words = ["unknown database", "incorrect database name", "syntax error", "error in your sql syntax"];
    // MySQL of its catalogue: "to database 'information_schema'".
    known || words.iter().any(|words| message.contains(words)) || message.contains("to database 'information_schema'")
}

/// How often each kind of outcome was met, so that a generator which misses one is seen.
#[derive(Debug, Default)]
pub struct Met(BTreeMap<&'static str, u64>);

impl Met {
    pub fn count(&mut self, kind: &'static str) {
        *self.0.entry(kind).or_default() += 1;
    }

    /// Fails where a kind was never met.
    pub fn assert_all(&self, kinds: &[&str]) {
        let never: Vec<_> = kinds.iter().filter(|kind| !self.0.contains_key(**kind)).collect();
        assert!(never.is_empty(), "{never:?} were never met: {:?}", self.0);
    }

    /// Prints the counts, and fails where a kind was hardly ever met among many cases.
    #[allow(clippy::print_stdout)] // The figures of a long run; `--nocapture` shows them.
    pub fn assert_every(&self, kinds: &[&str]) {
        println!("{:?}", self.0);
        let cases: u64 = self.0.values().sum();
        for kind in kinds {
            let met = self.0.get(kind).copied().unwrap_or_default();
            assert!(cases < 500 || met * 400 >= cases, "`{kind}` was met {met} times in {cases} cases");
        }
    }
}

/// The kinds of outcome that every long enough run meets.
pub const OUTCOMES: [&str; 9] = [
    "starts",
    "applies",
    "dirty",
    "missing",
    "mismatch",
    "mismatch after applying",
    "duplicate",
    "broken",
    "no schema",
];
