//! Why a request to a registry failed, sorted by what helps. Pure.

use std::error::Error;
use std::io;

use serde::Deserialize;

use super::super::error::RegistryFault;
use super::{Astray, cause};
use crate::gather::tls;

/// What a request failed with. The address that it had led to by then may be signed, which is as good as a password.
pub fn of(error: reqwest::Error) -> RegistryFault {
    let error = &error.without_url();
    if let Some(tls) = tls::cause(error) {
        return match tls {
            // What is no TLS is most often HTTP.
            rustls::Error::InvalidMessage(_) => RegistryFault::PlainHttp,
            other => RegistryFault::Tls(other.to_string()),
        };
    }
    if let Some(Astray(reason)) = cause(error) {
        return RegistryFault::Odd((*reason).to_owned());
    }
    let io = cause::<io::Error>(error).map(io::Error::kind);
    match io {
        _ if error.is_timeout() => RegistryFault::TimedOut,
        Some(io::ErrorKind::TimedOut) => RegistryFault::TimedOut,
        _ if error.is_builder() => {
            RegistryFault::Odd("its address or the credentials hold letters that no request can".to_owned())
        }
        _ => RegistryFault::Unreachable(innermost(error)),
    }
}

/// Whether asking again may help.
pub fn passes(fault: &RegistryFault) -> bool {
    match fault {
        RegistryFault::RateLimited(_) | RegistryFault::TimedOut => true,
        RegistryFault::Status { status, .. } => *status >= 500,
        // Nobody is there, or there is no such name: neither passes while one waits.
        RegistryFault::Unreachable(text) => !text.contains("refused") && !text.contains("lookup"),
        _ => false,
    }
}

/// The last cause of an error: those before it say no more than that there is one.
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    let last = std::iter::successors(Some(error), |error| (*error).source()).last();
    last.map(ToString::to_string).unwrap_or_default()
}

#[derive(Deserialize)]
struct Envelope {
    errors: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// What the body of an error says: the messages of the registry, and not what else it tells.
pub fn message(body: &[u8]) -> String {
    let Ok(Envelope { errors }) = serde_json::from_slice(body) else { return "no reason given".to_owned() };
    let texts = errors.into_iter().take(3).map(|One { code, message }| match (code.as_str(), message.as_str()) {
        ("", _) => message,
        (_, "") => code,
        _ => format!("{code}: {message}"),
    });
    let all = texts.collect::<Vec<_>>().join("; ");
    if all.trim().is_empty() { "no reason given".to_owned() } else { all }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_a_registry_is_what_it_says_and_no_page_of_html() {
        let body = br#"{"errors": [{"code": "DENIED", "message": "no", "detail": {"secret": 1}}, {"code": "X"}]}"#;
        assert_eq!(message(body), "DENIED: no; X");
        assert_eq!(message(b"<html>"), "no reason given");
        assert_eq!(message(br#"{"errors": []}"#), "no reason given");
    }

    #[test]
    fn only_what_passes_by_itself_is_asked_again() {
        let status = |status| RegistryFault::Status { status, message: String::new() };
        for (fault, again) in [
            (status(503), true),
            (status(400), false),
            (RegistryFault::RateLimited(None), true),
            (RegistryFault::TimedOut, true),
            (RegistryFault::Unreachable("connection reset".to_owned()), true),
            (RegistryFault::Unreachable("Connection refused (os error 111)".to_owned()), false),
            (RegistryFault::NotFound { message: String::new() }, false),
            (RegistryFault::Tls(String::new()), false),
        ] {
            assert_eq!(passes(&fault), again, "{fault:?}");
        }
    }
}
