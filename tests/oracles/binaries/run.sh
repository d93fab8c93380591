#!/bin/sh
# Builds the oracle for binaries, services of three versions of sqlx that migrate when they start, in two ways each:
#   target/oracles/binaries/sqlx-VERSION/debug/NAME      as `cargo build` does
#   target/oracles/binaries/sqlx-VERSION/release/NAME    fat LTO, as small as can be, stripped
# A second run has nothing left to do.
set -eu
cd "$(dirname "$0")"
target=$PWD/../../../target/oracles/binaries

# The versions cannot share a lock file: they link to different versions of SQLite.
build() (
    out=$target/sqlx-$1
    if [ -e "$out/done" ] && [ -z "$(find . ../../../rust-toolchain.toml -type f -newer "$out/done")" ]; then
        exit 0
    fi
    cd "sqlx-$1"
    export CARGO_TARGET_DIR="$out/build"
    # For LTO, whatever is built needs its bitcode. cargo leaves it out where it is not asked for LTO.
    export RUSTFLAGS='-C embed-bitcode=yes' CARGO_INCREMENTAL=0
    cargo build --locked --quiet
    mkdir -p "$out/debug" "$out/release"
    for source in src/bin/*.rs; do
        name=$(basename "$source" .rs)
        cp "$CARGO_TARGET_DIR/debug/$name" "$out/debug/$name"
    done
    for name in inline twins-fixed renumbered; do
        cargo rustc --locked --quiet --bin "$name" -- \
            -C lto=fat -C opt-level=z -C codegen-units=1 -C panic=abort -C strip=symbols
        cp "$CARGO_TARGET_DIR/debug/$name" "$out/release/$name"
    done
    touch "$out/done"
)

jobs=
for version in 0.7 0.8 0.9; do
    build $version &
    jobs="$jobs $!"
done
failed=0
for job in $jobs; do
    wait "$job" || failed=1
done
exit $failed
