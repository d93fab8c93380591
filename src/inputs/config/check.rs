//! What the format alone cannot say: names that must exist, paths that must stay inside, secrets that must not be here.

use indexmap::IndexMap;

use super::raw::{RawAccept, RawConfig, RawFields, RawMatrix, RawRules, RawService, Text};
use super::{Accept, Config, EnvironmentConfig, MatrixSettings, MatrixSource, ServiceConfig, ServiceFields};
use crate::finding::{Location, Rule, Severity};
use crate::history::Engine;
use crate::inputs::diagnostic::{Diagnostic, Diagnostics, quote, suggest};
use crate::inputs::template::{Template, TemplateError, check_path, is_github_expression};
use crate::migration::Version;
use crate::policy::Levels;
use crate::table_name::{self, TableNameError};
use crate::yaml::{Node, Span};

/// The placeholders that every target has.
const PLACEHOLDERS: [&str; 4] = ["service", "SERVICE", "environment", "ENVIRONMENT"];

/// The settings that `raw` holds. They hold only if no mistake was added; `root` is where `raw` was read from.
pub fn check(raw: RawConfig, root: &Node, mistakes: &mut Diagnostics) -> Config {
    find_expressions(root, mistakes);
    // Asked of the file and not of `raw`: a matrix with mistakes in it still says where the names come from.
    let has_matrix = root.get("matrix").is_some_and(|matrix| !matrix.is_null());
    let mut check = Check { has_matrix, file: mistakes.file.clone(), mistakes };
    let RawConfig { matrix, defaults, services, environments, rules, accept } = raw;
    let matrix = matrix.zip(root.entry("matrix")).and_then(|(matrix, (key, node))| check.matrix(matrix, key, node));
    let defaults = match (defaults, root.get("defaults")) {
        (Some(defaults), Some(node)) => check.fields(defaults, node),
        _ => ServiceFields::default(),
    };
    let environments = check.environments(environments.unwrap_or_default(), root.get("environments"));
    let services = check.services(services.unwrap_or_default(), root);
    let levels = check.levels(rules, root.get("rules"));
    let accept = check.accepts(accept.unwrap_or_default(), root);
    Config { matrix, defaults, services, environments, levels, accept }
}

/// Names every `${{ … }}` in the file, wherever it stands.
fn find_expressions(node: &Node, mistakes: &mut Diagnostics) {
    if node.as_str().is_some_and(is_github_expression) {
        mistakes.push(template_mistake(&node.span, &TemplateError::GitHubExpression));
    }
    node.items().iter().for_each(|item| find_expressions(item, mistakes));
    for (key, value) in node.entries() {
        find_expressions(key, mistakes);
        find_expressions(value, mistakes);
    }
}

fn template_mistake(span: &Span, error: &TemplateError) -> Diagnostic {
    Diagnostic::new(span, error.to_string()).hint(error.hint())
}

/// Where the value of `key` stands in `node`, or `node` itself where it has none.
pub(super) fn span_of<'a>(node: &'a Node, key: &str) -> &'a Span {
    node.get(key).map_or(&node.span, |value| &value.span)
}

/// The names of a mapping, those with mistakes too.
fn names(node: Option<&Node>) -> Vec<&str> {
    node.map_or(&[][..], Node::entries).iter().filter_map(|(key, _)| key.as_str()).collect()
}

pub(super) struct Check<'a> {
    has_matrix: bool,
    file: String,
    pub(super) mistakes: &'a mut Diagnostics,
}

impl Check<'_> {
    pub(super) fn tell(&mut self, span: &Span, message: impl Into<String>, hint: impl Into<String>) {
        self.mistakes.push(Diagnostic::new(span, message).hint(hint));
    }

    fn location(&self, span: &Span) -> Location {
        Location { file: self.file.clone(), line: span.line }
    }

    fn matrix(&mut self, raw: RawMatrix, key: &Node, node: &Node) -> Option<MatrixSettings> {
        if node.get("workflow").is_none() {
            self.tell(
                &key.span,
                "`matrix` has no `workflow`",
                "write the path of the workflow that lists the services, such as `.github/workflows/deploy.yml`",
            );
        }
        match (node.entry("job"), node.entry("input")) {
            (None, None) => self.tell(
                &key.span,
                "`matrix` has neither `job` nor `input`",
                "write `job`, the job whose `strategy.matrix` lists the services, or `input`, a choice input of `workflow_dispatch`",
            ),
            (Some(_), Some((input, _))) => self.tell(
                &input.span,
                "`matrix` has both `job` and `input`",
                "keep the one that lists the services",
            ),
            _ => {}
        }
        let workflow = self.text(raw.workflow, node, "workflow");
        if let Some(path) = &workflow {
            self.plain_path(path, span_of(node, "workflow"));
        }
        let job = self.text(raw.job, node, "job").map(MatrixSource::Job);
        let input = self.text(raw.input, node, "input").map(MatrixSource::Input);
        let service_key = self.text(raw.service_key, node, "service-key").unwrap_or_else(|| super::SERVICE_KEY.into());
        let environment_key =
            self.text(raw.environment_key, node, "environment-key").unwrap_or_else(|| super::ENVIRONMENT_KEY.into());
        if service_key == environment_key {
            let span = node.get("environment-key").or(node.get("service-key")).map_or(&key.span, |node| &node.span);
            let message = format!("{} is the key of the service and of the environment", quote(&service_key));
            self.tell(span, message, "name two different keys of the matrix");
        }
        let location = self.location(&key.span);
        Some(MatrixSettings { workflow: workflow?, source: job.or(input)?, service_key, environment_key, location })
    }

    /// A text that must hold something.
    pub(super) fn text(&mut self, text: Option<Text>, node: &Node, key: &str) -> Option<String> {
        let Text(text) = text?;
        if text.trim().is_empty() {
            self.tell(span_of(node, key), format!("{} is empty", quote(key)), TemplateError::Empty.hint());
            return None;
        }
        Some(text)
    }

    /// A path without placeholders.
    fn plain_path(&mut self, path: &str, span: &Span) {
        if is_github_expression(path) {
            return;
        }
        if let Err(error) = check_path(path) {
            self.mistakes.push(template_mistake(span, &error));
        }
    }

    fn fields(&mut self, raw: RawFields, node: &Node) -> ServiceFields {
        let migrations = raw.migrations.and_then(|Text(text)| {
            let template = Template::parse_path(&text);
            self.template(template, span_of(node, "migrations"), |template| template.placeholders().collect())
        });
        let [image, binary] = [(raw.image, "image"), (raw.binary, "binary")].map(|(text, key)| {
            let text = self.text(text, node, key)?;
            self.template(Template::parse(&text), span_of(node, key), |template| template.placeholders().collect())
        });
        let database = self.database(raw.database_url, raw.database_command, node);
        let password_command = self.password_command(raw.password_command, node);
        let tenants = self.tenants(raw.schemas, raw.databases, node);
        let table = self.text(raw.table, node, "table");
        if let Some(problem) = table.as_deref().and_then(table_problem) {
            let hint = "write a plain or quoted identifier, with its schema where it needs one: `app._sqlx_migrations`";
            self.tell(span_of(node, "table"), format!("this is not the name of a table: {problem}"), hint);
        }
        let history_group = self.text(raw.history_group, node, "history-group");
        let max_age = raw.max_age.and_then(|Text(text)| {
            let age = text.parse().map_err(|hint: &str| {
                self.tell(span_of(node, "max-age"), format!("{} is no length of time", quote(&text)), hint);
            });
            age.ok()
        });
        let levels = self.levels(raw.rules, node.get("rules"));
        let (ignore_missing, required) = (raw.ignore_missing, raw.required);
        ServiceFields {
            migrations,
            image,
            binary,
            database,
            password_command,
            tenants,
            table,
            history_group,
            ignore_missing,
            required,
            max_age,
            levels,
        }
    }

    /// A template with placeholders that targets have; with a matrix, its keys are theirs too.
    pub(super) fn template<T>(
        &mut self,
        template: Result<T, TemplateError>,
        span: &Span,
        placeholders: impl Fn(&T) -> Vec<&str>,
    ) -> Option<T> {
        let template = match template {
            Ok(template) => template,
            Err(error) => {
                self.mistakes.push(template_mistake(span, &error));
                return None;
            }
        };
        let known = |name: &str| {
            PLACEHOLDERS.contains(&name)
                || self.has_matrix && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c))
        };
        let unknown: Vec<String> =
            placeholders(&template).into_iter().filter(|name| !known(name)).map(str::to_owned).collect();
        for name in unknown {
            let mistake = Diagnostic::new(span, format!("unknown placeholder {}", quote(&format!("{{{name}}}"))));
            self.mistakes.push(Diagnostic { hint: suggest(&name, PLACEHOLDERS), ..mistake });
        }
        Some(template)
    }

    fn environments(
        &mut self,
        mut raw: IndexMap<String, Option<RawFields>>,
        node: Option<&Node>,
    ) -> IndexMap<String, EnvironmentConfig> {
        let mut environments = IndexMap::new();
        for (key, node) in node.map_or(&[][..], Node::entries) {
            let Some(name) = key.as_str() else { continue };
            self.name(name, &key.span, "environment");
            if let Some(raw) = raw.swap_remove(name) {
                let fields = raw.map(|raw| self.fields(raw, node)).unwrap_or_default();
                environments.insert(name.to_owned(), EnvironmentConfig { fields, location: self.location(&key.span) });
            }
        }
        environments
    }

    fn services(
        &mut self,
        mut raw: IndexMap<String, Option<RawService>>,
        root: &Node,
    ) -> IndexMap<String, ServiceConfig> {
        let mut services = IndexMap::new();
        for (key, node) in root.get("services").map_or(&[][..], Node::entries) {
            let Some(name) = key.as_str() else { continue };
            self.name(name, &key.span, "service");
            let Some(raw) = raw.swap_remove(name) else { continue };
            let (fields, overrides) = raw.unwrap_or_default().split();
            let fields = self.fields(fields, node);
            let overridden = node.get("environments");
            let environments = self.environments(overrides, overridden);
            self.known_environments(overridden, root);
            services
                .insert(name.to_owned(), ServiceConfig { fields, environments, location: self.location(&key.span) });
        }
        services
    }

    /// Without a matrix, the environments of the file are all there are.
    fn known_environments(&mut self, overridden: Option<&Node>, root: &Node) {
        if self.has_matrix {
            return;
        }
        let mut known = names(root.get("environments"));
        if known.is_empty() {
            known.push(super::DEFAULT_ENVIRONMENT);
        }
        for (key, _) in overridden.map_or(&[][..], Node::entries) {
            if let Some(name) = key.as_str().filter(|name| !name.trim().is_empty() && !known.contains(name)) {
                self.unknown(name, &key.span, "environment", &known);
            }
        }
    }

    fn unknown(&mut self, name: &str, span: &Span, what: &str, known: &[&str]) {
        if self.mistakes.is_overfull() {
            return;
        }
        let hint = suggest(name, known.iter().copied());
        let mistake = Diagnostic::new(span, format!("the {what} {} is not configured", quote(name)));
        self.mistakes.push(Diagnostic { hint, ..mistake });
    }

    fn name(&mut self, name: &str, span: &Span, what: &str) {
        if name.trim().is_empty() {
            self.tell(span, format!("the name of the {what} is empty"), "write a name, or remove the entry");
        } else if name.chars().any(char::is_control) {
            let message = format!("the name of the {what} holds a control character");
            self.tell(span, message, "remove the control character");
        }
    }

    fn levels(&mut self, raw: Option<RawRules>, node: Option<&Node>) -> Levels {
        let mut levels = Levels::new();
        let mut raw = raw.unwrap_or_default();
        for (key, value) in node.map_or(&[][..], Node::entries) {
            let Some(id) = key.as_str() else { continue };
            let rule = self.rule(id, &key.span);
            let Some(Text(level)) = raw.0.swap_remove(id) else { continue };
            if let (Some(rule), Some(level)) = (rule, self.level(&level, &value.span)) {
                levels.insert(rule, level);
            }
        }
        levels
    }

    fn rule(&mut self, id: &str, span: &Span) -> Option<Rule> {
        let rule = id.parse().ok();
        // Measuring what is close to a name takes its time, and a mistake too many is not shown.
        if rule.is_none() && !self.mistakes.is_overfull() {
            let mistake = Diagnostic::new(span, format!("there is no rule {}", quote(id)));
            let hint = suggest(id, Rule::all().map(Rule::id));
            let hint = hint.unwrap_or_else(|| "`migration-preflight rules` lists them all".into());
            self.mistakes.push(mistake.hint(hint));
        }
        rule
    }

    fn level(&mut self, level: &str, span: &Span) -> Option<Option<Severity>> {
        match level {
            "error" => Some(Some(Severity::Error)),
            "warning" => Some(Some(Severity::Warning)),
            "notice" => Some(Some(Severity::Notice)),
            "ignore" => Some(None),
            other => {
                let mistake = Diagnostic::new(span, format!("there is no level {}", quote(other)));
                let hint = suggest(other, ["error", "warning", "notice", "ignore"]);
                self.mistakes.push(Diagnostic { hint, ..mistake });
                None
            }
        }
    }

    fn accepts(&mut self, raw: Vec<RawAccept>, root: &Node) -> Vec<Accept> {
        let (services, environments) = (names(root.get("services")), names(root.get("environments")));
        let nodes = root.get("accept").map_or(&[][..], Node::items);
        raw.into_iter()
            .zip(nodes)
            .filter_map(|(raw, node)| {
                for (key, what, known) in
                    [("service", "service", &services), ("environment", "environment", &environments)]
                {
                    let name = node.get(key).and_then(Node::as_str).filter(|name| !name.trim().is_empty());
                    if let Some(name) = name.filter(|name| !known.is_empty() && !known.contains(name))
                        && !self.has_matrix
                    {
                        self.unknown(name, span_of(node, key), what, known);
                    }
                }
                self.accept(raw, node)
            })
            .collect()
    }

    fn accept(&mut self, raw: RawAccept, node: &Node) -> Option<Accept> {
        for (key, hint) in [
            ("rule", "write the id of the rule whose findings are accepted"),
            ("reason", "write why this is meant, for whoever reads it next year"),
        ] {
            if node.get(key).is_none() {
                self.tell(&node.span, format!("this entry of `accept` has no {}", quote(key)), hint);
            }
        }
        let rule = self.text(raw.rule, node, "rule").and_then(|id| self.rule(&id, span_of(node, "rule")));
        let service = self.text(raw.service, node, "service");
        let environment = self.text(raw.environment, node, "environment");
        let version = raw.version.and_then(|Text(text)| {
            let version = text.parse().ok().map(Version);
            if version.is_none() {
                let message = format!("{} is no version", quote(&text));
                self.tell(
                    span_of(node, "version"),
                    message,
                    "write the integer before the first `_` of the file's name",
                );
            }
            version
        });
        let file = self.text(raw.file, node, "file");
        if let Some(path) = &file {
            self.plain_path(path, span_of(node, "file"));
        }
        let reason = self.text(raw.reason, node, "reason");
        let location = self.location(&node.span);
        Some(Accept { rule: rule?, service, environment, version, file, reason: reason?, location })
    }
}

/// What keeps a name from being a table's, whichever engine the database turns out to have.
fn table_problem(name: &str) -> Option<TableNameError> {
    let problem = |engine| table_name::parse(name, engine).err();
    problem(Engine::Sqlite).and(problem(Engine::MySql)).and(problem(Engine::Postgres))
}
