//! Errors of the network, sorted by remedy: the same for every server.

use std::io;

use crate::history::DatabaseErrorKind as Kind;

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
