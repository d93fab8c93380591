//! A program with its arguments, completed for each target.

use super::error::TemplateError;
use super::value::VARIABLE;
use super::{Placeholders, Template, ValueTemplate};
use crate::history::{Command, DatabaseError, DatabaseErrorKind};
use crate::secret::names_secret;

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
        let arguments = self.arguments.iter().map(fill).collect::<Result<_, _>>()?;
        let command = Command::new(fill(&self.program)?, arguments);
        self.variables.iter().try_fold(command, |command, (name, value)| {
            let (value, secrets) = value.resolve(placeholders, env, str::to_owned)?;
            Ok(command.with_variable(name.clone(), value, &secrets))
        })
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
    let (is_written, shape) = (value.texts().any(|text| !text.trim().is_empty()), value.shape());
    // A URL around a variable, that of a DSN, is judged as one.
    let is_url = shape.contains("://") && shape.contains(VARIABLE);
    if is_written && !is_url && names_secret(name) || super::has_password(&shape) {
        return Err(TemplateError::Password);
    }
    Ok(value)
}
