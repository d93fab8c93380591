//! A database URL: what every engine makes of it, and that its password is in nothing that is said.

use std::cell::OnceCell;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use migration_preflight::gather::database;
use migration_preflight::history::{DatabaseError, DatabaseUrl, LookUp};

use super::shown::{PLANTED, assert_harmless};

thread_local! {
    static RUNTIME: OnceCell<tokio::runtime::Runtime> = const { OnceCell::new() };
}

const SCHEMES: [&str; 6] = ["postgres://", "postgresql://", "mysql://", "mariadb://", "sqlite://", "sqlite:"];

#[derive(Debug, Arbitrary)]
struct Case<'a> {
    scheme: u8,
    user: &'a str,
    before: &'a str,
    after: &'a str,
    /// What comes behind the `@`.
    rest: &'a str,
}

pub fn body(data: &[u8]) {
    // The whole as it is, and then with a password that can be told from everything else.
    if let Ok(text) = std::str::from_utf8(data) {
        check(text, false);
    }
    let Ok(case) = Case::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let scheme = SCHEMES[usize::from(case.scheme) % SCHEMES.len()];
    let Case { user, before, after, rest, .. } = case;
    let is_plain = |text: &str| !text.contains(PLANTED) && !text.contains(['@', ':', '/', '?', '#', '\\']);
    let password = format!("{before}{PLANTED}{after}");
    // Where the user name ends the authority or the host has another `@`, nobody can say which part is the password.
    if is_plain(user) && !rest.contains(PLANTED) && !rest.contains('@') && is_plain(after) && !before.contains('@') {
        check(&format!("{scheme}{user}:{password}@{rest}"), true);
    }
}

fn check(text: &str, has_planted: bool) {
    let url = match DatabaseUrl::parse(text) {
        Ok(url) => url,
        Err(error) => return assert_told(&error, has_planted),
    };
    assert!(!format!("{url:?}").contains(PLANTED));
    let said = format!("could not connect to <{text}>");
    let clean = url.secrets().redact(&said);
    assert!(text.trim().len() < 4 || !clean.contains(text), "{clean}");
    let _ = database::secrets(&url);
    match database::server(&url).as_str() {
        // Nothing is connected to, because there is nothing that could be.
        "malformed" => assert_told(&error(&url), has_planted),
        server => assert!(!has_planted || !server.contains(PLANTED), "{server}"),
    }
}

fn error(url: &DatabaseUrl) -> DatabaseError {
    let look_up = LookUp::of("_sqlx_migrations");
    let history = database::history(url, &look_up, Duration::from_secs(60));
    let answer = RUNTIME.with(|runtime| {
        let build = || tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.get_or_init(build).block_on(history)
    });
    answer.expect_err("a malformed URL has no history")
}

fn assert_told(error: &DatabaseError, has_planted: bool) {
    let shown = format!("{error} {error:?} {}", error.kind.help());
    assert!(!has_planted || !shown.contains(PLANTED), "{shown}");
    assert_harmless(&migration_preflight::text::harmless(&error.to_string()));
}
