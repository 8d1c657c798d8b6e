#!/usr/bin/env bash
# Opens the pages in a browser and uses them, as visitors do, against real servers that the tests
# start on free loopback ports and stop. The server is target/debug/reshoot, or what RESHOOT_BIN
# names; the browser is Debian's Chromium, or what CHROMIUM names. Pictures of all pages are left in
# target/pages. Ends with 69 where browser or tools could not be installed; `--install` does that
# and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

RESHOOT_BIN=$(realpath -m "${RESHOOT_BIN:-${CARGO_TARGET_DIR:-target}/debug/reshoot}")
export RESHOOT_BIN

missing() {
    echo "pages: NOT CHECKED, $*" >&2
    exit 69
}

need=()
CHROMIUM=${CHROMIUM:-$(command -v chromium || true)}
[ -n "$CHROMIUM" ] || need+=(chromium)
command -v node >/dev/null || need+=(nodejs)
command -v npm >/dev/null || need+=(npm)
if ((${#need[@]})); then
    command -v apt-get >/dev/null || missing "please install: ${need[*]} (there is no apt-get on this machine)"
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo"
    echo "pages: installing ${need[*]}"
    { $sudo apt-get update -qq \
        && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null; } \
        || missing "${need[*]} could not be installed"
fi
export CHROMIUM=${CHROMIUM:-$(command -v chromium)}

cd crates/pages
if ! cmp -s package-lock.json node_modules/.installed; then
    echo "pages: installing the tools of crates/pages/package.json"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || missing "npm could not install its packages"
    cp package-lock.json node_modules/.installed
fi
[ "${1:-}" = --install ] && exit
[ -x "$RESHOOT_BIN" ] || { echo "pages: there is no $RESHOOT_BIN; \`make pages\` builds it" >&2; exit 1; }
echo "pages: types"
npx --no-install tsc -p jsconfig.json
rm -f ../../target/pages/failed-*.png
echo "pages: tests, with $(node --version)"
# Two at once: while one waits for a clip, another has the browser.
node --test --test-concurrency=2 tests/*.test.mjs
