//! `init`: a configuration and a workflow for what stands in a repository.

use std::path::Path;

use crate::cli::InitArgs;
use crate::git::Git;
use crate::init::{self, Proposal};
use crate::inputs::survey::Survey;
use crate::publish;

/// Looks at the repository, tells what it finds, and writes what is not there yet; a dry run prints it instead.
///
/// # Errors
/// There is nothing to configure, or a file cannot be written.
pub fn init(args: &InitArgs) -> anyhow::Result<u8> {
    let survey = Survey::of_here()?;
    let branch = Git::open(&survey.root).and_then(|git| git.default_branch()).ok().flatten();
    let proposal = Proposal::of(&survey, branch)?;
    for (path, why) in &survey.found.unread {
        publish::warn(&format!("`{path}` was not read: {why}"));
    }
    proposal.told().iter().for_each(|line| publish::say(line));
    let mut is_new = Vec::new();
    for (path, text) in proposal.files() {
        if args.dry_run {
            publish::say(&format!("--- {path}"));
            text.lines().for_each(publish::say);
            continue;
        }
        let written = publish::create(&survey.root, Path::new(path), &text)
            .map_err(|error| anyhow::anyhow!("`{path}` cannot be written: {error}"))?;
        publish::say(&match written {
            true => format!("wrote {path}"),
            false => format!("left {path} as it is: it is there already"),
        });
        is_new.push(written);
    }
    if let [config, workflow] = is_new[..] {
        init::next(&proposal, config, workflow).iter().for_each(|line| publish::say(line));
    }
    Ok(0)
}
