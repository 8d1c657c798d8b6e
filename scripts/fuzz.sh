#!/usr/bin/env bash
# Fuzzes what reads the bytes of strangers, each target for so many seconds (60). Without cargo-fuzz
# the same bodies run as property tests, with many more cases than in `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}
secs=${1:-${FUZZ_SECS:-60}}

if ! command -v cargo-fuzz >/dev/null; then
    echo "fuzz: cargo-fuzz is not installed (cargo install --locked cargo-fuzz); property tests instead"
    export PROPTEST_CASES=${PROPTEST_CASES:-20000}
    exec $CARGO test --locked -p domain -p catalog -p director -p media -p server --lib fuzz
fi

# Coverage is all that is instrumented: the code has no unsafe blocks for a sanitizer to watch, and
# so the compiler need not be a nightly one.
export RUSTC_BOOTSTRAP=1
for target in key range data_uri mp4_walker prompt; do
    echo "== fuzz: $target, $secs s"
    mkdir -p "fuzz/corpus/$target"
    $CARGO fuzz run --fuzz-dir fuzz --sanitizer none "$target" \
        "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$secs" -timeout=10 -max_len=8192 -dict="fuzz/$target.dict" -print_final_stats=1
done
