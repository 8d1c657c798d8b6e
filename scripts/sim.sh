#!/usr/bin/env bash
# Simulated histories: the first seeds, or those of SIM_SEEDS=from..to, each of which replays byte
# for byte. The workspace is one of its own (sim/).
set -euo pipefail
cd "$(dirname "$0")/../sim"
${CARGO:-cargo} test --locked --no-fail-fast
