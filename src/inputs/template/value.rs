//! A text that is secret, or may be: beside `{placeholders}` it has `${VARIABLES}`.

use std::slice;

use super::error::TemplateError;
use super::{Part, Placeholders, is_github_expression, part};
use crate::history::{DatabaseError, DatabaseErrorKind};

/// Stands for what a variable will hold; it occurs in no URL and no name.
pub(super) const VARIABLE: char = '\u{fffc}';

/// A text with `{placeholders}` and `${VARIABLES}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueTemplate(Vec<ValuePart>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum ValuePart {
    Plain(Part),
    Variable(Vec<Part>),
}

impl ValueTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// As [`super::Template::parse`], but that variables may stand in it; a variable without a name or a closing brace.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if is_github_expression(text) {
            return Err(TemplateError::GitHubExpression);
        }
        let (mut parts, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let (next, after) = match rest.strip_prefix("${") {
                Some(inside) => variable(inside)?,
                None => part(rest).map(|(part, after)| (ValuePart::Plain(part), after))?,
            };
            parts.push(next);
            rest = after;
        }
        Ok(Self(parts))
    }

    /// What the environment variable `name` holds.
    ///
    /// # Errors
    /// No name of a variable.
    pub fn variable(name: &str) -> Result<Self, TemplateError> {
        if name.is_empty() {
            return Err(TemplateError::EmptyVariable);
        }
        check_variable(name)?;
        Ok(Self(vec![ValuePart::Variable(vec![Part::Text(name.to_owned())])]))
    }

    /// The names of its placeholders, those inside the names of variables too.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|part| match part {
            ValuePart::Plain(part) => slice::from_ref(part).iter().filter_map(Part::name),
            ValuePart::Variable(parts) => parts.iter().filter_map(Part::name),
        })
    }

    /// The text for one target, and what of it came from variables. `env` gives the value of an environment variable,
    /// which is used without the white space around it; `encode` is done to what is filled in for a placeholder.
    ///
    /// # Errors
    /// A variable that is unset or empty, or a placeholder without a value. None holds a value of the environment.
    pub fn resolve(
        &self,
        placeholders: &Placeholders,
        env: &dyn Fn(&str) -> Option<String>,
        encode: impl Fn(&str) -> String,
    ) -> Result<(String, Vec<String>), DatabaseError> {
        let unfilled = |error: TemplateError| DatabaseError::new(DatabaseErrorKind::NotConfigured, error.to_string());
        let (mut text, mut secrets) = (String::new(), Vec::new());
        for part in &self.0 {
            match part {
                ValuePart::Plain(Part::Text(plain)) => text += plain,
                ValuePart::Plain(placeholder) => text += &encode(&placeholder.fill(placeholders).map_err(unfilled)?),
                ValuePart::Variable(name) => {
                    let filled = name.iter().map(|part| part.fill(placeholders)).collect::<Result<String, _>>();
                    let value = read(&filled.map_err(unfilled)?, env)?;
                    text += &value;
                    secrets.push(value);
                }
            }
        }
        Ok((text, secrets))
    }

    /// The text with [`VARIABLE`] in the place of each variable, and some name in that of each placeholder.
    pub(super) fn shape(&self) -> String {
        let part = |part: &ValuePart| match part {
            ValuePart::Plain(part) => part.stand_in().to_owned(),
            ValuePart::Variable(_) => VARIABLE.to_string(),
        };
        self.0.iter().map(part).collect()
    }

    /// What is written in it.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(ValuePart::text)
    }

    /// What is written at its beginning, where nothing is filled in there.
    pub(super) fn begins_with(&self) -> Option<&str> {
        self.0.first().and_then(ValuePart::text)
    }
}

impl ValuePart {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Plain(Part::Text(text)) => Some(text),
            Self::Plain(Part::Placeholder(_)) | Self::Variable(_) => None,
        }
    }
}

/// The variable whose `${` has just been read, and what follows its `}`.
fn variable(text: &str) -> Result<(ValuePart, &str), TemplateError> {
    let (mut parts, mut rest) = (Vec::new(), text);
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return if parts.is_empty() {
                Err(TemplateError::EmptyVariable)
            } else {
                Ok((ValuePart::Variable(parts), after))
            };
        }
        if rest.is_empty() {
            return Err(TemplateError::UnclosedVariable);
        }
        if rest.starts_with("${") {
            return Err(TemplateError::VariableName);
        }
        let (next, after) = part(rest).map_err(|error| match error {
            TemplateError::UnclosedPlaceholder => TemplateError::UnclosedVariable,
            error => error,
        })?;
        if let Part::Text(name) = &next {
            // What follows an unclosed `${` is no name: say the first mistake, not the second.
            if !rest.contains('}') {
                return Err(TemplateError::UnclosedVariable);
            }
            check_variable(name)?;
        }
        parts.push(next);
        rest = after;
    }
}

fn check_variable(name: &str) -> Result<(), TemplateError> {
    match name.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '_')) {
        Some(_) => Err(TemplateError::VariableName),
        None => Ok(()),
    }
}

/// The value of a variable, which is in no error.
fn read(name: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, DatabaseError> {
    // The system has no name for such a variable, and asking for one is an error of its own.
    let possible = !name.contains(['=', '\0']);
    match possible.then(|| env(name)).flatten().filter(|value| !value.trim().is_empty()) {
        Some(value) => Ok(value.trim().to_owned()),
        None => Err(DatabaseError::new(DatabaseErrorKind::SecretNotSet { variable: name.to_owned() }, "")),
    }
}
