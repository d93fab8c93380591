//! Who asks a registry: from the environment, or as Docker's configuration says it. Never shows a secret.

mod docker;
mod error;
mod helper;

use std::fmt;

use super::location::Location;
use super::reference::Reference;
use crate::secret::Secrets;

pub use error::CredentialError;

/// The registry for which [`TOKEN`], or [`USERNAME`] and [`PASSWORD`], are meant, and no other.
const REGISTRY: &str = "PREFLIGHT_REGISTRY";
/// Sent as it is, as a bearer token.
const TOKEN: &str = "PREFLIGHT_REGISTRY_TOKEN";
/// The account.
const USERNAME: &str = "PREFLIGHT_REGISTRY_USERNAME";
/// Its password, or a token that is used like one.
const PASSWORD: &str = "PREFLIGHT_REGISTRY_PASSWORD";

/// What may be set instead of logging in with Docker, as errors say it.
pub const VARIABLES: &str =
    "PREFLIGHT_REGISTRY to the registry, and PREFLIGHT_REGISTRY_USERNAME and PREFLIGHT_REGISTRY_PASSWORD";

/// The values of environment variables.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Who asks a registry.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// Where it was found; empty for nobody.
    pub from: String,
    /// What is shown to the registry.
    pub proof: Proof,
}

/// What is shown to a registry.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    #[default]
    Nothing,
    /// An account.
    Password {
        /// Its name.
        username: String,
        /// Its password.
        password: String,
    },
    /// What a token for the registry is given for.
    IdentityToken(String),
    /// A token for the registry.
    Token(String),
}

impl Login {
    /// Who is to ask for the image at `location`: nobody, where it is on the disk.
    ///
    /// Runs the credential helper that Docker's configuration names, which may take a while.
    ///
    /// # Errors
    /// There should be credentials, but they cannot be read.
    pub fn find(location: &Location, environment: Environment<'_>) -> Result<Self, CredentialError> {
        let Location::Registry(reference) = location else { return Ok(Self::default()) };
        match Self::of_environment(reference, environment)? {
            Some(login) => Ok(login),
            None => docker::login(reference, environment),
        }
    }

    fn of_environment(reference: &Reference, environment: Environment<'_>) -> Result<Option<Self>, CredentialError> {
        let value =
            |name: &str| environment(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let proof = match (value(TOKEN), value(USERNAME), value(PASSWORD)) {
            (Some(token), ..) => Proof::Token(token),
            (None, Some(username), Some(password)) => Proof::Password { username, password },
            (None, None, Some(_)) => return Err(CredentialError::Variable { set: PASSWORD, missing: USERNAME }),
            _ => return Ok(None),
        };
        let set = if matches!(proof, Proof::Token(_)) { TOKEN } else { PASSWORD };
        // Whoever may choose the image may choose the registry, which would be handed the password.
        let registry = value(REGISTRY).ok_or(CredentialError::Variable { set, missing: REGISTRY })?;
        let is_meant = docker::host(&registry) == docker::host(&reference.registry);
        Ok(is_meant.then(|| Self { from: set.to_owned(), proof }))
    }

    /// Everything in it that nobody may see.
    pub fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        match &self.proof {
            Proof::Nothing => {}
            Proof::Password { username, password } => {
                secrets.add_plain_password(password);
                secrets.add_plain_password(&docker::encoded(username, password));
            }
            Proof::IdentityToken(token) | Proof::Token(token) => secrets.add_plain_password(token),
        }
        secrets
    }

    /// Whether nobody asks.
    pub fn is_anonymous(&self) -> bool {
        self.proof == Proof::Nothing
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("from", &self.from).field("proof", &self.proof).finish()
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Password { .. } => "Password([redacted])",
            Self::IdentityToken(_) => "IdentityToken([redacted])",
            Self::Token(_) => "Token([redacted])",
        })
    }
}

#[cfg(test)]
mod tests;
