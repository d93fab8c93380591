//! What is planned from which inputs.

use super::*;
use crate::finding::{Rule, Severity};
use crate::inputs::{Commands, config, matrix};

/// Inputs of a repository at `/repository` with this configuration.
fn inputs(yaml: &str) -> Inputs {
    Inputs {
        source: SourceChoice::Directory(None),
        root: "/repository".into(),
        config: config::read(yaml, "config.yml").unwrap(),
        matrix: None,
        whole: None,
        found: Vec::new(),
        services: Vec::new(),
        environments: Vec::new(),
        migrations: None,
        commands: Commands::default(),
        without_secrets: None,
        read: Vec::new(),
    }
}

#[test]
fn who_gets_no_secrets_misses_none() {
    use crate::github::WithoutSecrets;
    let yaml = "services: { api: { migrations: m, database-url: '${URL}' }, web: { migrations: m, database-url: 'sqlite:x' } }";
    let inputs = Inputs { without_secrets: Some(WithoutSecrets::Fork), ..inputs(yaml) };
    let targets = plan(&inputs, &|_| None).unwrap().targets;
    let error = targets[0].database.clone().unwrap_err();
    assert_eq!(error.to_string(), "GitHub gives a pull request from a fork no secrets, and URL is unset");
    assert!(targets[0].may_be_away(&error) && targets[1].database.is_ok());
}

fn with_matrix(yaml: &str, json: &str) -> Inputs {
    let inputs = inputs(yaml);
    let (service, environment) = inputs.config.matrix_keys();
    let matrix = matrix::from_json(json, service, environment).unwrap();
    Inputs { matrix: Some(matrix), ..inputs }
}

fn with_found(found: &[&str]) -> Inputs {
    Inputs { found: found.iter().map(PathBuf::from).collect(), ..inputs("") }
}

/// An environment in which every variable holds the name of a file called like itself, but `UNSET`.
fn variables(name: &str) -> Option<String> {
    (name != "UNSET").then(|| format!("sqlite:{name}"))
}

fn targets(inputs: &Inputs) -> Vec<Target> {
    plan(inputs, &variables).unwrap().targets
}

/// `service environment directory database`, or the reason why there is no database.
fn planned(inputs: &Inputs) -> Vec<String> {
    let show = |target: Target| {
        let database = target
            .database
            .map_or_else(|error| error.to_string(), |database| database.url().unwrap().expose().to_owned());
        format!("{} {} {} {database}", target.service, target.environment, target.migrations.display())
    };
    targets(inputs).into_iter().map(show).collect()
}

fn errors(inputs: &Inputs) -> Vec<String> {
    plan(inputs, &variables).unwrap_err().0.iter().map(ToString::to_string).collect()
}

#[test]
fn one_directory_is_one_service_with_database_url() {
    assert_eq!(planned(&with_found(&["migrations"])), ["repository default migrations sqlite:DATABASE_URL"]);
    assert_eq!(planned(&with_found(&["crates/api/db"])), ["api default crates/api/db sqlite:DATABASE_URL"]);
}

#[test]
fn several_directories_are_services_named_after_their_folders_or_paths() {
    let found = with_found(&["a/api/migrations", "b/api/migrations", "web/migrations"]);
    assert_eq!(
        planned(&found),
        [
            "a/api default a/api/migrations sqlite:A_API_DATABASE_URL",
            "b/api default b/api/migrations sqlite:B_API_DATABASE_URL",
            "web default web/migrations sqlite:WEB_DATABASE_URL",
        ]
    );
    let only_common = |name: &str| (name == "DATABASE_URL").then(|| "sqlite:common".to_owned());
    let targets = plan(&found, &only_common).unwrap().targets;
    assert!(targets.iter().all(|target| target.database.as_ref().unwrap().url().unwrap().expose() == "sqlite:common"));
}

#[test]
fn nothing_at_all_is_an_error() {
    assert_eq!(
        errors(&inputs("")),
        ["there are no migrations here: no configuration, no service matrix, and no `migrations` directory"]
    );
}

#[test]
fn without_a_matrix_every_service_is_in_every_environment() {
    let inputs = inputs(
        "services: { api: {}, web: {} }\ndefaults: { migrations: '{service}/db' }\n\
         environments: { s: { database-url: '${S_{SERVICE}}' }, p: { database-url: '${UNSET}' } }\n",
    );
    assert_eq!(
        planned(&inputs),
        [
            "api s api/db sqlite:S_API",
            "api p api/db the environment variable UNSET is unset or empty",
            "web s web/db sqlite:S_WEB",
            "web p web/db the environment variable UNSET is unset or empty",
        ]
    );
}

#[test]
fn the_most_specific_layer_wins_field_by_field() {
    let inputs = with_matrix(
        "defaults: { migrations: default, table: default, ignore-missing: true, database-url: 'sqlite:default', \
                     rules: { out-of-order: notice, ignored-file: notice } }\n\
         services: { api: { migrations: service, table: service, environments: { e: { migrations: both } } } }\n\
         environments: { e: { table: environment, database-url: 'sqlite:environment', rules: { out-of-order: ignore } } }\n\
         rules: { out-of-order: error, down-without-up: error }\n",
        r#"[{"service": "api", "environment": "e"}, {"service": "api", "environment": "e2", "migrations": "entry"}]"#,
    );
    let targets = targets(&inputs);
    let [e, e2] = targets.as_slice() else { panic!("two targets") };
    assert_eq!((e.migrations.to_str(), e.table.as_deref(), e.ignore_missing), (Some("both"), Some("service"), true));
    assert_eq!(e.database.as_ref().unwrap().url().unwrap().expose(), "sqlite:environment");
    assert_eq!(
        (e2.migrations.to_str(), e2.database.as_ref().unwrap().url().unwrap().expose()),
        (Some("entry"), "sqlite:default")
    );
    let levels = |target: &Target| target.levels.clone().into_iter().collect::<Vec<_>>();
    let down = (Rule::DownWithoutUp, Some(Severity::Error));
    let ignored = (Rule::IgnoredFile, Some(Severity::Notice));
    assert_eq!(levels(e), [(Rule::OutOfOrder, None), ignored, down]);
    assert_eq!(levels(e2), [(Rule::OutOfOrder, Some(Severity::Notice)), ignored, down]);
}

#[test]
fn a_matrix_entry_without_environment_or_service_stands_for_all_configured_ones() {
    let yaml = "services: { api: { migrations: m }, web: { migrations: m } }\nenvironments: { s: {}, p: {} }\n";
    let names = |json| planned(&with_matrix(yaml, json)).iter().map(|line| line[..5].to_owned()).collect::<Vec<_>>();
    assert_eq!(names(r#"{"service": ["web"]}"#), ["web s", "web p"]);
    assert_eq!(names(r#"{"environment": ["p"]}"#), ["api p", "web p"]);
    assert_eq!(
        errors(&with_matrix("", r#"{"svc": "api", "os": "linux"}"#)),
        ["the matrix has no `service`; its keys are svc, os"]
    );
}

#[test]
fn other_dimensions_of_a_matrix_do_not_repeat_a_target_and_fill_placeholders() {
    let yaml = "defaults: { migrations: 'm', database-url: '${DB_{service}}' }\n";
    let twice = r#"{"service": ["api"], "environment": ["s"], "os": ["a", "b"]}"#;
    assert_eq!(planned(&with_matrix(yaml, twice)), ["api s m sqlite:DB_api"]);
    let differ = r#"[{"service": "api", "migrations": "a"}, {"service": "api", "migrations": "b"}]"#;
    assert_eq!(errors(&with_matrix(yaml, differ)), ["the matrix names api in default twice, with different settings"]);
    let region = r#"{"service": "api", "region": "eu", "database-url": "${DB_{REGION}}", "migrations": "{region}/m"}"#;
    assert_eq!(planned(&with_matrix("", region)), ["api default eu/m sqlite:DB_EU"]);
}

#[test]
fn filters_leave_what_they_name_and_say_what_there_is() {
    let yaml = "defaults: { migrations: m }\nservices: { api: {}, web: {} }\nenvironments: { s: {}, p: {} }\n";
    let filtered = |services: &[&str], environments: &[&str]| Inputs {
        services: services.iter().map(ToString::to_string).collect(),
        environments: environments.iter().map(ToString::to_string).collect(),
        ..inputs(yaml)
    };
    let plan = plan(&filtered(&["web"], &["p"]), &variables).unwrap();
    assert_eq!(plan.targets.len(), 1);
    assert_eq!(plan.policy.left_out.len(), 3);
    // One target is left, so DATABASE_URL can mean nothing else.
    assert_eq!(plan.targets[0].database.as_ref().unwrap().url().unwrap().expose(), "sqlite:DATABASE_URL");
    assert_eq!(
        errors(&filtered(&["apl"], &["q"])),
        ["there is no service `apl`; there is api, web", "there is no environment `q`; there is s, p"]
    );
    let json = r#"[{"service": "api", "environment": "s"}, {"service": "web", "environment": "p"}]"#;
    let crossed = Inputs { matrix: with_matrix(yaml, json).matrix, ..filtered(&["api"], &["p"]) };
    assert_eq!(errors(&crossed), ["no target has both that service and that environment"]);
}

#[test]
fn what_is_left_out_of_the_same_environment_is_planned_beside() {
    let yaml = "defaults: { migrations: '{service}/m', history-group: shop, database-url: '${{SERVICE}_URL}' }\n\
         services: { api: {}, web: {} }\nenvironments: { s: {}, p: {} }\n";
    let beside = |inputs: &Inputs| {
        let beside = plan(inputs, &variables).unwrap().beside;
        let show = |target: Target| {
            assert_eq!((target.source, target.history_group.as_deref()), (Source::Directory, Some("shop")));
            format!("{} {} {}", target.service, target.environment, target.migrations.display())
        };
        beside.into_iter().map(show).collect::<Vec<_>>()
    };
    let filtered = |source, migrations: Option<&str>| Inputs {
        services: vec!["web".into()],
        environments: vec!["p".into()],
        migrations: migrations.map(Into::into),
        source,
        ..inputs(yaml)
    };
    assert_eq!(beside(&inputs(yaml)), Vec::<String>::new());
    assert_eq!(beside(&filtered(SourceChoice::Directory(None), None)), ["api p api/m"]);
    assert_eq!(beside(&filtered(SourceChoice::Revision("v1".into()), Some("elsewhere"))), ["api p api/m"]);
    // A leg knows of the others by the configuration, and by the whole matrix where that can be read.
    let leg = Inputs { matrix: with_matrix(yaml, r#"{"service": "web", "environment": "p"}"#).matrix, ..inputs(yaml) };
    assert_eq!(beside(&leg), ["api p api/m"]);
    let whole = r#"[{"service": "new", "environment": "p"}, {"service": "new", "environment": "s"}, {"service": "web", "environment": "p"}]"#;
    let whole = Inputs { whole: with_matrix(yaml, whole).matrix, ..leg };
    assert_eq!(beside(&whole), ["new p new/m", "api p api/m"]);
}

#[test]
fn a_target_without_a_database_is_planned_and_says_so() {
    let yaml = "defaults: { migrations: m }\nservices: { api: {}, web: {} }\n";
    assert_eq!(
        planned(&inputs(yaml)),
        [
            "api default m no database is configured for this target",
            "web default m no database is configured for this target"
        ]
    );
}

#[test]
fn a_service_without_a_directory_takes_the_found_one_of_its_name_or_is_an_error() {
    let matrix = |found: &[&str]| Inputs {
        found: found.iter().map(PathBuf::from).collect(),
        ..with_matrix("", r#"{"service": ["api", "web"]}"#)
    };
    let found = targets(&matrix(&["x/api/migrations", "web/migrations", "other/migrations"]));
    let directories: Vec<_> = found.iter().map(|target| target.migrations.to_str().unwrap()).collect();
    assert_eq!(directories, ["x/api/migrations", "web/migrations"]);
    assert_eq!(
        errors(&matrix(&["a/api/migrations", "b/api/migrations"])),
        [
            "the service `api` has no migrations directory; there is a/api/migrations, b/api/migrations",
            "the service `web` has no migrations directory; there is a/api/migrations, b/api/migrations",
        ]
    );
}

#[test]
fn a_name_from_a_matrix_cannot_lead_out_of_the_repository() {
    let yaml = "defaults: { migrations: '{service}/migrations' }\n";
    let hostile = with_matrix(yaml, r#"[{"service": "../../etc"}, {"service": "/etc"}, {"service": ""}]"#);
    assert_eq!(errors(&hostile).len(), 1, "an empty name is found first");
    let hostile = with_matrix(yaml, r#"[{"service": "../../etc"}, {"service": "/etc"}]"#);
    assert_eq!(errors(&hostile).len(), 2, "{:?}", errors(&hostile));
}

#[test]
fn the_migrations_flag_goes_before_every_configuration() {
    let inputs = Inputs {
        migrations: Some("other/{service}".into()),
        ..inputs("services: { api: { migrations: m }, web: {} }\n")
    };
    assert_eq!(targets(&inputs)[1].migrations, PathBuf::from("other/web"));
}

#[test]
fn a_matrix_that_excludes_everything_leaves_nothing_to_check() {
    let empty = r#"{"service": ["api"], "exclude": [{"service": "api"}]}"#;
    assert_eq!(planned(&with_matrix("", empty)), Vec::<String>::new());
}

#[test]
fn one_leg_is_a_part_of_the_matrix_and_a_list_is_all_of_it() {
    let is_part = |json| {
        let yaml = "defaults: { migrations: '{service}/m' }";
        plan(&with_matrix(yaml, json), &variables).unwrap().policy.is_part
    };
    assert!(is_part(r#"{"service": "api", "environment": "e"}"#));
    assert!(!is_part(r#"[{"service": "api", "environment": "e"}]"#));
    assert!(!is_part(r#"{"service": ["api"], "environment": ["e"]}"#));
}
