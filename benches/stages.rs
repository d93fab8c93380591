//! The stages after reading, which are pure, over histories of up to 100,000 rows: `cargo bench --bench stages`.
//!
//! Everything is given per row: a step that grows with the square of their number shows as a throughput that falls.

use std::path::PathBuf;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use migration_preflight::compare::compare;
use migration_preflight::finding::Findings;
use migration_preflight::history::{Database, DatabaseUrl, History};
use migration_preflight::migration::{AppliedMigration, Checksum, Migration, MigrationKind, Version};
use migration_preflight::policy::{FailOn, Levels, Policy};
use migration_preflight::render;
use migration_preflight::report::Report;
use migration_preflight::source::{Defined, Source};
use migration_preflight::target::{Target, TargetState};

const SIZES: [i64; 5] = [10, 500, 4_400, 10_000, 100_000];

fn migration(version: i64) -> Migration {
    Migration {
        version: Version(version),
        description: format!("step {version}"),
        kind: MigrationKind::Simple,
        checksum: Checksum::of(version.to_le_bytes()),
        path: format!("migrations/{version}_step_{version}.sql").into(),
    }
}

fn row(version: i64) -> AppliedMigration {
    AppliedMigration {
        version: Version(version),
        description: format!("step {version}"),
        installed_on: None,
        success: true,
        checksum: Checksum::of(version.to_le_bytes()),
        execution_time: 5,
    }
}

/// A target with so many migrations, and rows for all of them but every tenth; or with a row for each.
fn state(environment: &str, size: i64, is_clean: bool) -> TargetState {
    let is_applied = |version: &i64| is_clean || version % 10 != 0;
    TargetState {
        target: Target {
            service: "api".into(),
            environment: environment.into(),
            migrations: PathBuf::from("migrations"),
            source: Source::Directory,
            binary: None,
            database: DatabaseUrl::parse("sqlite:x.db").map(Database::Url),
            max_age: None,
            tenants: None,
            table: None,
            history_group: None,
            ignore_missing: false,
            required: true,
            levels: Levels::new(),
            declared: None,
        },
        // Every hundredth file is gone.
        defined: Ok(Arc::new(Defined {
            migrations: (1..=size).filter(|version| is_clean || version % 100 != 1).map(migration).collect(),
            ..Defined::default()
        })),
        applied: Ok(History::Present((1..=size).filter(is_applied).map(row).collect())),
        tenants: None,
        base: None,
        group: None,
    }
}

/// Two environments, in which everything is as it should be, or of which each has a lot of everything.
fn states(size: i64, is_clean: bool) -> Vec<TargetState> {
    vec![state("staging", size, is_clean), state("production", size, is_clean)]
}

fn stages(criterion: &mut Criterion) {
    let policy = Policy { promotion: vec!["staging".into(), "production".into()], ..Policy::default() };
    for (is_clean, kind) in [(true, "clean"), (false, "with findings")] {
        let mut group = criterion.benchmark_group(kind);
        for size in SIZES {
            let states = states(size, is_clean);
            let findings = || compare(&states, &policy);
            let report = Report::new(&states, findings(), FailOn::default());
            group.throughput(Throughput::Elements(size as u64)).sample_size(10);
            group.bench_function(BenchmarkId::new("compare", size), |bencher| bencher.iter(findings));
            group.bench_function(BenchmarkId::new("report, with the prediction", size), |bencher| {
                bencher.iter(|| Report::new(&states, Findings::default(), FailOn::default()));
            });
            group.bench_function(BenchmarkId::new("human", size), |bencher| bencher.iter(|| render::human(&report)));
            group.bench_function(BenchmarkId::new("json", size), |bencher| bencher.iter(|| render::json(&report)));
        }
        group.finish();
    }
}

criterion_group!(benches, stages);
criterion_main!(benches);
