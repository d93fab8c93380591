//! The workflow.

use indexmap::IndexSet;

use super::Proposal;
use super::yaml::scalar;
use crate::inputs::CONFIG_FILE;

/// Its text.
pub(super) fn text(proposal: &Proposal) -> String {
    let secret = |name: String| format!("          {name}: ${{{{ secrets.{name} }}}}\n");
    let environments = &proposal.promotion.environments;
    let names = environments.iter().flat_map(|name| proposal.secrets(name)).map(|(_, name)| name);
    let secrets: String = names.collect::<IndexSet<String>>().into_iter().map(secret).collect();
    let branch = scalar(&proposal.branch);
    format!("{HEAD}    branches: [{branch}]\n{JOB}          # the variables that {CONFIG_FILE} names\n{secrets}")
}

const HEAD: &str = "\
# Would every service start against the databases of every environment? Require the job `migrations` in the ruleset of the
# branch, and a pull request says so before it is merged. Written by `migration-preflight init`.
name: migration-preflight
on:
  pull_request:
  merge_group:
  push:
";

const JOB: &str = "\
permissions: {}
concurrency:
  group: ${{ github.workflow }}-${{ github.ref }}
  cancel-in-progress: ${{ github.event_name == 'pull_request' }}
jobs:
  migrations:
    name: migrations
    runs-on: ubuntu-latest
    timeout-minutes: 10
    permissions:
      contents: read
      checks: write # for the check with its annotations
    steps:
      # Pin both to the hash of a commit: `uses: actions/checkout@HASH # v7`.
      - uses: actions/checkout@v7
        with:
          fetch-depth: 0 # who changed what, and what the base has
          persist-credentials: false
      - uses: OWNER/migration-preflight@v1
        env:
";
