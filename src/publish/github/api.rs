//! The one way to GitHub's API: requests that are bounded in time, and repeated where that helps.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt, LengthLimitError, Limited};
use octocrab::Octocrab;
use serde::Serialize;
use serde_json::Value;

use super::error::{Answer, ApiError};
use crate::github::{Run, Token};

/// How many times longer than once a request may take with all that it is repeated; and never longer than that.
const ATTEMPTS: u32 = 9;
const ALL_ATTEMPTS: Duration = Duration::from_secs(180);
/// The longest answer that is read: more than a page of a hundred comments, each as long as can be.
const MOST_ANSWER: usize = 64 << 20;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Patch,
    Delete,
}

/// GitHub's API for one repository.
pub struct Api {
    client: Octocrab,
    base: String,
    /// How long one request may take.
    timeout: Duration,
}

impl Api {
    /// For the repository of `run`, with the rights of `token`. One request may take as long as `timeout`.
    ///
    /// # Errors
    /// The URL of the API is none, or the system has no certificates.
    pub fn new(run: &Run, token: &Token, timeout: Duration) -> Result<Self, ApiError> {
        let unreachable = |error: octocrab::Error| ApiError::Unreachable(innermost(&error));
        // The token goes to this host, and to no other that an answer may lead to.
        let client = Octocrab::builder()
            .base_uri(run.api_url.as_str())
            .map_err(unreachable)?
            .personal_token(token.expose())
            .build()
            .map_err(unreachable)?;
        Ok(Self { client, base: format!("{}/repos/{}/{}", run.api_url, run.owner, run.repository), timeout })
    }

    /// Sends a request to `path`, which is below the repository, and returns the body of the answer. What passes by
    /// itself is waited for.
    ///
    /// # Errors
    /// Every answer that is no success, and none at all.
    pub async fn send(
        &self,
        verb: Verb,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Value, ApiError> {
        let (start, most) = (Instant::now(), (self.timeout * ATTEMPTS).min(ALL_ATTEMPTS));
        for attempt in 0.. {
            let error = match tokio::time::timeout(self.timeout, self.once(verb, path, body)).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => error,
                Err(_) => ApiError::Unreachable(format!("no answer within {} s", self.timeout.as_secs_f64())),
            };
            let wait = error.wait(attempt).filter(|wait| wait.saturating_add(start.elapsed()) < most);
            tracing::debug!(?verb, path, attempt, %error, ?wait, "the request failed");
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            }
        }
        Err(ApiError::Unreachable("it was never asked".to_owned()))
    }

    async fn once(&self, verb: Verb, path: &str, body: Option<&(impl Serialize + Sync)>) -> Result<Value, ApiError> {
        let unreachable = |error: octocrab::Error| ApiError::Unreachable(innermost(&error));
        let uri = format!("{}{path}", self.base);
        let response = match verb {
            Verb::Get => self.client._get(uri).await,
            Verb::Post => self.client._post(uri, body).await,
            Verb::Patch => self.client._patch(uri, body).await,
            Verb::Delete => self.client._delete(uri, body).await,
        }
        .map_err(unreachable)?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let number = |name: &str| header(name).and_then(|value| value.trim().parse().ok());
        let mut answer = Answer {
            status: response.status().as_u16(),
            retry_after: number("retry-after"),
            remaining: number("x-ratelimit-remaining"),
            accepted: header("x-accepted-github-permissions"),
            body: String::new(),
        };
        let body = Limited::new(response.into_body(), MOST_ANSWER).collect().await.map_err(unread)?;
        answer.body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        match answer.status {
            // A deletion is answered with nothing.
            200..=299 if answer.body.is_empty() => Ok(Value::Null),
            // What stands between may answer with a page of its own, and did nothing that it was asked for.
            200..=299 => serde_json::from_str(&answer.body).map_err(|_| ApiError::Odd("it is no JSON")),
            _ => Err(ApiError::of(&answer)),
        }
    }
}

/// Why the body of an answer could not be read to its end.
fn unread(error: Box<dyn std::error::Error + Send + Sync>) -> ApiError {
    if error.is::<LengthLimitError>() {
        ApiError::Odd("it does not end")
    } else {
        ApiError::Unreachable(innermost(error.as_ref()))
    }
}

/// The last cause of an error: what stands before it says no more than that there is one.
fn innermost(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).last().map(ToString::to_string).unwrap_or_default()
}
