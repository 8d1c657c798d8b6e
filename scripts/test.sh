#!/usr/bin/env bash
# Every test that CI runs. The last line is the test runner's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}

./scripts/lint.sh
echo "== simulated histories"
./scripts/sim.sh
echo "== traces"
# Of the whole workspace, so that it shares what the tests below need; it adds a dozen crates.
$CARGO test --workspace --locked --features reshoot/otlp --test otlp
echo "== the contract"
$CARGO build --workspace --locked --bins
# A machine without PyPI still runs everything else.
./scripts/schemathesis.sh || [ $? -eq 69 ]
echo "== the pages"
# Nor does a browser have to be there.
./scripts/pages.sh || [ $? -eq 69 ]
echo "== tests"
# Not --all-targets: that would also run the benches.
$CARGO test --workspace --locked --no-fail-fast --lib --bins --tests --examples
