//! Sizes that nobody has yet: no step whose time grows with the square of the work, and memory that does not grow with
//! what has been read and judged.

#[cfg(target_os = "linux")]
mod memory;
mod merged;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use migration_preflight::compare::compare;
use migration_preflight::finding::{Finding, Location, Rule, Scope};
use migration_preflight::history::{AbsentTable, Database, DatabaseUrl, History};
use migration_preflight::migration::{AppliedMigration, Checksum, Migration, MigrationKind, Version};
use migration_preflight::policy::{Accept, FailOn, Levels, Policy};
use migration_preflight::render;
use migration_preflight::report::Report;
use migration_preflight::source::{Defined, Source};
use migration_preflight::target::{Target, TargetState};
use rustix::time::{ClockId, clock_gettime};

/// How many times larger the large world is.
pub const GROWTH: usize = 8;
/// By how much its time may grow at most: twice as much as the world, where a square would be eight times.
pub const MOST: f64 = 16.0;

fn migration(version: usize, content: &str, kind: MigrationKind) -> Migration {
    Migration {
        version: Version(version as i64),
        description: format!("step {version}"),
        kind,
        checksum: Checksum::of(content),
        path: PathBuf::from(format!("migrations/{version}_step_{version}{}", kind.suffix())),
    }
}

fn up(versions: impl Iterator<Item = usize>, content: &str) -> Vec<Migration> {
    versions.map(|version| migration(version, content, MigrationKind::Simple)).collect()
}

fn rows(versions: impl Iterator<Item = usize>, content: &str) -> History {
    let row = |version: usize| AppliedMigration {
        version: Version(version as i64),
        description: format!("step {version}"),
        installed_on: None,
        success: true,
        checksum: Checksum::of(content),
        execution_time: 1,
    };
    History::Present(versions.map(row).collect())
}

/// A target of the service and the environment of these numbers.
pub fn state(service: usize, environment: usize, migrations: Vec<Migration>, applied: History) -> TargetState {
    let target = Target {
        service: format!("service-{service}"),
        environment: format!("environment-{environment}"),
        migrations: "migrations".into(),
        source: Source::Directory,
        binary: None,
        database: DatabaseUrl::parse("sqlite:x.db").map(Database::Url),
        max_age: None,
        tenants: None,
        table: None,
        history_group: None,
        ignore_missing: false,
        required: true,
        levels: Levels::default(),
        declared: None,
    };
    TargetState {
        target,
        defined: Ok(Arc::new(Defined { migrations, ..Defined::default() })),
        applied: Ok(applied),
        tenants: None,
        base: None,
        group: None,
    }
}

/// A world of a size, and what somebody has decided about it.
type World = fn(usize) -> (Vec<TargetState>, Policy);

const WORLDS: [(&str, World); 10] = [
    ("everything applied", |n| (vec![state(1, 1, up(1..n, "a"), rows(1..n, "a"))], Policy::default())),
    ("everything missing", |n| (vec![state(1, 1, up(1..2, "a"), rows(2..n, "a"))], Policy::default())),
    ("everything different", |n| (vec![state(1, 1, up(1..n, "a"), rows(1..n, "b"))], Policy::default())),
    ("everything pending", |n| (vec![state(1, 1, up(1..n, "a"), rows(n..n + 1, "a"))], Policy::default())),
    ("every version twice", |n| {
        let twice = (1..n).flat_map(|version| [version, version]);
        (vec![state(1, 1, up(twice, "a"), rows(1..n, "a"))], Policy::default())
    }),
    ("down files alone", |n| {
        let down = (1..n).map(|version| migration(version, "a", MigrationKind::ReversibleDown)).collect();
        (vec![state(1, 1, down, rows(n..2 * n, "a"))], Policy::default())
    }),
    ("two environments that drift", |n| {
        let states =
            vec![state(1, 1, up(1..n, "a"), rows(1..n, "a")), state(1, 2, up(1..n, "a"), rows(n / 2..2 * n, "b"))];
        (states, Policy { promotion: vec!["environment-1".into(), "environment-2".into()], ..Policy::default() })
    }),
    ("everything accepted", |n| {
        let accept = |version: usize| Accept {
            rule: Rule::MissingMigration,
            service: Some("service-1".into()),
            environment: None,
            version: Some(Version(version as i64)),
            file: None,
            reason: "old".into(),
            location: Location { file: "x.yml".into(), line: 1 },
        };
        let policy = Policy { accept: (2..n).map(accept).collect(), ..Policy::default() };
        (vec![state(1, 1, up(1..2, "a"), rows(2..n, "a"))], policy)
    }),
    ("services with each other's databases", |n| {
        let content = |service: usize| format!("service {service}");
        let of = |service: usize| {
            state(service, 1, up(1..6, &content(service)), rows(1..6, &content((service + 1) % (n / 10))))
        };
        ((0..n / 10).map(of).collect(), Policy::default())
    }),
    ("environments without a history", |n| {
        let absent = |environment| state(1, environment, up(1..3, "a"), History::Absent(AbsentTable::default()));
        let states = (1..n / 10).map(absent).chain([state(1, 0, up(1..3, "a"), rows(1..3, "a"))]);
        (states.collect(), Policy::default())
    }),
];

/// The time that this thread has had on a processor: what else the machine does hardly adds to it.
pub fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

/// The least that it takes to judge the states and to write the reports: what disturbs a run only ever adds to it.
fn least((states, policy): &(Vec<TargetState>, Policy)) -> Duration {
    let once = || {
        let start = processor_time();
        let report = Report::new(states, compare(states, policy), FailOn::Error);
        let written = [render::human, render::json, render::sarif].map(|render| render(&report));
        assert!(written.iter().all(|text| !text.is_empty()));
        processor_time() - start
    };
    (0..3).map(|_| once()).min().unwrap()
}

#[test]
fn the_time_grows_with_the_work_and_not_with_its_square() {
    for (name, world) in WORLDS {
        let (small, large) = (least(&world(1_000)), least(&world(1_000 * GROWTH)));
        let growth = large.as_secs_f64() / small.as_secs_f64();
        println!("{name}: {small:?}, {large:?}, {growth:.1} times");
        assert!(growth < MOST, "{name}: {GROWTH} times the work took {growth:.1} times as long ({small:?}, {large:?})");
    }
}
