#!/usr/bin/env bash
# The same submits and polls to other software, on the same core: FastAPI with arq and Redis
# (synced at each write), and BentoML's task queue. Makes their environments from PyPI; Redis comes
# from Debian's packages.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
peers=$(realpath -m "$target/bench/peers")

if ! command -v redis-server >/dev/null; then
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo"
    echo "bench: installing redis-server"
    # Its own service is not wanted.
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends redis-server >/dev/null
fi
environment() { # name, packages
    local name=$1
    shift
    [ -x "$peers/$name/bin/python" ] && return
    echo "bench: installing $*"
    if ! { python3 -m venv "$peers/$name" \
        && "$peers/$name/bin/pip" install --quiet --disable-pip-version-check "$@"; }; then
        rm -rf "${peers:?}/$name"
        return 1
    fi
}
environment fastapi fastapi==0.165.0 'uvicorn[standard]==0.54.0' arq==0.28.0
environment bentoml bentoml==1.4.40 || true
PEERS=$peers ${CARGO:-cargo} bench --locked -p reshoot --bench wire -- peers
