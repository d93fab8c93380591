//! Text of the configuration that is completed for each target: `{service}` in a path or a URL, and
//! `${VARIABLE}` in what is secret.
//!
//! Placeholders are filled in first and variables are read afterwards; neither what is filled in nor what a
//! variable holds is ever read as a template again. Nothing here reads the environment by itself.

mod command;
mod error;
#[cfg(test)]
mod tests;
mod value;

pub use command::{CommandTemplate, variable};
pub use error::TemplateError;
pub use value::ValueTemplate;

use std::borrow::Cow;
use std::path::PathBuf;

use indexmap::IndexMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::history::{DatabaseError, DatabaseUrl};
use value::VARIABLE;

/// What a placeholder's value keeps inside a URL; anything else could end the host or begin a parameter.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What placeholders stand for in one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placeholders(IndexMap<String, String>);

impl Placeholders {
    /// `{service}` and `{environment}`.
    pub fn new(service: impl Into<String>, environment: impl Into<String>) -> Self {
        Self::default().with("service", service).with("environment", environment)
    }

    /// One more, such as a key of the matrix. A name that is there already keeps its value.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.entry(name.into()).or_insert_with(|| value.into());
        self
    }

    /// The value of `{name}`: as it is, or in upper snake case where `name` is a placeholder's name in capitals.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        if let Some(value) = self.0.get(name) {
            return Some(Cow::Borrowed(value));
        }
        self.0.iter().find(|(key, _)| upper_snake(key) == name).map(|(_, value)| Cow::Owned(upper_snake(value)))
    }
}

/// `content-service` → `CONTENT_SERVICE`: capitals, and `_` for everything that is no ASCII letter or digit.
pub fn upper_snake(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// A text with `{placeholders}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A brace that is not closed or not opened, an empty placeholder, or anything of the form `${…}`.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if is_github_expression(text) {
            return Err(TemplateError::GitHubExpression);
        }
        if text.contains("${") {
            return Err(TemplateError::VariableHere);
        }
        let (mut parts, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let (part, after) = part(rest)?;
            parts.push(part);
            rest = after;
        }
        Ok(Self(parts))
    }

    /// Reads the template of a path below the root of the repository.
    ///
    /// # Errors
    /// As [`Template::parse`]; and a path that is empty, absolute, above the root, or written with `\`.
    pub fn parse_path(text: &str) -> Result<Self, TemplateError> {
        let template = Self::parse(text)?;
        check_path(&template.0.iter().map(Part::stand_in).collect::<String>())?;
        Ok(template)
    }

    /// The names of its placeholders.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(Part::name)
    }

    /// The text with every placeholder filled in.
    ///
    /// # Errors
    /// A placeholder without a value, or with an empty one.
    pub fn fill(&self, placeholders: &Placeholders) -> Result<String, TemplateError> {
        self.0.iter().map(|part| part.fill(placeholders)).collect()
    }

    /// The path with every placeholder filled in, below the root of the repository whatever the values are.
    ///
    /// # Errors
    /// As [`Template::fill`]; and a value with a `..` in it, or a path that is none below the root.
    pub fn fill_path(&self, placeholders: &Placeholders) -> Result<PathBuf, TemplateError> {
        for name in self.placeholders() {
            let value = placeholders.get(name).unwrap_or_default();
            if value.split(['/', '\\']).any(|step| step == "..") || value.starts_with('/') {
                return Err(TemplateError::Escape(name.to_owned()));
            }
        }
        let path = self.fill(placeholders)?;
        check_path(&path)?;
        Ok(PathBuf::from(path))
    }
}

/// A database URL with `{placeholders}` and `${VARIABLES}`. It never holds a password: that is refused when it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate(ValueTemplate);

impl UrlTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// As [`ValueTemplate::parse`]; a written password; a scheme that no engine has. No error holds any of the text,
    /// except for names of placeholders.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.trim().is_empty() {
            return Err(TemplateError::Empty);
        }
        let template = Self(ValueTemplate::parse(text)?);
        template.check()?;
        Ok(template)
    }

    /// The URL that the environment variable `name` holds as a whole: `database-secret` of a matrix entry.
    ///
    /// # Errors
    /// No name of a variable.
    pub fn variable(name: &str) -> Result<Self, TemplateError> {
        ValueTemplate::variable(name).map(Self)
    }

    /// The names of its placeholders, those inside the names of variables too.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.0.placeholders()
    }

    /// The URL for one target. `env` gives the value of an environment variable.
    ///
    /// A value is used without the white space around it, for a pasted secret often ends in a line break and no
    /// URL can begin or end with a blank. Placeholders outside `${…}` are percent-encoded; variables are not.
    ///
    /// # Errors
    /// A variable that is unset or empty, a placeholder without a value, or an unknown scheme. None holds a value
    /// of the environment.
    pub fn resolve(
        &self,
        placeholders: &Placeholders,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<DatabaseUrl, DatabaseError> {
        let encode = |value: &str| utf8_percent_encode(value, UNRESERVED).to_string();
        let (url, secrets) = self.0.resolve(placeholders, env, encode)?;
        DatabaseUrl::parse(url.trim()).map(|url| url.made_of(secrets.iter().map(String::as_str)))
    }

    fn check(&self) -> Result<(), TemplateError> {
        let shape = self.0.shape();
        if has_password(&shape) {
            return Err(TemplateError::Password);
        }
        if self.0.texts().any(|text| text.contains('$')) {
            return Err(TemplateError::BareVariable);
        }
        if shape.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(TemplateError::Blank);
        }
        let literal = self.0.begins_with().is_some_and(|text| text.contains(':'));
        if (literal || !shape.contains(VARIABLE)) && DatabaseUrl::parse(shape).is_err() {
            return Err(TemplateError::NoUrl);
        }
        Ok(())
    }
}

impl Part {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Placeholder(name) => Some(name),
            Self::Text(_) => None,
        }
    }

    /// The part as the checks of a whole see it: some name for a placeholder.
    fn stand_in(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Placeholder(_) => "x",
        }
    }

    fn fill<'a>(&'a self, placeholders: &'a Placeholders) -> Result<Cow<'a, str>, TemplateError> {
        match self {
            Self::Text(text) => Ok(Cow::Borrowed(text)),
            Self::Placeholder(name) => match placeholders.get(name) {
                Some(value) if value.trim().is_empty() => Err(TemplateError::EmptyValue(name.clone())),
                Some(value) => Ok(value),
                None => Err(TemplateError::NoValue(name.clone())),
            },
        }
    }
}

/// The next placeholder or piece of plain text, and what follows it. `text` is not empty.
fn part(text: &str) -> Result<(Part, &str), TemplateError> {
    if let Some(inside) = text.strip_prefix('{') {
        let (name, after) = inside.split_once('}').ok_or(TemplateError::UnclosedPlaceholder)?;
        if name.contains('{') {
            return Err(TemplateError::UnclosedPlaceholder);
        }
        if name.is_empty() {
            return Err(TemplateError::EmptyPlaceholder);
        }
        return Ok((Part::Placeholder(name.to_owned()), after));
    }
    if text.starts_with('}') {
        return Err(TemplateError::StrayBrace);
    }
    let brace = text.find(['{', '}']).unwrap_or(text.len());
    let (before, _) = text.split_at(brace);
    // In `a${B}` the `$` belongs to what follows.
    let end = if text[brace..].starts_with('{') && before.ends_with('$') { brace - 1 } else { brace };
    let (plain, after) = text.split_at(end);
    Ok((Part::Text(plain.to_owned()), after))
}

/// Whether `${{ … }}` occurs that is not our placeholder at the start of a variable's name, `${{SERVICE}_URL}`.
pub fn is_github_expression(text: &str) -> bool {
    text.match_indices("${{").any(|(index, opening)| {
        let inside = &text[index + opening.len()..];
        let name = inside.find(|c: char| !(c.is_alphanumeric() || "_-".contains(c))).unwrap_or(inside.len());
        name == 0 || !inside[name..].starts_with('}')
    })
}

/// Whether something written stands where a URL has its password. U+FFFC stands for a variable.
fn has_password(shape: &str) -> bool {
    let lower = shape.to_ascii_lowercase();
    if lower.starts_with("sqlite:") {
        return false;
    }
    let written = |text: &str| text.chars().any(|c| c != VARIABLE);
    let (_, authority) = shape.split_once("://").unwrap_or(("", shape));
    let userinfo = authority.rsplit_once('@').and_then(|(userinfo, _)| userinfo.split_once(':'));
    let parameter = lower.match_indices("password=").any(|(index, key)| {
        let value = &lower[index + key.len()..];
        written(value.split('&').next().unwrap_or_default())
    });
    userinfo.is_some_and(|(_, password)| written(password)) || parameter
}

/// Holds a finished path below the root of the repository, as far as its text tells.
///
/// # Errors
/// It is empty, absolute, above the root, written with `\`, or holds a control character.
pub fn check_path(path: &str) -> Result<(), TemplateError> {
    if path.trim().is_empty() {
        return Err(TemplateError::Empty);
    }
    if path.chars().any(char::is_control) {
        return Err(TemplateError::Control);
    }
    let drive = path.as_bytes().get(1) == Some(&b':') && path.starts_with(|c: char| c.is_ascii_alphabetic());
    if path.starts_with(['/', '\\', '~']) || drive {
        return Err(TemplateError::Absolute);
    }
    if path.contains('\\') {
        return Err(TemplateError::Backslash);
    }
    let mut depth = 0_usize;
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => depth = depth.checked_sub(1).ok_or(TemplateError::AboveRoot)?,
            _ => depth += 1,
        }
    }
    Ok(())
}
