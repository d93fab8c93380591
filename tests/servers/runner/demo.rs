//! A repository of two services in two environments, on PostgreSQL and on MariaDB, with the README's workflow and
//! configuration and this repository's action.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use migration_preflight::migration::Checksum;

use super::act::git;
use crate::mysql::support as mysql;
use crate::shared::readme;
use crate::support::{self, TABLE};

pub const WORKFLOW: &str = ".github/workflows/migrations.yml";

/// The migrations of a service: version, description and content.
type Migrations = &'static [(i64, &'static str, &'static str)];

/// The incident: staging has two more than the code.
const CONTENT: Migrations = &[
    (1, "create_articles", "CREATE TABLE articles (id BIGINT PRIMARY KEY);\n"),
    (2, "add_title", "ALTER TABLE articles ADD title TEXT;\n"),
    (20_260_107, "add_author_account_type", "ALTER TABLE articles ADD author_account_type TEXT;\n"),
    (20_260_109, "remove_unused_social_tables", "DROP TABLE IF EXISTS social;\n"),
];
const SOCIAL: Migrations = &[(1, "create_follows", "CREATE TABLE follows (id BIGINT PRIMARY KEY);\n")];

/// A repository, its databases, and what stands for the secrets of the two environments.
pub struct Demo {
    folder: tempfile::TempDir,
    /// By name: the variable of the README's workflow, with the environment before it.
    pub secrets: Vec<(String, String)>,
    /// Actions that are used by their name, and where they are.
    pub actions: Vec<(&'static str, PathBuf)>,
    pub base: String,
    pub head: String,
    pub merge: String,
}

impl Demo {
    /// With `in_code` of content-service's migrations in the code. Of both services, staging has applied all that there
    /// are, and production the first.
    pub async fn new(in_code: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut demo = Self {
            folder,
            secrets: vec![("GITHUB_TOKEN".into(), "ghs_t0kenZv9w".into())],
            actions: Vec::new(),
            base: String::new(),
            head: String::new(),
            merge: String::new(),
        };
        for (environment, rows) in [("STAGING", CONTENT.len()), ("PRODUCTION", 1)] {
            let content = postgres(&CONTENT[..rows]).await;
            demo.secrets.push((format!("{environment}_CONTENT_SERVICE_DATABASE_URL"), content));
            let social = mariadb(SOCIAL).await;
            demo.secrets.push((format!("{environment}_SOCIAL_SERVICE_DATABASE_URL"), social));
        }
        for (service, migrations) in [("content-service", &CONTENT[..in_code]), ("social-service", SOCIAL)] {
            for (version, name, sql) in migrations {
                demo.file(&format!("backend/{service}/migrations/{version}_{name}.sql"), sql);
            }
        }
        demo.file(".github/migration-preflight.yml", readme::block("the configuration"));
        demo.file(WORKFLOW, &workflow("./"));
        lay_out_action(demo.path());
        demo.commit();
        demo
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, path: &str, content: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// What a pull request is: a base, a head, and the commit that merges them.
    fn commit(&mut self) {
        let git = |arguments: &[&str]| git(self.path(), arguments);
        git(&["init", "--quiet", "--initial-branch=main"]);
        git(&["remote", "add", "origin", "https://github.com/octo/demo.git"]);
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message=base"]);
        let base = git(&["rev-parse", "HEAD"]);
        git(&["switch", "--quiet", "--create=feature"]);
        git(&["commit", "--quiet", "--allow-empty", "--message=head"]);
        let head = git(&["rev-parse", "HEAD"]);
        git(&["switch", "--quiet", "--create=merged", "main"]);
        git(&["merge", "--quiet", "--no-ff", "--message=merged", "feature"]);
        let merge = git(&["rev-parse", "HEAD"]);
        (self.base, self.head, self.merge) = (base, head, merge);
    }

    pub fn check_out(&self, branch: &str) {
        git(self.path(), &["switch", "--quiet", branch]);
    }
}

/// The README's workflow, but for what act lacks: secrets that belong to an environment, and `deployment`.
pub fn workflow(action: &str) -> String {
    let text = readme::block("the workflow");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("deployment: "));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    assert!(text.len() < readme::block("the workflow").len(), "the README's workflow has no `deployment:`");
    let mut text = text.replace("OWNER/migration-preflight@v1", action);
    for secret in ["CONTENT_SERVICE_DATABASE_URL", "SOCIAL_SERVICE_DATABASE_URL"] {
        let of_environment = format!("secrets[format('{{0}}_{secret}', matrix.environment)]");
        text = text.replace(&format!("secrets.{secret}"), &of_environment);
    }
    text
}

/// The README's configuration for secrets that belong to the repository.
pub fn configuration_with_environments_in_names() -> String {
    let text = readme::block("the configuration");
    let changed = text.replace("${{SERVICE}_DATABASE_URL}", "${{ENVIRONMENT}_{SERVICE}_DATABASE_URL}");
    assert_ne!(text, changed);
    changed
}

/// Puts the action of this repository there, with the program as it has just been built.
pub fn lay_out_action(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(folder.join("dist")).unwrap();
    for file in ["action.yml", "dist/index.js", "dist/launch.js", "dist/post.js"] {
        fs::copy(root.join(file), folder.join(file)).unwrap();
    }
    let program = folder.join("dist/migration-preflight-x86_64-unknown-linux-gnu");
    symlink(env!("CARGO_BIN_EXE_migration-preflight"), program).unwrap();
}

/// The URL of a role that may read a history in PostgreSQL.
async fn postgres(applied: Migrations) -> String {
    let rows = inserts(applied, |hexadecimal| format!("'\\x{hexadecimal}'"));
    let sql = format!("CREATE TABLE {TABLE} {}; {rows} GRANT SELECT ON {TABLE} TO $ROLE", support::CREATE);
    support::Fixture::new(&sql).await.url().to_string()
}

/// The URL of a user that may read a history in MariaDB.
async fn mariadb(applied: Migrations) -> String {
    let rows = inserts(applied, |hexadecimal| format!("x'{hexadecimal}'"));
    let sql = format!("CREATE TABLE {TABLE} {}; {rows} GRANT SELECT ON $ROLE.{TABLE} TO $ROLE", mysql::CREATE);
    mysql::Fixture::new(&sql).await.url().to_string()
}

fn inserts(applied: Migrations, bytes: impl Fn(String) -> String) -> String {
    let insert = |(version, name, sql): &(i64, &str, &str)| {
        let description = name.replace('_', " ");
        let checksum: String = Checksum::of(sql).as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let columns = "version, description, success, checksum, execution_time";
        format!("INSERT INTO {TABLE} ({columns}) VALUES ({version}, '{description}', TRUE, {}, 1);", bytes(checksum))
    };
    applied.iter().map(insert).collect()
}
