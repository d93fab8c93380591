//! What a run is told: flags, the configuration file, the workflow, and the directories that stand there.
//!
//! Everything is read here and judged in its own module; nothing is resolved into targets yet.

pub mod action;
pub mod config;
pub mod diagnostic;
mod discover;
pub mod github;
pub mod matrix;
pub mod reports;
pub mod snapshots;
pub mod survey;
pub mod template;
pub mod workflow;

use std::path::{Component, Path, PathBuf};
use std::{env, io};

use crate::cli::PlanArgs;
use crate::file;
use crate::github::{Run, WithoutSecrets};
use crate::source::SourceChoice;
use config::{Config, MatrixSource};
use diagnostic::Diagnostics;
use discover::discover;
use matrix::{MatrixError, ServiceMatrix};
use workflow::WorkflowError;

/// Where the configuration file stands when no flag names it.
pub const CONFIG_FILE: &str = ".github/migration-preflight.yml";

/// Everything that a plan is made from.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The root of the repository: the nearest folder with a `.git`, else the current folder.
    pub root: PathBuf,
    /// The configuration; an empty one where there is no file.
    pub config: Config,
    /// The service matrix, where a flag or the configuration names one.
    pub matrix: Option<ServiceMatrix>,
    /// The whole matrix of which the run is one leg, where that can be read.
    pub whole: Option<ServiceMatrix>,
    /// The migrations directories that were found, relative to the root; empty where configuration names them.
    pub found: Vec<PathBuf>,
    /// `--service`
    pub services: Vec<String>,
    /// `--environment`
    pub environments: Vec<String>,
    /// `--migrations`, relative to the root.
    pub migrations: Option<String>,
    /// `--source`, its paths relative to the root.
    pub source: SourceChoice,
    /// Whether programs may be run that the configuration names.
    pub commands: Commands,
    /// Why GitHub gives the run no secrets, where that is so.
    pub without_secrets: Option<WithoutSecrets>,
    /// The files that say what the targets are, relative to the root where they are below it.
    pub read: Vec<String>,
}

/// Whether programs may be run that the configuration names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Commands {
    /// `--allow-commands`
    pub are_allowed: bool,
    /// Whether the configuration may be that of a fork, in a run that has secrets.
    pub is_of_fork: bool,
}

impl Commands {
    /// What a flag allows in a workflow holds for nobody who cannot change that workflow.
    pub fn is_allowed(self) -> bool {
        self.are_allowed && !self.is_of_fork
    }
}

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The current folder is gone or hidden.
    #[error("the current folder cannot be read: {0}")]
    CurrentDirectory(io::Error),
    /// A file that was named cannot be read.
    #[error("{what} `{}` cannot be read: {error}\n  help: {help}", .path.display())]
    Unreadable {
        /// What the file is.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
        /// What to do about it.
        help: &'static str,
    },
    /// Mistakes in the configuration.
    #[error(transparent)]
    Config(#[from] Diagnostics),
    /// The workflow gives no matrix.
    #[error("{}{error}\n  help: {}", place(.error.location()), .error.help())]
    Workflow {
        /// Why.
        error: WorkflowError,
    },
    /// What was given as a matrix is none.
    #[error("{what}: {error}\n  help: {}", .error.help())]
    Matrix {
        /// What gave it.
        what: &'static str,
        /// Why.
        error: MatrixError,
    },
    /// A workflow without the job to look in.
    #[error("--workflow needs to know where the matrix is\n  help: add --job ID, the id of the job with the matrix")]
    NoJob,
    /// A job without the workflow to look in.
    #[error("--job needs to know which workflow has the job\n  help: add --workflow FILE")]
    NoWorkflow,
}

impl Inputs {
    /// Reads everything that the flags lead to, `--source` among them, for a `run` on GitHub where it is one.
    ///
    /// # Errors
    /// A file that cannot be read, or one with mistakes: all those of the configuration at once.
    pub fn load(args: &PlanArgs, source: Option<&SourceChoice>, run: Option<&Run>) -> Result<Self, InputError> {
        let here = env::current_dir().map_err(InputError::CurrentDirectory)?;
        let root = root(&here).to_owned();
        let below = here.strip_prefix(&root).unwrap_or(Path::new("")).to_owned();
        let config = read_config(args, &here, &root)?;
        let leg = args.leg.as_deref().map(|json| read_json("the matrix of the job", json, &config)).transpose()?;
        let (leg, environment) = leg.map_or((None, None), |leg| part_of(leg, &config));
        let whole = leg.as_ref().and_then(|_| read_matrix(args, &config, &root).ok().flatten());
        let matrix = leg.map_or_else(|| read_matrix(args, &config, &root), |leg| Ok(Some(leg)))?;
        let named = matrix.is_some() || !config.services.is_empty();
        let source = self::source(source, &below);
        let given = args.migrations.as_ref().map(|given| below.join(given));
        let directory = given.map(|given| normal(given.strip_prefix(&root).unwrap_or(&given)));
        let migrations = match &source {
            SourceChoice::Directory(Some(path)) => Some(path.clone()),
            _ => directory,
        };
        let needed = migrations.is_none() && config.defaults.migrations.is_none() && !config.names_directories();
        let found = if needed { discover(&root, &below, !named) } else { Vec::new() };
        let services = args.service.clone();
        let environments = match &args.environment[..] {
            [] => environment.into_iter().collect(),
            given => given.to_vec(),
        };
        let without_secrets = run.and_then(|run| run.without_secrets);
        let is_of_fork = run.is_some_and(|run| run.is_fork_with_secrets);
        let commands = Commands { are_allowed: args.allow_commands, is_of_fork };
        let read = read_files(args, &config, &below, run);
        Ok(Self {
            root,
            config,
            matrix,
            whole,
            found,
            services,
            environments,
            migrations,
            source,
            commands,
            without_secrets,
            read,
        })
    }
}

/// The text of the event that a run on GitHub is for, where it can be read.
pub fn event(path: &str) -> Option<String> {
    file::regular(Path::new(path)).ok()
}

fn root(here: &Path) -> &Path {
    here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(here)
}

fn read_config(args: &PlanArgs, here: &Path, root: &Path) -> Result<Config, InputError> {
    let (read, shown) = match &args.config {
        Some(path) => (file::text(&here.join(path)), path.display().to_string()),
        None => (file::regular(&root.join(CONFIG_FILE)), CONFIG_FILE.to_owned()),
    };
    match read {
        Ok(text) => Ok(config::read(&text, &shown)?),
        Err(error) if args.config.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(Config::default()),
        Err(error) => Err(InputError::Unreadable {
            what: "the configuration",
            path: shown.into(),
            error,
            help: match &args.config {
                Some(_) => "the path of --config is relative to the current folder",
                None => "it must be a readable file in UTF-8",
            },
        }),
    }
}

/// A matrix that is given itself, by `what`.
fn read_json(what: &'static str, json: &str, config: &Config) -> Result<ServiceMatrix, InputError> {
    let (service, environment) = config.matrix_keys();
    matrix::from_json(json, service, environment).map_err(|error| InputError::Matrix { what, error })
}

/// What the matrix of the very job that runs says of the targets. A leg that names no service is one of something else,
/// of operating systems say, and is `None`; but it may name the environment whose secrets the job has.
fn part_of(matrix: ServiceMatrix, config: &Config) -> (Option<ServiceMatrix>, Option<String>) {
    let (service, environment) = config.matrix_keys();
    let named = |key: &str| {
        let value = matrix.entries.first().and_then(|leg| leg.get(key)).and_then(matrix::text);
        value.filter(|name| !name.trim().is_empty())
    };
    let environment = named(environment);
    let has_services = config.matrix.is_none() && !config.services.is_empty() && environment.is_some();
    if !matrix.is_one_leg || named(service).is_some() || has_services {
        return (Some(matrix), None);
    }
    (None, environment)
}

/// The matrix that a flag names, else the one that the configuration names.
fn read_matrix(args: &PlanArgs, config: &Config, root: &Path) -> Result<Option<ServiceMatrix>, InputError> {
    let settings = config.matrix.as_ref();
    if let Some(json) = &args.matrix {
        return read_json("--matrix", json, config).map(Some);
    }
    let job = || match settings.map(|settings| &settings.source) {
        Some(MatrixSource::Job(job)) => Some(job.clone()),
        _ => None,
    };
    let (workflow, source) = match (&args.workflow, &args.job, settings) {
        (None, None, None) => return Ok(None),
        (None, Some(_), None) => return Err(InputError::NoWorkflow),
        (None, None, Some(settings)) => (&settings.workflow, settings.source.clone()),
        (None, Some(job), Some(settings)) => (&settings.workflow, MatrixSource::Job(job.clone())),
        (Some(file), flag, _) => (file, MatrixSource::Job(flag.clone().or_else(job).ok_or(InputError::NoJob)?)),
    };
    let unreadable = |error| InputError::Unreadable {
        what: "the workflow",
        path: workflow.into(),
        error,
        help: "the path of a workflow is relative to the root of the repository, wherever you stand",
    };
    let text = file::regular(&root.join(workflow)).map_err(unreadable)?;
    let matrix = match &source {
        MatrixSource::Job(job) => workflow::service_matrix(&text, workflow, job),
        MatrixSource::Input(input) => workflow::input_options(&text, workflow, input, config.matrix_keys().0),
    };
    matrix.map(Some).map_err(|error| InputError::Workflow { error })
}

/// What `--source` says. Its paths are relative to where one stands, `below` the root.
fn source(given: Option<&SourceChoice>, below: &Path) -> SourceChoice {
    match given.cloned().unwrap_or(SourceChoice::Directory(None)) {
        SourceChoice::Directory(path) => SourceChoice::Directory(path.map(|path| normal(&below.join(path)))),
        SourceChoice::Binary(path) => SourceChoice::Binary(normal(&below.join(path))),
        SourceChoice::Image(Some(place)) if is_path(&place) => {
            let path = normal(&below.join(place));
            SourceChoice::Image(Some(if path.starts_with('/') { path } else { format!("./{path}") }))
        }
        source => source,
    }
}

/// Whether what names an image is meant as a path. A reference of a registry begins with neither.
fn is_path(place: &str) -> bool {
    place.starts_with(['/', '.'])
}

/// The files that say what the targets are. A matrix that is handed in comes from the workflow that runs.
fn read_files(args: &PlanArgs, config: &Config, below: &Path, run: Option<&Run>) -> Vec<String> {
    let configured = args.config.as_ref().map_or_else(|| CONFIG_FILE.to_owned(), |path| normal(&below.join(path)));
    let is_given = args.matrix.is_some() || args.leg.is_some();
    let running = run.and_then(|run| run.workflow.as_ref()).filter(|_| is_given);
    let of_config = config.matrix.as_ref().map(|settings| &settings.workflow);
    let workflows = args.workflow.iter().chain(of_config).chain(running).map(|path| normal(Path::new(path)));
    std::iter::once(configured).chain(workflows).collect()
}

/// `path` without `.` and, as far as it goes, without `..`; with `/` between its parts.
fn normal(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if parts.last().is_some_and(|last| last != "..") => drop(parts.pop()),
            part => parts.push(part.as_os_str().to_string_lossy().into_owned()),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/").replacen("//", "/", 1) }
}

fn place(location: Option<&crate::finding::Location>) -> String {
    location.map(|location| format!("{location}: ")).unwrap_or_default()
}
