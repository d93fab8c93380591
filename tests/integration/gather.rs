//! Many targets at a time: bounded, in order, and none in another's way.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use crate::shared::repository::Repository;

const ONE: &str = "SELECT 1;\n";

/// A server that accepts and never answers, until it is told to hang up.
struct Silence {
    port: u16,
    /// How many connections there have been.
    accepted: Arc<AtomicUsize>,
    hung_up: Arc<AtomicBool>,
}

impl Silence {
    /// Starts one on loopback; it ends with the test.
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (accepted, hung_up) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, ended) = (accepted.clone(), hung_up.clone());
        std::thread::spawn(move || {
            let mut held = Vec::new();
            listener.set_nonblocking(true).unwrap();
            loop {
                if let Ok((stream, _)) = listener.accept() {
                    held.push(stream);
                    count.fetch_add(1, SeqCst);
                } else {
                    std::thread::sleep(Duration::from_millis(5));
                }
                if ended.load(SeqCst) {
                    held.clear();
                }
            }
        });
        Self { port, accepted, hung_up }
    }

    /// Waits until there have been `n` connections, and a little longer for one too many.
    fn settles_at(&self, n: usize) -> usize {
        let start = Instant::now();
        while self.accepted.load(SeqCst) < n && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(300));
        self.accepted.load(SeqCst)
    }
}

/// One service in `healthy` environments with a database and `silent` ones on the silent server.
fn repository(healthy: usize, silent: usize, port: u16) -> Repository {
    let mut config = "services: { api: { migrations: migrations } }\nenvironments:\n".to_owned();
    for n in 0..silent {
        config += &format!("  silent-{n}: {{ database-url: 'postgres://u@127.0.0.1:{port}/d{n}?sslmode=disable' }}\n");
    }
    for n in 0..healthy {
        config += &format!("  healthy-{n}: {{ database-url: 'sqlite:dev.db' }}\n");
    }
    Repository::new().file("migrations/1_one.sql", ONE).database("dev.db", &[(1, "one", ONE)]).config(&config)
}

#[test]
fn no_number_of_jobs_is_too_large() {
    let (code, report) = repository(2, 0, 1).json(&["--jobs", &usize::MAX.to_string()]);
    assert_eq!((code, &report["verdict"]), (0, &"pass".into()), "{report:#}");
}

#[test]
fn a_hanging_target_hides_no_other_and_all_stay_in_order() {
    let silence = Silence::start();
    let (code, report) = repository(40, 2, silence.port).json(&["--timeout", "1"]);
    assert_eq!(code, 3);
    let targets = report["targets"].as_array().unwrap();
    let names: Vec<_> = targets.iter().map(|target| target["environment"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<_> =
        (0..2).map(|n| format!("silent-{n}")).chain((0..40).map(|n| format!("healthy-{n}"))).collect();
    assert_eq!(names, expected);
    for target in &targets[..2] {
        assert_eq!(target["startup"]["outcome"], "unknown");
        let message = target["findings"][0]["message"].as_str().unwrap();
        assert!(message.contains("no answer within the timeout"), "{message}");
    }
    assert!(targets[2..].iter().all(|target| target["startup"]["outcome"] == "starts"));
}

#[test]
fn one_server_gets_at_most_16_connections_at_a_time_and_a_run_at_most_as_many_as_jobs_says() {
    for (jobs, most) in [("128", 16), ("3", 3)] {
        let silence = Silence::start();
        let repository = repository(0, 20, silence.port);
        std::thread::scope(|scope| {
            let run = scope.spawn(|| repository.run(&["--timeout", "60", "--jobs", jobs]));
            assert_eq!(silence.settles_at(most), most, "with --jobs {jobs}");
            silence.hung_up.store(true, SeqCst);
            assert_eq!(run.join().unwrap().code, 3);
        });
        assert_eq!(silence.accepted.load(SeqCst), 20, "every target had its turn");
    }
}

#[test]
fn a_server_that_never_answers_is_not_asked_by_hundreds_of_targets() {
    let silence = Silence::start();
    let (code, report) = repository(2, 200, silence.port).json(&["--timeout", "1"]);
    let asked = silence.accepted.load(SeqCst);
    // While the last of the first sixteen still wait, the places of those that are done are taken.
    assert!(code == 3 && (16..32).contains(&asked), "exit code {code}, {asked} connections");
    let message = |index: usize| report["targets"][index]["findings"][0]["message"].as_str().unwrap().to_owned();
    let all: Vec<_> = (0..200).map(message).collect();
    assert_eq!(all.iter().filter(|message| message.ends_with("within the timeout: waited 1 s")).count(), asked);
    let skipped = "within the timeout: not asked, because 16 other targets of this server had none";
    assert_eq!(all.iter().filter(|message| message.ends_with(skipped)).count(), 200 - asked);
    assert!((200..202).all(|index| report["targets"][index]["startup"]["outcome"] == "starts"));
}

#[test]
fn a_directory_that_many_targets_share_is_one_answer_for_all() {
    let repository = repository(30, 0, 0).file("migrations/nonsense_two.sql", ONE);
    let (code, report) = repository.json(&[]);
    assert_eq!(code, 1);
    let first = &report["targets"][0]["findings"];
    assert_eq!(first[0]["rule"], "invalid-migration");
    assert!(report["targets"].as_array().unwrap().iter().all(|target| target["findings"] == *first));
}
