#!/usr/bin/env bash
# The live page of a real run in a real Chromium: commands with the token and with another one, why the cluster waits, the
# keyboard, a phone's width, the console, requests; then eight hours of events against the page's memory. Needs Chromium and
# Node 20 or newer.
#
#   Tests/Launchers/page.sh [PROGRAM [FOLDER]]      PROGRAM is a built flowsteer, default .build/debug/flowsteer; screenshots go
#                                                   to FOLDER
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(realpath "${1:-$root/.build/debug/flowsteer}")
for tool in chromium node; do
    command -v "$tool" >/dev/null || { echo "skipped: needs $tool"; exit 0; }
done
work=$(mktemp -d)
run=
cleanup() {
    [ -z "$run" ] || { kill -TERM "$run" 2>/dev/null && wait "$run"; } || true
    rm -rf "$work"
}
trap cleanup EXIT
cat >"$work/run.yaml" <<YAML
model: $root/Cluster/teacher/emoji-scenes
trajectory: {segments: 4, steps_per_segment: 1, guidance: [2.5, 3.5], max_uses: 2}
student: {rank: 2, targets: [attn.to_q, attn.to_v]}
discriminator: {depth: 1}
training: {batch_size: 4, local_steps: 64, rounds: 100000, adversarial_start_step: 2}
cluster: {batch_samples: 8, lead_batches: 3, ping: 0.2, suspect: 1, dead: 3, grace: 10}
YAML
"$program" local --config "$work/run.yaml" --run "$work/run" --rollouts 2 --lanes 1 >"$work/local.log" 2>&1 &
run=$!
for _ in $(seq 60); do
    [ ! -s "$work/run/web.json" ] || break
    sleep 1
done
[ -s "$work/run/web.json" ] || { echo "FAILED: no page after a minute: $(tail -n 3 "$work/local.log")"; exit 1; }
# Node has had WebSocket without the flag since version 22.
flag=$(node -e 'console.log(typeof WebSocket === "undefined" ? "--experimental-websocket" : "--no-deprecation")')
TMPDIR=$work node "$flag" "$root/Tests/Launchers/page.mjs" "$work/run" "${2:-$work}"
