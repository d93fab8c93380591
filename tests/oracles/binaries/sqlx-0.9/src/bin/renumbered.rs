//! `migrate!()` where it is used.
#[path = "../../../start.rs"]
mod start;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let mut migrator = sqlx::migrate!("../worlds/renumbered");
    migrator.set_ignore_missing(start::ignores_missing());
    start::start(&migrator).await
}
