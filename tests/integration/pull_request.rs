//! What a pull request does to migrations, in repositories that real git makes: every rule, against the right base, and
//! that an ordinary one is green.

mod explained;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::shared::git::git;
use crate::shared::repository::{Repository, Row, Run};

const ONE: &str = "SELECT 1;\n";
const TWO: &str = "SELECT 2;\n";
const CONFIG: &str = "services: { api: { migrations: api/migrations } }
environments:
  staging: { database-url: 'sqlite:staging.db' }
  production: { database-url: 'sqlite:production.db' }
";

/// A repository with a branch `main`, where two migrations stand, and a branch `feature` that begins there.
struct Project(Repository);

impl Project {
    fn new() -> Self {
        let project = Self(Repository::new());
        project.git("init --quiet --initial-branch=main");
        // Databases are none of git's, nor is what tells of the event.
        fs::write(project.path().join(".git/info/exclude"), "*.db\n/event.json\n/clone\n").unwrap();
        let files = [("api/migrations/1_one.sql", ONE), ("api/migrations/2_two.sql", TWO)];
        files.into_iter().chain([(".github/migration-preflight.yml", CONFIG)]).for_each(|(p, c)| project.write(p, c));
        project.commit("begin").git("branch feature");
        project
    }

    /// Both environments have applied both migrations.
    fn applied(self) -> Self {
        self.databases(&[(1, "one", ONE), (2, "two", TWO)], &[(1, "one", ONE), (2, "two", TWO)])
    }

    fn databases(self, staging: &[Row], production: &[Row]) -> Self {
        Self(self.0.database("staging.db", staging).database("production.db", production))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.path().join(path)).unwrap();
    }

    fn git(&self, arguments: &str) -> String {
        git(self.path(), &arguments.split(' ').collect::<Vec<_>>())
    }

    fn commit(&self, message: &str) -> &Self {
        self.git("add --all");
        git(self.path(), &["commit", "--quiet", "--message", message]);
        self
    }

    /// Does something on a branch, and commits it.
    fn on(&self, branch: &str, edit: impl FnOnce(&Self)) -> &Self {
        self.git(&format!("checkout --quiet {branch}"));
        edit(self);
        self.commit(&format!("on {branch}"))
    }

    /// Checks out what GitHub makes of the pull request: `feature`, merged into `main`.
    fn merged(&self) -> &Self {
        self.git("checkout --quiet --detach main");
        self.git("merge --quiet --no-ff --no-edit feature");
        self
    }

    fn id(&self, revision: &str) -> String {
        self.git(&format!("rev-parse {revision}"))
    }

    /// What GitHub tells of the pull request, as a variable's worth of environment.
    fn event(&self, payload: &Value) -> Vec<(&'static str, String)> {
        fs::write(self.path().join("event.json"), payload.to_string()).unwrap();
        let event = self.path().join("event.json").display().to_string();
        vec![
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_REPOSITORY", "octo/demo".to_owned()),
            ("GITHUB_EVENT_NAME", "pull_request".to_owned()),
            ("GITHUB_EVENT_PATH", event),
            ("GITHUB_SHA", self.id("HEAD")),
        ]
    }

    fn pull_request(&self) -> Vec<(&'static str, String)> {
        let repository = json!({"full_name": "octo/demo"});
        self.event(&json!({"pull_request": {
            "number": 7,
            "head": {"sha": self.id("feature"), "repo": repository},
            "base": {"sha": self.id("main"), "ref": "main", "repo": repository},
        }}))
    }

    fn run(&self, folder: &str, arguments: &[&str], environment: &[(&str, String)]) -> Run {
        let path = std::env::var("PATH").unwrap();
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let git = [("PATH", path.as_str()), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")];
        self.0.run_in(folder, arguments, &[&git[..], &environment].concat())
    }

    /// The JSON report on the pull request, as it is checked out.
    fn check(&self, arguments: &[&str]) -> Checked {
        Checked::of(&self.run("", &[arguments, &["--format", "json"]].concat(), &self.pull_request()))
    }

    /// The same on a laptop, where a flag names the base.
    fn check_since(&self, base: &str) -> Checked {
        Checked::of(&self.run("", &["--base", base, "--format", "json"], &[]))
    }
}

/// What a run has found.
#[derive(Debug)]
struct Checked {
    code: i32,
    report: Value,
}

impl Checked {
    fn of(run: &Run) -> Self {
        let report = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no JSON: {run}"));
        Self { code: run.code, report }
    }

    /// What fails or warns: `severity rule environments`.
    fn found(&self) -> Vec<String> {
        let of_targets = self.report["targets"].as_array().unwrap().iter().flat_map(|target| {
            let environment = target["environment"].as_str().unwrap().to_owned();
            target["findings"].as_array().unwrap().iter().map(move |f| line(f, environment.clone()))
        });
        let across = self.report["findings"].as_array().unwrap().iter().map(|f| line(f, environments(f)));
        of_targets.chain(across).filter(|line| !line.starts_with("notice")).collect()
    }

    fn already_so(&self) -> Vec<String> {
        self.report["already-so"].as_array().unwrap().iter().map(|f| line(f, environments(f))).collect()
    }

    fn notes(&self) -> Vec<&str> {
        self.report["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect()
    }

    fn message(&self) -> &str {
        self.report["findings"][0]["message"].as_str().unwrap()
    }
}

fn line(finding: &Value, environments: String) -> String {
    format!("{} {} {environments}", finding["severity"].as_str().unwrap(), finding["rule"].as_str().unwrap())
}

fn environments(finding: &Value) -> String {
    let names = finding["environments"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    names.collect::<Vec<_>>().join(",")
}

/// What a change does on its branch.
type Edit = fn(&Project);

const EDITS: [(&str, Edit); 4] = [
    ("edited-migration", |project| project.write("api/migrations/2_two.sql", "SELECT 22;\n")),
    ("deleted-migration", |project| project.remove("api/migrations/2_two.sql")),
    ("renumbered-migration", |project| {
        project.remove("api/migrations/2_two.sql");
        project.write("api/migrations/3_two.sql", TWO);
    }),
    ("version-collision", |project| project.write("api/migrations/2_twin.sql", "SELECT 22;\n")),
];

#[test]
fn every_change_of_an_applied_migration_is_one_error_merged_or_not_and_on_a_laptop() {
    for (rule, edit) in EDITS {
        let project = Project::new().applied();
        let expected = [format!("error {rule} staging,production")];
        project.on("feature", edit);
        let branch = project.check(&[]);
        assert_eq!((branch.code, branch.found()), (1, expected.to_vec()), "{branch:?}");
        let laptop = project.check_since("main");
        assert_eq!((laptop.code, laptop.found()), (1, expected.to_vec()), "{laptop:?}");
        project.on("main", |project| project.write("README.md", "Hello\n")).merged();
        let merged = project.check(&[]);
        assert_eq!((merged.code, merged.found()), (1, expected.to_vec()), "{merged:?}");
    }
}

#[test]
fn an_error_says_where_the_migration_is_applied_and_since_when() {
    let project = Project::new().applied();
    let since = "UPDATE _sqlx_migrations SET installed_on = '2026-01-09 10:00:00' WHERE version = 2";
    let project = Project(
        project
            .0
            .execute("staging.db", since)
            .execute("production.db", "DELETE FROM _sqlx_migrations WHERE version = 2"),
    );
    project.on("feature", EDITS[0].1);
    let checked = project.check(&[]);
    assert_eq!(checked.found(), ["error edited-migration staging"]);
    assert_eq!(
        checked.message(),
        "this change edits migration 2, which is applied in staging (since 2026-01-09 10:00:00)"
    );
}

#[test]
fn what_nobody_has_applied_may_be_changed_and_a_version_is_taken_all_the_same() {
    for (rule, edit) in EDITS {
        let project = Project::new().databases(&[(1, "one", ONE)], &[(1, "one", ONE)]);
        project.on("feature", edit);
        let checked = project.check(&[]);
        let expected =
            if rule == "version-collision" { vec![format!("error {rule} staging,production")] } else { vec![] };
        assert_eq!(checked.found(), expected, "{checked:?}");
        let told = checked.report["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == rule);
        assert!(told, "{checked:?}");
    }
}

#[test]
fn without_any_database_a_change_is_a_warning() {
    let withheld = CONFIG.replace("'sqlite:staging.db' }", "'${STAGING_URL}', required: false }");
    let withheld = withheld.replace("'sqlite:production.db' }", "'${PRODUCTION_URL}', required: false }");
    for (rule, edit) in &EDITS[..3] {
        let project = Project::new();
        project.on("main", |project| project.write(".github/migration-preflight.yml", &withheld));
        project.git("checkout --quiet -B feature main");
        project.on("feature", edit);
        let checked = project.check(&[]);
        assert_eq!((checked.code, checked.found()), (0, vec![format!("warning {rule} staging,production")]));
    }
}

#[test]
fn the_pull_request_of_a_fork_is_held_against_its_base_without_secrets() {
    let secret = CONFIG
        .replace("'sqlite:staging.db'", "'${STAGING_URL}'")
        .replace("'sqlite:production.db'", "'${PRODUCTION_URL}'");
    let project = Project::new();
    project.on("main", |project| project.write(".github/migration-preflight.yml", &secret));
    project.git("checkout --quiet -B feature main");
    project.on("feature", EDITS[3].1).merged();
    let event = project.event(&json!({"pull_request": {
        "number": 7,
        "head": {"sha": project.id("feature"), "repo": {"full_name": "ann/demo"}},
        "base": {"sha": project.id("main"), "ref": "main", "repo": {"full_name": "octo/demo"}},
    }}));
    let checked = Checked::of(&project.run("", &["--format", "json"], &event));
    assert_eq!((checked.code, checked.found()), (1, vec!["error version-collision staging,production".to_owned()]));
}

#[test]
fn a_branch_that_is_behind_is_not_blamed_for_what_others_did() {
    let project = Project::new().applied();
    project.on("main", |project| {
        project.write("api/migrations/2_two.sql", "SELECT 22;\n");
        project.remove("api/migrations/1_one.sql");
        project.write("api/migrations/3_three.sql", ONE);
    });
    project.on("feature", |project| project.write("README.md", "Hello\n"));
    for checked in [project.check(&[]), project.check_since("main")] {
        assert_eq!((checked.code, checked.found()), (0, vec![]), "{checked:?}");
    }
    project.merged();
    let merged = project.check(&["--gate", "introduced"]);
    assert_eq!((merged.code, merged.found()), (0, vec![]), "main is broken, and not by this change: {merged:?}");
    let already_so = merged.already_so();
    assert!(already_so.contains(&"error checksum-mismatch staging".to_owned()), "{already_so:?}");
}

#[test]
fn what_the_base_has_and_the_branch_not_yet_is_a_warning_on_a_pull_request_and_an_error_elsewhere() {
    let rows = [(1, "one", ONE), (2, "two", TWO), (3, "three", ONE)];
    let project = Project::new().databases(&rows, &rows[..2]);
    project.on("main", |project| project.write("api/migrations/3_three.sql", ONE));
    project.on("feature", |project| project.write("README.md", "Hello\n"));
    let checked = project.check(&[]);
    assert_eq!((checked.code, checked.found()), (0, vec!["warning behind-base staging".to_owned()]), "{checked:?}");
    let finding = &checked.report["targets"][0]["findings"][0];
    assert_eq!(finding["file"], "api/migrations/3_three.sql");
    assert_eq!(finding["explanation"]["cause"], "behind-base", "{finding:#}");
    let deploy = project.check_since("main");
    assert_eq!((deploy.code, deploy.found()), (1, vec!["error behind-base staging".to_owned()]), "{deploy:?}");
}

#[test]
fn a_version_that_was_taken_meanwhile_and_one_below_the_highest_are_told_before_the_merge() {
    let project = Project::new().applied();
    project.on("main", |project| project.write("api/migrations/4_theirs.sql", ONE));
    project.on("feature", |project| {
        project.write("api/migrations/3_ours.sql", ONE);
        project.write("api/migrations/4_ours.sql", TWO);
    });
    for _ in 0..2 {
        let checked = project.check(&[]);
        let expected = ["error version-collision staging,production", "warning out-of-order staging,production"];
        assert_eq!((checked.code, checked.found()), (1, expected.map(str::to_owned).to_vec()), "{checked:?}");
        project.merged();
    }
}

#[test]
fn a_group_of_a_merge_queue_is_held_against_what_it_goes_onto() {
    let project = Project::new().applied();
    project.on("feature", EDITS[1].1).merged();
    let base = project.id("main");
    let mut event = project.event(&json!({"merge_group": {"base_sha": base, "head_sha": project.id("HEAD")}}));
    event.push(("GITHUB_EVENT_NAME", "merge_group".to_owned()));
    let checked = Checked::of(&project.run("", &["--format", "json"], &event));
    assert_eq!((checked.code, checked.found()), (1, vec!["error deleted-migration staging,production".to_owned()]));
}

#[test]
fn a_push_is_held_against_no_base_and_answers_for_everything() {
    let project = Project::new().applied();
    project.on("feature", EDITS[0].1);
    let mut event = project.pull_request();
    event.push(("GITHUB_EVENT_NAME", "push".to_owned()));
    let checked = Checked::of(&project.run("", &["--format", "json", "--gate", "introduced"], &event));
    let expected = ["error checksum-mismatch staging", "error checksum-mismatch production"];
    assert_eq!((checked.code, checked.found()), (1, expected.map(str::to_owned).to_vec()));
    assert_eq!(checked.notes(), Vec::<&str>::new());
}

#[test]
fn one_annotation_a_file_lists_its_environments() {
    let project = Project::new().applied();
    project.on("feature", EDITS[0].1).merged();
    let run = project.run("", &["--format", "github"], &project.pull_request());
    let of_file: Vec<_> = run.stdout.lines().filter(|line| line.contains("2_two.sql")).collect();
    assert_eq!(of_file.len(), 1, "{run}");
    assert!(of_file[0].contains("api in staging, production"), "{run}");
}

#[test]
fn a_deletion_that_is_accepted_in_the_same_change_is_green() {
    let project = Project::new().applied();
    let accept = "accept: [{ rule: missing-migration, version: 2, reason: 'removed in #7' }]\n";
    project.on("feature", |project| {
        project.remove("api/migrations/2_two.sql");
        project.write(".github/migration-preflight.yml", &format!("{CONFIG}{accept}"));
    });
    let checked = project.check(&[]);
    assert_eq!((checked.code, checked.found()), (0, vec![]), "{checked:?}");
    assert_eq!(checked.report["accepted"].as_array().unwrap().len(), 2);
}

#[test]
fn a_checkout_that_changes_line_endings_edits_nothing() {
    let project = Project::new();
    let crlf = [(1, "one", "SELECT 1;\r\n"), (2, "two", "SELECT 2;\r\n")];
    let project = project.databases(&crlf, &crlf);
    project.on("feature", |project| project.write("README.md", "Hello\n"));
    project.git("config core.autocrlf true");
    fs::remove_dir_all(project.path().join("api")).unwrap();
    git(project.path(), &["-c", "core.autocrlf=true", "checkout", "--quiet", "--", "api"]);
    assert_eq!(fs::read_to_string(project.path().join("api/migrations/1_one.sql")).unwrap(), "SELECT 1;\r\n");
    let checked = project.check(&[]);
    assert_eq!((checked.code, checked.found()), (0, vec![]), "{checked:?}");
    assert_eq!(checked.report["findings"], json!([]), "not even a notice");
}

// An ordinary pull request is green.

#[test]
fn a_pull_request_that_adds_a_pending_migration_is_green() {
    let project = Project::new().applied();
    project.on("feature", |project| project.write("api/migrations/3_three.sql", ONE)).merged();
    for gate in ["all", "introduced"] {
        let checked = project.check(&["--gate", gate, "--fail-on", "warning"]);
        assert_eq!((checked.code, checked.found(), checked.notes()), (0, vec![], vec![]), "{checked:?}");
    }
}

#[test]
fn a_pull_request_that_touches_a_readme_is_green_though_staging_is_dirty_and_away() {
    let project = Project::new().databases(&[(1, "one", ONE), (7, "gone", TWO)], &[(1, "one", ONE)]);
    let project =
        Project(project.0.execute("staging.db", "UPDATE _sqlx_migrations SET success = FALSE WHERE version = 1"));
    fs::remove_file(project.path().join("production.db")).unwrap();
    project.on("feature", |project| project.write("README.md", "Hello\n")).merged();
    let all = project.check(&[]);
    assert_eq!(all.code, 1);
    let checked = project.check(&["--gate", "introduced", "--fail-on", "warning"]);
    assert_eq!((checked.code, checked.found(), checked.notes()), (0, vec![], vec![]), "{checked:?}");
    let already_so = [
        "error dirty-migration staging",
        "error missing-migration staging",
        "incomplete unreachable-database production",
        "warning out-of-order staging",
        "notice pending-migration staging",
    ];
    assert_eq!(checked.already_so(), already_so);
    assert_eq!(checked.report["targets"][0]["startup"]["outcome"], "fails", "it fails all the same");
    let human = project.run("", &["--gate", "introduced"], &project.pull_request());
    assert!(human.stdout.contains("\nalready so\n  error dirty-migration for api in staging: migration 1"), "{human}");
    let page = project.run("", &["--gate", "introduced", "--format", "markdown"], &project.pull_request());
    assert!(page.stdout.contains("### Already so\n- error `dirty-migration` `api` in `staging`:"), "{page}");
    let commands = project.run("", &["--gate", "introduced", "--format", "github"], &project.pull_request());
    let notice = "::notice title=migration-preflight::5 findings already so: the base has the same\n";
    assert_eq!(commands.stdout, notice, "{commands}");
}

#[test]
fn a_pull_request_answers_for_what_its_migration_does_to_another_service_of_the_table() {
    let config = "defaults: { migrations: '{service}/migrations' }
services: { api: {}, web: { ignore-missing: true } }
environments: { staging: { database-url: 'sqlite:staging.db' } }
";
    let project = Project::new().applied();
    project.on("main", |project| {
        project.write(".github/migration-preflight.yml", config);
        project.write("web/migrations/1_one.sql", ONE);
    });
    project.git("checkout --quiet -B feature main");
    project.on("feature", |project| project.write("web/migrations/3_three.sql", ONE)).merged();
    let told = ["warning shared-history staging".to_owned()];
    // In a leg `web` is no target.
    for leg in [&[][..], &["--service", "api"]] {
        let checked = project.check(&[&["--gate", "introduced"], leg].concat());
        assert_eq!(checked.found(), told, "{checked:?}");
    }
    project.git("checkout --quiet -B main");
    project.git("checkout --quiet -B feature main");
    project.on("feature", |project| project.write("README.md", "Hello\n")).merged();
    for leg in [&[][..], &["--service", "api"]] {
        let checked = project.check(&[&["--gate", "introduced"], leg].concat());
        assert_eq!(checked.found(), Vec::<String>::new(), "{checked:?}");
        assert!(checked.already_so().contains(&told[0]), "{checked:?}");
    }
}

#[test]
fn a_pull_request_that_touches_a_service_has_its_database_looked_at() {
    let project = Project::new().applied();
    fs::remove_file(project.path().join("production.db")).unwrap();
    project.on("feature", |project| project.write("api/migrations/3_three.sql", ONE)).merged();
    let checked = project.check(&["--gate", "introduced"]);
    assert_eq!((checked.code, checked.found()), (3, vec!["incomplete unreachable-database production".to_owned()]));
}

#[test]
fn a_pull_request_of_a_branch_behind_main_is_green_though_staging_has_what_main_has() {
    let rows = [(1, "one", ONE), (2, "two", TWO), (3, "three", ONE)];
    let project = Project::new().databases(&rows, &rows[..2]);
    project.on("main", |project| project.write("api/migrations/3_three.sql", ONE));
    project.on("feature", |project| project.write("api/migrations/4_four.sql", ONE));
    for gate in ["all", "introduced"] {
        let checked = project.check(&["--gate", gate]);
        assert_eq!(checked.code, 0, "{checked:?}");
    }
}

#[test]
fn a_pull_request_is_green_though_staging_is_ahead_of_production() {
    let rows = [(1, "one", ONE), (2, "two", TWO)];
    let project = Project::new().databases(&rows, &rows[..1]);
    project.on("feature", |project| project.write("README.md", "Hello\n")).merged();
    let checked = project.check(&["--fail-on", "warning"]);
    assert_eq!((checked.code, checked.found()), (0, vec![]), "{checked:?}");
}

#[test]
fn a_pull_request_with_a_new_service_whose_database_does_not_exist_yet_is_green() {
    let project = Project::new().applied();
    let both = CONFIG.replace(
        "migrations: api/migrations }",
        "migrations: api/migrations }, web: { migrations: web/migrations, database-url: 'sqlite:web.db', required: false }",
    );
    project.on("feature", |project| {
        project.write(".github/migration-preflight.yml", &both);
        project.write("web/migrations/1_one.sql", ONE);
    });
    project.merged();
    for gate in ["all", "introduced"] {
        let checked = project.check(&["--gate", gate, "--fail-on", "warning"]);
        assert_eq!((checked.code, checked.found()), (0, vec![]), "{checked:?}");
    }
}

#[test]
fn a_change_of_what_says_how_it_is_read_hides_nothing_behind_the_gate() {
    for (path, content) in [
        (".github/migration-preflight.yml", format!("{CONFIG}# changed\n")),
        ("sqlx.toml", "[migrate]\nignored-chars = [\";\"]\n".to_owned()),
        (".gitattributes", "*.md text eol=crlf\n".to_owned()),
    ] {
        let project = Project::new().databases(&[(1, "one", ONE), (7, "gone", TWO)], &[(1, "one", ONE)]);
        project.on("feature", |project| project.write(path, &content)).merged();
        let checked = project.check(&["--gate", "introduced"]);
        assert_eq!((checked.code, checked.already_so()), (1, vec![]), "{path}: {checked:?}");
        assert!(checked.notes()[0].starts_with("everything counts"), "{checked:?}");
    }
}

// A clone that lacks the base says so, and nothing else changes.

/// A shallow clone of what GitHub has merged, with the databases beside it.
fn clone(project: &Project, depth: &str) -> PathBuf {
    project.git("branch --force merged HEAD");
    let from = format!("file://{}", project.path().display());
    git(
        project.path(),
        &["clone", "--quiet", "--depth", depth, "--branch", "merged", "--single-branch", &from, "clone"],
    );
    for name in ["staging.db", "production.db"] {
        fs::copy(project.path().join(name), project.path().join("clone").join(name)).unwrap();
    }
    project.path().join("clone")
}

#[test]
fn a_shallow_clone_says_the_line_to_add_and_the_verdict_is_the_same() {
    let project = Project::new().applied();
    project.on("feature", |project| project.write("api/migrations/3_three.sql", ONE)).merged();
    let event = project.pull_request();
    clone(&project, "1");
    let checked = Checked::of(&project.run("clone", &["--format", "json"], &event));
    assert_eq!((checked.code, checked.found()), (0, vec![]));
    assert_eq!(
        checked.notes(),
        [
            "what the change does to migrations was not looked at, because the clone is shallow and lacks its base: give actions/checkout the line `fetch-depth: 2`"
        ]
    );
    for (format, words) in [
        ("human", "\nnote: what the change does"),
        ("markdown", "### Notes\n- what the change does"),
        ("github", "::notice title=migration-preflight::what the change does"),
    ] {
        let run = project.run("clone", &["--format", format], &event);
        assert!(run.code == 0 && run.stdout.contains(words), "{run}");
    }
}

#[test]
fn two_commits_are_enough_for_what_github_has_merged_and_all_for_a_branch() {
    let project = Project::new().applied();
    project.on("feature", EDITS[0].1).on("main", |project| project.write("README.md", "Hello\n"));
    project.merged();
    let event = project.pull_request();
    let folder = clone(&project, "2");
    let merged = Checked::of(&project.run("clone", &["--format", "json"], &event));
    assert_eq!((merged.code, merged.found()), (1, vec!["error edited-migration staging,production".to_owned()]));
    fs::remove_dir_all(folder).unwrap();
    project.git("checkout --quiet feature");
    clone(&project, "1");
    let branch = Checked::of(&project.run("clone", &["--format", "json", "--gate", "introduced"], &event));
    assert_eq!(branch.code, 1, "the mismatch itself is found all the same");
    assert!(branch.notes()[0].contains("`fetch-depth: 0`") && branch.notes()[1].starts_with("everything counts"));
}

#[test]
fn a_base_that_is_not_there_is_a_mistake_of_who_names_it_and_of_nobody_else() {
    let project = Project::new().applied();
    let run = project.run("", &["--base", "origin/main"], &[]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
    assert!(
        run.stderr.starts_with("error: --base `origin/main` names no commit that is here\n  help: fetch it"),
        "{run}"
    );
    let elsewhere = Repository::new().file("migrations/1_one.sql", ONE).database("dev.db", &[(1, "one", ONE)]);
    let url = [("DATABASE_URL", "sqlite:dev.db".to_owned())];
    let project = Project(elsewhere);
    let run = project.run("", &["--base", "main"], &url);
    assert!(run.code == 2 && run.stderr.contains("this is no git repository"), "{run}");
    let payload = json!({"pull_request": {"number": 7, "base": {"ref": "main"}}});
    fs::write(project.path().join("event.json"), payload.to_string()).unwrap();
    let event = [
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_REPOSITORY", "octo/demo".to_owned()),
        ("GITHUB_SHA", "1".repeat(40)),
        ("GITHUB_EVENT_NAME", "pull_request".to_owned()),
        ("GITHUB_EVENT_PATH", project.path().join("event.json").display().to_string()),
    ];
    let checked = Checked::of(&project.run("", &["--format", "json"], &[&url[..], &event].concat()));
    assert_eq!(
        (checked.code, checked.notes()),
        (0, vec!["what the change does to migrations was not looked at: this is no git repository"])
    );
    // Without the program it is no different.
    let environment: Vec<_> = url.iter().chain(&event).map(|(name, value)| (*name, value.as_str())).collect();
    let environment = [&environment[..], &[("PATH", "/nowhere")]].concat();
    let run = project.0.run_with(&["--format", "json"], &environment);
    assert_eq!(Checked::of(&run).notes()[0].split(": ").last(), Some("the program `git` is not installed"), "{run}");
}
