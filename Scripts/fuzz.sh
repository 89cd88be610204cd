#!/usr/bin/env bash
# Looks for inputs that break a reader of bytes from outside, with libFuzzer and AddressSanitizer:
#   Scripts/fuzz.sh codec|safetensors|manifest [--seconds N] [--minimise]
# It begins with the inputs in Tests/Fixtures/Fuzzing/TARGET and those of earlier runs, which .build-fuzz keeps, and
# ends after N seconds (60 by default) or with the first input that breaks something: that is saved, and the exit code
# is not 0. --minimise then replaces the committed inputs, but for those whose names are words-with-hyphens, by fewer that
# reach about as much.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    sed -n '3s/^# *//p' "${BASH_SOURCE[0]}" >&2
    exit 64
}

target=${1:-}
[[ $target =~ ^(codec|safetensors|manifest)$ ]] || usage
shift
seconds=60
minimise=false
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) [[ ${2:-} =~ ^[0-9]+$ ]] || usage; seconds=$2; shift 2 ;;
        --minimise) minimise=true; shift ;;
        *) usage ;;
    esac
done

export FLOWSTEER_FUZZ=$target
swift build -c release --sanitize=address --scratch-path .build-fuzz --product fuzz
fuzz=$(swift build -c release --scratch-path .build-fuzz --show-bin-path)/fuzz

committed=Tests/Fixtures/Fuzzing/$target
found=.build-fuzz/corpus/$target
findings=.build-fuzz/findings
mkdir -p "$committed" "$found" "$findings"
# An input is a file to some readers: in memory, where there is such a folder, it costs no disk.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm

status=0
"$fuzz" -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$findings/$target-" "$found" "$committed" || status=$?
if [ "$status" -ne 0 ]; then
    echo "fuzz: the input that broke '$target' is the newest file in $findings; keep it in $committed when it is mended" >&2
    exit "$status"
fi

if $minimise; then
    fewest=$(mktemp -d)
    # Without counters what matters is whether a place was reached, not how often. Of those that are left the largest
    # reach the most: a few tens are enough to begin with.
    "$fuzz" -set_cover_merge=1 -use_counters=0 -max_len=1024 "$fewest" "$committed" "$found"
    find "$committed" -type f -name '[0-9a-f]*' -not -name '*-*' -delete
    find "$fewest" -type f -printf '%s %p\n' | sort -rn | head -n 99 | cut -d ' ' -f 2 | xargs -I{} mv {} "$committed"
    rm -r "$fewest"
fi
echo "fuzz: '$target' bore everything for $seconds s; $(find "$found" -type f | wc -l) inputs found, $(find "$committed" -type f | wc -l) committed"
