//! Prism before a stand-in: whatever GitHub's description of its API does not allow goes no further.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Generous: it takes two seconds on a machine that has nothing else to do.
const START: Duration = Duration::from_secs(120);

/// A process that ends with the test, however that ends.
pub struct Prism {
    pub url: String,
    process: Child,
}

impl Prism {
    /// One that hands on to `upstream`, a URL, what is as `tests/oracles/github/run.sh` made it say.
    pub fn start(upstream: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/github");
        let program = folder.join("node_modules/@stoplight/prism-cli/dist/index.js");
        let api = folder.join("build/api.json");
        assert!(program.exists() && api.exists(), "{} has not run", folder.join("run.sh").display());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("node")
            .arg(program)
            .args(["proxy", "--errors", "--host", "127.0.0.1", "--port", &port.to_string()])
            .arg(api)
            .arg(upstream)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut prism = Self { url: format!("http://127.0.0.1:{port}"), process };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert_eq!(prism.process.try_wait().unwrap(), None, "Prism has ended");
            assert!(start.elapsed() < START, "Prism does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        prism
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
