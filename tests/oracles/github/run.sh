#!/bin/sh
# The oracle for what is sent to GitHub and what comes from there, made from GitHub's own packages:
#   build/api.json      GitHub's description of the part of its API that is used, which Prism holds requests against
#   build/events.jsonl  GitHub's examples of events: a line for the name, and one for the payload
# A second run has nothing left to do.
set -eu
cd "$(dirname "$0")"

is_newer() { [ "$1" -nt package-lock.json ] && [ "$1" -nt cut.mjs ]; }
if is_newer build/api.json && is_newer build/events.jsonl && [ node_modules/.package-lock.json -nt package-lock.json ]; then
    exit 0
fi

npm ci --silent --no-audit --no-fund
rm -rf build
mkdir build
node cut.mjs build
# 400 MB, of which the part above is used.
rm -rf node_modules/@octokit
