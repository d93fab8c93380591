//! The configuration.

use super::services::Service;
use super::yaml::{comment, scalar};
use super::{Proposal, WORKFLOW_FILE};

/// Its text.
pub(super) fn text(proposal: &Proposal) -> String {
    let mut lines = vec![
        "# What migration-preflight checks: every service in every environment. `migration-preflight init` has written it from".to_owned(),
        "# what stands in the repository; change what is otherwise. Paths are relative to the root of the repository.".to_owned(),
        String::new(),
    ];
    if let Some((workflow, job)) = &proposal.promotion.matrix {
        lines.push(
            "# Which service is checked in which environment comes from this matrix; what is below adds to it."
                .to_owned(),
        );
        lines.extend([
            "matrix:".to_owned(),
            format!("  workflow: {}", scalar(workflow)),
            format!("  job: {}", scalar(job)),
        ]);
        lines.push(String::new());
    }
    lines.push("services:".to_owned());
    proposal.services.iter().for_each(|service| lines.extend(of_service(service)));
    lines.push(String::new());
    lines.extend(of_environments(proposal));
    lines.extend(MORE.lines().map(str::to_owned));
    lines.join("\n") + "\n"
}

fn of_service(service: &Service) -> Vec<String> {
    let mut lines = vec![format!("  {}:", scalar(&service.name))];
    let mut say = |text: String| lines.push(format!("    {}", comment(&text)));
    for (krate, place, is_embedding) in &service.askers {
        let verb = if *is_embedding { "embedded by" } else { "read at run time by" };
        say(format!("{verb} `{krate}`, {place}"));
    }
    if service.askers.is_empty() {
        say("found by its name: no program here is seen to ask for it".to_owned());
    }
    if !service.dependents.is_empty() {
        say(format!("in use by {}", super::told::list(&service.dependents)));
    }
    if let Some((table, file)) = &service.table {
        say(format!("the history table is that of {file}: {table}"));
    }
    lines.push(format!("    migrations: {}", scalar(&service.directory)));
    if service.ignores_missing {
        lines.push("    ignore-missing: true # it calls `set_ignore_missing(true)`".to_owned());
    }
    lines
}

fn of_environments(proposal: &Proposal) -> Vec<String> {
    let promotion = &proposal.promotion;
    let from = promotion.named_by.as_ref().map_or_else(
        || "a guess: put yours in their place".to_owned(),
        |(workflow, what)| format!("as {what} of {workflow} has them"),
    );
    let mut lines = vec![
        comment(&format!("In order of promotion; {from}.")),
        "# `${NAME}` is an environment variable: a secret is named here, and never written.".to_owned(),
        format!("# {WORKFLOW_FILE} hands it over."),
        "environments:".to_owned(),
    ];
    for environment in &promotion.environments {
        lines.push(format!("  {}:", scalar(environment)));
        lines.push(format!("    database-url: {}", proposal.url(environment)));
    }
    lines
}

/// What else there is, to be taken out of its comment.
const MORE: &str = "
# How grave a rule is: error, warning, notice or ignore. `migration-preflight rules` lists them all.
# rules:
#   out-of-order: error

# Findings that are known and meant.
# accept:
#   - { rule: missing-migration, service: NAME, version: 20220709210445, reason: \"why\" }";
