#!/usr/bin/env bash
# House rules, formatting, clippy, documentation without broken links, and licences where cargo-deny is there.
set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}

echo "== house rules"
./scripts/house.sh
echo "== formatting"
$CARGO fmt --all --check
(cd sim && $CARGO fmt --all --check)
echo "== clippy"
$CARGO clippy --workspace --all-targets --locked -- -D warnings
$CARGO clippy --workspace --all-targets --locked --features reshoot/otlp -- -D warnings
(cd sim && $CARGO clippy --all-targets --locked -- -D warnings)
echo "== documentation"
RUSTDOCFLAGS="-D warnings" $CARGO doc --workspace --no-deps --locked --quiet
(cd sim && RUSTDOCFLAGS="-D warnings" $CARGO doc --no-deps --locked --quiet)
if command -v cargo-deny >/dev/null; then
    echo "== licences, bans, sources"
    $CARGO deny check bans licenses sources
else
    echo "lint: cargo-deny is not installed; licences and bans were not checked (cargo install --locked cargo-deny)"
fi
