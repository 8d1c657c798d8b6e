#!/usr/bin/env bash
# Renders the cases, measures them, and puts table and pictures into docs/quality.md.
set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}
target=${CARGO_TARGET_DIR:-target}
out="$target/bench/quality"
$CARGO build --release --locked -p reshoot
status=0
"$target/release/reshoot" bench quality --out "$out" || status=$?
table=$(cat "$out/quality.md")
awk -v table="$table" '
    /^<!-- table -->$/ { print; print table; skip = 1; next }
    /^<!-- end of table -->$/ { skip = 0 }
    !skip' docs/quality.md >"$out/docs.md"
mv "$out/docs.md" docs/quality.md
mkdir -p docs/images/quality
for sheet in "$out"/*.png; do
    name=$(basename "$sheet" .png)
    ffmpeg -nostdin -v error -y -i "$sheet" -vf scale=1200:-2 -q:v 6 "docs/images/quality/$name.jpg"
done
exit "$status"
