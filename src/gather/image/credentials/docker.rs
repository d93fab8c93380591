//! Docker's configuration: accounts that stand in it, and the programs that keep others.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::super::reference::Reference;
use super::error::CredentialError;
use super::helper;
use super::{Environment, Login, Proof};

/// No configuration is larger.
const MOST_BYTES: u64 = 1 << 20;
/// What Docker calls its own registry there.
const HUB: &str = "https://index.docker.io/v1/";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: HashMap<String, Account>,
    cred_helpers: HashMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Account {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// Whom Docker would log in as, by `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`.
pub fn login(reference: &Reference, environment: Environment<'_>) -> Result<Login, CredentialError> {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder =
        set("DOCKER_CONFIG").or_else(|| set("HOME").or_else(|| set("USERPROFILE")).map(|home| home.join(".docker")));
    let Some(path) = folder.map(|folder| folder.join("config.json")) else { return Ok(Login::default()) };
    let Some(config) = read(&path)? else { return Ok(Login::default()) };
    let registry = host(&reference.registry);
    let of_registry = |helpers: &HashMap<String, String>| {
        helpers.iter().find(|(name, _)| host(name) == registry).map(|(_, helper)| helper.clone())
    };
    // One that is named for the registry wins, and then the one for all.
    if let Some(name) = of_registry(&config.cred_helpers).or(config.creds_store.filter(|name| !name.is_empty())) {
        let server = if registry == "docker.io" { HUB } else { registry.as_str() };
        if let Some(proof) = helper::ask(&name, server, environment)? {
            return Ok(Login { from: format!("docker-credential-{name}"), proof });
        }
    }
    let exact = config.auths.get(&registry);
    let account =
        exact.or_else(|| config.auths.iter().find(|(name, _)| host(name) == registry).map(|(_, account)| account));
    let proof = account.map_or(Ok(Proof::Nothing), |account| account.proof(&path))?;
    Ok(if proof == Proof::Nothing { Login::default() } else { Login { from: path.display().to_string(), proof } })
}

fn read(path: &Path) -> Result<Option<Config>, CredentialError> {
    let bad = |detail: String| CredentialError::Config { path: path.to_owned(), detail };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(bad(error.to_string())),
        // Opening a pipe would wait for ever.
        Ok(metadata) if !metadata.is_file() => return Err(bad("it is no file".to_owned())),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| bad(error.to_string()))?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| bad(error.to_string()))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(bad("it is larger than 1 MiB".to_owned()));
    }
    // What serde says may quote a value, and that may be a password.
    let place = |error: serde_json::Error| bad(format!("it is not as Docker writes it, at line {}", error.line()));
    serde_json::from_slice(&bytes).map(Some).map_err(place)
}

impl Account {
    fn proof(&self, path: &Path) -> Result<Proof, CredentialError> {
        let filled = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        if let Some(token) = filled(&self.registrytoken) {
            return Ok(Proof::Token(token));
        }
        if let Some(token) = filled(&self.identitytoken) {
            return Ok(Proof::IdentityToken(token));
        }
        let Some(auth) = filled(&self.auth) else {
            return Ok(match (filled(&self.username), filled(&self.password)) {
                (Some(username), Some(password)) => Proof::Password { username, password },
                _ => Proof::Nothing,
            });
        };
        let decoded = STANDARD.decode(auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = decoded.as_deref().and_then(|text| text.split_once(':'));
        let (username, password) = parts.ok_or_else(|| CredentialError::Config {
            path: path.to_owned(),
            detail: "an `auth` in it is not base64 of NAME:PASSWORD".to_owned(),
        })?;
        // Docker pads with zeros.
        let password = password.trim_matches('\0').to_owned();
        Ok(Proof::Password { username: username.to_owned(), password })
    }
}

/// The host that a key of the configuration means: `https://ghcr.io/v2/` is `ghcr.io`.
pub fn host(name: &str) -> String {
    let name = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://")).unwrap_or(name);
    let host = name.split('/').next().unwrap_or_default().to_ascii_lowercase();
    match host.as_str() {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        _ => host,
    }
}

/// As a request carries it.
pub fn encoded(username: &str, password: &str) -> String {
    STANDARD.encode(format!("{username}:{password}"))
}
