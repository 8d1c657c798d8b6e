#!/usr/bin/env bash
# The long rounds: kill -9 under load, 200 times on one data folder, then kills at chosen moments,
# faults of disk, database, descriptors and ffmpeg, simulated histories, and fuzzing.
#
# KILL_ROUNDS and KILL_SEED choose the kills; what each round saw goes as a row into
# target/soak/kills.md, a table as in docs/reliability.md.
set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}
export KILL_ROUNDS=${1:-${KILL_ROUNDS:-200}}
export KILL_SEED=${KILL_SEED:-$RANDOM}
export KILL_JOURNAL=$PWD/target/soak/kills.md

mkdir -p target/soak
cat >"$KILL_JOURNAL" <<TABLE
Seed $KILL_SEED, $KILL_ROUNDS rounds, commit $(git rev-parse --short HEAD).

| round | children | acknowledged | repeated | succeeded | failed | cancelled | messages |
|---|---|---|---|---|---|---|---|
TABLE
echo "== soak: $KILL_ROUNDS kills under load, seed $KILL_SEED; the table: $KILL_JOURNAL"
$CARGO test --locked -p reshoot --test e2e kills:: -- --nocapture
echo "== soak: kills at chosen moments, and faults"
$CARGO test --locked -p reshoot --test e2e crash:: -- --nocapture
$CARGO test --locked -p reshoot --test e2e faults:: -- --nocapture
echo "== soak: simulated histories"
SIM_SEEDS=${SIM_SEEDS:-0..5000} ./scripts/sim.sh
./scripts/fuzz.sh "${FUZZ_SECS:-300}"
