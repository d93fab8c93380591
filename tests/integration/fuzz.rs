//! The fuzz targets in short: the corpus, and some mutations of it. `scripts/fuzz` is the long form.

mod mutate;
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;
use std::{env, fs, thread};

use mutate::Mutator;
use targets::{Body, TARGETS};

/// How many mutations each target gets; `PREFLIGHT_FUZZ_RUNS` asks for more.
const RUNS: u64 = 600;
/// What one input takes is measured in milliseconds, so that one that takes this long never ends.
const HANG: Duration = Duration::from_secs(120);
/// The stack of a program's main thread on Linux, where the inputs are read.
const STACK: usize = 8 << 20;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The inputs of a target, in order.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(fuzz().join("corpus").join(target)).unwrap();
    let paths: BTreeSet<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

fn dictionary(target: &str) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(fuzz().join("dictionaries").join(format!("{target}.dict")));
    mutate::dictionary(&text.unwrap_or_default())
}

/// Runs the corpus of `target` and its mutations, and tells `started` of each input before its run.
fn run(target: &str, body: Body, started: &Sender<Vec<u8>>) {
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "{target} has no corpus");
    let runs = env::var("PREFLIGHT_FUZZ_RUNS").map_or(RUNS, |runs| runs.parse().expect("PREFLIGHT_FUZZ_RUNS"));
    let mut mutator = Mutator::new(&corpus, dictionary(target));
    let mutations = (0..runs).map(|_| mutator.mutation());
    for input in corpus.iter().cloned().chain(mutations) {
        started.send(input.clone()).unwrap();
        if catch_unwind(AssertUnwindSafe(|| body(&input))).is_err() {
            panic!("{target} breaks a promise on b\"{}\"", input.escape_ascii());
        }
    }
}

/// Fails where `target` panics, and where it does not come to an end.
fn hold(target: &'static str, body: Body) {
    let (started, inputs) = channel();
    let worker = thread::Builder::new().stack_size(STACK).spawn(move || run(target, body, &started)).unwrap();
    let mut last = Vec::new();
    loop {
        match inputs.recv_timeout(HANG) {
            Ok(input) => last = input,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("{target} hangs on b\"{}\"", last.escape_ascii()),
        }
    }
    worker.join().unwrap();
}

#[test]
fn every_target_keeps_its_promises_on_its_corpus_and_on_mutations_of_it() {
    thread::scope(|scope| {
        let workers = TARGETS.map(|(target, body)| scope.spawn(move || hold(target, body)));
        let failed = workers.map(|worker| worker.join().is_err());
        assert!(!failed.contains(&true), "a target failed: what it says stands above");
    });
}

#[test]
fn every_target_has_a_corpus_and_a_file_for_cargo_fuzz() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let mut binaries: Vec<&str> = manifest.split("[[bin]]\nname = \"").skip(1).collect();
    binaries.iter_mut().for_each(|binary| *binary = binary.split('"').next().unwrap());
    assert_eq!(binaries, TARGETS.map(|(target, _)| target));
    for (target, _) in TARGETS {
        let code = fs::read_to_string(fuzz().join("fuzz_targets").join(format!("{target}.rs"))).unwrap();
        assert!(code.contains(&format!("::{target}::body(data)")), "{code}");
    }
    let folders = fs::read_dir(fuzz().join("corpus")).unwrap().map(|entry| entry.unwrap().file_name());
    let folders: BTreeSet<_> = folders.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(folders, TARGETS.map(|(target, _)| target.to_owned()).into());
}
