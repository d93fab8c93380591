//! No `migrate!()`: the migrations are read when the service starts.
#[path = "../../../start.rs"]
mod start;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let folder = std::path::Path::new("migrations");
    let mut migrator = sqlx::migrate::Migrator::new(folder).await.expect("migrations");
    migrator.set_ignore_missing(start::ignores_missing());
    start::start(&migrator).await
}
