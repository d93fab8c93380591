//! A mistake in this very program: one calm line, exit code 3, and no secret in it.

use std::process::Command;

use migration_preflight::publish::guard;
use migration_preflight::secret::Secrets;

/// Set where this test binary is to be the program that panics.
const PROGRAM: &str = "PREFLIGHT_TEST_PANIC";
const PASSWORD: &str = "hunt\"Zv9w\\X3 ä";

fn panicking() -> std::process::ExitCode {
    let mut secrets = Secrets::default();
    secrets.add_plain_password(PASSWORD);
    guard(secrets);
    let (plain, quoted) = (PASSWORD, format!("{PASSWORD:?}"));
    panic!("{plain} and {quoted}\n::error::x at postgres://u:another@h/d")
}

#[test]
fn a_panic_is_one_line_without_a_secret() {
    if std::env::var_os(PROGRAM).is_some() {
        let code = migration_preflight::calmly(panicking);
        assert_eq!(code, std::process::ExitCode::from(3));
        return;
    }
    let program = Command::new(std::env::current_exe().unwrap())
        .args(["panics::a_panic_is_one_line_without_a_secret", "--exact", "--nocapture"])
        .env(PROGRAM, "1")
        .env_remove("GITHUB_ACTIONS")
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    assert!(program.status.success());
    let stderr = String::from_utf8(program.stderr).unwrap();
    let lines: Vec<_> = stderr.lines().filter(|line| line.contains("internal error")).collect();
    insta::assert_snapshot!(lines.join("\n").replace(char::is_numeric, "0"), @r#"error: internal error at tests/integration/panics.rs:00: *** and "***"\u{a}::error::x at postgres://u:*******@h/d; please report it with this line"#);
    assert!(!["hunt", "Zv9w", "X3", "another"].iter().any(|piece| stderr.contains(piece)), "{stderr}");
}
