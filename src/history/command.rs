//! A program that reaches a database, or gives its password, where nothing else does. Vocabulary: nothing is run here.

use std::fmt;

use super::Engine;
use crate::secret::Secrets;

/// A program with its arguments. No shell stands between, and no secret in either.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// The program, as the system looks it up.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    variables: Vec<(String, String)>,
    secrets: Secrets,
}

impl Command {
    /// The program `program` with `arguments`, and beside our own environment the `variables` by name.
    pub fn new(program: String, arguments: Vec<String>, variables: Vec<(String, String)>) -> Self {
        let mut secrets = Secrets::default();
        for (_, value) in &variables {
            secrets.add_value(value);
            secrets.add_plain_password(value);
        }
        Self { program, arguments, variables, secrets }
    }

    /// The variables that the program gets, with their values: for the program and for nothing else.
    pub fn expose(&self) -> &[(String, String)] {
        &self.variables
    }

    /// Everything in it that nobody may see.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({:?}, {:?}, [{} redacted])", self.program, self.arguments, self.variables.len())
    }
}

/// How a command is handed the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum QueryBy {
    /// As one more argument, the last one.
    Argument,
    /// On its standard input.
    Stdin,
}

/// A command that hands a query to a database, and prints the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseCommand {
    /// The command.
    pub command: Command,
    /// Whose SQL the database speaks.
    pub engine: Engine,
    /// How the command is handed the query.
    pub query: QueryBy,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_is_given_in_secret_is_not_printed() {
        let variables = vec![("PGPASSWORD".to_owned(), "hunter22".to_owned())];
        let command = Command::new("psql".to_owned(), vec!["--csv".to_owned()], variables);
        assert_eq!(format!("{command:?}"), r#"Command("psql", ["--csv"], [1 redacted])"#);
        assert_eq!(command.secrets().redact("is hunter22 wrong?"), "is *** wrong?");
    }
}
