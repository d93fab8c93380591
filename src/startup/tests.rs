use super::*;
use crate::migration::{Checksum, Migration, MigrationKind};
use crate::source::{InvalidFile, InvalidReason};

fn migration(version: i64, kind: MigrationKind) -> Migration {
    Migration {
        version: Version(version),
        description: String::new(),
        kind,
        checksum: Checksum::of(version.to_string()),
        path: format!("{version}_{}", kind.suffix()).into(),
    }
}

fn defined(versions: &[i64]) -> Defined {
    let migrations = versions.iter().map(|version| migration(*version, MigrationKind::Simple)).collect();
    Defined { migrations, ..Defined::default() }
}

fn row(version: i64) -> AppliedMigration {
    AppliedMigration {
        version: Version(version),
        description: String::new(),
        installed_on: None,
        success: true,
        checksum: Checksum::of(version.to_string()),
        execution_time: 1,
    }
}

fn edited(version: i64) -> AppliedMigration {
    AppliedMigration { checksum: Checksum::of("other"), ..row(version) }
}

fn dirty(version: i64) -> AppliedMigration {
    AppliedMigration { success: false, ..row(version) }
}

fn start(defined: &Defined, rows: Vec<AppliedMigration>) -> Outcome {
    predict(defined, &History::Present(rows), Engine::Postgres, false)
}

fn fails(error: StartupError, applies: &[i64]) -> Outcome {
    Outcome::Fails { error, applies: applies.iter().copied().map(Version).collect() }
}

#[test]
fn it_starts_with_what_is_applied_and_applies_the_rest_in_order() {
    assert_eq!(start(&defined(&[1, 2]), vec![row(1), row(2)]), Outcome::Starts);
    assert_eq!(start(&defined(&[]), vec![]), Outcome::Starts);
    let applies = Outcome::StartsAndApplies(vec![Version(1), Version(3)]);
    assert_eq!(start(&defined(&[1, 2, 3]), vec![row(2)]), applies, "out of order, too");
}

#[test]
fn a_dirty_row_comes_before_a_missing_one_and_that_before_a_mismatch() {
    let all = vec![edited(1), row(8), dirty(9)];
    assert_eq!(start(&defined(&[1]), all), fails(StartupError::Dirty(Version(9)), &[]));
    assert_eq!(start(&defined(&[1]), vec![edited(1), row(8)]), fails(StartupError::Missing(Version(8)), &[]));
    assert_eq!(start(&defined(&[1]), vec![edited(1)]), fails(StartupError::Mismatch(Version(1)), &[]));
}

#[test]
fn what_lies_below_a_mismatch_is_applied_before_the_crash_and_what_lies_above_is_not() {
    let outcome = start(&defined(&[1, 2, 3]), vec![edited(2)]);
    assert_eq!(outcome, fails(StartupError::Mismatch(Version(2)), &[1]));
    assert_eq!(outcome.applies(), [Version(1)]);
}

#[test]
fn what_is_missing_may_be_ignored_and_what_is_dirty_may_not() {
    let start = |rows| predict(&defined(&[1]), &History::Present(rows), Engine::Sqlite, true);
    assert_eq!(start(vec![row(1), row(2)]), Outcome::Starts);
    assert_eq!(start(vec![dirty(2)]), fails(StartupError::Dirty(Version(2)), &[]));
}

#[test]
fn a_down_file_satisfies_its_row_and_is_never_applied() {
    let down = Defined { migrations: vec![migration(1, MigrationKind::ReversibleDown)], ..Defined::default() };
    assert_eq!(start(&down, vec![edited(1)]), Outcome::Starts);
    assert_eq!(start(&down, vec![]), Outcome::Starts);
}

#[test]
fn the_second_file_of_a_version_fails_once_the_first_is_applied() {
    assert_eq!(start(&defined(&[1, 2, 2]), vec![]), fails(StartupError::Duplicate(Version(2)), &[1, 2]));
    assert_eq!(start(&defined(&[2, 2]), vec![row(2)]), Outcome::Starts, "both fit the row");
}

#[test]
fn one_bad_file_comes_before_everything_else() {
    let mut broken = defined(&[1]);
    broken.invalid.push(InvalidFile { path: "x_y.sql".into(), reason: InvalidReason::Version { prefix: "x".into() } });
    let outcome = start(&broken, vec![dirty(1)]);
    let text =
        "the migrations cannot be resolved: x_y.sql: `x` before the first `_` is not an integer that fits 64 bits";
    assert_eq!(outcome.error().map(ToString::to_string).as_deref(), Some(text));
}

#[test]
fn an_absent_schema_fails_unless_it_is_created() {
    let absent = AbsentTable { absent_schema: Some("app".into()), ..AbsentTable::default() };
    let start = |create: &[&str], engine| {
        let create_schemas = create.iter().map(ToString::to_string).collect();
        predict(&Defined { create_schemas, ..defined(&[1]) }, &History::Absent(absent.clone()), engine, false)
    };
    let no_schema = |name: &str| fails(StartupError::NoSchema(name.into()), &[]);
    assert_eq!(start(&[], Engine::Postgres), no_schema("app"));
    assert_eq!(start(&["other"], Engine::Postgres), no_schema("app"));
    assert_eq!(start(&["app"], Engine::Postgres), Outcome::StartsAndApplies(vec![Version(1)]));
    assert_eq!(start(&["pg_app", "app"], Engine::Postgres), no_schema("pg_app"), "a name that PostgreSQL keeps");
    assert_eq!(start(&["app"], Engine::Sqlite), no_schema("app"), "SQLite creates no schema");
}
