#!/usr/bin/env bash
# Installs the programs that a list of Python packages brings, unless that very list is installed already.
#   python.sh REQUIREMENTS FOLDER    afterwards they are in FOLDER/bin
set -euo pipefail
list=$1 folder=$2

if ! cmp --silent -- "$list" "$folder/requirements.txt"; then
    python3 -m venv --clear "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement "$list"
    cp -- "$list" "$folder/requirements.txt"
fi
