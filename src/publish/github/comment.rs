//! One comment on the pull request that is kept up to date, and gone when there is nothing to say.

use serde::Serialize;

use super::api::{Api, Verb};
use super::error::ApiError;
use crate::publish::Content;

/// The longest comment, in characters.
const MOST_COMMENT: usize = 65_536;
/// How many comments GitHub hands out at a time.
const PAGE: usize = 100;
/// No pull request has more comments than would fit on so many pages.
const MOST_PAGES: usize = 100;

#[derive(Serialize)]
struct Body {
    body: String,
}

/// Brings the comment of this `name` on the pull request up to date. It is found by an invisible mark, on whichever
/// page it stands.
///
/// # Errors
/// GitHub does not take it.
pub async fn keep(api: &Api, pull_request: u64, name: &str, content: Content<'_>) -> Result<(), ApiError> {
    // A name may hold what ends a comment of HTML.
    let name: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let mark = format!("<!-- migration-preflight: {name} -->\n");
    let body = Body { body: mark.clone() + &content.markdown(MOST_COMMENT - mark.len()) };
    match (find(api, pull_request, &mark).await?, content.is_clean()) {
        (None, true) => Ok(()),
        (None, false) => send(api, Verb::Post, &format!("/issues/{pull_request}/comments"), Some(&body)).await,
        (Some(id), true) => send(api, Verb::Delete, &format!("/issues/comments/{id}"), None).await,
        (Some(id), false) => send(api, Verb::Patch, &format!("/issues/comments/{id}"), Some(&body)).await,
    }
}

async fn send(api: &Api, verb: Verb, path: &str, body: Option<&Body>) -> Result<(), ApiError> {
    api.send(verb, path, body).await.map(|_| ())
}

/// The comment that begins with the mark and was written by an app: anybody may write the mark.
async fn find(api: &Api, pull_request: u64, mark: &str) -> Result<Option<u64>, ApiError> {
    for page in 1..=MOST_PAGES {
        let path = format!("/issues/{pull_request}/comments?per_page={PAGE}&page={page}");
        let comments = api.send(Verb::Get, &path, None::<&Body>).await?;
        // Taken for none, each run would add another comment.
        let comments = comments.as_array().ok_or(ApiError::Odd("it is no list"))?;
        let is_ours = |comment: &&serde_json::Value| {
            let body = comment["body"].as_str().unwrap_or_default().replace("\r\n", "\n");
            body.starts_with(mark) && comment["user"]["type"] == "Bot"
        };
        if let Some(ours) = comments.iter().find(is_ours) {
            return Ok(ours["id"].as_u64());
        }
        if comments.len() < PAGE {
            break;
        }
    }
    Ok(None)
}
