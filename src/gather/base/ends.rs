//! Between which commits a change lies.

use std::path::Path;

use crate::git::{Git, GitError, ObjectId};
use crate::github::Proposal;
use crate::text::harmless;

/// The commits that a change lies between.
#[derive(Debug)]
pub struct Ends {
    /// The repository that has them.
    pub git: Git,
    /// What is checked out.
    pub head: ObjectId,
    /// Where the change begins: what it has changed since, it has changed itself.
    pub start: ObjectId,
    /// The tip of the base branch: where it will go.
    pub tip: ObjectId,
    /// What commands call it: `origin/main`.
    pub name: String,
    /// Whether GitHub is to merge it, and no deploy comes before that.
    pub is_pull_request: bool,
}

/// Why nobody can say what the change is.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Hidden {
    /// A mistake of who calls.
    #[error("--base `{}` names no commit that is here{}\n  help: fetch it first, or name a branch, tag or commit of this clone; actions/checkout fetches all of them with the line `fetch-depth: 0`", harmless(.revision), because(.why))]
    Unknown {
        /// What was given.
        revision: String,
        /// Why git could not even look.
        why: Option<GitError>,
    },
    /// The history is cut off before the base.
    #[error("what the change does to migrations was not looked at, because the clone is shallow and lacks its base: give actions/checkout the line `fetch-depth: {depth}`{}", if *.depth == 0 { " (elsewhere: `git fetch --unshallow`)" } else { "" })]
    Shallow {
        /// How much of it is needed; 0 is all.
        depth: u8,
    },
    /// The base was never fetched.
    #[error(
        "what the change does to migrations was not looked at, because the clone lacks its base branch: give actions/checkout the line `fetch-depth: 0`, or fetch the branch"
    )]
    Absent,
    /// The change and its base have nothing in common.
    #[error("what the change does to migrations was not looked at, because it has no commit in common with its base")]
    Unrelated,
    /// A partial clone lacks what files held.
    #[error(
        "what the change does to some migrations was not looked at, because the clone is partial and lacks what they were: clone without `filter`"
    )]
    Partial,
    /// git does not answer.
    #[error("what the change does to migrations was not looked at: {0}")]
    Git(#[from] GitError),
}

fn because(why: &Option<GitError>) -> String {
    why.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
}

impl Hidden {
    /// Whether a flag is to blame, so that the run ends.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

/// Finds the ends of the change below `root`: since the commit that is `given`, else as GitHub proposes it. None where
/// there is no change to speak of.
///
/// # Errors
/// git does not know, for a reason that is told.
pub fn find(root: &Path, given: Option<&str>, proposal: Option<&Proposal>) -> Result<Option<Ends>, Hidden> {
    let unknown = |why| given.map(|revision| Hidden::Unknown { revision: revision.to_owned(), why });
    let opened = || {
        let git = Git::open(root)?;
        let head = git.commit("HEAD")?;
        Ok::<_, GitError>((git, head))
    };
    if given.is_none() && proposal.is_none() {
        return Ok(None);
    }
    let (git, head) = opened().map_err(|error| unknown(Some(error.clone())).unwrap_or(Hidden::Git(error)))?;
    let head = head.ok_or_else(|| unknown(None).unwrap_or(Hidden::Absent))?;
    let (start, tip) = match (given, proposal) {
        (Some(revision), _) => {
            let tip = git.commit(revision)?.ok_or_else(|| unknown(None).unwrap_or(Hidden::Absent))?;
            (fork(&git, &head, &tip)?, tip)
        }
        (None, Some(Proposal { is_group: true, base, .. })) => {
            let base = here(&git, base.as_deref())?.ok_or_else(|| absent(&git))?;
            (base.clone(), base)
        }
        (None, Some(proposal)) => of_pull_request(&git, &head, proposal)?,
        (None, None) => return Ok(None),
    };
    tracing::debug!(%head, %start, %tip, "the change lies between these commits");
    let branch = proposal.and_then(|proposal| proposal.branch.as_ref()).map(|branch| format!("origin/{branch}"));
    let name = given.map(str::to_owned).or(branch).unwrap_or_else(|| tip.to_string());
    Ok(Some(Ends { git, head, start, tip, name, is_pull_request: proposal.is_some() }))
}

/// Where a pull request begins, and the tip of its base branch.
fn of_pull_request(git: &Git, head: &ObjectId, proposal: &Proposal) -> Result<(ObjectId, ObjectId), Hidden> {
    let is_merged = proposal.merged.as_deref().is_some_and(|merged| merged.eq_ignore_ascii_case(head.as_str()));
    let parents = git.parents(head)?;
    let tip = tip(git, proposal)?;
    match &parents[..] {
        // GitHub has merged it into its base already: what the base has beside it is none of its doing.
        [base, second] if is_merged || proposal.head.as_deref() == Some(second.as_str()) => {
            let has_moved_on = |tip: &ObjectId| git.is_ancestor(base, tip);
            let tip = match tip {
                Some(tip) if has_moved_on(&tip)? => tip,
                _ => base.clone(),
            };
            return Ok((base.clone(), tip));
        }
        [] if is_merged && git.is_shallow() => return Err(Hidden::Shallow { depth: 2 }),
        _ => {}
    }
    let tip = tip.ok_or_else(|| absent(git))?;
    Ok((fork(git, head, &tip)?, tip))
}

/// The tip of the base branch as it was fetched, or as the event tells: the newer one.
fn tip(git: &Git, proposal: &Proposal) -> Result<Option<ObjectId>, GitError> {
    let branch = proposal.branch.as_ref().map(|branch| format!("refs/remotes/origin/{branch}"));
    Ok(match (here(git, branch.as_deref())?, here(git, proposal.base.as_deref())?) {
        (Some(fetched), Some(told)) if git.is_ancestor(&fetched, &told)? => Some(told),
        (fetched, told) => fetched.or(told),
    })
}

fn here(git: &Git, revision: Option<&str>) -> Result<Option<ObjectId>, GitError> {
    revision.map_or(Ok(None), |revision| git.commit(revision))
}

/// Where a branch left its base: what others have done there since is none of its doing.
fn fork(git: &Git, head: &ObjectId, tip: &ObjectId) -> Result<ObjectId, Hidden> {
    let cut_off = || if git.is_shallow() { Hidden::Shallow { depth: 0 } } else { Hidden::Unrelated };
    git.merge_base(head, tip)?.ok_or_else(cut_off)
}

fn absent(git: &Git) -> Hidden {
    if git.is_shallow() { Hidden::Shallow { depth: 0 } } else { Hidden::Absent }
}
