//! Two services that write to one history table, started by sqlx itself, one after the other, in any order and state:
//! whether what is predicted and found before each start is what then happens.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use migration_preflight::compare::compare;
use migration_preflight::finding::{Facts, Findings, Rule, Scope};
use migration_preflight::gather::{Limits, Reading, gather, group};
use migration_preflight::history::{Database, DatabaseUrl};
use migration_preflight::policy::{Levels, Policy};
use migration_preflight::source::Source;
use migration_preflight::startup::predict;
use migration_preflight::target::{Target, TargetState};
use sqlx::migrate::{MigrateError, Migrator};

use super::oracle::{Observed, agree};
use super::worlds::scratch;

/// A database of one engine.
pub trait Place {
    fn url(&self) -> String;

    /// Leaves no history table.
    async fn empty(&self);

    /// Starts a service as it starts itself: by a connection of its own.
    async fn start(&self, migrator: &Migrator) -> Result<(), MigrateError>;

    async fn execute(&self, sql: &'static str);
}

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A service starts.
    Start(&'static str),
    /// A service gets a migration, whose content is its own.
    Add(&'static str, i64),
    /// Both get one of one content.
    AddToBoth(i64),
    /// A service loses a migration.
    Remove(&'static str, i64),
    /// The database is told this.
    Sql(&'static str),
}
use Step::{Add, AddToBoth, Remove, Sql, Start};

const A: &str = "a";
const B: &str = "b";
const DIRTY: Step = Sql("UPDATE _sqlx_migrations SET success = FALSE WHERE version = 2");

/// What two services live through.
const STORIES: [(&str, &[Step]); 10] = [
    ("both are fresh", &[Add(A, 1), Add(B, 2), Start(A), Start(B), Start(A), Start(B)]),
    ("the other one starts first", &[Add(A, 1), Add(A, 3), Add(B, 2), Start(B), Start(A), Start(B), Start(A)]),
    ("one restarts", &[Add(A, 1), Start(A), Add(B, 2), Start(B), Start(A), Add(A, 3), Start(A), Start(B)]),
    ("one version, one content", &[Add(A, 1), AddToBoth(5), Add(B, 6), Start(A), Start(B), Start(A)]),
    ("nothing but one content", &[AddToBoth(5), AddToBoth(6), Start(A), Start(B), Start(A)]),
    ("one version, two contents", &[Add(A, 4), Add(A, 5), Add(B, 5), Start(A), Start(B), Start(A), Start(B)]),
    ("the other content first", &[Add(A, 4), Add(A, 5), Add(B, 5), Start(B), Start(A), Start(B)]),
    ("pending below", &[Add(A, 7), Add(B, 9), Start(A), Start(B), Add(A, 3), Add(B, 8), Start(A), Start(B), Start(A)]),
    ("a dirty row", &[Add(A, 1), Add(B, 2), Start(A), Start(B), DIRTY, Start(A), Start(B), Start(A)]),
    ("a row of nobody", &[Add(A, 1), Add(B, 2), Start(A), Start(B), Remove(B, 2), Start(A), Start(B)]),
];

/// Lives through everything, with and without ignoring what is missing. How often each kind of outcome was met.
pub async fn check(place: &impl Place, met: &mut super::oracle::Met) {
    for (name, steps) in STORIES {
        for ignoring in [&[][..], &[A], &[B], &[A, B]] {
            let root = scratch();
            place.empty().await;
            for service in [A, B] {
                fs::create_dir_all(root.path().join(service).join("migrations")).unwrap();
            }
            for (index, step) in steps.iter().enumerate() {
                if let Some(kind) = take(place, root.path(), *step, ignoring).await.unwrap_or_else(|difference| {
                    panic!("{name}, step {index} of {steps:?}, ignoring: {ignoring:?}: {difference}")
                }) {
                    met.count(kind);
                }
            }
        }
    }
}

async fn take(place: &impl Place, root: &Path, step: Step, ignoring: &[&str]) -> Result<Option<&'static str>, String> {
    let file = |service: &str, version: i64| root.join(format!("{service}/migrations/{version}_step.sql"));
    match step {
        Start(service) => return start(place, root, service, ignoring).await.map(Some),
        Add(service, version) => fs::write(file(service, version), format!("SELECT {version}; -- {service}\n")),
        AddToBoth(version) => [A, B]
            .into_iter()
            .try_for_each(|service| fs::write(file(service, version), format!("SELECT {version}; -- of both\n"))),
        Remove(service, version) => fs::remove_file(file(service, version)),
        Sql(sql) => {
            place.execute(sql).await;
            Ok(())
        }
    }
    .unwrap();
    Ok(None)
}

async fn start(place: &impl Place, root: &Path, service: &str, ignoring: &[&str]) -> Result<&'static str, String> {
    let states = states(place, root, ignoring).await;
    let state = states.iter().find(|state| state.target.service == service).unwrap();
    let (defined, history) = (state.defined.as_ref().unwrap(), state.applied.as_ref().unwrap());
    let ignores = state.target.ignore_missing;
    let engine = state.target.database.as_ref().unwrap().engine();
    let predicted = predict(defined, history, engine, ignores);
    let fails = predicted.error().map(ToString::to_string);
    let findings = compare(&states, &Policy::default());
    let before = versions(state);
    let mut migrator = Migrator::new(root.join(service).join("migrations")).await.unwrap();
    migrator.set_ignore_missing(ignores);
    let error = place.start(&migrator).await.err();
    let after = versions(&self::states(place, root, ignoring).await[0]);
    let observed = Observed { error, applied: after.difference(&before).copied().collect() };
    let kind = agree(&Ok(predicted), &observed)?;
    let told = told(&findings, service);
    if told.is_empty() == fails.is_some() {
        return Err(format!("the outcome is {fails:?}, and the errors are {told:?}"));
    }
    Ok(kind)
}

/// Both services, as `check` reads them.
async fn states(place: &impl Place, root: &Path, ignoring: &[&str]) -> Vec<TargetState> {
    let target = |service: &str| Target {
        service: service.into(),
        environment: "test".into(),
        migrations: format!("{service}/migrations").into(),
        source: Source::Directory,
        binary: None,
        database: DatabaseUrl::parse(place.url()).map(Database::Url),
        max_age: None,
        tenants: None,
        table: None,
        history_group: None,
        ignore_missing: ignoring.contains(&service),
        required: true,
        levels: Levels::default(),
        declared: None,
    };
    let limits = Limits { jobs: 2, timeout: Duration::from_secs(60) };
    let mut states = gather([A, B].map(target).to_vec(), root, &Reading::quiet(limits)).await;
    group::read(&mut states, &[], root);
    states
}

fn versions(state: &TargetState) -> BTreeSet<i64> {
    state.applied.as_ref().unwrap().rows().iter().map(|row| row.version.0).collect()
}

/// The rules that say that a service does not start now. A version that is taken twice says it of the second one.
fn told(findings: &Findings, service: &str) -> Vec<Rule> {
    const FATAL: [Rule; 4] =
        [Rule::MissingMigration, Rule::SharedHistory, Rule::ChecksumMismatch, Rule::DirtyMigration];
    let errors = findings.open.iter().filter(|finding| finding.severity.id() == "error");
    let of_service =
        errors.filter(|finding| matches!(&finding.scope, Scope::Target { service: own, .. } if own == service));
    let now = of_service.filter(|finding| !matches!(finding.facts, Facts::SharedVersion { .. }));
    now.map(|finding| finding.rule()).filter(|rule| FATAL.contains(rule)).collect()
}

/// What the stories are to lead to.
pub const OUTCOMES: [&str; 6] = ["starts", "applies", "dirty", "missing", "mismatch", "mismatch after applying"];
