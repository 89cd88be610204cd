#!/usr/bin/env bash
# Guards against slower code: builds this working tree and the revision REV, runs the same benchmarks with both in
# turns, and prints how many times as long this tree takes. Exits with 1 when something takes more than 10 % longer.
#
#   Scripts/bench-compare.sh [--turns N] [--only WORDS] REV      (default 7 turns, at least 5; all benchmarks)
#
# --only runs the benchmarks whose line has these words, as in --only 'train --shape tiny'. Both sides must know
# `flowsteer benchmark`. Run it on a machine that does nothing else.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
usage='usage: Scripts/bench-compare.sh [--turns N] [--only WORDS] REV'
limit=1.10
turns=7
revision=
only=

benchmarks=(
    'forward --shape tiny'
    'forward --shape small --batch 2'
    'train --shape tiny --mode lora'
    'train --shape tiny --mode full'
    'train --shape tiny --discriminator'
    'train --shape small --batch 2 --mode lora'
    'train --shape sd3-block --mode lora'
    'rollout --shape emoji --steps 4'
    'sample --shape emoji --batch 1'
)

while [ $# -gt 0 ]; do
    case $1 in
        -h | --help)
            sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        --turns)
            [ $# -ge 2 ] || { echo "$usage" >&2; exit 64; }
            turns=$2
            shift 2
            ;;
        --only)
            [ $# -ge 2 ] || { echo "$usage" >&2; exit 64; }
            only=$2
            shift 2
            ;;
        -*)
            echo "unknown option '$1'; $usage" >&2
            exit 64
            ;;
        *)
            [ -z "$revision" ] || { echo "$usage" >&2; exit 64; }
            revision=$1
            shift
            ;;
    esac
done
[[ -n $revision && $turns =~ ^[0-9]+$ && $turns -ge 5 ]] || { echo "$usage, N at least 5" >&2; exit 64; }
commit=$(git -C "$root" rev-parse --verify --quiet "$revision^{commit}") || {
    echo "bench-compare: $revision is no revision of this repository" >&2
    exit 64
}

work=$(mktemp -d)
clean() {
    git -C "$root" worktree remove --force "$work/tree" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
git -C "$root" worktree add --quiet --detach "$work/tree" "$commit"

# Builds a tree and prints where its program is.
built() {
    swift build --package-path "$1" -c release --product flowsteer >&2
    echo "$(swift build --package-path "$1" -c release --show-bin-path)/flowsteer"
}
new=$(built "$root")
old=$(built "$work/tree")
"$old" help benchmark >/dev/null 2>&1 || {
    echo "bench-compare: $revision has no 'flowsteer benchmark' to compare with" >&2
    exit 64
}

# Milliseconds of one benchmark, the median of its runs.
milliseconds() {
    local program=$1
    shift
    "$program" benchmark "$@" --repetitions 3 --budget 0 --json | sed -n 's/.*"milliseconds":\([0-9.e+-]*\).*/\1/p'
}

median() {
    sort -g "$1" | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

printf '%-44s %12s %12s %8s\n' benchmark "${revision:0:12} ms" 'now ms' ratio
slower=0
for benchmark in "${benchmarks[@]}"; do
    [[ $benchmark == *"$only"* ]] || continue
    read -ra arguments <<<"$benchmark"
    : >"$work/old"
    : >"$work/new"
    for ((turn = 0; turn < turns; turn++)); do
        milliseconds "$old" "${arguments[@]}" >>"$work/old"
        milliseconds "$new" "${arguments[@]}" >>"$work/new"
    done
    before=$(median "$work/old")
    now=$(median "$work/new")
    mark=$(awk -v old="$before" -v new="$now" -v limit="$limit" 'BEGIN { if (new > limit * old) print "  slower" }')
    [ -z "$mark" ] || slower=1
    awk -v name="$benchmark" -v old="$before" -v new="$now" -v mark="$mark" \
        'BEGIN { printf "%-44s %12.1f %12.1f %8.3f%s\n", name, old, new, new / old, mark }'
done
exit "$slower"
