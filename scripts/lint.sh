#!/usr/bin/env bash
# Formatting, clippy, house rules, documentation without broken links, licences where cargo-deny is there.
set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}

./scripts/house.sh
$CARGO fmt --all --check
$CARGO clippy --workspace --all-targets --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" $CARGO doc --workspace --no-deps --locked --quiet
if command -v cargo-deny >/dev/null; then
    $CARGO deny --offline check bans licenses sources
else
    echo "lint: cargo-deny is not installed; licences and bans were not checked (cargo install cargo-deny)"
fi
