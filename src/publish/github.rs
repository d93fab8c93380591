//! Publishes a report to GitHub: a check, and a comment on the pull request. What fails is told, and gives way to what
//! works without the API; it never changes the verdict.

mod api;
mod checks;
mod comment;
mod error;

use std::cell::OnceCell;
use std::time::Duration;

use super::Content;
use crate::github::{Destination, ReportTo, Run};
use api::Api;
use error::ApiError;

/// What became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// Whether the annotations are left to commands in the log.
    pub annotations_left: bool,
    /// What went wrong, each in a sentence.
    pub problems: Vec<String>,
}

/// Publishes in the way that was asked for; `auto` takes the first way that works. One request may take as
/// long as `timeout`.
pub async fn to_github(content: Content<'_>, to: &Destination, timeout: Duration) -> Published {
    let way_to = WayTo { destination: to, timeout, api: OnceCell::new() };
    let mut published = Published::default();
    let ways: &[ReportTo] = match to.report {
        ReportTo::None => &[],
        ReportTo::Auto => &[ReportTo::JobCheck, ReportTo::CheckRun, ReportTo::Annotations],
        ReportTo::JobCheck => &[ReportTo::JobCheck, ReportTo::Annotations],
        ReportTo::CheckRun => &[ReportTo::CheckRun, ReportTo::Annotations],
        ReportTo::Annotations => &[ReportTo::Annotations],
    };
    for way in ways {
        match way_to.report(*way, content).await {
            Ok(Done::Yes) => break,
            Ok(Done::LeftToTheLog) => {
                published.annotations_left = true;
                break;
            }
            // What is not there on an Enterprise server or for another event is no problem of `auto`.
            Err(Obstacle::Absent(_)) if to.report == ReportTo::Auto => {}
            Err(obstacle) => published.problems.push(format!("{}: {obstacle}", way.what())),
        }
    }
    if to.comment
        && let Err(obstacle) = way_to.comment(content).await
    {
        published.problems.push(format!("the comment on the pull request: {obstacle}"));
    }
    published
}

/// What came of one way to report.
enum Done {
    Yes,
    LeftToTheLog,
}

/// Why a way leads nowhere.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    /// Something that it needs is not there.
    #[error("{0}")]
    Absent(&'static str),
    /// GitHub did not do it.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// How GitHub is reached.
struct WayTo<'a> {
    destination: &'a Destination,
    timeout: Duration,
    /// Made when it is first needed: it reads the certificates of the system.
    api: OnceCell<Result<Api, ApiError>>,
}

impl WayTo<'_> {
    async fn report(&self, way: ReportTo, content: Content<'_>) -> Result<Done, Obstacle> {
        match way {
            ReportTo::JobCheck => {
                let absent = Obstacle::Absent("this server does not tell which check run the job has");
                let id = self.destination.job_check.ok_or(absent)?;
                checks::write(self.api()?.0, id, content).await?;
                Ok(Done::Yes)
            }
            ReportTo::CheckRun => {
                let (api, run) = self.api()?;
                checks::create(api, run, &self.destination.check_name, content).await?;
                Ok(Done::Yes)
            }
            ReportTo::Auto | ReportTo::Annotations | ReportTo::None => Ok(Done::LeftToTheLog),
        }
    }

    async fn comment(&self, content: Content<'_>) -> Result<(), Obstacle> {
        let (api, run) = self.api()?;
        // A push or a schedule has no pull request to comment on.
        let Some(pull_request) = run.pull_request else { return Ok(()) };
        Ok(comment::keep(api, pull_request, &self.destination.check_name, content).await?)
    }

    fn api(&self) -> Result<(&Api, &Run), Obstacle> {
        let Destination { run, token, .. } = self.destination;
        let run = run.as_ref().ok_or(Obstacle::Absent("this is no run of a workflow on GitHub"))?;
        let token = token.as_ref().ok_or(Obstacle::Absent("there is no token: set GITHUB_TOKEN for the step"))?;
        let api = self.api.get_or_init(|| Api::new(run, token, self.timeout));
        Ok((api.as_ref().map_err(Clone::clone)?, run))
    }
}
