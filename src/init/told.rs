//! What `init` says: what it found, and what is to be done next.

use super::services::Service;
use super::{CONFIG_FILE, Proposal, WORKFLOW_FILE};
use crate::history::Engine;

/// What was found, line by line.
pub(super) fn found(proposal: &Proposal) -> Vec<String> {
    let mut lines: Vec<_> = proposal.services.iter().map(service).collect();
    for service in &proposal.services {
        let unwatched = |krate: &String| {
            format!("  `{krate}` does not watch {}: a check warns of that (`stale-embed`)", service.directory)
        };
        lines.extend(service.unwatched.iter().map(unwatched));
    }
    lines.extend(proposal.passed_over.iter().map(|what| format!("passed over: {what}")));
    let promotion = &proposal.promotion;
    let names = promotion.environments.join(", ");
    lines.push(match &promotion.named_by {
        Some((workflow, what)) => format!("environments: {names} ({workflow}, {what})"),
        None => format!("environments: {names} (a guess: no workflow here has a matrix that names any)"),
    });
    lines
}

fn service(service: &Service) -> String {
    let Service { name, directory, count, askers, dependents, .. } = service;
    let migrations = if *count == 1 { "1 migration".to_owned() } else { format!("{count} migrations") };
    let asker = |(krate, place, is_embedding): &(String, String, bool)| {
        format!("{} by `{krate}` ({place})", if *is_embedding { "embedded" } else { "read at run time" })
    };
    let askers: Vec<_> = askers.iter().map(asker).collect();
    let how =
        if askers.is_empty() { "which no program here is seen to ask for".to_owned() } else { askers.join(" and ") };
    let users = if dependents.is_empty() { String::new() } else { format!(", in use by {}", list(dependents)) };
    format!("service {name}: {migrations} in {directory}, {how}{users}")
}

/// What is to be done next, where the files are new or not.
pub fn next(proposal: &Proposal, config_is_new: bool, workflow_is_new: bool) -> Vec<String> {
    let mut steps = Vec::new();
    if config_is_new {
        steps.push(format!("look at {CONFIG_FILE}: whether these are the services and environments that you have"));
    }
    if workflow_is_new && !config_is_new {
        steps.push(format!("hold the variables in {WORKFLOW_FILE} against those that your {CONFIG_FILE} names"));
    }
    if workflow_is_new {
        steps.push(format!("in {WORKFLOW_FILE}, put who has the action in the place of OWNER"));
        let environments = &proposal.promotion.environments;
        let secrets: Vec<_> =
            environments.iter().flat_map(|name| proposal.secrets(name)).map(|(_, name)| name).collect();
        steps.push(format!("set the secrets of the repository: {}", secrets.join(", ")));
    }
    if let (true, Some(environment)) = (config_is_new, proposal.promotion.environments.first()) {
        let examples = |(service, secret): (&Service, String)| format!("{secret}={} ", example(service.engine));
        let variables: String = proposal.secrets(environment).into_iter().map(examples).collect();
        steps.push(format!("try it: {variables}migration-preflight --environment {}", quoted(environment)));
    }
    let numbered = steps.iter().enumerate().map(|(index, step)| format!("  {}. {step}", index + 1));
    let head = if steps.is_empty() { None } else { Some("next:".to_owned()) };
    head.into_iter().chain(numbered).collect()
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn example(engine: Option<Engine>) -> &'static str {
    match engine {
        Some(Engine::MySql) => "mysql://…",
        Some(Engine::Sqlite) => "sqlite:…",
        Some(Engine::Postgres) | None => "postgres://…",
    }
}

/// Names in a sentence.
pub(super) fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
