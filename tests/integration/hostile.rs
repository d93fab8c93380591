//! What a repository, a database or a server may try: to hold the program up, to make it tell a password, or to speak
//! to the terminal and to the runner through it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::shared::repository::{Repository, Run};

const ONE: &str = "SELECT 1;\n";

/// A server that takes any password and then does with the connection as it likes.
pub fn server(then: impl Fn(&mut TcpStream, &[u8]) -> std::io::Result<()> + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map(Result::unwrap) {
            let mut request = [0; 1024];
            let _ = client.read(&mut request);
            let _ = client.write_all(b"R\0\0\0\x08\0\0\0\x03");
            let length = client.read(&mut request).unwrap_or_default();
            // `p`, the length, the password and a NUL.
            let _ = then(&mut client, request.get(5..length - 1).unwrap_or_default());
        }
    });
    port
}

pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as i32 + 4).to_be_bytes(), body].concat()
}

fn row(values: &[&[u8]]) -> Vec<u8> {
    let value = |value: &&[u8]| [&(value.len() as i32).to_be_bytes()[..], value].concat();
    message(
        b'D',
        &[&(values.len() as i16).to_be_bytes()[..], &values.iter().flat_map(value).collect::<Vec<_>>()].concat(),
    )
}

fn columns(columns: &[(&str, i32)]) -> Vec<u8> {
    let column =
        |(name, oid): &(&str, i32)| [name.as_bytes(), &[0; 7], &oid.to_be_bytes(), &[0xff; 6], &[0; 2]].concat();
    let body: Vec<u8> = columns.iter().flat_map(column).collect();
    message(b'T', &[&(columns.len() as i16).to_be_bytes()[..], &body].concat())
}

fn repository() -> Repository {
    Repository::new().file("migrations/1_one.sql", ONE)
}

fn checked(url: &str, environment: &[(&str, &str)]) -> Run {
    repository().run_with(&["--timeout", "2"], &[&[("DATABASE_URL", url)], environment].concat())
}

/// Waits for the program no longer than a person would.
fn soon(what: &str, run: impl FnOnce() -> Run) -> Run {
    let start = Instant::now();
    let run = run();
    assert!(start.elapsed() < Duration::from_secs(20), "{what} held it up for {:?}: {run}", start.elapsed());
    run
}

#[test]
fn a_server_that_repeats_the_password_is_not_repeated() {
    let port = server(|client, password| {
        let error = [b"SFATAL\0VFATAL\0C28P01\0Mwrong: <", password, b">\0\0"].concat();
        client.write_all(&message(b'E', &error))
    });
    let passwords = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&passwords, "*:*:*:*:hunter22\n").unwrap();
    let file = passwords.path().to_str().unwrap();
    for (userinfo, environment) in [
        ("u:hunter22@", vec![]),
        ("u:hunter%0922@", vec![]),
        ("u:%0Ahunter@", vec![]),
        ("u@", vec![("PGPASSWORD", "hunter22")]),
        ("u@", vec![("PGPASSWORD", "hunter:@/\t22")]),
        ("", vec![("PGUSER", "a b/@c"), ("PGPASSWORD", "hunter22")]),
        ("u@", vec![("PGPASSFILE", file)]),
    ] {
        let run = checked(&format!("postgres://{userinfo}127.0.0.1:{port}/d?sslmode=disable"), &environment);
        assert!(run.stdout.contains("the database rejected the credentials: wrong: <"), "{run}");
        assert!(!run.to_string().contains("hunter"), "{userinfo}: {run}");
    }
}

#[test]
fn a_server_that_never_ends_is_left() {
    let port = server(|client, _| {
        let mut answer = [message(b'R', &[0; 4]), message(b'K', &[0; 8]), message(b'Z', b"I")].concat();
        client.write_all(&answer)?;
        let _ = client.read(&mut [0; 4096])?;
        answer =
            [columns(&[("p", 25), ("s", 25)]), row(&[b"public", b"public"]), message(b'C', b"SELECT 1\0")].concat();
        answer.extend([columns(&[("f", 16), ("s", 16), ("e", 114)]), row(&[b"t", b"t", b"[]"])].concat());
        answer.extend(message(b'C', b"SELECT 1\0"));
        let names = [("version", 20), ("description", 25), ("installed_on", 1184), ("success", 16)];
        answer.extend(columns(&[&names[..], &[("checksum", 17), ("execution_time", 20)]].concat()));
        client.write_all(&answer)?;
        let rows = row(&[b"1", b"one", b"now", b"f", b"\\x00", b"1"]).repeat(10_000);
        loop {
            client.write_all(&rows)?;
        }
    });
    let run = soon("rows", || checked(&format!("postgres://u:p@127.0.0.1:{port}/d?sslmode=disable"), &[]));
    assert_eq!(run.code, 3, "{run}");
    let reasons = ["more than 1000000 rows", "no answer within the timeout"];
    assert!(reasons.iter().any(|reason| run.stdout.contains(reason)), "{run}");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_holds_nothing_up() {
    let link = |repository: &Repository, target: &str, path: &str| {
        let path = repository.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    };
    // A terminal that nobody types at is what a pipe is that nobody writes to.
    for device in ["/dev/zero", "/dev/ptmx"] {
        let odd = repository();
        link(&odd, device, ".github/migration-preflight.yml");
        let run = soon("a configuration", || odd.run(&[]));
        assert!(run.code == 2 && run.stderr.contains("it is not a regular file"), "{run}");

        let odd = repository();
        link(&odd, device, "deploy.yml");
        let run = soon("a workflow", || odd.run(&["--workflow", "deploy.yml", "--job", "x"]));
        assert!(run.code == 2 && run.stderr.contains("it is not a regular file"), "{run}");

        let odd = repository().file("Cargo.toml", "");
        link(&odd, device, "sqlx.toml");
        let run = soon("sqlx.toml", || odd.run(&[]));
        assert!(run.code == 3 && run.stdout.contains("it is not a regular file"), "{run}");
    }
    let run = soon("an endless configuration", || repository().run(&["--config", "/dev/zero"]));
    assert!(run.code == 2 && run.stderr.contains("longer than 16 MiB"), "{run}");
}

#[test]
fn a_password_in_the_wrong_place_is_not_shown() {
    let secret = "postgres://u:hunter22@h/d";
    let toml = repository().file("Cargo.toml", "");
    let of_toml = |text: &str| {
        std::fs::write(toml.path().join("sqlx.toml"), text).unwrap();
        toml.run(&[])
    };
    let of_workflow = |expression: &str| {
        let workflow =
            format!("jobs:\n  b:\n    strategy:\n      matrix:\n        database-url: [\"${{{{ {expression} }}}}\"]\n");
        repository().file("w.yml", workflow).run(&["--workflow", "w.yml", "--job", "b"])
    };
    for run in [
        of_toml(&format!("[common]\ndatabase-url = '{secret}'\n")),
        of_toml(&format!("[migrate]\ncreate-schemas = '{secret}'\n")),
        of_workflow(&format!("secrets.URL || '{secret}'")),
        of_workflow(&format!("nope('{secret}')")),
        checked("sqlite://u:hunter22@h/d.db", &[]),
    ] {
        assert!(run.code >= 2 && !run.to_string().contains("hunter"), "{run}");
    }
}

/// Lines that GitHub's runner would obey, and letters that a terminal would.
fn acting(run: &Run) -> Vec<&str> {
    let acts = |line: &&str| {
        line.trim_start().starts_with("::")
            || line.contains("##[")
            || line.contains(|c: char| c.is_control() || c == '\u{202e}')
    };
    run.stdout.lines().chain(run.stderr.lines()).filter(acts).collect()
}

#[test]
fn no_name_speaks_to_the_runner_or_to_the_terminal() {
    let hostile =
        ["::error::x", " ::error::x", "a\n::error::x", "##[add-mask]x", "\u{1b}[31m\u{9b}31m\u{202e}", "a\r::error::x"];
    for name in hostile {
        let json = serde_json::to_string(name).unwrap();
        let workflow = |matrix: &str| {
            repository().file("w.yml", format!("jobs:\n  {json}: {{}}\n  b: {{ strategy: {{ matrix: {matrix} }} }}\n"))
        };
        let matrix = |text: String| repository().run(&["--matrix", &text]);
        let runs = [
            matrix(format!(
                "[{{\"service\": {json}, \"environment\": {json}}}, {{\"service\": \"b\", \"migrations\": \"migrations\"}}]"
            )),
            matrix(format!("[{{\"service\": {json}, \"environment\": {json}, \"migrations\": \"migrations\"}}]")),
            matrix(format!(
                "[{{\"service\": {json}, \"environment\": {json}, \"table\": {json}, \"migrations\": \"{{x}}\"}}]"
            )),
            matrix(format!("[{{\"service\": {json}}}, {{\"service\": {json}, \"required\": false}}]")),
            matrix(format!("[{{{json}: 1}}]")),
            matrix(format!("{{{json}: [], \"service\": [1]}}")),
            matrix(format!("{{\"service\": [1], {json}: 1}}")),
            matrix(format!("{{\"service\": [1], \"exclude\": [{{{json}: 1}}]}}")),
            repository().run(&["--matrix", &format!("[{{\"service\": {json}}}]"), "--service", "none"]),
            workflow("{}").run(&["--workflow", "w.yml", "--job", "none"]),
            workflow("{}").run(&["--workflow", "w.yml", "--job", name]),
            workflow(&format!("{{ service: [{json}, {json}, '${{{{ needs.x }}}}'] }}")).run(&[
                "--workflow",
                "w.yml",
                "--job",
                "b",
            ]),
            repository().file("w.yml", format!("{json}: 1\n{json}: 2\n")).run(&["--workflow", "w.yml", "--job", "b"]),
            repository().run(&["--config", name]),
            repository().run(&["--workflow", name, "--job", "x"]),
            repository().config(&format!("{json}: 1\nservices: {{ {json}: {{ migrations: {json} }} }}\n")).run(&[]),
            repository().config(&format!("x: 1 # {}\n", name.replace(['\n', '\r'], " "))).run(&[]),
            repository().run(&["--output", &format!("json={name}/none/r.json")]),
        ];
        for run in runs {
            assert_eq!(acting(&run), [""; 0], "{name:?}: {run}");
        }
    }
}

#[test]
fn the_json_report_holds_odd_letters_and_shows_none() {
    let odd = "a\u{7f}\u{9b}31m\u{9d}\u{90}\u{202e}##[add-mask]x";
    let repository = repository().database("dev.db", &[(1, odd, ONE)]);
    let run = repository.run_with(&["--format", "json"], &[("DATABASE_URL", "sqlite:dev.db")]);
    assert!(!run.stdout.contains(|c: char| c != '\n' && c.is_control()) && !run.stdout.contains('\u{202e}'), "{run}");
    assert!(!run.stdout.contains("##["), "{run}");
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(report["targets"][0]["findings"][0]["message"].as_str().unwrap().contains(odd), "{run}");
}
