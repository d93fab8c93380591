//! How a database is reached: by its URL, or by a command.

use std::path::Path;

use super::DatabaseTemplate;
use super::check::{Check, span_of};
use super::raw::{RawCommand, Text};
use crate::history::{Engine, QueryBy};
use crate::inputs::diagnostic::{Diagnostic, quote, suggest};
use crate::inputs::template::{self, CommandTemplate, Template, TemplateError, UrlTemplate, ValueTemplate};
use crate::yaml::{Node, Span};
use strum::VariantNames;

/// The clients whose SQL is known by their names.
const CLIENTS: [(&str, Engine); 4] =
    [("psql", Engine::Postgres), ("mysql", Engine::MySql), ("mariadb", Engine::MySql), ("sqlite3", Engine::Sqlite)];

/// Said where a variable stands among the arguments of a database's client, which everybody on the machine sees.
const ENV: &str = "write it under `env` of `database-command`: a client that runs here finds it there, as `psql` does `PGPASSWORD`. `ssh` and `kubectl exec` do not pass it on: behind them the client takes its password from what is there, such as its `.pgpass`";

/// The same of a program that prints a password.
const INHERITED: &str = "leave it out: the program has the environment of this run, and reads the variable by itself, or in a script of yours";

impl Check<'_> {
    /// The database of a service, which only one of the two leads to.
    pub(super) fn database(
        &mut self,
        url: Option<Text>,
        command: Option<RawCommand>,
        node: &Node,
    ) -> Option<DatabaseTemplate> {
        if let (Some(_), Some((key, _))) = (&url, node.entry("database-command").filter(|_| command.is_some())) {
            let message = "`database-url` and `database-command` stand side by side";
            self.tell(&key.span, message, "keep the one that leads to the database");
        }
        let url = url.and_then(|text| self.database_url(&text, span_of(node, "database-url")));
        let command = command.zip(node.get("database-command"));
        let command = command.and_then(|(raw, node)| self.database_command(raw, node));
        url.map(DatabaseTemplate::Url).or(command)
    }

    fn database_url(&mut self, Text(text): &Text, span: &Span) -> Option<UrlTemplate> {
        let template = UrlTemplate::parse(text);
        if matches!(template, Err(TemplateError::NoUrl | TemplateError::Blank | TemplateError::BareVariable)) {
            self.hide_unless_name(text, span);
        }
        self.template(template, span, |template| template.placeholders().collect())
    }

    /// What should lead to a database and does not may be a bare password; the name of a variable is none.
    fn hide_unless_name(&mut self, text: &str, span: &Span) {
        let name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if !text.trim_start_matches('$').chars().all(name) {
            self.mistakes.hide(&span.range);
        }
    }

    fn database_command(&mut self, raw: RawCommand, node: &Node) -> Option<DatabaseTemplate> {
        let words = raw.run.unwrap_or_default();
        if node.get("run").is_none() {
            let hint = "write the program and its arguments, such as `[psql, --csv, -c]`";
            self.tell(&node.span, "`database-command` has no `run`", hint);
        }
        let engine = match self.text(raw.engine, node, "engine") {
            Some(name) => self.one_of::<Engine>(&name, span_of(node, "engine"), "database system"),
            None if node.get("engine").is_none() && !words.is_empty() => self.client(&words, span_of(node, "run")),
            None => None,
        };
        let query = match self.text(raw.query, node, "query") {
            Some(name) => self.one_of(&name, span_of(node, "query"), "way of handing over the query"),
            None => Some(QueryBy::Argument),
        };
        let mut variables = Vec::new();
        for (name, Text(text)) in raw.env.unwrap_or_default() {
            let span = node.get("env").map_or(&node.span, |env| span_of(env, &name));
            let template = template::variable(&name, &text);
            if template == Err(TemplateError::Password) {
                self.mistakes.hide(&span.range);
            }
            let template: Option<ValueTemplate> =
                self.template(template, span, |template| template.placeholders().collect());
            variables.extend(template.map(|template| (name, template)));
        }
        let command = self.words(words, node.get("run"), "run")?.with_variables(variables);
        Some(DatabaseTemplate::Command { command, engine: engine?, query: query? })
    }

    /// The program that prints the password of the URL.
    pub(super) fn password_command(&mut self, words: Option<Vec<Text>>, node: &Node) -> Option<CommandTemplate> {
        self.words(words?, node.get("password-command"), "password-command")
    }

    /// A program and its arguments, which stand at `node`.
    fn words(&mut self, words: Vec<Text>, node: Option<&Node>, key: &str) -> Option<CommandTemplate> {
        let node = node?;
        let mut templates = Vec::new();
        for (Text(text), node) in words.iter().zip(node.items()) {
            let parsed = match Template::parse(text) {
                Err(TemplateError::VariableHere) => {
                    let hint = if key == "run" { ENV } else { INHERITED };
                    let message = "an environment variable `${…}` cannot stand among the arguments of a program";
                    self.mistakes.push(Diagnostic::new(&node.span, message).hint(hint));
                    continue;
                }
                parsed => parsed,
            };
            templates.extend(self.template(parsed, &node.span, |template| template.placeholders().collect()));
        }
        let is_empty = words.first().is_none_or(|Text(program)| program.trim().is_empty());
        if is_empty && node.items().len() == words.len() {
            self.mistakes.push(
                Diagnostic::new(&node.span, format!("{} names no program", quote(key)))
                    .hint("write the program first, then its arguments, as a list"),
            );
        }
        let mut templates = templates.into_iter();
        Some(CommandTemplate::new(templates.next()?, templates.collect()))
    }

    /// The system whose client is among `words`: alone, or at the end of a path.
    fn client(&mut self, words: &[Text], span: &Span) -> Option<Engine> {
        let engine = |Text(word): &Text| {
            let name = Path::new(word).file_stem()?.to_str()?;
            CLIENTS.iter().find(|(client, _)| *client == name).map(|(_, engine)| *engine)
        };
        let mut engines: Vec<Engine> = words.iter().filter_map(engine).collect();
        engines.dedup();
        if let [engine] = engines[..] {
            return Some(engine);
        }
        let problem = if engines.is_empty() { "names no client whose SQL is known" } else { "names several clients" };
        let hint = "say whose SQL the database speaks: `engine: postgres`, `engine: mysql` or `engine: sqlite`";
        self.tell(span, format!("`run` {problem}"), hint);
        None
    }

    fn one_of<T: std::str::FromStr + VariantNames>(&mut self, name: &str, span: &Span, what: &str) -> Option<T> {
        let found = name.parse().ok();
        if found.is_none() {
            let mistake = Diagnostic::new(span, format!("there is no {what} {}", quote(name)));
            let hint = suggest(name, T::VARIANTS.iter().copied());
            self.mistakes.push(Diagnostic { hint, ..mistake });
        }
        found
    }
}
