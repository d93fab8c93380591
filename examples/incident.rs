//! The incident that this tool exists for, built in a temporary folder and caught: `cargo run --example incident`.
//!
//! Two services run in staging and in production. Staging is migrated by today's code; then an older checkout
//! (the content of the images that were deployed by digest) is put beside the same databases.

use std::fs;
use std::io::Write;
use std::path::Path;

use clap::Parser;
use migration_preflight::cli::Cli;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, migrate::Migrator};

/// What each service had in its image, and what was written after the image was built.
const SERVICES: [(&str, &[&str], &[&str]); 2] = [
    (
        "content-service",
        &[
            "20250902_create_posts",
            "20250911_create_comments",
            "20250923_create_tags",
            "20251004_add_post_slug",
            "20251013_create_post_tags",
            "20251021_add_comment_parent",
            "20251103_create_media",
            "20251112_add_post_published_at",
            "20251124_create_social_tables",
            "20251208_index_posts_by_author",
            "20251219_add_media_checksum",
        ],
        &["20260107_add_author_account_type", "20260109_remove_unused_social_tables"],
    ),
    (
        "social-service",
        &[
            "001_create_authors",
            "002_create_follows",
            "003_create_reactions",
            "004_index_follows",
            "005_create_blocks",
            "006_add_author_avatar",
        ],
        &["007_add_author_account_type"],
    ),
];

const CONFIG: &str = "\
matrix:
  workflow: .github/workflows/deploy.yml
  job: deploy
defaults:
  migrations: backend/{service}/migrations
  database-url: sqlite:databases/{environment}-{service}.db
environments:
  staging: {}
  production: {}
";

const WORKFLOW: &str = "\
on: push
jobs:
  deploy:
    strategy:
      matrix:
        service: [content-service, social-service]
        environment: [staging, production]
    runs-on: ubuntu-latest
    steps:
      - run: kubectl set image deployment/${{ matrix.service }} app=registry/${{ matrix.service }}
";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    build(folder.path()).await?;
    std::env::set_current_dir(folder.path())?;
    let code = migration_preflight::run(Cli::parse_from(std::iter::once("migration-preflight"))).await;
    let code = if code == std::process::ExitCode::from(1) { "1" } else { "another one than 1" };
    writeln!(std::io::stdout(), "\nThe check left with exit code {code}: a deploy step would have stopped here.")?;
    // So that the folder can be removed on every system.
    std::env::set_current_dir("/")?;
    Ok(())
}

/// The repository as the old images have it, and the databases as they were.
async fn build(root: &Path) -> anyhow::Result<()> {
    for folder in [".git", ".github/workflows", "databases"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::write(root.join(".github/migration-preflight.yml"), CONFIG)?;
    fs::write(root.join(".github/workflows/deploy.yml"), WORKFLOW)?;
    for (service, old, new) in SERVICES {
        let directory = root.join("backend").join(service).join("migrations");
        fs::create_dir_all(&directory)?;
        write(&directory, old)?;
        migrate(&directory, &root.join(format!("databases/production-{service}.db"))).await?;
        write(&directory, new)?;
        migrate(&directory, &root.join(format!("databases/staging-{service}.db"))).await?;
        for name in new {
            fs::remove_file(directory.join(format!("{name}.sql")))?;
        }
    }
    Ok(())
}

fn write(directory: &Path, names: &[&str]) -> std::io::Result<()> {
    names.iter().try_for_each(|name| {
        let table = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        fs::write(directory.join(format!("{name}.sql")), format!("CREATE TABLE \"{table}\" (id INTEGER);\n"))
    })
}

/// Applies everything in `directory` with the real sqlx, as the service does when it starts.
async fn migrate(directory: &Path, database: &Path) -> anyhow::Result<()> {
    let options = SqliteConnectOptions::new().filename(database).create_if_missing(true);
    let mut connection = options.connect().await?;
    Migrator::new(directory).await?.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
