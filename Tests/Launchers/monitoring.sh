#!/usr/bin/env bash
# A real Prometheus with the alert rules scrapes a real run: the dashboard's queries have data, the rules are healthy and
# silent; then nodes die, the coordinator ends, and the alerts that tell of it fire. Needs Debian's prometheus, curl, jq.
#
#   Tests/Launchers/monitoring.sh [PROGRAM]     PROGRAM is a built flowsteer; default: .build/debug/flowsteer
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(realpath "${1:-$root/.build/debug/flowsteer}")
for tool in prometheus promtool curl jq; do
    command -v "$tool" >/dev/null || { echo "skipped: needs $tool"; exit 0; }
done
work=$(mktemp -d)
processes=()

cleanup() {
    for pid in "${processes[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${processes[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
step() { echo "-- $1"; }
fail() { echo "FAILED: $1"; exit 1; }
# within SECONDS COMMAND …: tries it once a second until it succeeds.
within() {
    for _ in $(seq "$1"); do
        if "${@:2}"; then return 0; fi
        sleep 1
    done
    return 1
}

step "a run"
cat >"$work/run.yaml" <<YAML
model: $root/Cluster/teacher/emoji-scenes
trajectory: {segments: 4, steps_per_segment: 1, guidance: [2.5, 3.5], max_uses: 2}
student: {rank: 2, targets: [attn.to_q, attn.to_v]}
discriminator: {depth: 1}
training: {batch_size: 4, local_steps: 8, rounds: 100000, adversarial_start_step: 2}
cluster: {batch_samples: 8, lead_batches: 3, ping: 0.2, suspect: 1, dead: 3, grace: 10}
YAML
"$program" local --config "$work/run.yaml" --run "$work/run" --lanes 1 >"$work/local.log" 2>&1 &
run=$!
processes+=("$run")
within 60 test -s "$work/run/web.json" || fail "no page after a minute: $(tail -n 3 "$work/local.log")"
face=127.0.0.1:$(jq .port "$work/run/web.json")
curl -sf "http://$face/metrics" | promtool check metrics || fail "promtool does not like the metrics"

step "Prometheus"
cp "$root/Cluster/monitoring/alerts.yml" "$work"
sed -e "s/127.0.0.1:9700/$face/" -e 's/scrape_interval: 5s/&\n  evaluation_interval: 2s/' \
    "$root/Cluster/monitoring/prometheus.yml" >"$work/prometheus.yml"
grep -q "$face" "$work/prometheus.yml" || fail "prometheus.yml names another address than 127.0.0.1:9700"
monitor=127.0.0.1:$((20000 + RANDOM % 10000))
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" --web.listen-address="$monitor" \
    >"$work/prometheus.log" 2>&1 &
processes+=($!)
within 30 curl -sf -o "$work/ready" "http://$monitor/-/ready" || fail "Prometheus is not ready: $(tail -n 3 "$work/prometheus.log")"

# The dashboard's queries, a line each, with what Grafana would put in for its variables.
jq -r '.panels[].targets[]?.expr' "$root/Cluster/monitoring/grafana.json" |
    sed -e "s/\$instance/$face/g" -e 's/\$__rate_interval/20s/g' >"$work/queries"
answers() {
    curl -sf "http://$monitor/api/v1/query" --data-urlencode "query=$1" |
        jq -e '.status == "success" and (.data.result | length > 0) and all(.data.result[].value[1]; . != "NaN")' >/dev/null
}
unanswered() {
    while read -r query; do answers "$query" || echo "$query"; done <"$work/queries"
}
all_answer() { [ -z "$(unanswered)" ]; }
within 120 all_answer || fail "no data for $(unanswered)"
echo "$(wc -l <"$work/queries") queries of the dashboard, all have data: of trouble, that there was none"

step "rules"
rules() { curl -sf "http://$monitor/api/v1/rules" | jq -r ".data.groups[].rules[] | $1"; }
evaluated() { [ -z "$(rules 'select(.health != "ok") | .name')" ]; }
within 30 evaluated || fail "not evaluated: $(rules 'select(.health != "ok") | "\(.name): \(.lastError)"')"
[ -z "$(rules 'select(.state == "firing") | .name')" ] || fail "fires in a run without trouble: $(rules 'select(.state == "firing") | .name')"
echo "$(rules .name | wc -l) rules healthy, none fires"
fires() { [ -n "$(rules "select(.name == \"$1\" and .state == \"firing\") | .name")" ]; }

step "nodes die"
count() { grep -cE "\"kind\":\"($1)\"" "$work/run/events.jsonl" || true; }
# A sixth death within a minute would end the run: a local one then gives up.
for _ in 1 2 3 4; do
    died=$(count 'died|replaced') joined=$(count joined)
    within 30 pkill -KILL -P "$run" -f rollout-worker || fail "no rollout worker to kill"
    # One that is killed before it has joined again is no node yet.
    is_back() { [ "$(count joined)" -gt "$joined" ]; }
    within 60 is_back || fail "a rollout worker that does not come back"
    [ "$(count 'died|replaced')" -gt "$died" ] || fail "a death that no event tells of"
done
shows_trouble() {
    curl -sf "http://$monitor/api/v1/query" --data-urlencode "query=$(grep events_total "$work/queries")" |
        jq -e 'any(.data.result[].value[1]; tonumber > 0)' >/dev/null
}
within 15 shows_trouble || fail "$(count 'died|replaced') nodes died and the dashboard does not show it"
within 30 fires FlowSteerNodesDie || fail "$(count 'died|replaced') nodes died and no alert fires"

step "the coordinator ends"
kill -TERM "$run"
within 120 fires FlowSteerCoordinatorDown || fail "the coordinator is gone and no alert fires"
echo "monitoring: dashboard and alerts work on a real run"
