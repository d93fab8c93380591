//! Docker's registry, and the tools that fill it.
#![allow(dead_code, reason = "no test binary uses all of it")]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;

/// Runs a program that has to succeed, and returns what it prints.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Docker's registry on a free port of the loopback interface; it ends with the test.
pub struct Registry {
    process: Child,
    pub host: String,
    pub folder: tempfile::TempDir,
}

impl Registry {
    /// One that anybody may read and write.
    pub fn open() -> Self {
        Self::start("", |_| {})
    }

    /// One that knows a single account.
    pub fn for_user(name: &str, password: &str) -> Self {
        Self::start("auth: {htpasswd: {realm: x, path: DIR/htpasswd}}\n", |folder| {
            fs::write(folder.join("htpasswd"), run("htpasswd", &["-Bbn", name, password])).unwrap();
        })
    }

    /// `more` is added to its configuration, where `DIR` is its folder.
    pub fn start(more: &str, prepare: impl Fn(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: DIR/data}}}}\n\
             http:\n  addr: {host}\n{more}"
        );
        fs::write(folder.path().join("config.yml"), config.replace("DIR", text(folder.path()))).unwrap();
        let mut process = Command::new("docker-registry");
        process.arg("serve").arg(folder.path().join("config.yml")).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = process.spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(&host).is_err() {
            assert!(process.try_wait().unwrap().is_none() && Instant::now() < end, "the registry does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, host, folder }
    }

    /// A folder with Docker's configuration, as `docker login` writes it.
    pub fn logged_in(&self, name: &str, password: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
        let config = serde_json::json!({ "auths": { &self.host: { "auth": auth } } });
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        folder
    }

    pub fn push(&self, layout: &Path, name: &str, more: &[&str]) {
        let (from, to) = (format!("oci:{}", text(layout)), format!("docker://{}/{name}", self.host));
        run("skopeo", &[&["copy", "--quiet", "--dest-tls-verify=false"], more, &[&from, &to]].concat());
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
