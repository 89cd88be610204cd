#!/usr/bin/env bash
# Distils the shipped teacher on this machine: one coordinator, two rollout workers and two trainer workers.
set -euo pipefail

usage='usage: Scripts/demo.sh [--run DIR]    (DIR is where the run is kept; default runs/demo)'
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
run=$root/runs/demo

while [ $# -gt 0 ]; do
    case $1 in
        --run)
            [ $# -ge 2 ] || { echo "$usage" >&2; exit 64; }
            run=$2
            shift 2
            ;;
        --run=*)
            run=${1#--run=}
            shift
            ;;
        -h | --help)
            echo "$usage"
            exit 0
            ;;
        *)
            echo "unknown argument '$1'" >&2
            echo "$usage" >&2
            exit 64
            ;;
    esac
done

"$root/Scripts/setup.sh"
swift build --package-path "$root" -c release --product flowsteer
flowsteer=$(swift build --package-path "$root" -c release --show-bin-path)/flowsteer

# Ends with the evaluation table, and where the samples, the report and the exported student lie.
exec "$flowsteer" local --config "$root/Cluster/emoji.yaml" --run "$run" --rollouts 2 --trainers 2
