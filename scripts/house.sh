#!/usr/bin/env bash
# The house rules that no compiler knows.
set -euo pipefail
cd "$(dirname "$0")/.."
fail=0
say() { echo "house: $*" >&2; fail=1; }

# Files over 800 lines are to be split.
while read -r lines file; do
    [ "$lines" -le 800 ] || say "$file has $lines lines (800 at most)"
done < <(git ls-files '*.rs' | xargs wc -l | grep -v ' total$')

# One module calls functions compiled for more than the baseline; nothing else is unsafe.
while read -r file; do
    [ "$file" = crates/kernels/src/simd.rs ] || say "$file lifts the ban on unsafe code"
done < <(git grep -lE '(allow|expect|warn)\(.*unsafe_code' -- '*.rs')

# The pure crates stay free of tokio.
for crate in wire domain catalog director kernels; do
    tree=$(cargo tree --locked -q -p "$crate" -e normal) || { say "crate $crate has no dependency tree"; continue; }
    if grep -q '\btokio v' <<<"$tree"; then
        say "crate $crate depends on tokio"
    fi
done

# Arrows: who may use whom (design in ARCHITECTURE.md).
check() {
    crate=$1; shift
    for used in $(sed -n '/^\[dependencies\]/,/^\[/p' "crates/$crate/Cargo.toml" | grep -oE '^[a-z-]+' ); do
        [ -d "crates/$used" ] || continue
        case " $* " in *" $used "*) ;; *) say "crate $crate must not use $used" ;; esac
    done
}
check wire
check domain
check catalog domain
check director domain
check store domain
check store-sqlite store domain
check artifacts domain
check egress domain
check telemetry domain
check media
check pages
check kernels
check quality kernels media
check intake catalog egress media artifacts domain
check engine domain director
check roto engine media kernels director domain
check worker engine store artifacts intake egress telemetry catalog director domain
check server wire catalog pages store artifacts telemetry domain

# No code outside catalog names a field of a model (tests may).
fields='"(video_url|image_urls|frontal_image_url|reference_image_urls|keep_audio|aspect_ratio)"'
while read -r file; do
    case $file in *tests.rs | */tests/* | */benches/* | crates/catalog/* | crates/testkit/*) continue ;; esac
    if sed -e '/#\[cfg(test)\]/,$d' -e 's|//.*||' "$file" | grep -nE "$fields" >&2; then
        say "$file names a field of a model; only catalog may"
    fi
done < <(git ls-files '*.rs')

exit $fail
