//! The configuration of an image: how it is run, and what is said of it. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::digest::Digest;
use super::error::ImageError;
use super::platform::Platform;

/// No configuration is larger. The history of hundreds of layers takes a fraction of it.
pub const MOST_BYTES: u64 = 8 << 20;
/// Longer values are cut: anybody may write what they like.
const MOST_CHARS: usize = 300;

/// Where a container looks for programs if the image does not say.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is said of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// The digest of its manifest, which `docker pull NAME@DIGEST` takes. An archive of `docker save` may have none.
    pub digest: Option<String>,
    /// The digest of its configuration, which `docker images` calls its id.
    pub id: String,
    /// When it was built, as it is written there.
    pub created: Option<String>,
    /// The commit that it was built from, by its label `org.opencontainers.image.revision`.
    pub revision: Option<String>,
    /// What it is built for.
    pub platform: String,
    /// The program that it starts and its arguments: entry point and command.
    pub command: Vec<String>,
    /// The folder in which it starts.
    pub working_directory: String,
    /// The folders in which a program without a `/` is looked for.
    pub search_path: Vec<String>,
}

impl Details {
    /// Where the program may be that a container starts, the likeliest first; none where the image does not say.
    ///
    /// In `sh -c 'exec app'` that is the shell.
    pub fn program(&self) -> Vec<String> {
        match self.command.first() {
            None => Vec::new(),
            Some(program) if program.starts_with('/') => vec![program.clone()],
            Some(program) if program.contains('/') => vec![format!("{}/{program}", self.working_directory)],
            Some(program) => self.search_path.iter().map(|folder| format!("{folder}/{program}")).collect(),
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    created: Option<String>,
    #[serde(flatten)]
    platform: Option<Platform>,
    #[serde(default)]
    config: Option<RawRun>,
    rootfs: Option<RawRoot>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawRun {
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    env: Option<Vec<String>>,
    working_dir: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct RawRoot {
    diff_ids: Option<Vec<String>>,
}

/// A configuration as it was read.
#[derive(Debug)]
pub struct Config {
    /// What is said of the image.
    pub details: Details,
    /// What each layer hashes to once it is unpacked, the lowest first.
    pub diff_ids: Vec<Digest>,
}

impl Config {
    /// Reads a configuration that hashes to `id`.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(bytes: &[u8], id: &Digest) -> Result<Self, ImageError> {
        let bad = |detail: String| ImageError::Config { digest: id.to_string(), detail };
        let raw: Raw = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        let run = raw.config.unwrap_or_default();
        let path = run.env.iter().flatten().find_map(|variable| variable.strip_prefix("PATH="));
        let label = run.labels.as_ref().and_then(|labels| labels.get(REVISION));
        let details = Details {
            digest: None,
            id: id.to_string(),
            created: raw.created.as_deref().and_then(short),
            revision: label.map(String::as_str).and_then(short),
            platform: raw.platform.map(|platform| short(&platform.to_string()).unwrap_or_default()).unwrap_or_default(),
            command: run.entrypoint.into_iter().chain(run.cmd).flatten().collect(),
            working_directory: run.working_dir.filter(|folder| !folder.is_empty()).unwrap_or_else(|| "/".to_owned()),
            search_path: path.unwrap_or(USUAL_PATH).split(':').map(str::to_owned).collect(),
        };
        let diff_ids = raw.rootfs.and_then(|root| root.diff_ids).unwrap_or_default();
        let diff_ids =
            diff_ids.iter().map(|text| Digest::parse(text).ok_or_else(|| bad("a `diff_ids` is no digest".into())));
        Ok(Self { details, diff_ids: diff_ids.collect::<Result<_, _>>()? })
    }
}

/// The label, and the annotation, that names the commit.
pub const REVISION: &str = "org.opencontainers.image.revision";

/// A value as far as it is shown; none where it is blank.
pub fn short(value: &str) -> Option<String> {
    let value: String = value.trim().chars().take(MOST_CHARS).collect();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(json: &str) -> Details {
        Config::parse(json.as_bytes(), &Digest::of(b"")).unwrap().details
    }

    #[test]
    fn the_program_is_looked_for_where_a_container_would() {
        let program = |run: &str| details(&format!("{{\"config\": {run}}}")).program();
        assert_eq!(program(r#"{"Entrypoint": ["/app"], "Cmd": ["-v"]}"#), ["/app"]);
        assert_eq!(program(r#"{"Cmd": ["bin/app"], "WorkingDir": "/srv"}"#), ["/srv/bin/app"]);
        assert_eq!(program(r#"{"Cmd": ["app"], "Env": ["A=b", "PATH=/x:/y"]}"#), ["/x/app", "/y/app"]);
        assert_eq!(program(r#"{"Cmd": ["app"], "Env": null}"#).len(), 6);
        assert_eq!(program("null"), Vec::<String>::new());
    }

    #[test]
    fn what_is_said_of_the_image_is_short_and_may_be_absent() {
        let json = format!(
            r#"{{"created": "2025-12-28T10:00:00Z", "os": "linux", "architecture": "amd64",
                "config": {{"Labels": {{"org.opencontainers.image.revision": "{}"}}}}}}"#,
            "a".repeat(999)
        );
        let details = details(&json);
        assert_eq!(details.created.as_deref(), Some("2025-12-28T10:00:00Z"));
        assert_eq!(details.revision.map(|revision| revision.len()), Some(300));
        assert_eq!(details.platform, "linux/amd64");
        assert_eq!(self::details("{}").created, None);
    }
}
