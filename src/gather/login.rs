//! A way of authentication that the driver does not speak, whichever server asks for it. Pure.

/// What sqlx 0.9 says, in `sqlx-mysql`'s `protocol/auth.rs` and `protocol/connect/auth_switch.rs` and in
/// `sqlx-postgres`'s `message/authentication.rs`, `connection/establish.rs` and `connection/sasl.rs`.
const WORDS: [&str; 5] = [
    "unknown authentication plugin",
    "mysql_cleartext_plugin disabled",
    "unknown authentication method",
    "unsupported authentication method",
    "unsupported SASL authentication mechanisms",
];

/// Whether the driver gave up because it does not know the way in which it was to log in.
pub fn is_unknown_method(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Protocol(text) if WORDS.iter().any(|words| text.contains(words)))
}
