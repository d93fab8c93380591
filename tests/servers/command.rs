//! Histories that only a command reaches: real clients, and a check says of them what it says of the server itself.

use serde_json::Value;

use crate::mysql;
use crate::shared::repository::{Repository, Run, block_on};
use crate::support::{self, Fixture, PASSWORD, PIECES, TABLE, variable};

/// How the client of a database is run, and with what in its environment, beside the URL of that database.
struct Way<'a> {
    /// The `database-command` of the configuration.
    command: &'a str,
    url: url::Url,
}

/// Where the servers are, the clients, and the one password.
fn environment() -> Vec<(String, String)> {
    let postgres = url::Url::parse(&variable("PREFLIGHT_TEST_POSTGRES_URL")).unwrap();
    let maria = url::Url::parse(&variable("PREFLIGHT_TEST_MARIADB_URL")).unwrap();
    let port = |url: &url::Url| url.port().unwrap().to_string();
    let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        of("PATH", &variable("PATH")),
        of("PGHOST", postgres.host_str().unwrap()),
        of("PGPORT", &port(&postgres)),
        of("PGSSLMODE", "disable"),
        of("MARIA_HOST", maria.host_str().unwrap()),
        of("MARIA_PORT", &port(&maria)),
        of("SECRET", PASSWORD),
    ]
}

fn run(repository: &Repository, arguments: &[&str], more: &[(&str, &str)]) -> Run {
    let environment = environment();
    let known = environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    repository.run_with(arguments, &known.chain(more.iter().copied()).collect::<Vec<_>>())
}

/// A service in one environment, whose database is reached as `database` says.
fn repository(database: &str, table: &str) -> Repository {
    let table = if table == TABLE { String::new() } else { format!(", table: '{}'", table.replace('\'', "''")) };
    Repository::new()
        .file("migrations/1_one.sql", "SELECT 1;\n")
        .config(&format!("services: {{ api: {{ migrations: migrations, {database}{table} }} }}\n"))
}

/// What is said of a history that is reached in both ways, once it is the same.
fn told(way: &Way, table: &str) -> Value {
    let direct = repository("database-url: '${URL}'", table);
    let command = repository(&format!("database-command: {}", way.command), table);
    let report = |repository: &Repository| {
        let run = run(repository, &["--allow-commands", "--format", "json"], &[("URL", way.url.as_str())]);
        (run.code, serde_json::from_str::<Value>(&run.stdout).unwrap_or_else(|_| panic!("{run}")))
    };
    let rows = |repository: &Repository| {
        let run = run(repository, &["snapshot", "--allow-commands"], &[("URL", way.url.as_str())]);
        let written: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
        written["targets"][0].clone()
    };
    let (asked, by_command) = (report(&direct), report(&command));
    assert_eq!(asked, by_command, "{}", way.command);
    assert_eq!(rows(&direct), rows(&command), "{}", way.command);
    asked.1
}

/// The ways in which `psql` may be run on the database and role `name`.
fn psql(name: &str) -> [String; 8] {
    let env = format!("env: {{ PGUSER: {name}, PGDATABASE: {name}, PGPASSWORD: '${{SECRET}}' }}");
    let by = |run: &str, more: &str| format!("{{ run: [psql, {run}], {more}{env} }}");
    [
        by("--csv, -c", ""),
        by("--csv", "query: stdin, "),
        by("-X, -At, -c", ""),
        // Every client before the fifteenth prints the last answer alone.
        by("--csv, -v, SHOW_ALL_RESULTS=off, -c", ""),
        by("-a, -e, -x", "query: stdin, "),
        by("-H, -c", ""),
        by("-1, -P, format=asciidoc, -P, border=2, -P, 'null=none', -c", ""),
        by("-P, linestyle=unicode, -P, expanded=auto, -v, AUTOCOMMIT=off, -v, ON_ERROR_ROLLBACK=on", "query: stdin, "),
    ]
}

/// The ways in which `mariadb` may be run on the database and user `name`.
fn mariadb(name: &str) -> [String; 7] {
    let by = |run: &str, more: &str| {
        let (host, port) = (variable_of("MARIA_HOST"), variable_of("MARIA_PORT"));
        format!(
            "{{ run: [mariadb, --skip-ssl, -h, {host}, -P, '{port}', -u, {name}, {run}], {more}env: {{ MYSQL_PWD: '${{SECRET}}' }} }}"
        )
    };
    [
        by(&format!("{name}, --batch, -e"), ""),
        by(&format!("{name}, --batch, --raw, -N"), "query: stdin, "),
        by(&format!("{name}, -t, -vvv, -e"), ""),
        by(&format!("{name}, -X, -e"), ""),
        by(
            &format!("'--init-command=SET sql_mode = \"ANSI,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT\"', {name}, -E, -e"),
            "",
        ),
        by(
            &format!("'--init-command=SET sql_mode = \"ORACLE,EMPTY_STRING_IS_NULL\"', {name}, --batch"),
            "query: stdin, ",
        ),
        by(&format!("--safe-updates, --skip-comments, --quick, -H, {name}, -e"), ""),
    ]
}

fn variable_of(name: &str) -> String {
    environment().into_iter().find(|(known, _)| known == name).unwrap().1
}

const ODD_ROWS: &str = "INSERT INTO _sqlx_migrations VALUES (-3, 'minus', now(), true, '', -1), \
    (8, 'it''s \"ä\", ~; \\n', now(), true, 'abc', 5), (9, 'nine', now(), false, 'x', 1);";

#[tokio::test]
async fn psql_tells_what_postgresql_tells() {
    let settings = "ALTER ROLE $ROLE SET standard_conforming_strings = off; ALTER ROLE $ROLE SET bytea_output = escape; \
         ALTER ROLE $ROLE SET datestyle = 'SQL, DMY'; ALTER ROLE $ROLE SET timezone = 'Asia/Kolkata'; \
         ALTER ROLE $ROLE SET client_encoding = 'LATIN1'; ALTER ROLE $ROLE SET default_transaction_isolation = serializable;";
    let rows = support::history(TABLE) + ODD_ROWS + settings + "GRANT SELECT ON _sqlx_migrations TO $ROLE";
    let rows = Fixture::new(&rows).await;
    let aside = "CREATE SCHEMA aside; GRANT USAGE ON SCHEMA aside TO $ROLE;".to_owned()
        + &support::history("aside._sqlx_migrations")
        + "GRANT SELECT ON aside._sqlx_migrations TO $ROLE; ALTER ROLE $ROLE SET search_path = nowhere, public, aside";
    let aside = Fixture::new(&aside).await;
    tokio::task::spawn_blocking(move || {
        for command in psql(&rows.name) {
            let way = Way { command: &command, url: rows.url() };
            let report = told(&way, TABLE).to_string();
            for rule in ["checksum-mismatch", "missing-migration", "dirty-migration", "execution-unconfirmed"] {
                assert!(report.contains(rule), "{rule}: {report}");
            }
            assert_eq!(told(&way, "nowhere.\"It's\"")["targets"][0]["findings"][0]["rule"], "no-history");
        }
        for command in psql(&aside.name) {
            let way = Way { command: &command, url: aside.url() };
            assert!(told(&way, TABLE).to_string().contains("aside"), "{command}");
            assert_eq!(told(&way, "aside._sqlx_migrations")["targets"][0]["counts"]["applied"], 1);
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn mariadb_tells_what_the_server_tells() {
    let rows = mysql::support::history(TABLE) + ODD_ROWS + "GRANT SELECT ON $ROLE._sqlx_migrations TO $ROLE";
    let rows = mysql::support::Fixture::new(&rows).await;
    let absent = mysql::support::Fixture::new("GRANT SELECT ON *.* TO $ROLE").await;
    tokio::task::spawn_blocking(move || {
        for command in mariadb(&rows.name) {
            let way = Way { command: &command, url: rows.url() };
            let report = told(&way, TABLE).to_string();
            for rule in ["checksum-mismatch", "missing-migration", "dirty-migration", "execution-unconfirmed"] {
                assert!(report.contains(rule), "{rule}: {report}");
            }
        }
        for command in mariadb(&absent.name) {
            let way = Way { command: &command, url: absent.url() };
            for table in [TABLE, "nowhere.`It's`"] {
                let report = told(&way, table);
                assert_eq!(report["targets"][0]["findings"][0]["rule"], "no-history", "{report}");
            }
        }
    })
    .await
    .unwrap();
}

#[test]
fn sqlite3_tells_what_the_file_tells() {
    for flags in ["-csv", "-json", "-box, -header", "-line", "-quote", "-html", "-bail, -batch"] {
        for query in ["argument", "stdin"] {
            let command = format!("{{ run: [sqlite3, -readonly, {flags}, shop.db], query: {query} }}");
            let service = |database: &str| {
                repository(database, TABLE)
                    .database("shop.db", &[(1, "one", "SELECT 1;\n"), (8, "it's \"ä\", ~; \n", "8")])
                    .execute("shop.db", "UPDATE _sqlx_migrations SET success = 0, installed_on = '' WHERE version = 8")
            };
            let direct = run(&service("database-url: 'sqlite:shop.db'"), &["--format", "json"], &[]);
            let by_command = service(&format!("database-command: {command}"));
            let by_command = run(&by_command, &["--allow-commands", "--format", "json"], &[]);
            assert_eq!(by_command.to_string(), direct.to_string(), "{command}");
            assert!(direct.stdout.contains("dirty-migration"), "{direct}");
        }
    }
}

/// What is said of a target that could not be read.
fn failure(command: &str, table: &str, arguments: &[&str]) -> String {
    let repository = repository(&format!("database-command: {command}"), table);
    let run = run(&repository, &[&["--allow-commands"], arguments].concat(), &[]);
    assert_eq!(run.code, 3, "{run}");
    let shown = run.to_string();
    assert!(PIECES.iter().all(|piece| !shown.contains(piece)), "{shown}");
    let told = run.stdout.lines().find(|line| line.contains("unreachable-database")).unwrap_or_else(|| panic!("{run}"));
    told.trim().to_owned()
}

#[test]
fn a_client_that_is_not_let_in_says_so_in_its_own_words() {
    let postgres = block_on(Fixture::with_history());
    let [by_argument, by_stdin, ..] = psql(&postgres.name);
    let closed = block_on(Fixture::new(&support::history(TABLE)));
    for command in [by_argument, by_stdin] {
        let told = failure(&command.replace(&postgres.name, &closed.name), TABLE, &[]);
        assert!(told.contains("permission denied for table _sqlx_migrations"), "{told}");
        let told = failure(&command.replace("${SECRET}", "${MARIA_PORT}"), TABLE, &[]);
        assert!(told.contains("password authentication failed for user"), "{told}");
    }
    let secured = support::history(TABLE)
        + "GRANT SELECT ON _sqlx_migrations TO $ROLE; ALTER TABLE _sqlx_migrations ENABLE ROW LEVEL SECURITY";
    let secured = block_on(Fixture::new(&secured));
    for command in psql(&secured.name) {
        let told = failure(&command, TABLE, &[]);
        assert!(told.contains("query would be affected by row-level security policy"), "{told}");
    }
    let maria = block_on(mysql::support::Fixture::new(&mysql::support::history(TABLE)));
    let told = failure(&mariadb(&maria.name)[0], TABLE, &[]);
    assert!(told.contains("ERROR 1044") || told.contains("denied"), "{told}");
}

#[test]
fn the_database_gives_up_before_the_client_is_ended() {
    let slow = "CREATE VIEW slow AS SELECT 1::bigint AS version, ''::text AS description, now() AS installed_on, \
         true AS success, ''::bytea AS checksum, 1::bigint AS execution_time FROM pg_sleep(60); GRANT SELECT ON slow TO $ROLE";
    let slow = block_on(Fixture::new(slow));
    let told = failure(&psql(&slow.name)[0], "slow", &["--timeout", "3"]);
    assert!(told.contains("canceling statement due to statement timeout"), "{told}");
}

#[test]
fn a_password_may_come_from_a_command() {
    let postgres = block_on(Fixture::with_history());
    let url =
        format!("postgres://{}@{}:{}/{0}?sslmode=disable", postgres.name, variable_of("PGHOST"), variable_of("PGPORT"));
    let service = |command: &str| {
        repository(&format!("database-url: '{url}', password-command: {command}"), TABLE).file("password", PASSWORD)
    };
    let printed = run(&service("[cat, password]"), &["--allow-commands", "--format", "json"], &[]);
    let report: Value = serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{printed}"));
    assert_eq!(report["targets"][0]["counts"]["applied"], 1, "{printed}");
    let forbidden = run(&service("[cat, password]"), &[], &[]);
    assert!(forbidden.stdout.contains("nothing allows it"), "{forbidden}");
    for (command, words) in [
        ("[echo, wrong]", "password authentication failed"),
        ("[cat, absent]", "`password-command`: `cat` ended with exit code 1"),
        ("['true']", "`password-command`: it printed nothing"),
        ("[printf, 'a\\nb\\n']", "`password-command`: it printed more than one line"),
    ] {
        let run = run(&service(command), &["--allow-commands"], &[]);
        assert!(run.code == 3 && run.stdout.contains(words), "{words}: {run}");
    }
}
