//! A small GitHub: it keeps the check runs and the comments that it is given, and answers as GitHub's description says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::stand_in::{Reply, Request, StandIn};

/// The check run that GitHub made for the job.
pub const JOB_CHECK: &str = "5";
const REPOSITORY: &str = "https://api.github.com/repos/octo/demo";
const TIME: &str = "2025-12-28T10:00:00Z";

/// A check run, and whatever was annotated in it.
#[derive(Debug, Clone, Default)]
pub struct Check {
    pub name: String,
    pub head: String,
    pub conclusion: Value,
    pub title: String,
    pub summary: String,
    pub annotations: Vec<Value>,
}

#[derive(Debug, Clone)]
pub struct Comment {
    pub id: u64,
    pub author: &'static str,
    pub body: String,
}

/// What GitHub holds of the repository.
#[derive(Debug, Default)]
pub struct Held {
    pub checks: BTreeMap<u64, Check>,
    pub comments: Vec<Comment>,
}

pub struct Hub {
    pub server: StandIn,
    held: Arc<Mutex<Held>>,
}

impl Hub {
    pub fn start() -> Self {
        let held: Arc<Mutex<Held>> = Arc::default();
        let known = held.clone();
        let server = StandIn::answering(move |_, request| known.lock().unwrap().answer(request));
        Self { server, held }
    }

    pub fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }

    /// Forgets everything but the check run of the job, and puts these comments under the pull request.
    pub fn reset(&self, comments: Vec<Comment>) {
        let job = Check { name: "preflight".into(), ..Check::default() };
        *self.held() = Held { checks: BTreeMap::from([(number(JOB_CHECK), job)]), comments };
        self.server.take();
    }
}

impl Held {
    fn answer(&mut self, request: &Request) -> Reply {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let Some(path) = path.strip_prefix("/repos/octo/demo/") else { return not_found() };
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["check-runs"]) => {
                let id = 40 + self.checks.len() as u64;
                self.checks.insert(id, Check::default());
                self.check(201, id, &request.json())
            }
            ("PATCH", ["check-runs", id]) => self.check(200, number(id), &request.json()),
            ("GET", ["issues", "7", "comments"]) => {
                let value = |name: &str| {
                    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                    pairs.filter(|(key, _)| *key == name).map(|(_, value)| number(value) as usize).next()
                };
                let (page, size) = (value("page").unwrap_or(1), value("per_page").unwrap_or(30));
                let shown = self.comments.iter().skip((page - 1) * size).take(size).map(comment);
                answer(200, &Value::from(shown.collect::<Vec<_>>()))
            }
            ("POST", ["issues", "7", "comments"]) => {
                let id = 900 + self.comments.len() as u64;
                let body = request.json()["body"].as_str().unwrap().to_owned();
                self.comments.push(Comment { id, author: "Bot", body });
                answer(201, &comment(self.comments.last().unwrap()))
            }
            ("PATCH", ["issues", "comments", id]) => {
                let Some(known) = self.comments.iter_mut().find(|known| known.id == number(id)) else {
                    return not_found();
                };
                known.body = request.json()["body"].as_str().unwrap().to_owned();
                answer(200, &comment(known))
            }
            ("DELETE", ["issues", "comments", id]) => {
                let before = self.comments.len();
                self.comments.retain(|known| known.id != number(id));
                if self.comments.len() < before { Reply::json(204, "") } else { not_found() }
            }
            _ => not_found(),
        }
    }

    /// Takes over what a request says of a check run; annotations are added to those that there are.
    fn check(&mut self, status: u16, id: u64, body: &Value) -> Reply {
        let Some(check) = self.checks.get_mut(&id) else { return not_found() };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let is_job = id == number(JOB_CHECK);
        if is_job && (body.get("status").is_some() || body.get("conclusion").is_some()) {
            return answer(403, &json!({"message": "the status of a job is not yours to change"}));
        }
        if status == 201 {
            (check.name, check.head) = (text(&body["name"]), text(&body["head_sha"]));
            check.conclusion = body["conclusion"].clone();
        }
        (check.title, check.summary) = (text(&body["output"]["title"]), text(&body["output"]["summary"]));
        check.annotations.extend(body["output"]["annotations"].as_array().into_iter().flatten().cloned());
        let url = format!("{REPOSITORY}/check-runs/{id}");
        let check = json!({
            "id": id, "node_id": "CR_1", "head_sha": check.head, "name": check.name, "url": url, "html_url": url,
            "details_url": url, "external_id": "", "started_at": TIME, "app": null, "pull_requests": [],
            "status": if is_job { "in_progress" } else { "completed" }, "check_suite": {"id": 1},
            "completed_at": if is_job { Value::Null } else { TIME.into() }, "conclusion": check.conclusion,
            "output": {
                "title": check.title, "summary": check.summary, "text": null,
                "annotations_count": check.annotations.len(), "annotations_url": format!("{url}/annotations"),
            },
        });
        answer(status, &check)
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap()
}

fn answer(status: u16, body: &Value) -> Reply {
    Reply::json(status, &body.to_string()).with("content-type", "application/json; charset=utf-8")
}

fn not_found() -> Reply {
    answer(404, &json!({"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}))
}

fn comment(comment: &Comment) -> Value {
    let url = format!("{REPOSITORY}/issues/comments/{}", comment.id);
    let mut user = json!({"login": "somebody", "id": 1, "node_id": "U_1", "site_admin": false, "type": comment.author});
    for name in [
        "avatar",
        "events",
        "followers",
        "following",
        "gists",
        "html",
        "organizations",
        "received_events",
        "repos",
        "starred",
        "subscriptions",
    ] {
        user[format!("{name}_url")] = "https://api.github.com/users/somebody".into();
    }
    user["gravatar_id"] = "".into();
    user["url"] = "https://api.github.com/users/somebody".into();
    json!({
        "id": comment.id, "node_id": "IC_1", "url": url, "html_url": url, "issue_url": format!("{REPOSITORY}/issues/7"),
        "body": comment.body, "user": user, "created_at": TIME, "updated_at": TIME, "author_association": "NONE",
    })
}
