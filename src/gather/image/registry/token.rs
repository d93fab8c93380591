//! Logging in to a registry: what it asks for in `WWW-Authenticate`, and the token that another server hands out for it.

use http_auth::parser::ChallengeParser;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::Deserialize;
use std::time::Duration;

use super::super::credentials::Proof;
use super::super::error::RegistryFault;
use super::super::reference::is_loopback;
use super::{Access, Registry};

/// No token is longer.
const MOST_TOKEN: u64 = 1 << 20;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

/// What a registry asks for.
enum Challenge {
    /// A token of this server, for a service of this name.
    Bearer { realm: String, service: Option<String> },
    /// Name and password.
    Basic,
}

/// What is shown to the registry from now on.
pub async fn access(registry: &Registry, challenges: &[&str]) -> Result<Access, RegistryFault> {
    match (challenge(challenges), &registry.login.proof) {
        (Some(Challenge::Bearer { realm, service }), proof) if !matches!(proof, Proof::Token(_)) => {
            let realm = realm_of(registry, &realm)?;
            token(registry, realm, service.as_deref()).await.map(Access::Bearer)
        }
        (Some(Challenge::Basic), Proof::Password { username, password }) => {
            Ok(Access::Basic(username.clone(), password.clone()))
        }
        _ => Err(registry.refused("it asks for something else than there is".to_owned())),
    }
}

/// The first of the challenges that can be met; a token goes before a password.
fn challenge(texts: &[&str]) -> Option<Challenge> {
    let mut basic = None;
    for challenge in texts.iter().flat_map(|text| ChallengeParser::new(text)).filter_map(Result::ok) {
        let param = |name: &str| {
            let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped())
        };
        if challenge.scheme.eq_ignore_ascii_case("Bearer")
            && let Some(realm) = param("realm")
        {
            return Some(Challenge::Bearer { realm, service: param("service") });
        }
        if challenge.scheme.eq_ignore_ascii_case("Basic") {
            basic = Some(Challenge::Basic);
        }
    }
    basic
}

/// The server that hands out tokens, if nobody can listen on the way to it.
fn realm_of(registry: &Registry, realm: &str) -> Result<Url, RegistryFault> {
    let url = Url::parse(realm).map_err(|_| RegistryFault::Odd("it names no server for tokens".to_owned()))?;
    let local = registry.reference.is_local() && url.host_str().is_some_and(is_loopback);
    if url.scheme() == "https" || url.scheme() == "http" && local {
        Ok(url)
    } else {
        Err(RegistryFault::InsecureRealm(url.host_str().unwrap_or_default().to_owned()))
    }
}

async fn token(registry: &Registry, mut realm: Url, service: Option<&str>) -> Result<String, RegistryFault> {
    // Never what the registry would like: reading this repository is all that is wanted.
    let scope = format!("repository:{}:pull", registry.reference.repository);
    let request = match &registry.login.proof {
        Proof::IdentityToken(identity) => {
            let form = [
                ("grant_type", "refresh_token"),
                ("service", service.unwrap_or_default()),
                ("client_id", "migration-preflight"),
                ("scope", &scope),
                ("refresh_token", identity),
            ];
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            registry.client.post(realm).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
        }
        proof => {
            realm.query_pairs_mut().append_pair("scope", &scope).extend_pairs(service.map(|name| ("service", name)));
            let request = registry.client.get(realm);
            match proof {
                Proof::Password { username, password } => request.basic_auth(username, Some(password)),
                _ => request,
            }
        }
    };
    let response = registry.ask(request).await?;
    let status = response.status().as_u16();
    if status != 200 {
        let wait = response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.trim().parse().ok());
        let message = registry.message(response).await;
        return Err(match status {
            // Who is not let in anonymously may be with an account.
            400 | 401 | 403 => registry.refused(message),
            429 => RegistryFault::RateLimited(wait.map(Duration::from_secs)),
            status => RegistryFault::Status { status, message },
        });
    }
    let body = registry.body(response, "a token", MOST_TOKEN).await;
    let body = body.map_err(|_| RegistryFault::Odd("the token cannot be read".to_owned()))?;
    let answer: Answer =
        serde_json::from_slice(&body).map_err(|_| RegistryFault::Odd("there is no token in it".to_owned()))?;
    let token = if answer.token.is_empty() { answer.access_token } else { answer.token };
    if token.is_empty() {
        return Err(RegistryFault::Odd("there is no token in it".to_owned()));
    }
    registry.learn(&token);
    Ok(token)
}
