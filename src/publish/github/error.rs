//! Why GitHub's API did not do what it was asked to, sorted by remedy. Pure.

use std::time::Duration;

use serde_json::Value;

/// The longest message of GitHub's that is repeated.
const MOST_CHARS: usize = 300;

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// `X-RateLimit-Remaining`.
    pub remaining: Option<u64>,
    /// `X-Accepted-GitHub-Permissions`: `checks=write`.
    pub accepted: Option<String>,
    /// The body.
    pub body: String,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The token lacks a permission.
    #[error("the token may not do that ({message}); give the job these lines:\n    permissions:\n{}", permissions(.accepted.as_deref()))]
    Permission {
        /// The permissions that would be enough, as GitHub's header names them.
        accepted: Option<String>,
        /// What GitHub says.
        message: String,
    },
    /// Nobody holds this token.
    #[error("GitHub does not know the token ({0})")]
    Credentials(String),
    /// The requests of this hour are used up.
    #[error("the requests that the token has an hour are used up")]
    PrimaryLimit,
    /// Too many requests at a time.
    #[error("GitHub asks for fewer requests at a time")]
    SecondaryLimit {
        /// How long to wait.
        wait: Option<Duration>,
    },
    /// No such thing, or none that the token may see.
    #[error("GitHub does not know it, or does not show it to this token ({0})")]
    NotFound(String),
    /// GitHub refuses the request as it is.
    #[error("GitHub refuses the request ({0})")]
    Invalid(String),
    /// A success that is none.
    #[error("the answer is none of GitHub's API: {0}")]
    Odd(&'static str),
    /// GitHub itself is in trouble.
    #[error("GitHub answered with status {0}")]
    Server(u16),
    /// No answer.
    #[error("GitHub's API could not be reached: {0}")]
    Unreachable(String),
}

impl ApiError {
    /// What an answer means. A 403 is one of three things.
    pub fn of(answer: &Answer) -> Self {
        let message = message(&answer.body);
        let wait = answer.retry_after.map(Duration::from_secs);
        let is_secondary = wait.is_some() || message.to_lowercase().contains("secondary rate limit");
        match answer.status {
            401 => Self::Credentials(message),
            403 | 429 if answer.remaining == Some(0) => Self::PrimaryLimit,
            403 if is_secondary => Self::SecondaryLimit { wait },
            429 => Self::SecondaryLimit { wait },
            403 => Self::Permission { accepted: answer.accepted.clone(), message },
            404 | 410 => Self::NotFound(message),
            500.. => Self::Server(answer.status),
            _ => Self::Invalid(message),
        }
    }

    /// How long to wait before the request is worth another attempt; `None` where it is not. `attempt` counts from 0.
    pub fn wait(&self, attempt: u32) -> Option<Duration> {
        let growing = Duration::from_secs(1 << attempt.min(6));
        match self {
            // GitHub asks for a minute where it names no time.
            Self::SecondaryLimit { wait } => Some(wait.unwrap_or(Duration::from_secs(60))),
            Self::Server(_) | Self::Unreachable(_) => Some(growing),
            _ => None,
        }
    }
}

/// GitHub's message, with what it says of each field.
fn message(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    let errors = errors.filter_map(|error| text(error).or_else(|| text(error.get("message")?)));
    let all: Vec<_> = body.get("message").and_then(text).into_iter().chain(errors).collect();
    let all = if all.is_empty() { "no reason given".to_owned() } else { all.join("; ") };
    all.chars().take(MOST_CHARS).collect()
}

/// The lines of a workflow that give `checks=write, pull_requests=write`.
fn permissions(accepted: Option<&str>) -> String {
    let pairs = accepted.unwrap_or("checks=write").split([',', ';']).filter_map(|pair| pair.trim().split_once('='));
    let line = |(name, level): (&str, &str)| format!("      {}: {level}", name.replace('_', "-"));
    pairs.map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after: None, remaining: Some(4000), accepted: None, body: body.into() }
    }

    #[test]
    fn a_403_is_one_of_three_things() {
        let denied = answer(403, r#"{"message": "Resource not accessible by integration"}"#);
        let denied = Answer { accepted: Some("checks=write; pull_requests=write".into()), ..denied };
        assert_eq!(
            ApiError::of(&denied).to_string(),
            "the token may not do that (Resource not accessible by integration); give the job these lines:\n    \
             permissions:\n      checks: write\n      pull-requests: write"
        );
        let spent = Answer { remaining: Some(0), ..answer(403, "{}") };
        assert_eq!(ApiError::of(&spent), ApiError::PrimaryLimit);
        let hasty = Answer { retry_after: Some(7), ..answer(403, "{}") };
        assert_eq!(ApiError::of(&hasty).wait(0), Some(Duration::from_secs(7)));
        let told = answer(403, r#"{"message": "You have exceeded a secondary rate limit."}"#);
        assert_eq!(ApiError::of(&told).wait(3), Some(Duration::from_secs(60)));
    }

    #[test]
    fn only_what_passes_by_itself_is_waited_for() {
        for (status, waits) in [(401, false), (404, false), (422, false), (429, true), (500, true), (502, true)] {
            assert_eq!(ApiError::of(&answer(status, "")).wait(0).is_some(), waits, "{status}");
        }
        assert_eq!(ApiError::PrimaryLimit.wait(0), None);
        assert_eq!(ApiError::Server(500).wait(3), Some(Duration::from_secs(8)));
    }

    #[test]
    fn the_message_names_every_field_and_is_never_long() {
        let body = r#"{"message": "Invalid request.", "errors": ["a is bad", {"message": "b is worse"}, {"code": 1}]}"#;
        let error = ApiError::of(&answer(422, body)).to_string();
        assert_eq!(error, "GitHub refuses the request (Invalid request.; a is bad; b is worse)");
        assert_eq!(message("<html>"), "no reason given");
        assert_eq!(message(&format!("{{\"message\": \"{}\"}}", "ä".repeat(999))).chars().count(), MOST_CHARS);
    }
}
