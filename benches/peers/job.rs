//! Commands as whole processes: each is rehearsed once, then all of them are timed in turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// A command that is timed, from its start to its end, with an environment of its own and nobody to print to.
pub struct Job {
    /// What the table calls it.
    pub name: String,
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    environment: Vec<(String, String)>,
    /// What its output has to hold, and how often: a peer that fails fast is no peer.
    expected: (String, usize),
}

impl Job {
    /// `program` with `arguments`, started in `folder`.
    pub fn new(name: &str, folder: &Path, program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            folder: folder.to_owned(),
            environment: Vec::new(),
            expected: (String::new(), 0),
        }
    }

    /// A script for the shell.
    pub fn script(name: &str, folder: &Path, script: &str) -> Self {
        Self::new(name, folder, "sh", &["-euc", script])
    }

    /// With one more variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Says what a right answer looks like: it holds `text` so many times.
    pub fn answers(mut self, text: &str, times: usize) -> Self {
        self.expected = (text.to_owned(), times);
        self
    }

    fn arrange(&self, command: &mut Command) {
        command.current_dir(&self.folder).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", &self.folder);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
    }

    /// Runs it once, holds its answer against what is expected, and returns its peak memory in KiB.
    ///
    /// `time` stands between, because a process starts with the peak memory of the one that started it, and this one is
    /// no small one. Of several processes, the largest counts.
    fn rehearse(&self) -> Result<u64> {
        let report = self.folder.join(".peak");
        let mut command = Command::new("time");
        command.arg("--format=%M").arg("--output").arg(&report).arg(&self.program).args(&self.arguments);
        self.arrange(&mut command);
        let output = command.output().context("the program `time` cannot be started")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let (wanted, times) = &self.expected;
        let is_right = output.status.success() && (*times == 0 || text.matches(wanted).count() == *times);
        let end = text.len().saturating_sub(2000);
        ensure!(
            is_right,
            "{} in {}: {}; expected {times} × {wanted:?} in: …{}\n{}",
            self.name,
            self.folder.display(),
            output.status,
            text.get(end..).unwrap_or_default(),
            String::from_utf8_lossy(&output.stderr)
        );
        let peak = fs::read_to_string(&report)?;
        fs::remove_file(&report)?;
        peak.trim().parse().with_context(|| format!("`time` said {peak:?}"))
    }

    fn time(&self) -> Result<Duration> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdout(Stdio::null()).stderr(Stdio::null());
        self.arrange(&mut command);
        let start = Instant::now();
        let status = command.status()?;
        let time = start.elapsed();
        ensure!(status.success(), "{} in {}: {status}", self.name, self.folder.display());
        Ok(time)
    }
}

/// What was measured of one job.
pub struct Measured {
    /// What the table calls it.
    pub name: String,
    /// The most memory that one of its processes had, in KiB.
    pub peak: u64,
    /// How long each round took, in milliseconds.
    times: Vec<f64>,
}

impl Measured {
    /// The median of the times.
    pub fn median(&self) -> f64 {
        median(self.times.clone())
    }

    /// The shortest and the longest time.
    pub fn range(&self) -> (f64, f64) {
        self.times.iter().fold((f64::MAX, 0.0), |(least, most), time| (least.min(*time), most.max(*time)))
    }

    /// How many times as long as `other` it took: the median over the rounds, so that what slowed down a whole round
    /// counts for nothing.
    pub fn against(&self, other: &Self) -> f64 {
        median(self.times.iter().zip(&other.times).map(|(own, other)| own / other).collect())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() / 2 {
        middle if values.len() % 2 == 1 => values[middle],
        middle => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Rehearses every job, then runs all of them in turns for `rounds` rounds: A B C A B C …
pub fn side_by_side(jobs: &[Job], rounds: usize) -> Result<Vec<Measured>> {
    let mut measured = Vec::new();
    for job in jobs {
        measured.push(Measured { name: job.name.clone(), peak: job.rehearse()?, times: Vec::new() });
    }
    for _ in 0..rounds {
        for (job, measured) in jobs.iter().zip(&mut measured) {
            measured.times.push(job.time()?.as_secs_f64() * 1e3);
        }
    }
    Ok(measured)
}
