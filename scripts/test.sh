#!/usr/bin/env bash
# Every test that CI runs. The last line is the test runner's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}
step() { echo "== $1 (after $((SECONDS / 60)) min $((SECONDS % 60)) s)"; }

# The browser comes while the lint has the processor; what goes wrong is said where it is needed.
./scripts/pages.sh --install >/dev/null 2>&1 &
browser=$!
./scripts/lint.sh
step "simulated histories"
./scripts/sim.sh
step "traces"
# Of the whole workspace, so that it shares what the tests below need; it adds a dozen crates.
$CARGO test --workspace --locked --features reshoot/otlp --test otlp
step "the contract"
# Built as the tests below need it, so that nothing is compiled twice with other features.
# Not --all-targets: that would also build the benches. Examples have no tests; clippy compiles them.
tests=(test --workspace --locked --no-fail-fast --lib --bins --tests)
$CARGO "${tests[@]}" --no-run
# A machine without PyPI still runs everything else.
./scripts/schemathesis.sh || [ $? -eq 69 ]
step "the pages"
# Nor does a browser have to be there.
wait "$browser" || true
./scripts/pages.sh || [ $? -eq 69 ]
step "tests"
$CARGO "${tests[@]}"
