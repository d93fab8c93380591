//! What is told of a command that fails: why, in its own words, and nothing secret among them.

use super::*;

/// A service whose database a script stands for, which is given `env`.
fn with_variables(script: &str, env: &str) -> Repository {
    service(script).config(&format!(
        "services: {{ api: {{ migrations: migrations }} }}\n\
         defaults: {{ database-command: {{ run: [sh, client.sh], engine: postgres, env: {{ {env} }} }} }}\n"
    ))
}

/// What is told after `exit code 1: `.
fn complaint(repository: &Repository, environment: &[(&str, &str)]) -> String {
    let (code, told) = told(repository, &[], environment);
    assert_eq!(code, 3, "{told}");
    told.split_once("ended with exit code 1: ").unwrap_or_else(|| panic!("{told}")).1.to_owned()
}

#[test]
fn what_is_written_in_a_configuration_is_no_secret() {
    let script = "echo \"$PGSSLMODE $PGAPPNAME $PGPASSWORD\" >&2; exit 1";
    let repository = with_variables(script, "PGSSLMODE: require, PGAPPNAME: 'check-${B}', PGPASSWORD: '${B}'");
    assert_eq!(complaint(&repository, &[("B", "hunter22")]), "require check-*** ***");
    // Nor is it one in what else is printed.
    let run = repository.run_with(&["--allow-commands"], &[PATH, ("B", "hunter22"), ("RUST_LOG", "debug")]);
    assert!(run.to_string().contains("migrations") && !run.to_string().contains("hunter22"), "{run}");
}

#[test]
fn a_switch_of_the_environment_leaves_the_words_readable() {
    let repository = service("echo 'attempt 1 of 1 is not true' >&2; exit 1");
    let environment = [("USE_AUTH", "1"), ("KEY", "of"), ("AUTH", "true")];
    assert_eq!(complaint(&repository, &environment), "attempt 1 of 1 is not true");
}

#[test]
fn a_secret_of_the_environment_is_known_by_the_name_of_its_variable() {
    let environment = [
        ("DB_PW", "secret-1"),
        ("SHOP_DSN", "secret-2"),
        ("GH_PAT", "secret-3"),
        ("SHOP_AUTH", "secret-4"),
        ("my-credentials", "secret-5"),
        ("APIKEY", "secret-6"),
        ("PGPASS", "secret-7"),
        ("GIT_AUTHOR_NAME", "ann-lee"),
        ("SSH_AUTH_SOCK", "/run/agent"),
        ("PGPASSFILE", "/home/.pgpass"),
        ("KEYBOARD", "qwerty"),
        ("MONKEY", "banana"),
    ];
    let values: Vec<&str> = environment.iter().map(|(_, value)| *value).collect();
    let repository = service(&format!("echo '{}' >&2; exit 1", values.join(" ")));
    let expected = "*** *** *** *** *** *** *** ann-lee /run/agent /home/.pgpass qwerty banana";
    assert_eq!(complaint(&repository, &environment), expected);
}

#[test]
fn no_part_of_a_secret_is_left_where_a_complaint_is_cut() {
    let token = "k1q2".repeat(750);
    // One that fills what is kept several times, and one that fills it once and a bit.
    for times in [3, 22, 60] {
        let script = format!("for i in $(seq {times}); do printf '%s ' \"$TOKEN\" >&2; done; exit 1");
        let (code, told) = told(&service(&script), &[], &[("TOKEN", &token)]);
        assert!(code == 3 && !told.contains("q2"), "{times}: {told}");
        let (code, told) =
            super::told(&service(&script.replace("done;", "done; echo because >&2;")), &[], &[("TOKEN", &token)]);
        assert!(code == 3 && !told.contains("q2") && told.ends_with("because"), "{times}: {told}");
    }
}

#[test]
fn what_a_failing_password_command_printed_is_not_told() {
    let service = |script: &str| {
        service(script).config(
            "services: { api: { migrations: migrations, database-url: 'postgres://u@127.0.0.1:1/d', \
             password-command: [sh, client.sh] } }\n",
        )
    };
    let (code, told) = told(&service("echo 'token  hunter22xyz'; echo 'hunter22xyz is expired' >&2; exit 1"), &[], &[]);
    assert_eq!(code, 3, "{told}");
    assert!(told.ends_with("`password-command`: `sh` ended with exit code 1: *** is expired"), "{told}");
    let started = std::time::Instant::now();
    let (_, told) = super::told(&service("seq 1 12000; echo 'not 11999' >&2; exit 1"), &[], &[]);
    assert!(
        told.ends_with("exit code 1: not ***") && started.elapsed().as_secs() < 20,
        "{:?}: {told}",
        started.elapsed()
    );
}

#[test]
fn the_line_that_says_why_is_told_and_not_the_chatter_before_it() {
    for (printed, words) in [
        (
            "Defaulted container \"db\" out of: db, exporter\npsql: error: connection failed\n\ncommand terminated with exit code 2",
            "psql: error: connection failed  command terminated with exit code 2",
        ),
        (
            "Warning: Permanently added jump to the list\nHost key verification failed.",
            "Warning: Permanently added jump to the list Host key verification failed.",
        ),
        ("a\nb\nc\nd\ne", "c d e"),
        (
            "Welcome\nERROR:  no such relation\nLINE 1: x\nERROR:  aborted",
            "ERROR:  no such relation LINE 1: x ERROR:  aborted",
        ),
        (
            "Welcome to mirror-errors\na\nb\nError from server (NotFound): pods \"x\" not found",
            "Error from server (NotFound): pods \"x\" not found",
        ),
    ] {
        let repository = service("cat printed >&2; exit 1").file("printed", printed);
        assert_eq!(complaint(&repository, &[]), words);
    }
    let chatter = "progress\n".repeat(20_000) + "fatal: it is over\n";
    let repository = service("cat printed >&2; exit 1").file("printed", chatter);
    assert_eq!(complaint(&repository, &[]), "fatal: it is over");
}

#[test]
fn a_command_that_cannot_be_started_is_told_with_what_to_do() {
    let service = |program: &str| {
        let config = format!(
            "services: {{ api: {{ migrations: migrations, database-command: {{ run: {program}, engine: mysql }} }} }}\n"
        );
        Repository::new().file("migrations/1_one.sql", "SELECT 1;\n").config(&config)
    };
    let executable = |program: &str, content: &str| {
        use std::os::unix::fs::PermissionsExt;
        let repository = service(&format!("['{program}']")).file(program, content);
        let path = repository.path().join(program);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
        repository
    };
    for (repository, words, help) in [
        (service("[no-such-client]"), "`no-such-client`: there is no such program", "Install it here"),
        (service("[./client.sh]").file("client.sh", "true"), "`./client.sh`: it is not executable", "chmod +x"),
        (service("[./migrations]"), "`./migrations`: it is not executable", "chmod +x"),
        (executable("./old", "#!/no/such/shell\n"), "`./old`: the interpreter in its first line", "`#!`"),
        (executable("./odd", "\0\u{1}\u{2}"), "`./odd`: it is no program of this system", "built for"),
        (service(&format!("[echo, {}]", "x".repeat(200_000))), "`echo`: its arguments are too long", "query: stdin"),
    ] {
        let run = repository.run_with(&["--allow-commands"], &[PATH]);
        let told = finding(&run);
        assert!(run.code == 3 && told.contains(&format!("the command cannot be started: {words}")), "{words}: {told}");
        let told = run.stdout.lines().find(|line| line.trim().starts_with("help:")).unwrap();
        assert!(told.contains(help), "{words}: {told}");
    }
}

#[test]
fn a_missing_table_of_another_name_is_no_empty_history() {
    for (complaint, is_absent) in [
        ("ERROR 1146 (42S02) at line 1: Table 'shop.other' doesn''t exist", false),
        ("ERROR 1146 (42S02) at line 1: Table 'shop._sqlx_migrations_2' doesn''t exist", false),
        ("ERROR 1049 (42000): Unknown database 'shop'", false),
        ("note: _sqlx_migrations\nERROR 1146 (42S02) at line 1: Table 'shop.other' doesn''t exist", false),
        ("ERROR 1146 (42S02) at line 1: Table 'shop._sqlx_migrations' doesn''t exist", true),
        ("ERROR 1146 (42S02) at line 1: Table 'shop._SQLX_MIGRATIONS' doesn''t exist", true),
    ] {
        let script = "case $2 in *flight-end*) cat complaint >&2; exit 1;; *) echo 'preflight-place~0~1;'; esac";
        let repository = service(script).file("complaint", complaint.replace("''", "'")).config(
            "services: { api: { migrations: migrations, database-command: { run: [sh, client.sh, x], engine: mysql } } }\n",
        );
        let run = repository.run_with(&["--allow-commands"], &[PATH]);
        assert_eq!(run.stdout.contains("no-history"), is_absent, "{complaint}: {run}");
    }
}

#[test]
fn a_secret_is_not_written_into_env() {
    let env = "DB_PW: hunter22, SHOP_DSN: hunter22, GH_PAT: hunter22, X_AUTH: hunter22, CREDENTIALS: hunter22";
    let mistakes = with_variables("", env).run(&[]);
    assert_eq!(mistakes.stderr.matches("a password is written in this file").count(), 5, "{mistakes}");
    assert!(!mistakes.stderr.contains("hunter22"), "{mistakes}");
    let env = "GIT_AUTHOR_NAME: ann, SSH_AUTH_SOCK: /run/agent, PGPASSFILE: .pgpass, KEYBOARD: us, COMPASS: north, \
         SHOP_DSN: 'postgres://u:${PW}@h/d', GOOGLE_APPLICATION_CREDENTIALS_FILE: key.json";
    let run = with_variables("exit 1", env).run(&[]);
    assert_eq!(run.code, 3, "{run}");
}
