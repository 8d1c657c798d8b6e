#!/usr/bin/env bash
# Installs what is missing, says what it does, and does nothing where nothing is missing.
set -euo pipefail

need=()
command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || need+=(ffmpeg)
command -v curl >/dev/null || need+=(curl)
command -v cc >/dev/null || need+=(gcc libc6-dev)
command -v python3 >/dev/null || need+=(python3-minimal)
python3 -c 'import ensurepip, venv' 2>/dev/null || need+=(python3-venv)
# A clock that tests can set; it has no command of its own.
compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || need+=(libfaketime)

if ((${#need[@]})); then
    if ! command -v apt-get >/dev/null; then
        echo "setup: please install: ${need[*]} (there is no apt-get on this machine)" >&2
        exit 1
    fi
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo"
    echo "setup: installing ${need[*]}"
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
fi

if ! command -v cargo >/dev/null; then
    echo "setup: the Rust toolchain is missing; see https://rustup.rs" >&2
    exit 1
fi
