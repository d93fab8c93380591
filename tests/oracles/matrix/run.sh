#!/bin/sh
# The oracle for workflows: GitHub's own parser and expressions.
#   run.sh                           regenerates the expansions beside tests/fixtures/workflows/*.yml
#   run.sh --check                   compares them instead, exit 1 if they differ
#   run.sh --random COUNT SEED FILE  makes random workflows with their expansions, for MATRIX_CORPUS
#   run.sh --parse FILE...           parses workflows and action.yml files, exit 1 where GitHub would refuse one
set -eu
started=$PWD
cd "$(dirname "$0")"
fixtures=../../fixtures/workflows

if [ "${1-}" = --random ]; then
    [ $# = 4 ] || { sed -n '2,6p' run.sh >&2; exit 2; }
    case $4 in /*) file=$4 ;; *) file=$started/$4 ;; esac
fi

[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund
mkdir -p build
npx --no-install esbuild oracle.mjs check.mjs --bundle --platform=node --format=cjs --log-level=warning \
    --outdir=build --out-extension:.js=.cjs

case ${1-} in
    '') node build/oracle.cjs fixtures $fixtures $fixtures ;;
    --check)
        rm -rf build/fixtures
        mkdir build/fixtures
        node build/oracle.cjs fixtures $fixtures build/fixtures
        cp $fixtures/*.yml build/fixtures
        diff -ru $fixtures build/fixtures || { echo 'the committed expansions differ from the oracle' >&2; exit 1; }
        ;;
    --random) node build/oracle.cjs random "$2" "$3" "$file" ;;
    --parse)
        shift
        here=$PWD
        cd "$started"
        node "$here/build/check.cjs" "$@"
        ;;
    *) sed -n '2,6p' run.sh >&2; exit 2 ;;
esac
