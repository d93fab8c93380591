//! What GitHub says of a run: the repository, the commit that a check belongs on, and who must do without secrets.
//!
//! It is given the environment and the text of the event, and touches no file. Nothing in it is ever an error: of an
//! event that makes no sense, what the environment says is left.

use serde_json::Value;

use crate::github::{Proposal, Run, WithoutSecrets};

/// The actor whose runs get secrets of their own kind, and so mostly none.
const DEPENDABOT: &str = "dependabot[bot]";

/// Reads the variables of the environment, and with `event` the file that `GITHUB_EVENT_PATH` names.
///
/// `None` where this is no run on GitHub, or one that does not even name its repository and commit.
pub fn read(variable: &dyn Fn(&str) -> Option<String>, event: &dyn Fn(&str) -> Option<String>) -> Option<Run> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("GITHUB_ACTIONS").as_deref() != Some("true") {
        return None;
    }
    let repository = set("GITHUB_REPOSITORY")?;
    let (owner, repository) = repository.split_once('/')?;
    let text = set("GITHUB_EVENT_PATH").and_then(|path| event(&path)).unwrap_or_default();
    let payload = serde_json::from_str(&text).unwrap_or(Value::Null);
    let event = Event { name: set("GITHUB_EVENT_NAME").unwrap_or_default(), payload };
    let api_url = set("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
    let part = |name: &str| set(name).unwrap_or_default();
    Some(Run {
        api_url: api_url.trim_end_matches('/').to_owned(),
        owner: owner.to_owned(),
        repository: repository.to_owned(),
        commit: event.head().or_else(|| set("GITHUB_SHA").filter(|commit| is_commit(commit)))?,
        pull_request: event.pull_request(),
        attempt: format!("{}-{}", part("GITHUB_RUN_ID"), part("GITHUB_RUN_ATTEMPT")),
        without_secrets: event.without_secrets(set("GITHUB_ACTOR").as_deref()),
        is_fork_with_secrets: event.is_fork() && event.has_secrets(),
        proposal: event.proposal(set("GITHUB_SHA")),
        workflow: set("GITHUB_WORKFLOW_REF").and_then(|reference| workflow(&reference)),
    })
}

/// What happened.
struct Event {
    name: String,
    payload: Value,
}

impl Event {
    /// The commit that the event is about, where that is another than the one checked out: a pull request is built
    /// merged with its base, a merge group on a branch of its own, and what follows a workflow on the default branch.
    fn head(&self) -> Option<String> {
        let pointer = match self.name.as_str() {
            "pull_request" | "pull_request_target" | "pull_request_review" | "pull_request_review_comment" => {
                "/pull_request/head/sha"
            }
            "merge_group" => "/merge_group/head_sha",
            "workflow_run" => "/workflow_run/head_sha",
            _ => return None,
        };
        self.text(pointer).filter(|commit| is_commit(commit)).map(str::to_owned)
    }

    fn pull_request(&self) -> Option<u64> {
        let number = self.payload.pointer("/pull_request/number").and_then(Value::as_u64);
        number.or_else(|| {
            let is_comment = self.payload.pointer("/issue/pull_request").is_some_and(Value::is_object);
            self.payload.pointer("/issue/number").and_then(Value::as_u64).filter(|_| is_comment)
        })
    }

    /// What is to be merged into what. `checked_out` is the commit that the runner starts from.
    fn proposal(&self, checked_out: Option<String>) -> Option<Proposal> {
        let commit = |pointer: &str| self.text(pointer).filter(|commit| is_commit(commit)).map(str::to_owned);
        match self.name.as_str() {
            "merge_group" => {
                let base = commit("/merge_group/base_sha");
                Some(Proposal { base, is_group: true, ..Proposal::default() })
            }
            "pull_request" | "pull_request_target" | "pull_request_review" | "pull_request_review_comment" => {
                // What the target runs from is the base branch itself.
                let merged = checked_out.filter(|commit| is_commit(commit) && self.name != "pull_request_target");
                Some(Proposal {
                    merged,
                    head: commit("/pull_request/head/sha"),
                    branch: self.text("/pull_request/base/ref").filter(|name| !name.is_empty()).map(str::to_owned),
                    base: commit("/pull_request/base/sha"),
                    is_group: false,
                })
            }
            _ => None,
        }
    }

    /// `pull_request_target` and what follows a workflow run in the repository itself, with its secrets.
    fn has_secrets(&self) -> bool {
        self.name == "pull_request_target" || self.name == "workflow_run"
    }

    /// Whether the event is about a pull request, or a workflow's run, from another repository.
    fn is_fork(&self) -> bool {
        let [base, head] = match self.name.as_str() {
            "workflow_run" => ["/workflow_run/repository/full_name", "/workflow_run/head_repository/full_name"],
            _ => ["/pull_request/base/repo/full_name", "/pull_request/head/repo/full_name"],
        };
        let base = self.text(base);
        // The owner of a fork that is gone is nobody.
        base.is_some() && self.text(head) != base
    }

    fn without_secrets(&self, actor: Option<&str>) -> Option<WithoutSecrets> {
        let of_author = self.text("/pull_request/user/login") == Some(DEPENDABOT);
        if self.is_fork() && !self.has_secrets() {
            Some(WithoutSecrets::Fork)
        } else if actor == Some(DEPENDABOT) || (of_author && actor.is_none()) {
            Some(WithoutSecrets::Dependabot)
        } else {
            None
        }
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.payload.pointer(pointer).and_then(Value::as_str)
    }
}

/// The file in `octo/demo/.github/workflows/ci.yml@refs/heads/main`.
fn workflow(reference: &str) -> Option<String> {
    let (path, _) = reference.split_once('@')?;
    path.splitn(3, '/').nth(2).map(str::to_owned)
}

/// A full hash: SHA-1 or SHA-256. It becomes a part of URLs.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CHECKED_OUT: &str = "1111111111111111111111111111111111111111";
    const HEAD: &str = "2222222222222222222222222222222222222222";

    fn run(name: &str, payload: &str, actor: &str) -> Option<Run> {
        let variable = |wanted: &str| {
            let set = [
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_REPOSITORY", "octo/demo"),
                ("GITHUB_SHA", CHECKED_OUT),
                ("GITHUB_EVENT_PATH", "event.json"),
                ("GITHUB_EVENT_NAME", name),
                ("GITHUB_ACTOR", actor),
                ("GITHUB_API_URL", "https://ghe.example/api/v3/"),
            ];
            set.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned())
        };
        read(&variable, &|_| Some(payload.to_owned()))
    }

    fn pull_request(head: &str) -> String {
        let head = json!({"sha": HEAD, "repo": if head.is_empty() { Value::Null } else { json!({"full_name": head}) }});
        json!({"pull_request": {"number": 7, "head": head, "base": {"repo": {"full_name": "octo/demo"}}}}).to_string()
    }

    #[test]
    fn a_check_belongs_on_the_commit_that_the_event_is_about() {
        let commit = |name: &str, payload: &str| run(name, payload, "").unwrap().commit;
        assert_eq!(commit("pull_request", &pull_request("octo/demo")), HEAD);
        assert_eq!(commit("merge_group", &json!({"merge_group": {"head_sha": HEAD}}).to_string()), HEAD);
        assert_eq!(commit("workflow_run", &json!({"workflow_run": {"head_sha": HEAD}}).to_string()), HEAD);
        for name in ["push", "schedule", "workflow_dispatch", "", "an_event_of_tomorrow"] {
            assert_eq!(commit(name, &pull_request("octo/demo")), CHECKED_OUT, "{name}");
        }
    }

    #[test]
    fn what_is_to_be_merged_into_what_is_told_of_pull_requests_and_merge_groups_alone() {
        let [base, head] = [CHECKED_OUT, HEAD].map(str::to_owned);
        let payload = json!({
            "pull_request": {"head": {"sha": HEAD}, "base": {"sha": CHECKED_OUT, "ref": "main"}},
            "merge_group": {"head_sha": HEAD, "base_sha": CHECKED_OUT},
        });
        let proposal = |name: &str| run(name, &payload.to_string(), "").unwrap().proposal;
        let pull_request = Proposal {
            merged: Some(base.clone()),
            head: Some(head),
            branch: Some("main".into()),
            base: Some(base.clone()),
            is_group: false,
        };
        assert_eq!(proposal("pull_request"), Some(pull_request.clone()));
        assert_eq!(proposal("pull_request_target"), Some(Proposal { merged: None, ..pull_request }));
        let group = Proposal { base: Some(base), is_group: true, ..Proposal::default() };
        assert_eq!(proposal("merge_group"), Some(group));
        for name in ["push", "schedule", "workflow_dispatch", "deployment", "workflow_run", ""] {
            assert_eq!(proposal(name), None, "{name}");
        }
    }

    #[test]
    fn the_file_of_the_workflow_is_relative_to_the_root() {
        let file = workflow("octo/demo/.github/workflows/ci.yml@refs/pull/7/merge");
        assert_eq!(file.as_deref(), Some(".github/workflows/ci.yml"));
        assert_eq!((workflow("octo/demo"), workflow("@")), (None, None));
    }

    #[test]
    fn an_event_that_makes_no_sense_leaves_what_the_environment_says() {
        let odd = json!({"pull_request": {"number": "7", "head": {"sha": "../../x"}}}).to_string();
        for payload in ["", "[", "null", "[]", "{\"pull_request\": []}", &odd] {
            let run = run("pull_request", payload, "").unwrap();
            assert_eq!((run.commit.as_str(), run.pull_request, run.without_secrets), (CHECKED_OUT, None, None));
            assert_eq!(run.api_url, "https://ghe.example/api/v3");
        }
        assert_eq!(read(&|_| None, &|_| None), None);
    }

    #[test]
    fn forks_and_dependabot_have_no_secrets() {
        let without = |name, head, actor| run(name, &pull_request(head), actor).unwrap().without_secrets;
        assert_eq!(without("pull_request", "octo/demo", "ann"), None);
        assert_eq!(without("pull_request", "ann/demo", "ann"), Some(WithoutSecrets::Fork));
        assert_eq!(without("pull_request", "", "ann"), Some(WithoutSecrets::Fork));
        assert_eq!(without("pull_request_target", "ann/demo", "ann"), None);
        assert_eq!(without("pull_request", "octo/demo", DEPENDABOT), Some(WithoutSecrets::Dependabot));
        assert_eq!(without("push", "octo/demo", DEPENDABOT), Some(WithoutSecrets::Dependabot));
    }
}
