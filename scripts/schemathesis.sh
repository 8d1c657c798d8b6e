#!/usr/bin/env bash
# Calls everything that /openapi.json describes, with input made from its schemas, well-formed and
# not, and holds each reply against it. Starts a server of its own on a free loopback port and
# stops it. The server is target/debug/reshoot, or what RESHOOT_BIN names. Ends with 69 where the
# tester could not be installed.
set -euo pipefail
cd "$(dirname "$0")/.."

version=4.32.5
venv=$PWD/target/schemathesis-$version
reshoot=$(realpath "${RESHOOT_BIN:-${CARGO_TARGET_DIR:-target}/debug/reshoot}")
examples=${SCHEMATHESIS_EXAMPLES:-30}
seed=${SCHEMATHESIS_SEED:-1}
checks=not_a_server_error,status_code_conformance,content_type_conformance
checks=$checks,response_schema_conformance,response_headers_conformance
checks=$checks,unsupported_method,allow_header_conformance,ignored_auth,missing_required_header
checks=$checks,ensure_resource_availability,use_after_free

if [ ! -x "$venv/bin/schemathesis" ]; then
    echo "contract: installing schemathesis $version"
    mkdir -p target
    if ! { python3 -m venv "$venv" \
        && "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"; }; then
        rm -rf "$venv"
        echo "contract: NOT CHECKED, schemathesis could not be installed (python3-venv, PyPI)" >&2
        exit 69
    fi
fi

work=$(mktemp -d)
server=""
finish() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT

key=$("$reshoot" keys create contract --role admin --data "$work/data")
"$reshoot" serve --workers 0 --listen 127.0.0.1:0 --data "$work/data" \
    >"$work/out" 2>"$work/log" &
server=$!
base=""
for _ in $(seq 200); do
    base=$(sed -n 's/^listening on //p' "$work/out")
    [ -n "$base" ] && break
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done
[ -n "$base" ] || { echo "contract: the server did not come up" >&2; cat "$work/log" >&2; exit 1; }
echo "contract: server at $base"

# Files are found by an address that nobody can make up.
file=$(curl --silent --show-error --fail --header "Authorization: Bearer $key" \
    --data-binary @samples/apple.jpg "$base/v1/files" | sed -n 's/.*"url":"\([^"]*\)".*/\1/p')
[ -n "$file" ] || { echo "contract: the upload has no url" >&2; exit 1; }
cat >"$work/schemathesis.toml" <<END
[[operations]]
include-path = "/files/{token}/{name}"
parameters = { token = "$(basename "$(dirname "$file")")", name = "$(basename "$file")" }
# Nothing runs here, so nothing ends: whoever waits would wait his whole time, and a stream of
# events would never end. Both have tests of their own.
[[operations]]
include-operation-id = ["getStatus", "getResult"]
parameters = { wait = 0 }
[[operations]]
include-operation-id = "streamEvents"
enabled = false
END

# In a folder of its own: what the tester leaves behind goes with it.
cd "$work"
status=0
timeout "${SCHEMATHESIS_SECS:-900}" "$venv/bin/schemathesis" --no-color run "$base/openapi.json" \
    --header "Authorization: Bearer $key" --checks "$checks" --phases examples,coverage,fuzzing,stateful \
    --max-examples "$examples" --seed "$seed" --generation-database none \
    --continue-on-failure --request-timeout 20 ${SCHEMATHESIS_ARGS:-} || status=$?
if ! kill -0 "$server" 2>/dev/null; then
    echo "contract: the server is gone" >&2
    status=1
fi
if grep -E "panicked|ERROR" "$work/log" >&2; then
    echo "contract: the server's log has the errors above" >&2
    status=1
fi
exit "$status"
