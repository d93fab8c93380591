//! What `init` proposes: services for the migrations that a repository's crates ask for, environments, and the two files
//! that say so. Pure: what stands in the repository comes in, and text goes out.

mod config;
mod environments;
mod services;
mod told;
mod workflow;
mod yaml;

pub use told::next;

use crate::inputs::CONFIG_FILE;
use crate::inputs::survey::Survey;
use crate::inputs::template::upper_snake;
use environments::Promotion;
use services::Service;

/// Where the workflow is written.
pub const WORKFLOW_FILE: &str = ".github/workflows/migration-preflight.yml";

/// What a repository is to be checked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    services: Vec<Service>,
    promotion: Promotion,
    /// What calls `migrate!()` and is no service, and why.
    passed_over: Vec<String>,
    /// The branch that pull requests go to.
    branch: String,
}

/// There is nothing to propose.
#[derive(Debug, thiserror::Error)]
#[error(
    "nothing here has migrations: no crate calls sqlx's `migrate!()`, and no directory called `migrations` holds any\n  \
     help: run this in the repository of the services; where migrations stand elsewhere, write `services` into {CONFIG_FILE} yourself{}", among(.passed_over)
)]
pub struct Nothing {
    passed_over: Vec<String>,
}

impl Proposal {
    /// What there is to check in a repository, whose default branch may be known.
    ///
    /// # Errors
    /// Nothing is.
    pub fn of(survey: &Survey, branch: Option<String>) -> Result<Self, Nothing> {
        let (mut services, passed_over) = services::of(survey);
        if services.is_empty() {
            return Err(Nothing { passed_over });
        }
        let promotion = environments::of(&survey.workflows, &mut services);
        Ok(Self { services, promotion, passed_over, branch: branch.unwrap_or_else(|| "main".to_owned()) })
    }

    /// The files that say so, by path relative to the root.
    pub fn files(&self) -> [(&'static str, String); 2] {
        [(CONFIG_FILE, config::text(self)), (WORKFLOW_FILE, workflow::text(self))]
    }

    /// What was found, line by line.
    pub fn told(&self) -> Vec<String> {
        told::found(self)
    }

    /// The `database-url` of an environment.
    fn url(&self, environment: &str) -> String {
        let name = upper_snake(environment);
        // GitHub has no secret whose name begins with a digit, or as the names of its own variables do.
        let is_refused = name.starts_with(|c: char| c.is_ascii_digit()) || format!("{name}_").starts_with("GITHUB_");
        let name = if is_refused { format!("ENV_{name}") } else { name };
        match self.services.len() {
            1 => format!("${{{name}_DATABASE_URL}}"),
            _ => format!("${{{name}_{{SERVICE}}_DATABASE_URL}}"),
        }
    }

    /// The services that are checked in an environment, and the environment variable that holds the URL of each there.
    fn secrets(&self, environment: &str) -> Vec<(&Service, String)> {
        let targets = &self.promotion.targets;
        let is_target = |service: &&Service| {
            targets.is_empty() || targets.iter().any(|(name, there)| *name == service.name && there == environment)
        };
        let secret = |service: &Service| {
            let url = self.url(environment).replace("{SERVICE}", &upper_snake(&service.name));
            url.trim_matches(['$', '{', '}']).to_owned()
        };
        self.services.iter().filter(is_target).map(|service| (service, secret(service))).collect()
    }
}

fn among(passed_over: &[String]) -> String {
    passed_over.iter().map(|what| format!("\n  note: {what}")).collect()
}
