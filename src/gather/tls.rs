//! Why TLS failed, whichever driver or client says so. Pure.

use std::error::Error;
use std::io;

use rustls::CertificateError as Bad;

use crate::history::DatabaseErrorKind as Kind;

/// The kind of a failure of TLS; `None` where TLS is not what failed.
pub fn kind(error: &sqlx::Error) -> Option<Kind> {
    if let Some(error) = cause(error) {
        return Some(of_rustls(error));
    }
    match error {
        sqlx::Error::Tls(error) if error.to_string().contains("does not support TLS") => Some(Kind::TlsNotOffered),
        sqlx::Error::Tls(error) if error.to_string().starts_with("Invalid certificate") => Some(Kind::TlsFile),
        sqlx::Error::Tls(_) => Some(Kind::Tls),
        sqlx::Error::Io(error) if error.to_string().contains("tls handshake") => Some(Kind::Tls),
        _ => None,
    }
}

fn of_rustls(error: &rustls::Error) -> Kind {
    match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                Kind::TlsExpired
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Kind::TlsWrongHost,
            _ => Kind::TlsNotTrusted,
        },
        _ => Kind::Tls,
    }
}

/// The error of rustls at the bottom of `error`: whoever uses it wraps it once or twice, and an `io::Error` is no ordinary
/// link of the chain.
pub fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut link: Option<&'a (dyn Error + 'static)> = Some(error);
    while let Some(error) = link {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        link = wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_a_certificate_is_found_however_it_is_wrapped() {
        let cases = [
            (Bad::Expired, Kind::TlsExpired),
            (Bad::NotValidYet, Kind::TlsExpired),
            (Bad::NotValidForName, Kind::TlsWrongHost),
            (Bad::UnknownIssuer, Kind::TlsNotTrusted),
            (Bad::Revoked, Kind::TlsNotTrusted),
        ];
        for (reason, expected) in cases {
            let bad = rustls::Error::InvalidCertificate(reason);
            let io = io::Error::new(io::ErrorKind::InvalidData, bad.clone());
            assert_eq!(kind(&sqlx::Error::Io(io)), Some(expected.clone()));
            assert_eq!(kind(&sqlx::Error::Tls(Box::new(bad))), Some(expected));
        }
        assert_eq!(kind(&sqlx::Error::Tls("server does not support TLS".into())), Some(Kind::TlsNotOffered));
        assert_eq!(kind(&sqlx::Error::Io(io::ErrorKind::ConnectionReset.into())), None);
    }
}
