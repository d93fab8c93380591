//! A program that reaches a database, or gives its password, where nothing else does. Vocabulary: nothing is run here.

use std::fmt;

use super::Engine;
use crate::secret::Secrets;

/// A program with its arguments. No shell stands between, and no secret in either.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Command {
    /// The program, as the system looks it up.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    variables: Vec<(String, String)>,
    secrets: Secrets,
}

impl Command {
    /// The program `program` with `arguments`.
    pub fn new(program: String, arguments: Vec<String>) -> Self {
        Self { program, arguments, variables: Vec::new(), secrets: Secrets::default() }
    }

    /// The same, with one more variable beside our own environment. What of its value came from elsewhere, `pieces`, is
    /// secret; what a configuration has written there is none.
    #[must_use]
    pub fn with_variable(mut self, name: String, value: String, pieces: &[String]) -> Self {
        for piece in pieces {
            self.secrets.add_value(piece);
            self.secrets.add_plain_password(piece);
        }
        self.variables.push((name, value));
        self
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

/// Why the system does not start a program: each has its own remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NotStarted {
    /// No file of this name.
    #[error("there is no such program")]
    Absent,
    /// A file that may not be run.
    #[error("it is not executable")]
    Forbidden,
    /// More than the system hands to a program.
    #[error("its arguments are too long for this system")]
    TooLong,
    /// A script for which nobody is there to read it.
    #[error("the interpreter in its first line is not there")]
    NoInterpreter,
    /// Neither a script nor what this processor understands.
    #[error("it is no program of this system")]
    Foreign,
    /// Whatever else the system says.
    #[error("the system does not run it")]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_is_given_in_secret_is_not_printed() {
        let command = Command::new("psql".to_owned(), vec!["--csv".to_owned()]);
        let command = command
            .with_variable("PGPASSWORD".to_owned(), "hunter22".to_owned(), &["hunter22".to_owned()])
            .with_variable("PGSSLMODE".to_owned(), "require".to_owned(), &[]);
        assert_eq!(format!("{command:?}"), r#"Command("psql", ["--csv"], [2 redacted])"#);
        assert_eq!(
            command.secrets().redact("is hunter22 wrong, as SSL is required?"),
            "is *** wrong, as SSL is required?"
        );
    }
}
