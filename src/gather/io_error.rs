//! Errors of the network, sorted by remedy: the same for every server.

use std::io;

use crate::history::DatabaseErrorKind as Kind;

/// No database greets a client with a longer message. Where another protocol is spoken, its first letters are taken for
/// the length: `HTTP` is more than a gigabyte.
const LONGEST_GREETING: u64 = 1 << 16;

/// Where a driver tried to connect to.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint<'a> {
    /// Name or address.
    pub host: &'a str,
    /// TCP port.
    pub port: u16,
    /// Whether it is a socket in the file system instead.
    pub is_socket: bool,
}

/// The kind of an error on the way to `endpoint`, which is looked up again when the error leaves open what failed.
pub async fn connecting(error: &io::Error, endpoint: Endpoint<'_>) -> Kind {
    match kind(error) {
        Some(Kind::ConnectionLost) if announced(error).is_some_and(|bytes| bytes > LONGEST_GREETING) => {
            Kind::Unintelligible
        }
        Some(Kind::ConnectionLost) => Kind::HungUp,
        Some(kind) => kind,
        None => unclear(error, endpoint).await,
    }
}

/// The kind of an error that tells it by itself.
pub fn kind(error: &io::Error) -> Option<Kind> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable => Some(Kind::Refused),
        io::ErrorKind::TimedOut => Some(Kind::TimedOut),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof => Some(Kind::ConnectionLost),
        _ => None,
    }
}

/// How many bytes the driver was waiting for when the connection ended, by its own words: `sqlx-core` 0.9,
/// `net/socket/buffered.rs`.
fn announced(error: &io::Error) -> Option<u64> {
    let text = error.to_string();
    text.strip_prefix("expected to read ")?.split(' ').next()?.parse().ok()
}

/// A failed look-up has no kind of its own in the standard library, and a missing file may be a socket or a certificate.
async fn unclear(error: &io::Error, endpoint: Endpoint<'_>) -> Kind {
    let is_file = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied);
    if endpoint.is_socket {
        Kind::Refused
    } else if is_file {
        Kind::TlsFile
    } else if tokio::net::lookup_host((endpoint.host, endpoint.port)).await.is_err() {
        Kind::Dns
    } else {
        Kind::ConnectionLost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_end_within_a_message_of_made_up_length_is_another_protocol() {
        let endpoint = Endpoint { host: "localhost", port: 1, is_socket: false };
        for (words, expected) in [
            ("expected to read 1414811696 bytes, got 20 bytes at EOF", Kind::Unintelligible),
            ("expected to read 4 bytes, got 0 bytes at EOF", Kind::HungUp),
            ("expected to read", Kind::HungUp),
        ] {
            let error = io::Error::new(io::ErrorKind::UnexpectedEof, words);
            assert_eq!(connecting(&error, endpoint).await, expected, "{words}");
        }
    }
}
