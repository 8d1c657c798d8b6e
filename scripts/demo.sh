#!/usr/bin/env bash
# The main job on real input, as a client would do it: uploads, submits, polls, downloads.
# Starts a server of its own on a free loopback port and stops it. Last line: the clip's path.
set -euo pipefail
cd "$(dirname "$0")/.."

reshoot=${RESHOOT_BIN:-target/release/reshoot}
out=target/demo
rm -rf "$out"
mkdir -p "$out"

key=$("$reshoot" keys create demo --data "$out/data")
# There before the server is: the loop below may look first.
: >"$out/serve.out"
"$reshoot" serve --listen 127.0.0.1:0 --data "$out/data" >"$out/serve.out" 2>"$out/serve.log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT

base=""
for _ in $(seq 200); do
    base=$(sed -n 's/^listening on //p' "$out/serve.out")
    [ -n "$base" ] && break
    kill -0 "$server" 2>/dev/null || { cat "$out/serve.log" >&2; exit 1; }
    sleep 0.1
done
[ -n "$base" ] || { echo "demo: the server did not come up; see $out/serve.log" >&2; exit 1; }
echo "demo: server at $base"

# The text of one field of a flat JSON object on standard input.
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1; }
call() { curl --silent --show-error --fail-with-body --header "Authorization: Bearer $key" "$@"; }
upload() { call --header "Content-Type: $2" --data-binary "@$1" "$base/v1/files" | field url; }

video=$(upload samples/bigbuckbunny_720p25_5s.mp4 video/mp4)
style=$(upload samples/starry_night.jpg image/jpeg)
apple=$(upload samples/apple.jpg image/jpeg)
echo "demo: uploaded a video, a style image and an element"

submitted=$(call --header "Content-Type: application/json" \
    --url "$base/v1/models/kling/kling-video-o1/video-to-video/reference" --data "{
  \"prompt\": \"Keep the motion of @Video1, in the colours of @Image1, at dusk. Put @Element1 on the grass on the left.\",
  \"video_url\": \"$video\",
  \"keep_audio\": true,
  \"elements\": [{\"frontal_image_url\": \"$apple\"}],
  \"image_urls\": [\"$style\"],
  \"duration\": \"5\"
}")
id=$(printf '%s' "$submitted" | field request_id)
echo "demo: submitted $id"

state=""
for _ in $(seq 600); do
    now=$(call "$base/v1/requests/$id/status" | field status)
    [ "$now" = "$state" ] || echo "demo: $now"
    state=$now
    case $state in completed | cancelled) break ;; esac
    sleep 0.5
done

result=$(call "$base/v1/requests/$id/result")
clip=$(printf '%s' "$result" | field video)
if [ -z "$clip" ]; then
    echo "demo: there is no clip: $result" >&2
    exit 1
fi
curl --silent --show-error --fail --output "$out/clip.mp4" "$clip"
call "$base/v1/requests/$id" >"$out/record.json"
ffprobe -v error -select_streams v -count_packets -of default=nw=1 \
    -show_entries stream=codec_name,profile,pix_fmt,width,height,r_frame_rate,nb_read_packets,color_space "$out/clip.mp4"
ffprobe -v error -select_streams a -of default=nw=1 -show_entries stream=codec_name,channels,sample_rate "$out/clip.mp4"
echo "$PWD/$out/clip.mp4"
