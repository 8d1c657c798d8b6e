#!/usr/bin/env bash
# Measures, and prints ratios taken in one run: absolute times of a shared machine say little.
set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target/bench"

echo "== the wire and the queue: the server on one core, the load on the other"
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
base=$(cpu floor)
row() { # name, CPU seconds, what they are divided by, aim
    printf '%-42s %9s %8s  %s\n' "$1" "$2" "$(awk -v a="$2" -v b="$3" 'BEGIN {printf "%.2f", a / b}')" "${4:-}"
}
plan() { # name, aim, arguments of `reshoot run`
    local name=$1 aim=$2
    shift 2
    row "$name" "$(cpu render "$@")" "$base" "$aim"
}
printf '%-42s %9s %8s  %s\n' "plan" "CPU s" "x floor" aim
row "ffmpeg decode + x264 veryfast (the floor)" "$base" "$base"
plan "pass-through" "" --prompt "keep everything as it is"
plan "grade only" "at most 1.6" --prompt "golden hour, slightly faded"
plan "colours of an image and an element" "" --image samples/starry_night.jpg \
    --element samples/apple.jpg \
    --prompt "in the colours of @Image1, put @Element1 on the grass on the left"
plan "re-framed to 9:16" "" --aspect-ratio 9:16 --prompt "keep everything as it is"
plan "rain" "" --prompt "heavy rain"
plan "oil painting" "at most 3" --prompt "as an oil painting"
plan "example-based" "at most 12, 7 wished" --image samples/starry_night.jpg \
    --prompt "in the style of @Image1"

echo "== against other software, CPU seconds on the same frames"
printf '%-42s %9s %8s  %s\n' "" "CPU s" "ours / it" aim
passed=$(cpu render --prompt "keep everything as it is")
beyond() { awk -v a="$1" -v b="$2" 'BEGIN {d = a - b; printf "%.2f", (d > 0.01 ? d : 0.01)}'; }
over() { # name, our CPU s, name of the other, its CPU s, aim
    row "$1" "$2" "$4" "${5:-}"
    printf '%-42s %9s\n' "  $3" "$4"
}
cube="$out/warm.cube"
awk 'BEGIN {print "LUT_3D_SIZE 33"; for (b = 0; b < 33; b++) for (g = 0; g < 33; g++)
    for (r = 0; r < 33; r++) print r / 32, g / 32 * 0.95, b / 32 * 0.85}' >"$cube"
decoded() {
    ffmpeg -nostdin -v error -y -threads 2 -i "$clip" -vf "fps=24$1" -frames:v 120 -an -f null -
}
bare=$(cpu decoded "")
graded=$(cpu render --prompt "golden hour, slightly faded")
lut=$(cpu decoded ",format=gbrp,lut3d=$cube:interp=tetrahedral,format=yuv420p")
over "our grade, analysis included" "$(beyond "$graded" "$passed")" "ffmpeg lut3d" "$(beyond "$lut" "$bare")"
slow=$(cpu render --prompt "slow motion at half speed")
mci=$(cpu decoded ",trim=end=2.5,setpts=2*PTS,minterpolate=fps=24:mi_mode=mci")
over "our slow motion" "$(beyond "$slow" "$passed")" "ffmpeg minterpolate (mci)" "$(beyond "$mci" "$bare")" "at most 0.125"
oil=$(cpu render --prompt "as an oil painting")
venv="$out/venv"
if [ ! -x "$venv/bin/python" ]; then
    { python3 -m venv "$venv" && "$venv/bin/pip" -q install opencv-python-headless numpy; } >"$out/venv.log" 2>&1 || rm -rf "$venv"
fi
if [ -x "$venv/bin/python" ]; then
    cv=$(cpu "$venv/bin/python" scripts/bench-opencv.py stylization "$clip" 12)
    none=$(cpu "$venv/bin/python" scripts/bench-opencv.py nothing "$clip" 12)
    cv=$(awk -v a="$cv" -v b="$none" 'BEGIN {printf "%.2f", 10 * (a - b)}')
    over "our oil painting" "$(beyond "$oil" "$passed")" "OpenCV stylization (12 frames, times 10)" "$cv"
fi

echo "== flow: how far from the truth, and for how long on one thread (720p)"
$CARGO run --release --locked -q -p kernels --example flow -- "$out/flow"
if [ -x "$venv/bin/python" ]; then
    "$venv/bin/python" scripts/bench-opencv.py flow "$out/flow"
else
    echo "OpenCV's rows are left out: it could not be installed (see $out/venv.log)"
fi

echo "== memory: the most of all processes together, 10 s from a 1080p reference, aim 1.5 GiB"
big="$out/1080p.mp4"
ffmpeg -nostdin -v error -y -stream_loop 1 -i "$clip" -vf scale=1920:1080 -t 10 -an -c:v libx264 \
    -preset veryfast "$big"
peak() { # name, arguments of `reshoot run`
    local name=$1 most=0 now pid
    shift
    "$target/release/reshoot" run --video "$big" --duration 10 -o "$out/clip.mp4" "$@" >"$out/log" 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        now=$(ps -o pid=,ppid=,rss= -A | awk -v root="$pid" '
            {parent[$1] = $2; rss[$1] = $3}
            END {for (p in rss) {q = p; while (q > 1 && q != root) q = parent[q]; if (q == root) sum += rss[p]}
                print sum + 0}')
        [ "$now" -gt "$most" ] && most=$now
        sleep 0.2
    done
    wait "$pid" || { cat "$out/log"; return 1; }
    printf '%-42s %9s MiB\n' "$name" $((most / 1024))
}
peak "grade" --prompt "golden hour"
peak "backwards" --prompt "play it in reverse"
peak "example-based" --image samples/starry_night.jpg --prompt "in the style of @Image1"

echo "== the progress bar: points of 100 of the time when it reaches 90 %, its largest distance from the time, aim 15"
bar() { # name, arguments of `reshoot run`
    local name=$1 told
    shift
    told=$(python3 scripts/bench-bar.py "$target/release/reshoot" run --video "$clip" -o "$out/clip.mp4" "$@" 2>&1)
    printf '%-42s %9s %8s\n' "$name" $told
}
bar "grade" --prompt "golden hour, slightly faded"
bar "rain" --prompt "heavy rain"
bar "slow motion" --prompt "slow motion at half speed"
bar "oil painting" --prompt "as an oil painting"
bar "example-based" --image samples/starry_night.jpg --prompt "in the style of @Image1"

echo "== pictures"
"$target/release/reshoot" bench quality --out "$out/quality"

echo "== plans, kernels and store (criterion)"
$CARGO bench --locked -p director --bench plan
$CARGO bench --locked -p kernels -- --warm-up-time 0.5 --measurement-time 2
$CARGO bench --locked -p store-sqlite -- --warm-up-time 0.5 --measurement-time 2
