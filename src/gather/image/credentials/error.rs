//! Why there are no credentials for a registry.

use std::path::PathBuf;

/// Why credentials that there should be cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// One of two variables is missing.
    #[error("{set} is set, and {missing} is not; set both")]
    Variable {
        /// The one that is set.
        set: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// The configuration cannot be used.
    #[error("Docker's configuration `{}` cannot be used: {detail}; mend it, or set DOCKER_CONFIG to the folder of another", .path.display())]
    Config {
        /// Which.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// A helper gives no credentials.
    #[error(
        "the credential helper `{program}`, which Docker's configuration names for {registry}, {detail}; try: echo {registry} | {program} get"
    )]
    Helper {
        /// Which.
        program: String,
        /// For which registry.
        registry: String,
        /// Why.
        detail: String,
    },
}
