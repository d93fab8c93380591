//! One fixture a rule: a state in which it fires, and its sibling in which it does not.

use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::finding::Rule;
use crate::history::{AbsentTable, Database, DatabaseError, DatabaseErrorKind, DatabaseUrl, History};
use crate::migration::{AppliedMigration, Checksum, Migration, MigrationKind, Version};
use crate::source::{Base, Defined, IgnoredFile, IgnoredReason, InvalidFile, InvalidReason, Source, Unwatched};

/// A target `api` in `staging` whose migrations 1 and 2 are both applied.
fn clean() -> TargetState {
    state("api", "staging", &[1, 2], &[1, 2])
}

fn state(service: &str, environment: &str, defined: &[i64], applied: &[i64]) -> TargetState {
    TargetState {
        target: Target {
            service: service.into(),
            environment: environment.into(),
            migrations: PathBuf::from(service).join("migrations"),
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
            declared: Some(Location { file: "deploy.yml".into(), line: 7 }),
        },
        defined: Ok(Arc::new(Defined {
            migrations: defined.iter().map(|version| migration(service, *version)).collect(),
            ..Defined::default()
        })),
        applied: Ok(History::Present(applied.iter().map(|version| row(service, *version)).collect())),
        tenants: None,
        base: None,
        group: None,
    }
}

fn migration(service: &str, version: i64) -> Migration {
    Migration {
        version: Version(version),
        description: format!("step {version}"),
        kind: MigrationKind::Simple,
        checksum: Checksum::of(format!("{service} {version}")),
        path: format!("{service}/migrations/{version}_step_{version}.sql").into(),
    }
}

fn row(service: &str, version: i64) -> AppliedMigration {
    AppliedMigration {
        version: Version(version),
        description: format!("step {version}"),
        installed_on: None,
        success: true,
        checksum: Checksum::of(format!("{service} {version}")),
        execution_time: 5,
    }
}

impl TargetState {
    /// As part of a pull request that begins where the migrations of `start` stand, and whose base has come to those of
    /// `tip`.
    fn since(self, start: &[i64], tip: &[i64]) -> Self {
        let migrations = |versions: &[i64]| versions.iter().map(|v| migration(&self.target.service, *v)).collect();
        let base = Base {
            start: Some(Defined { migrations: migrations(start), ..Defined::default() }),
            tip: migrations(tip),
            same_settings: true,
            is_pull_request: true,
        };
        Self { base: Some(Arc::new(base)), ..self }
    }

    fn edit_base(mut self, edit: impl FnOnce(&mut Base)) -> Self {
        edit(Arc::make_mut(self.base.as_mut().unwrap()));
        self
    }

    fn edit_defined(mut self, edit: impl FnOnce(&mut Defined)) -> Self {
        edit(Arc::make_mut(self.defined.as_mut().unwrap()));
        self
    }

    fn edit_rows(mut self, edit: impl FnOnce(&mut Vec<AppliedMigration>)) -> Self {
        match self.applied.as_mut().unwrap() {
            History::Present(rows) => edit(rows),
            History::Absent(_) => unreachable!("the fixture has rows"),
        }
        self
    }

    fn edit_target(mut self, edit: impl FnOnce(&mut Target)) -> Self {
        edit(&mut self.target);
        self
    }
}

/// What fires, gravest first, as `severity rule@place`.
fn fires(states: &[TargetState]) -> Vec<String> {
    fires_under(states, &Policy::default())
}

fn fires_under(states: &[TargetState], policy: &Policy) -> Vec<String> {
    let show = |finding: &Finding| {
        let place = finding.location.as_ref().map_or("-".into(), |location| location.file.clone());
        format!("{} {}@{place}", finding.severity.id(), finding.rule())
    };
    compare(states, policy).open.iter().map(show).collect()
}

fn unreachable(kind: DatabaseErrorKind) -> TargetState {
    TargetState { applied: Err(DatabaseError::new(kind, "")), ..clean() }
}

/// Every rule but the one that `merge` alone finds broken.
fn rules() -> impl Iterator<Item = Rule> {
    Rule::all().filter(|rule| *rule != Rule::MissingReport)
}

/// The fixture of a rule. A rule without one fails the test below.
fn fixture(rule: Rule) -> (Vec<TargetState>, Policy) {
    let one = |state: TargetState| (vec![state], Policy::default());
    match rule {
        Rule::WrongDatabase => {
            let swapped = state("api", "staging", &[1, 2], &[]).edit_rows(|rows| {
                rows.extend([row("web", 1), row("web", 2), row("other", 9)]);
            });
            (vec![swapped, state("web", "staging", &[1, 2], &[1, 2])], Policy::default())
        }
        Rule::UnreachableDatabase => one(unreachable(DatabaseErrorKind::Refused)),
        Rule::UnreadableSource => one(TargetState { defined: Err(SourceError::NoDirectory("api".into())), ..clean() }),
        Rule::MissingReport => unreachable!("no comparison finds it"),
        Rule::NotChecked => one(unreachable(DatabaseErrorKind::Dns).edit_target(|target| target.required = false)),
        Rule::DirtyMigration => one(clean().edit_rows(|rows| rows[0].success = false)),
        Rule::EditedMigration => one(edited(clean())),
        Rule::DeletedMigration => one(state("api", "staging", &[1], &[1, 2]).since(&[1, 2], &[1, 2])),
        Rule::RenumberedMigration => one(renumbered(clean())),
        Rule::VersionCollision => one(twin(clean()).since(&[1, 2], &[1, 2])),
        Rule::BehindBase => one(state("api", "staging", &[1], &[1, 2]).since(&[1], &[1, 2])),
        Rule::SharedHistory => {
            let api = state("api", "staging", &[1], &[1]).edit_rows(|rows| rows.push(row("web", 5)));
            (vec![shared::with(api, &[shared::member("web", &[5])])], Policy::default())
        }
        Rule::MissingMigration => one(state("api", "staging", &[1], &[1, 2])),
        Rule::ChecksumMismatch => one(clean().edit_rows(|rows| rows[1].checksum = Checksum::of("other"))),
        Rule::DuplicateVersion => one(twin(clean())),
        Rule::InvalidMigration => one(clean().edit_defined(|defined| {
            let reason = InvalidReason::Version { prefix: "V3".into() };
            defined.invalid.push(InvalidFile { path: "api/migrations/V3_x.sql".into(), reason });
        })),
        Rule::NoHistory => one(TargetState { applied: Ok(History::Absent(AbsentTable::default())), ..clean() }),
        Rule::EnvironmentDrift => {
            let promotion = vec!["staging".to_owned(), "production".to_owned()];
            let states = vec![state("api", "staging", &[1, 2], &[1]), state("api", "production", &[1, 2], &[1, 2])];
            (states, Policy { promotion, ..Policy::default() })
        }
        Rule::OutOfOrder => one(state("api", "staging", &[1, 2], &[2])),
        Rule::IgnoredFile => one(clean().edit_defined(|defined| {
            let path = "api/migrations/3-x.sql".into();
            defined.ignored.push(IgnoredFile { path, reason: IgnoredReason::NoUnderscore });
        })),
        Rule::DownWithoutUp => one(clean().edit_defined(|defined| {
            defined.migrations.push(Migration { kind: MigrationKind::ReversibleDown, ..migration("api", 3) });
        })),
        Rule::StaleEmbed => one(unwatched(clean())),
        Rule::UnusedAccept => {
            (vec![clean()], Policy { accept: vec![accept(Rule::DirtyMigration)], ..Policy::default() })
        }
        Rule::DescriptionChanged => one(clean().edit_rows(|rows| rows[0].description = "first step".into())),
        Rule::ExecutionUnconfirmed => one(clean().edit_rows(|rows| rows[0].execution_time = -1)),
        Rule::PendingMigration => one(state("api", "staging", &[1, 2], &[1])),
    }
}

/// Embedded by a crate that has no build script.
fn unwatched(state: TargetState) -> TargetState {
    let (krate, file, path) = ("api".into(), "api/src/main.rs".into(), "migrations".into());
    state.edit_defined(|defined| defined.unwatched.push(Unwatched { krate, file, line: 12, path, script: None }))
}

/// With a second file of version 2.
fn twin(state: TargetState) -> TargetState {
    state.edit_defined(|defined| {
        defined.migrations.push(Migration { path: "api/migrations/2_twin.sql".into(), ..migration("api", 2) });
    })
}

/// A change that edits migration 2.
fn edited(state: TargetState) -> TargetState {
    state.since(&[1, 2], &[1, 2]).edit_defined(|defined| defined.migrations[1].checksum = Checksum::of("edited"))
}

/// A change that makes 3 of migration 2.
fn renumbered(state: TargetState) -> TargetState {
    state.since(&[1, 2], &[1, 2]).edit_defined(|defined| {
        let checksum = defined.migrations[1].checksum.clone();
        defined.migrations[1] = Migration { checksum, ..migration("api", 3) };
    })
}

fn accept(rule: Rule) -> Accept {
    Accept {
        rule,
        service: None,
        environment: None,
        version: None,
        file: None,
        reason: "known".into(),
        location: Location { file: "config.yml".into(), line: 3 },
    }
}

mod base;
mod shared;

#[test]
fn a_clean_target_has_no_findings() {
    assert_eq!(fires(&[clean()]), Vec::<String>::new());
}

#[test]
fn every_rule_fires_on_its_fixture_and_on_a_line_of_a_file() {
    for rule in rules() {
        let (states, policy) = fixture(rule);
        let found = compare(&states, &policy).open;
        let finding = found.iter().find(|finding| finding.rule() == rule);
        let finding = finding.unwrap_or_else(|| panic!("{rule} does not fire on its fixture but {found:?}"));
        assert!(finding.location.is_some(), "{rule} has no line to show it at");
        assert!(!finding.facts.message().is_empty() && !finding.facts.help().is_empty());
    }
}

#[test]
fn every_rule_can_be_given_another_severity_ignored_and_accepted() {
    for rule in rules() {
        let (states, policy) = fixture(rule);
        let with = |level| {
            let states: Vec<_> =
                states.iter().cloned().map(|s| s.edit_target(|t| t.levels.extend([(rule, level)]))).collect();
            let policy = Policy { levels: Levels::from([(rule, level)]), ..policy.clone() };
            compare(&states, &policy).open.into_iter().filter(|f| f.rule() == rule).collect::<Vec<_>>()
        };
        assert!(with(None).is_empty(), "{rule} is not ignored");
        assert!(with(Some(Severity::Notice)).iter().all(|f| f.severity == Severity::Notice), "{rule}");
        assert!(with(Some(Severity::Error)).iter().all(|f| f.severity == Severity::Error), "{rule}");

        let accepting = Policy { accept: [policy.accept.clone(), vec![accept(rule)]].concat(), ..policy };
        let findings = compare(&states, &accepting);
        assert!(findings.open.iter().all(|f| f.rule() != rule), "{rule} is not accepted");
        assert!(findings.accepted.iter().any(|(f, reason)| f.rule() == rule && reason == "known"), "{rule}");
    }
}

#[test]
fn the_findings_of_each_fixture_are_exactly_these() {
    let expected = |rule| match rule {
        Rule::WrongDatabase => vec![
            "error wrong-database@deploy.yml",
            "error missing-migration@api/migrations/9_step_9.sql",
            "error checksum-mismatch@api/migrations/1_step_1.sql",
            "error checksum-mismatch@api/migrations/2_step_2.sql",
        ],
        Rule::UnreachableDatabase => vec!["incomplete unreachable-database@deploy.yml"],
        Rule::UnreadableSource => vec!["incomplete unreadable-source@deploy.yml"],
        Rule::MissingReport => unreachable!("no comparison finds it"),
        Rule::NotChecked => vec!["notice not-checked@deploy.yml"],
        Rule::DirtyMigration => vec!["error dirty-migration@deploy.yml"],
        Rule::EditedMigration => vec!["error edited-migration@api/migrations/2_step_2.sql"],
        Rule::DeletedMigration => vec!["error deleted-migration@api/migrations/2_step_2.sql"],
        Rule::RenumberedMigration => vec![
            "error renumbered-migration@api/migrations/3_step_3.sql",
            "notice pending-migration@api/migrations/3_step_3.sql",
        ],
        Rule::VersionCollision => vec!["error version-collision@api/migrations/2_twin.sql"],
        Rule::BehindBase => vec!["warning behind-base@api/migrations/2_step_2.sql"],
        Rule::SharedHistory => vec!["error shared-history@deploy.yml"],
        Rule::MissingMigration => vec!["error missing-migration@api/migrations/2_step_2.sql"],
        Rule::ChecksumMismatch => vec!["error checksum-mismatch@api/migrations/2_step_2.sql"],
        Rule::DuplicateVersion => vec!["error duplicate-version@api/migrations/2_twin.sql"],
        Rule::InvalidMigration => vec!["error invalid-migration@api/migrations/V3_x.sql"],
        Rule::NoHistory => vec![
            "notice no-history@deploy.yml",
            "notice pending-migration@api/migrations/1_step_1.sql",
            "notice pending-migration@api/migrations/2_step_2.sql",
        ],
        Rule::EnvironmentDrift => {
            vec!["warning environment-drift@deploy.yml", "notice pending-migration@api/migrations/2_step_2.sql"]
        }
        Rule::OutOfOrder => vec![
            "warning out-of-order@api/migrations/1_step_1.sql",
            "notice pending-migration@api/migrations/1_step_1.sql",
        ],
        Rule::IgnoredFile => vec!["warning ignored-file@api/migrations/3-x.sql"],
        Rule::DownWithoutUp => vec!["warning down-without-up@api/migrations/3_step_3.sql"],
        Rule::StaleEmbed => vec!["warning stale-embed@api/src/main.rs"],
        Rule::UnusedAccept => vec!["warning unused-accept@config.yml"],
        Rule::DescriptionChanged => vec!["notice description-changed@api/migrations/1_step_1.sql"],
        Rule::ExecutionUnconfirmed => vec!["notice execution-unconfirmed@deploy.yml"],
        Rule::PendingMigration => vec!["notice pending-migration@api/migrations/2_step_2.sql"],
    };
    for rule in rules() {
        let (states, policy) = fixture(rule);
        assert_eq!(fires_under(&states, &policy), expected(rule), "{rule}");
    }
}

#[test]
fn a_missing_migration_is_a_notice_where_the_service_ignores_it() {
    let states = [state("api", "staging", &[1], &[1, 2]).edit_target(|target| target.ignore_missing = true)];
    assert_eq!(fires(&states), ["notice missing-migration@api/migrations/2_step_2.sql"]);
}

#[test]
fn a_lone_down_file_stands_in_for_the_migration_of_a_row() {
    let states = [state("api", "staging", &[1], &[1, 3]).edit_defined(|defined| {
        defined.migrations.push(Migration { kind: MigrationKind::ReversibleDown, ..migration("api", 3) });
    })];
    assert_eq!(fires(&states), ["warning down-without-up@api/migrations/3_step_3.sql"]);
}

#[test]
fn a_row_that_fits_one_of_two_files_of_its_version_is_no_mismatch() {
    let states = [clean().edit_defined(|defined| {
        let other = Checksum::of("other");
        let path = "api/migrations/2_a.sql".into();
        defined.migrations.insert(1, Migration { checksum: other, path, ..migration("api", 2) });
    })];
    assert_eq!(fires(&states), ["error duplicate-version@api/migrations/2_step_2.sql"]);
}

#[test]
fn the_would_be_file_is_padded_and_suffixed_as_its_neighbours_and_stays_in_its_directory() {
    let padded = |row_version: i64, description: &str| {
        let state = state("api", "staging", &[], &[row_version]).edit_defined(|defined| {
            for version in [1, 2] {
                let path = format!("api/migrations/00{version}_a.up.sql").into();
                let kind = MigrationKind::ReversibleUp;
                defined.migrations.push(Migration { kind, path, ..migration("api", version) });
            }
        });
        let state = state.edit_rows(|rows| rows[0].description = description.into());
        compare(&[state], &Policy::default()).open[0].facts.file().unwrap().to_owned()
    };
    assert_eq!(padded(7, "add author"), "api/migrations/007_add_author.up.sql");
    assert_eq!(padded(1234, "x"), "api/migrations/1234_x.up.sql");
    assert_eq!(padded(7, "../../etc\n\u{1b}[31m"), "api/migrations/007_.._.._etc__[31m.up.sql");
}

#[test]
fn a_name_longer_than_any_file_has_is_no_reason_to_panic() {
    let state = state("api", "staging", &[1], &[7]).edit_defined(|defined| {
        defined.migrations[0].path = format!("api/migrations/{}1_a.sql", "0".repeat(100_000)).into();
    });
    let findings = compare(&[state], &Policy::default()).open;
    assert!(findings[0].facts.file().unwrap().len() < 300);
}

#[test]
fn a_database_that_may_be_away_may_not_be_misconfigured() {
    let away = |kind| fires(&[unreachable(kind).edit_target(|target| target.required = false)]);
    assert_eq!(away(DatabaseErrorKind::NoSuchDatabase), ["notice not-checked@deploy.yml"]);
    assert_eq!(away(DatabaseErrorKind::Authentication), ["incomplete unreachable-database@deploy.yml"]);
    assert_eq!(away(DatabaseErrorKind::TableName), ["incomplete unreachable-database@deploy.yml"]);
}

#[test]
fn an_absent_history_is_graver_when_another_environment_has_rows_or_another_schema_the_table() {
    let absent = |elsewhere: &[&str]| TargetState {
        applied: Ok(History::Absent(AbsentTable {
            elsewhere: elsewhere.iter().map(ToString::to_string).collect(),
            ..AbsentTable::default()
        })),
        ..state("api", "production", &[], &[])
    };
    assert_eq!(fires(&[absent(&[])]), ["notice no-history@deploy.yml"]);
    assert_eq!(fires(&[absent(&[]), clean()]), ["warning no-history@deploy.yml"]);
    assert_eq!(fires(&[absent(&[]), state("api", "staging", &[], &[])]), ["notice no-history@deploy.yml"], "no rows");
    assert_eq!(fires(&[absent(&["app"]), clean()]), ["incomplete no-history@deploy.yml"]);
    assert_eq!(fires(&[absent(&[]), state("web", "staging", &[1], &[1])]), ["notice no-history@deploy.yml"]);
}

#[test]
fn an_absent_history_is_an_error_where_the_service_cannot_create_it_either() {
    let absent = |create: &[&str], elsewhere: &[&str]| {
        let history =
            AbsentTable { elsewhere: strings(elsewhere), absent_schema: Some("ops".into()), table: "ops.t".into() };
        let state = TargetState { applied: Ok(History::Absent(history)), ..state("api", "production", &[], &[]) };
        let postgres = DatabaseUrl::parse("postgres://h/d").map(Database::Url);
        let state = state.edit_target(|target| target.database = postgres);
        state.edit_defined(|defined| defined.create_schemas = strings(create))
    };
    assert_eq!(fires(&[absent(&[], &[])]), ["error no-history@deploy.yml"]);
    assert_eq!(fires(&[absent(&[], &[]), clean()]), ["error no-history@deploy.yml"], "though a sibling has rows");
    assert_eq!(fires(&[absent(&["ops"], &[])]), ["notice no-history@deploy.yml"]);
    assert_eq!(fires(&[absent(&[], &["app"])]), ["incomplete no-history@deploy.yml"], "the name is a slip, then");
    let told = compare(&[absent(&[], &[])], &Policy::default()).open.remove(0).facts;
    assert_eq!(
        told.message(),
        "there is no table `ops.t`, and the service cannot create it: the schema `ops` does not exist and is not created"
    );
    assert!(told.help().contains("create-schemas"), "{}", told.help());
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[test]
fn swapped_secrets_need_two_rows_and_half_of_them_and_none_of_its_own() {
    let web = || state("web", "staging", &[1, 2], &[1, 2]);
    let api = |rows: &[AppliedMigration]| {
        state("api", "staging", &[1, 2], &[]).edit_rows(|all| all.extend(rows.iter().cloned()))
    };
    let wrong =
        |rows: &[AppliedMigration]| fires(&[api(rows), web()]).iter().any(|finding| finding.contains("wrong-database"));
    assert!(wrong(&[row("web", 1), row("web", 2)]));
    assert!(!wrong(&[row("web", 1)]), "one row is too few");
    assert!(wrong(&[row("web", 1), row("web", 2), row("x", 3), row("x", 4)]), "half is enough");
    let strangers = [row("x", 3), row("x", 4), row("x", 5)];
    assert!(!wrong(&[[row("web", 1), row("web", 2)].as_slice(), &strangers].concat()), "two of five are too few");
    assert!(!wrong(&[row("web", 1), row("web", 2), row("api", 1)]), "one row fits the service itself");
}

#[test]
fn an_earlier_environment_that_is_ahead_is_silent_and_drift_needs_an_order() {
    let ahead = [state("api", "staging", &[1, 2], &[1, 2]), state("api", "production", &[1, 2], &[1])];
    let drifts = |states: &[TargetState], promotion: &[&str]| {
        let promotion = promotion.iter().map(ToString::to_string).collect();
        let found = fires_under(states, &Policy { promotion, ..Policy::default() });
        found.iter().filter(|finding| finding.contains("environment-drift")).count()
    };
    assert_eq!(drifts(&ahead, &["staging", "production"]), 0);
    assert_eq!(drifts(&ahead, &["production", "staging"]), 1);
    assert_eq!(drifts(&ahead, &[]), 0, "without an order nobody is behind");

    let [staging, production] = ahead;
    let differing = [staging, production.edit_rows(|rows| rows[0].checksum = Checksum::of("other"))];
    assert_eq!(drifts(&differing, &[]), 1, "different contents need no order");
}

#[test]
fn more_than_ten_pending_migrations_become_one_finding() {
    let pending = |n: i64| fires(&[state("api", "staging", &(1..=n).collect::<Vec<_>>(), &[])]).len();
    assert_eq!(pending(10), 10);
    assert_eq!(pending(11), 1);
}

#[test]
fn an_accept_entry_is_narrowed_by_each_of_its_fields() {
    let states = [state("api", "staging", &[1], &[1, 2, 3])];
    let open = |entry: Accept| compare(&states, &Policy { accept: vec![entry], ..Policy::default() }).open.len();
    let missing = || accept(Rule::MissingMigration);
    assert_eq!(open(missing()), 0);
    assert_eq!(open(Accept { version: Some(Version(2)), ..missing() }), 1);
    assert_eq!(open(Accept { file: Some("api/migrations/2_step_2.sql".into()), ..missing() }), 1);
    assert_eq!(open(Accept { service: Some("api".into()), environment: Some("staging".into()), ..missing() }), 0);
    // Two findings and the entry that is of no use.
    assert_eq!(open(Accept { service: Some("web".into()), ..missing() }), 3);
    assert_eq!(open(Accept { environment: Some("production".into()), ..missing() }), 3);
}

#[test]
fn an_unused_accept_entry_is_judged_only_when_all_that_it_concerns_was_read() {
    let unused = |states: &[TargetState], entry: Accept, left_out: &[(&str, &str)]| {
        let left_out = left_out.iter().map(|(s, e)| (s.to_string(), e.to_string())).collect();
        let found = fires_under(states, &Policy { accept: vec![entry], left_out, ..Policy::default() });
        found.iter().any(|finding| finding.contains("unused-accept"))
    };
    let dirty = || accept(Rule::DirtyMigration);
    let away = unreachable(DatabaseErrorKind::Refused).edit_target(|target| target.environment = "production".into());
    assert!(unused(&[clean()], dirty(), &[]));
    assert!(!unused(&[clean(), away.clone()], dirty(), &[]));
    let only_staging = Accept { environment: Some("staging".into()), ..dirty() };
    assert!(unused(&[clean(), away], only_staging.clone(), &[]));
    assert!(!unused(&[clean()], dirty(), &[("api", "production")]), "a filter left a target out");
    assert!(unused(&[clean()], only_staging, &[("api", "production")]));
}

#[test]
fn a_run_that_knows_one_leg_judges_only_the_entries_that_name_its_target() {
    let unused = |entry: Accept| {
        let policy = Policy { accept: vec![entry], is_part: true, ..Policy::default() };
        !compare(&[clean()], &policy).open.is_empty()
    };
    let of = |service: Option<&str>, environment: Option<&str>| Accept {
        service: service.map(str::to_owned),
        environment: environment.map(str::to_owned),
        ..accept(Rule::DirtyMigration)
    };
    assert!(unused(of(Some("api"), Some("staging"))));
    assert!(!unused(of(Some("api"), None)), "another leg may be what it is for");
    assert!(!unused(of(None, Some("staging"))));
    assert!(!unused(of(Some("web"), Some("staging"))));
}

#[test]
fn drift_names_its_environments_in_order_of_the_plan_and_takes_the_levels_of_the_latest() {
    let levels = |state: TargetState, level| {
        state.edit_target(|target| target.levels.extend([(Rule::EnvironmentDrift, Some(level))]))
    };
    let production = levels(state("api", "production", &[1, 2], &[1, 2]), Severity::Error);
    let staging = levels(state("api", "staging", &[1, 2], &[1]), Severity::Notice);
    let promotion = vec!["qa".to_owned(), "staging".to_owned(), "production".to_owned()];
    let policy = Policy { promotion, ..Policy::default() };
    let drift = |states: &[TargetState]| {
        let found = compare(states, &policy).open;
        found.into_iter().find(|finding| finding.rule() == Rule::EnvironmentDrift).unwrap()
    };
    let one = drift(&[production.clone(), staging.clone()]);
    assert_eq!(one.scope.environments(), ["production", "staging"]);
    assert_eq!(one.severity, Severity::Error);
    assert_eq!(one.facts.message(), "migration 2 is applied in production and not in staging, which comes before it");

    let two = drift(&[staging, state("api", "qa", &[1, 2], &[1]), production]);
    assert_eq!(two.scope.environments(), ["staging", "qa", "production"]);
    assert_eq!(
        two.facts.message(),
        "migration 2 is applied in production and not in staging, qa, which come before it"
    );
}

#[test]
fn a_would_be_file_is_found_in_short_time_however_many_are_missing() {
    let (defined, applied): (Vec<i64>, Vec<i64>) = ((1..=10_000).collect(), (10_001..=20_000).collect());
    let states = [state("api", "staging", &defined, &applied)];
    let start = std::time::Instant::now();
    assert_eq!(
        compare(&states, &Policy::default()).open.len(),
        20_001,
        "each missing, each out of order, and what is pending in one"
    );
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn an_ignored_finding_still_uses_its_accept_entry() {
    let states = [state("api", "staging", &[1], &[1, 2])
        .edit_target(|target| target.levels.extend([(Rule::MissingMigration, None)]))];
    let policy = Policy { accept: vec![accept(Rule::MissingMigration)], ..Policy::default() };
    assert_eq!(compare(&states, &policy), Findings::default());
}

#[test]
fn the_gravest_comes_first_whatever_the_order_of_the_rules() {
    let states = [state("api", "staging", &[1], &[1, 2])
        .edit_target(|target| target.ignore_missing = true)
        .edit_rows(|rows| rows[0].description = "renamed".into())
        .edit_defined(|defined| {
            defined.migrations.push(Migration { kind: MigrationKind::ReversibleDown, ..migration("api", 3) });
        })];
    let found = compare(&states, &Policy::default()).open;
    let rules: Vec<_> = found.iter().map(Finding::rule).collect();
    assert_eq!(rules, [Rule::DownWithoutUp, Rule::MissingMigration, Rule::DescriptionChanged]);
}

#[test]
fn settings_that_sqlx_would_refuse_are_shown_at_their_file() {
    let error = SourceError::Settings { path: "api/sqlx.toml".into(), detail: String::new() };
    let states = [TargetState { defined: Err(error), ..clean() }];
    assert_eq!(fires(&states), ["incomplete unreadable-source@api/sqlx.toml"]);
}

#[test]
fn of_two_services_that_fit_alike_the_first_of_the_plan_is_named_and_only_by_its_up_files() {
    let api = || state("api", "staging", &[1, 2], &[]).edit_rows(|rows| rows.extend([row("web", 1), row("web", 2)]));
    let web = || state("web", "staging", &[1, 2], &[1, 2]);
    let twin = || web().edit_target(|target| target.service = "twin".into());
    let named = |states: &[TargetState]| {
        let found = compare(states, &Policy::default()).open;
        let facts = found.into_iter().map(|finding| finding.facts);
        facts.filter_map(|facts| if let Facts::WrongDatabase { other, .. } = facts { Some(other) } else { None }).next()
    };
    assert_eq!(named(&[api(), web(), twin()]).as_deref(), Some("web"));
    assert_eq!(named(&[api(), twin(), web()]).as_deref(), Some("twin"));
    let down = web().edit_defined(|defined| {
        defined.migrations.iter_mut().for_each(|migration| migration.kind = MigrationKind::ReversibleDown);
    });
    assert_eq!(named(&[api(), down]), None);
}

#[test]
fn a_database_of_another_service_does_not_drift() {
    let swapped =
        state("api", "production", &[1, 2], &[]).edit_rows(|rows| rows.extend([row("web", 1), row("web", 2)]));
    let found = fires(&[clean(), swapped, state("web", "production", &[1, 2], &[1, 2])]);
    assert!(found.contains(&"error wrong-database@deploy.yml".to_owned()), "{found:?}");
    assert!(!found.iter().any(|finding| finding.contains("environment-drift")), "{found:?}");
}

#[test]
fn of_two_neighbours_equally_near_the_older_one_gives_the_suffix() {
    let states = [state("api", "staging", &[1, 3], &[1, 2, 3])
        .edit_defined(|defined| defined.migrations[0].kind = MigrationKind::ReversibleUp)];
    assert_eq!(fires(&states), ["error missing-migration@api/migrations/2_step_2.up.sql"]);
}

#[test]
fn a_crate_that_does_not_watch_its_migrations_is_told_once_a_service_at_the_line_of_its_call() {
    let production = unwatched(state("api", "production", &[1, 2], &[1, 2]));
    let found =
        compare(&[unwatched(clean()), production, unwatched(state("web", "staging", &[], &[]))], &Policy::default());
    let told: Vec<_> = found.open.iter().filter(|finding| finding.rule() == Rule::StaleEmbed).collect();
    let scopes: Vec<_> =
        told.iter().map(|finding| (finding.scope.service(), finding.scope.environments().len())).collect();
    assert_eq!(scopes, [(Some("api"), 2), (Some("web"), 1)]);
    assert_eq!(told[0].location, Some(Location { file: "api/src/main.rs".into(), line: 12 }));
    // What is built already is not built again.
    let built = unwatched(clean()).edit_target(|target| target.source = Source::Binary("api".into()));
    assert_eq!(fires(&[built]), [""; 0]);
}
