//! `migrate!()` in a static.
#[path = "../../../start.rs"]
mod start;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../worlds/twins");

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    start::start(&MIGRATOR).await
}
