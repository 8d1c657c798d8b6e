#!/usr/bin/env bash
# The long rounds: the kill -9 test of the whole server again and again, each time from the start,
# then simulated histories, then fuzzing.
set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}
rounds=${1:-${SOAK_ROUNDS:-20}}
for n in $(seq "$rounds"); do
    echo "== soak: round $n of $rounds (ten kills each)"
    $CARGO test --locked -p reshoot --test e2e crash
done
echo "== soak: simulated histories"
SIM_SEEDS=${SIM_SEEDS:-0..5000} ./scripts/sim.sh
./scripts/fuzz.sh "${FUZZ_SECS:-300}"
