//! Check runs: one of our own, or the one that the job has already.

use serde::Serialize;

use super::api::{Api, Verb};
use super::error::ApiError;
use crate::github::Run;
use crate::publish::Content;
use crate::render::{Annotation, Level};

/// GitHub takes so many annotations in one request; later requests add to them.
const MOST_ANNOTATIONS: usize = 50;
/// The longest summary, in characters; ours counts bytes, which are never fewer.
const MOST_SUMMARY: usize = 65_535;
/// The longest title.
const MOST_TITLE: usize = 255;

/// A new check run: completed at once, so that nothing is ever left in progress.
#[derive(Serialize)]
struct NewCheck<'a> {
    name: &'a str,
    head_sha: &'a str,
    external_id: &'a str,
    status: &'a str,
    conclusion: &'a str,
    output: Output<'a>,
}

/// A change of nothing but the output: status and conclusion of a job's check are GitHub's.
#[derive(Serialize)]
struct Change<'a> {
    output: Output<'a>,
}

#[derive(Serialize)]
struct Output<'a> {
    title: &'a str,
    summary: &'a str,
    annotations: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    path: &'a str,
    start_line: u32,
    end_line: u32,
    annotation_level: &'a str,
    title: &'a str,
    message: &'a str,
}

/// Creates a check run of the name on the commit of the run.
///
/// # Errors
/// GitHub does not take it.
pub async fn create(api: &Api, run: &Run, name: &str, content: Content<'_>) -> Result<(), ApiError> {
    let pages = Pages::of(content);
    let check = NewCheck {
        name,
        head_sha: &run.commit,
        external_id: &run.attempt,
        status: "completed",
        conclusion: content.conclusion(),
        output: pages.output(pages.batch(0)),
    };
    let created = api.send(Verb::Post, "/check-runs", Some(&check)).await?;
    let id = created["id"].as_u64().ok_or(ApiError::Odd("it has no id"))?;
    pages.send(api, id, 1).await
}

/// Writes into the check run that the job has.
///
/// # Errors
/// GitHub does not take it.
pub async fn write(api: &Api, id: u64, content: Content<'_>) -> Result<(), ApiError> {
    Pages::of(content).send(api, id, 0).await
}

/// What a check run shows.
struct Pages {
    title: String,
    summary: String,
    annotations: Vec<Annotation>,
}

impl Pages {
    fn of(content: Content) -> Self {
        let title = content.title().chars().take(MOST_TITLE).collect();
        Self { title, summary: content.markdown(MOST_SUMMARY), annotations: content.annotations() }
    }

    /// The annotations of one request; none behind the last.
    fn batch(&self, number: usize) -> &[Annotation] {
        self.annotations.chunks(MOST_ANNOTATIONS).nth(number).unwrap_or_default()
    }

    fn output<'a>(&'a self, annotations: &'a [Annotation]) -> Output<'a> {
        Output { title: &self.title, summary: &self.summary, annotations: annotations.iter().map(item).collect() }
    }

    /// Sends what comes from the batch `first` on; the first one of all even if it is empty.
    async fn send(&self, api: &Api, id: u64, first: usize) -> Result<(), ApiError> {
        let batches = self.annotations.len().div_ceil(MOST_ANNOTATIONS).max(1);
        for number in first..batches {
            let change = Change { output: self.output(self.batch(number)) };
            api.send(Verb::Patch, &format!("/check-runs/{id}"), Some(&change)).await?;
        }
        Ok(())
    }
}

fn item(annotation: &Annotation) -> Item<'_> {
    Item {
        path: &annotation.path,
        start_line: annotation.line,
        end_line: annotation.line,
        annotation_level: match annotation.level {
            Level::Failure => "failure",
            Level::Warning => "warning",
            Level::Notice => "notice",
        },
        title: &annotation.title,
        message: &annotation.message,
    }
}
