//! A program with its arguments, completed for each target.

use super::error::TemplateError;
use super::{Placeholders, Template, ValueTemplate};
use crate::history::{Command, DatabaseError, DatabaseErrorKind};

/// What makes the name of a variable that of a secret, which is named in a configuration and never written.
const SECRET: [&str; 5] = ["PASS", "PWD", "SECRET", "TOKEN", "KEY"];

/// A program, its arguments, and variables that it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandTemplate {
    program: Template,
    arguments: Vec<Template>,
    variables: Vec<(String, ValueTemplate)>,
}

impl CommandTemplate {
    /// The program `program` with `arguments` and no variables of its own.
    pub fn new(program: Template, arguments: Vec<Template>) -> Self {
        Self { program, arguments, variables: Vec::new() }
    }

    /// The same, with variables.
    #[must_use]
    pub fn with_variables(self, variables: Vec<(String, ValueTemplate)>) -> Self {
        Self { variables, ..self }
    }

    /// The command for one target. `env` gives the value of an environment variable.
    ///
    /// # Errors
    /// A variable that is unset or empty, or a placeholder without a value. None holds a value of the environment.
    pub fn resolve(
        &self,
        placeholders: &Placeholders,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Command, DatabaseError> {
        let fill = |template: &Template| {
            let filled = template.fill(placeholders);
            filled.map_err(|error| DatabaseError::new(DatabaseErrorKind::NotConfigured, error.to_string()))
        };
        let variable = |(name, value): &(String, ValueTemplate)| {
            let (value, _) = value.resolve(placeholders, env, str::to_owned)?;
            Ok((name.clone(), value))
        };
        let arguments = self.arguments.iter().map(fill).collect::<Result<_, _>>()?;
        let variables = self.variables.iter().map(variable).collect::<Result<_, DatabaseError>>()?;
        Ok(Command::new(fill(&self.program)?, arguments, variables))
    }
}

/// The value `text` of the variable `name` of a program.
///
/// # Errors
/// As [`ValueTemplate::parse`]; a secret that is written where it should be named; a name that no variable has.
pub fn variable(name: &str, text: &str) -> Result<ValueTemplate, TemplateError> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(TemplateError::VariableName);
    }
    let value = ValueTemplate::parse(text)?;
    let upper = name.to_ascii_uppercase();
    let is_written = value.texts().any(|text| !text.trim().is_empty());
    if is_written && SECRET.iter().any(|word| upper.contains(word)) || super::has_password(&value.shape()) {
        return Err(TemplateError::Password);
    }
    Ok(value)
}
