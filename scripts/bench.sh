#!/usr/bin/env bash
# Measures, and prints ratios taken in one run: absolute times of a shared machine say little.
set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target/bench"

echo "== the wire: calls a second, against a bare axum handler in the same process"
$CARGO bench --locked -p reshoot --bench wire

echo "== a clip: CPU seconds, against ffmpeg's own decode and encode of the same clip"
$CARGO build --release --locked -p reshoot
clip=samples/bigbuckbunny_720p25_5s.mp4
out="$target/bench"
cpu() { # CPU seconds of a command and its children
    local line
    line=$( { TIMEFORMAT='%U %S'; time "$@" >"$out/log" 2>&1; } 2>&1 | tail -n 1)
    awk '{printf "%.2f", $1 + $2}' <<<"$line"
}
floor() {
    ffmpeg -nostdin -v error -y -threads 2 -i "$clip" -vf fps=24 -frames:v 120 -an -c:v libx264 \
        -preset veryfast -profile:v high -crf 18 -threads 2 -pix_fmt yuv420p "$out/floor.mp4"
}
render() { "$target/release/reshoot" run --video "$clip" -o "$out/clip.mp4" "$@"; }
printf '%-34s %9s %7s\n' plan "CPU s" ratio
base=$(cpu floor)
printf '%-34s %9s %7s\n' "ffmpeg decode + x264 veryfast" "$base" 1
row() {
    local name=$1 secs
    shift
    secs=$(cpu render "$@")
    printf '%-34s %9s %7s\n' "$name" "$secs" "$(awk -v a="$secs" -v b="$base" 'BEGIN {printf "%.2f", a / b}')"
}
row "pass-through" --prompt "keep everything as it is"
row "grade only" --prompt "golden hour, slightly faded"
row "colours of an image and an element" --image samples/starry_night.jpg --element samples/apple.jpg \
    --prompt "in the colours of @Image1, put @Element1 on the grass on the left"
row "re-framed to 9:16" --aspect-ratio 9:16 --prompt "keep everything as it is"

echo "== plans, kernels and store (criterion)"
$CARGO bench --locked -p director --bench plan
$CARGO bench --locked -p kernels -- --warm-up-time 0.5 --measurement-time 2
$CARGO bench --locked -p store-sqlite -- --warm-up-time 0.5 --measurement-time 2
