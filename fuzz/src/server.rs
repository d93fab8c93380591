//! What a server may answer to the one question that it is asked, message by message: read to a history or an error.
//!
//! The server is a thread of this process behind a Unix socket. Logging in is played straight; everything after it
//! comes from the input: which protocol, and then messages whose frames are right and whose contents are anything.

use std::cell::OnceCell;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use migration_preflight::gather::database;
use migration_preflight::history::{DatabaseUrl, LookUp};

use super::shown::{PLANTED, assert_calm};
use super::sqlx_toml::scratch;

/// Nobody waits here: this is for the case that something is wrong.
const TIMEOUT: Duration = Duration::from_secs(10);

thread_local! {
    static SERVERS: OnceCell<Servers> = const { OnceCell::new() };
}

struct Servers {
    runtime: tokio::runtime::Runtime,
    postgres: Server,
    mysql: Server,
    _folder: tempfile::TempDir,
}

/// A server that answers whoever asks next with `script`.
struct Server {
    url: DatabaseUrl,
    script: Arc<Mutex<Vec<u8>>>,
}

pub fn body(data: &[u8]) {
    let Some((protocol, messages)) = data.split_first() else { return };
    leave_the_driver_its_panics();
    SERVERS.with(|servers| {
        let Servers { runtime, postgres, mysql, .. } = servers.get_or_init(Servers::start);
        let (server, script) = match protocol % 2 {
            0 => (postgres, framed(messages, postgres_frame)),
            _ => (mysql, framed(messages, mysql_frame)),
        };
        server.script.lock().expect("no panic while it is held").clone_from(&script);
        let look_up = LookUp { create_schemas: vec!["ops".to_owned()], ..LookUp::of("ops.t") };
        let answer = runtime.block_on(database::history(&server.url, &look_up, TIMEOUT));
        match answer {
            Ok(history) => assert!(history.rows().len() <= script.len(), "no row comes from nowhere"),
            Err(error) => {
                let shown = format!("{error} {error:?} {}", error.kind.help());
                assert!(!shown.contains(PLANTED), "{shown}");
                assert_calm(&migration_preflight::text::harmless(&error.to_string()));
                assert!(error.detail.chars().count() < 700, "{error}");
            }
        }
    });
}

/// A driver, or what it is made of, that panics on an answer is caught by the program, and is no finding; under
/// libFuzzer it would be one.
fn leave_the_driver_its_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|place| place.file().contains("/registry/src/")) {
                report(panic);
            }
        }));
    });
}

impl Servers {
    fn start() -> Self {
        let folder = scratch();
        let path = folder.path().to_str().expect("UTF-8").to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self {
            runtime,
            postgres: Server::start(
                &format!("{path}/.s.PGSQL.5432"),
                &format!(
                    "postgres://u:{PLANTED}@%2F{}/d?sslmode=disable",
                    path.trim_start_matches('/').replace('/', "%2F")
                ),
                postgres_login,
            ),
            mysql: Server::start(
                &format!("{path}/my.sock"),
                &format!("mysql://u:{PLANTED}@localhost/d?socket={path}/my.sock"),
                mysql_login,
            ),
            _folder: folder,
        }
    }
}

impl Server {
    fn start(path: &str, url: &str, login: fn(&mut UnixStream) -> io::Result<()>) -> Self {
        let listener = UnixListener::bind(path).expect("a socket");
        let script = Arc::new(Mutex::new(Vec::new()));
        let answers = script.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                // Whoever hangs up early is not answered.
                let _ = client.and_then(|client| answer(client, login, &answers));
            }
        });
        Self { url: DatabaseUrl::parse(url).expect("a URL"), script }
    }
}

fn answer(
    mut client: UnixStream,
    login: fn(&mut UnixStream) -> io::Result<()>,
    script: &Mutex<Vec<u8>>,
) -> io::Result<()> {
    client.set_read_timeout(Some(TIMEOUT))?;
    client.set_write_timeout(Some(TIMEOUT))?;
    login(&mut client)?;
    let _question = client.read(&mut [0; 8192])?;
    let script = script.lock().expect("no panic while it is held").clone();
    client.write_all(&script)?;
    client.shutdown(Shutdown::Write)?;
    // To hang up while something is unread would take away what was written.
    io::copy(&mut client, &mut io::sink()).map(drop)
}

fn postgres_login(client: &mut UnixStream) -> io::Result<()> {
    let _start_up = client.read(&mut [0; 8192])?;
    client.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I")
}

fn mysql_login(client: &mut UnixStream) -> io::Result<()> {
    let greeting = b"\x0a8.0.0\0\x01\0\0\0abcdefgh\0\x08\xa2\xff\x02\0\x0b\0\x15\0\0\0\0\0\0\0\0\0\0abcdefghijkl\0mysql_native_password\0";
    client.write_all(&mysql_frame(0, 0, greeting))?;
    let _log_in = client.read(&mut [0; 8192])?;
    client.write_all(&mysql_frame(0, 2, b"\0\0\0\x02\0\0\0"))
}

/// The input as messages: a kind, a length, and so many bytes of contents. The kind 0 puts in bytes without a frame.
fn framed(mut rest: &[u8], frame: fn(u8, u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let (mut messages, mut number) = (Vec::new(), 0_u8);
    while let [kind, length, after @ ..] = rest {
        let (contents, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        number = number.wrapping_add(1);
        match kind {
            0 => messages.extend(contents),
            kind => messages.extend(frame(*kind, number, contents)),
        }
    }
    messages
}

fn postgres_frame(kind: u8, _number: u8, contents: &[u8]) -> Vec<u8> {
    [&[kind][..], &(contents.len() as u32 + 4).to_be_bytes(), contents].concat()
}

fn mysql_frame(_kind: u8, number: u8, contents: &[u8]) -> Vec<u8> {
    [&(contents.len() as u32).to_le_bytes()[..3], &[number], contents].concat()
}
