//! Commands that hang, flood, fail, print rubbish, or print what is secret.

use super::*;

const ROW: &str = "preflight-row~1~0~7~00~6f6e65~6f6e65;";
const PLACE: &str = "preflight-place~7075626c6963~7075626c6963~t~t~5b5d;";

/// A shell that prints a history of one row, before and after what else it does.
fn answering(before: &str, after: &str) -> String {
    format!("{before}\necho '{PLACE}'; echo '{ROW}'; echo 'preflight-end~1;'\n{after}\n")
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    for script in
        ["sleep 60", "sleep 60 & wait", "exec sleep 60 >&-", "trap '' TERM HUP INT; while :; do sleep 1; done"]
    {
        let started = Instant::now();
        let repository = service(&format!("echo $$ > pid\n{script}\n"));
        let (code, told) = told(&repository, &["--timeout", "2"], &[]);
        assert_eq!(code, 3, "{script}: {told}");
        assert!(
            told.ends_with("the command did not end within the timeout: `sh` was ended after 2 s"),
            "{script}: {told}"
        );
        assert!(started.elapsed() < Duration::from_secs(30), "{script}");
        let group = std::fs::read_to_string(repository.path().join("pid")).unwrap();
        let is_there =
            || std::process::Command::new("pgrep").args(["-g", group.trim()]).output().unwrap().status.success();
        let until = Instant::now() + Duration::from_secs(10);
        while is_there() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!is_there(), "{script}");
    }
}

#[test]
fn what_a_command_leaves_running_holds_nothing_up() {
    let repository = service(&answering("sleep 60 & echo $! > pid", ""));
    let started = Instant::now();
    let run = repository.run_with(&["--allow-commands", "--format", "json"], &[PATH]);
    assert!(run.stdout.contains("\"applied\": 1"), "{run}");
    assert!(started.elapsed() < Duration::from_secs(15), "its output stays open for a minute");
    let pid = std::fs::read_to_string(repository.path().join("pid")).unwrap();
    std::process::Command::new("kill").arg(pid.trim()).status().unwrap();
}

#[test]
fn a_command_that_floods_is_ended() {
    let (code, told) = told(&service("yes"), &["--timeout", "60"], &[]);
    assert_eq!((code, told.contains("it printed more than 64 MiB")), (3, true), "{told}");
    let endless = "printf preflight-row~; while :; do printf '%01000d' 7; done";
    let (code, told) = super::told(&service(endless), &["--timeout", "60"], &[]);
    assert_eq!((code, told.contains("a row of it has no end")), (3, true), "{told}");
    let loud = format!("{}\nyes complaint | head -c 10000000 >&2", answering("", ""));
    let run = service(&loud).run_with(&["--allow-commands", "--format", "json"], &[PATH]);
    assert!(run.stdout.contains("\"applied\": 1"), "{run}");
}

#[test]
fn a_command_that_fails_says_why() {
    for (script, words) in [
        (
            "echo 'no such context: prod' >&2; exit 1",
            "the command failed: `sh` ended with exit code 1: no such context: prod",
        ),
        ("exit 7", "the command failed: `sh` ended with exit code 7, and does not say why"),
        ("kill -9 $$", "the command failed: `sh` was ended, and does not say why"),
        ("printf 'a\\n::error::b\\033[31m\\n' >&2; exit 2", "exit code 2: ::error::b [31m"),
        ("echo oops >&2", "the command failed: `sh` did not do what was asked: oops"),
        (&answering("", "exit 3"), "the command failed: `sh` ended with exit code 3, and does not say why"),
    ] {
        let (code, told) = told(&service(script), &[], &[]);
        assert_eq!(code, 3, "{script}: {told}");
        assert!(told.ends_with(words), "{script}: {told}");
    }
    let absent = Repository::new().file("migrations/1_one.sql", "").config(
        "services: { api: { migrations: migrations, database-command: { run: [no-such-client], engine: mysql } } }\n",
    );
    let (code, told) = told(&absent, &[], &[]);
    assert_eq!(code, 3);
    assert!(told.contains("the command cannot be started: `no-such-client`: there is no such program"), "{told}");
}

#[test]
fn a_command_that_prints_something_else_has_read_nothing() {
    let is = "what the command printed is not what it was asked for: ";
    for (script, words) in [
        ("true", "it printed nothing"),
        ("echo version,description; echo 1,one", "none of the 26 bytes that it printed is the end of an answer"),
        (r"head -c 100000 /dev/zero | tr '\0' x", "none of the 100000 bytes that it printed is the end of an answer"),
        (&answering("", &format!("echo '{ROW}'")), "there are 1 rows, and it printed 2"),
        (&answering(&answering("", ""), ""), "it printed more than one answer; each target has a command of its own"),
        ("echo 'preflight-place~1;preflight-end~0;'", "a row of it has more or fewer columns than were asked for"),
    ] {
        let (code, told) = told(&service(script), &[], &[]);
        assert_eq!(code, 3, "{script}: {told}");
        assert!(told.ends_with(&format!("{is}{words}")), "{script}: {told}");
    }
}

#[test]
fn what_is_secret_comes_back_in_no_form() {
    let script = "echo \"$PGPASSWORD $DEPLOY_TOKEN $OTHER_URL password=unknown55\"; echo \"wrong: $PGPASSWORD, $DEPLOY_TOKEN, \
        $OTHER_URL, postgres://u:unknown55@h/d password=unknown55\" >&2; exit 1";
    let secrets = [
        ("SECRET", "hunter22:x"),
        ("DEPLOY_TOKEN", "tok55555"),
        ("OTHER_URL", "postgres://u:swordf1sh@h/d"),
        ("INPUT_TOKEN", "ghs_none"),
    ];
    let repository = service(script).config(
        "services: { api: { migrations: migrations } }\n\
         defaults: { database-command: { run: [sh, client.sh], engine: postgres, env: { PGPASSWORD: '${SECRET}' } } }\n",
    );
    for format in ["human", "json", "markdown", "github", "sarif"] {
        let environment = [&[PATH, ("RUST_LOG", "trace")], &secrets[..]].concat();
        let run = repository.run_with(&["--allow-commands", "--format", format], &environment);
        let shown = run.to_string();
        assert!(shown.contains("exit code 1: wrong: ***"), "{shown}");
        for secret in ["hunter22", "tok55555", "swordf1sh", "unknown55"] {
            assert!(!shown.contains(secret), "{format}: {shown}");
        }
    }
}

#[test]
fn a_command_is_given_what_it_is_to_have_and_no_more() {
    let repository = service("env > seen; printf '%s' \"$2\" > query; cat > input").config(
        "services: { api: { migrations: migrations } }\n\
         defaults: { database-command: { run: [sh, client.sh, '{environment}'], engine: sqlite, env: { A: 'x-${B}-{service}' } } }\n",
    );
    told(&repository, &[], &[("B", "b"), ("INPUT_TOKEN", "ghs_secret")]);
    let read = |name: &str| std::fs::read_to_string(repository.path().join(name)).unwrap();
    assert!(read("seen").lines().any(|line| line == "A=x-b-api") && !read("seen").contains("ghs_secret"));
    assert_eq!(read("input"), "");
    assert_snapshot!(read("query"), @r#"
    PRAGMA query_only = 1; PRAGMA busy_timeout = 19000; SELECT 'pre' || 'flight-place' || '~' || EXISTS (SELECT * FROM main.sqlite_master WHERE type IN ('table', 'view') AND name = '_sqlx_migrations' COLLATE NOCASE) || ';' UNION ALL SELECT 'pre' || 'flight-row' || '~' || coalesce(version, 'null') || '~' || coalesce(success = false, false) || '~' || coalesce(execution_time, 'null') || '~' || CASE WHEN checksum IS NULL THEN 'null' ELSE hex(checksum) END || '~' || CASE WHEN description IS NULL THEN 'null' ELSE hex(description) END || '~' || CASE WHEN CAST(installed_on AS TEXT) IS NULL THEN 'null' ELSE hex(CAST(installed_on AS TEXT)) END || ';' FROM "_sqlx_migrations" UNION ALL SELECT 'pre' || 'flight-end' || '~' || count(*) || ';' FROM "_sqlx_migrations";
    "#);
}
