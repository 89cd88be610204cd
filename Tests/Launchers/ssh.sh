#!/usr/bin/env bash
# Scripts/launch-ssh.sh on four machines that are network namespaces with an sshd each: starts, watches, kills a node,
# starts it again, stops. Needs root and Debian's openssh-server and iproute2.
#
#   Tests/Launchers/ssh.sh [PROGRAM]     PROGRAM is a built flowsteer; default: .build/debug/flowsteer
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(realpath "${1:-$root/.build/debug/flowsteer}")
[ "$(id -u)" -eq 0 ] && [ -x /usr/sbin/sshd ] || { echo "skipped: needs root and openssh-server"; exit 0; }
work=$(mktemp -d)
prefix=fs$$
nodes=(coordinator rollout-1 rollout-2 trainer-1)
daemons=()

cleanup() {
    "$root/Scripts/launch-ssh.sh" kill --hosts "$work/hosts" --dir "$work/nodes" >/dev/null 2>&1 || true
    for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
    for node in hub "${nodes[@]}"; do ip netns delete "$prefix-$node" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
step() { echo "-- $1"; }
fail() { echo "FAILED: $1"; exit 1; }

step "four machines on a bridge, with an sshd each"
ip netns add "$prefix-hub"
ip -n "$prefix-hub" link add bridge type bridge
ip -n "$prefix-hub" link set bridge up
ip -n "$prefix-hub" address add 10.78.0.254/24 dev bridge
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
ssh-keygen -q -t ed25519 -N '' -f "$work/person"
cp "$work/person.pub" "$work/authorized_keys"
mkdir -p /run/sshd
for index in "${!nodes[@]}"; do
    node=${nodes[$index]} space=$prefix-${nodes[$index]}
    ip netns add "$space"
    ip -n "$space" link set lo up
    ip link add eth0 netns "$space" type veth peer name "v$index" netns "$prefix-hub"
    ip -n "$prefix-hub" link set "v$index" master bridge up
    ip -n "$space" address add "10.78.0.$((index + 1))/24" dev eth0
    ip -n "$space" link set eth0 up
    ip netns exec "$space" /usr/sbin/sshd -D -f /dev/null -h "$work/host" -o "AuthorizedKeysFile=$work/authorized_keys" \
        -o StrictModes=no -o PasswordAuthentication=no -o UsePAM=no -o PidFile=none -E "$work/sshd-$node" &
    daemons+=($!)
    extra=''
    [ "$node" != rollout-2 ] || extra='--lanes 1'
    echo "$node ${node%%-*} root@10.78.0.$((index + 1)) 10.78.0.$((index + 1)) $extra" >>"$work/hosts"
done
# The person sits at the hub.
export LAUNCH_SSH="ip netns exec $prefix-hub ssh -o BatchMode=yes -o StrictHostKeyChecking=no \
-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i $work/person"
cat >"$work/run.yaml" <<YAML
model: $root/Cluster/teacher/emoji-scenes
trajectory: {segments: 4, steps_per_segment: 1, guidance: [2.5, 3.5], max_uses: 2}
student: {rank: 2, targets: [attn.to_q, attn.to_v]}
discriminator: {depth: 1}
training: {batch_size: 4, local_steps: 4, rounds: 1000, adversarial_start_step: 2}
cluster: {batch_samples: 4, lead_batches: 3, ping: 0.2, suspect: 1, dead: 3, grace: 10}
YAML
launch() { "$root/Scripts/launch-ssh.sh" "$@" --hosts "$work/hosts" --dir "$work/nodes"; }
started() { launch start --config "$work/run.yaml" --model "$root/Cluster/teacher/emoji-scenes" --flowsteer "$program" --limit 60; }
events=$work/nodes/coordinator/run/events.jsonl
count() { if [ -e "$events" ]; then grep -c "\"kind\":\"$1\"" "$events" || true; else echo 0; fi; }
until_committed() {
    for _ in $(seq 600); do
        [ "$(count roundCommitted)" -lt "$1" ] || return 0
        sleep 0.1
    done
    tail -n 3 "$work"/nodes/*/logs/*/*.err
    fail "round $1 is not committed after a minute: $(launch status --flowsteer "$program")"
}

step "start"
started
until_committed 2
[ "$(count joined)" -eq 3 ] || fail "$(count joined) workers joined: expected 3"
step "starting twice changes nothing"
[ "$(started | grep -c 'runs already')" -eq 4 ] || fail "a node was started twice"
[ "$(count started)" -eq 1 ] || fail "a second coordinator ran"
step "status"
launch status --flowsteer "$program"
step "a node that was killed is started again, alone"
kill -9 "$(cut -d ' ' -f 1 "$work/nodes/rollout-1/pid")"
sleep 0.5
launch status --flowsteer "$program" | grep 'rollout-1.*exit code 137' || fail "its end is not told"
[ "$(started | grep -c 'runs already')" -eq 3 ] || fail "expected one start"
until_committed $(($(count roundCommitted) + 2))
step "stop"
before=$(count roundCommitted) left=$(count left)
launch stop --limit 60 | tee "$work/stopped"
[ "$(grep -c 'exit code 0' "$work/stopped")" -eq 4 ] || fail "not all four ended in peace"
[ "$(count left)" -eq $((left + 3)) ] || fail "not all three workers said goodbye"
[ "$(count voided)" -eq 0 ] && [ "$(count excluded)" -eq 0 ] || fail "the drain cost a round"
step "logs"
launch logs "$work/logs" >/dev/null
[ "$(find "$work/logs" -name '*.err' | wc -l)" -eq 5 ] || fail "expected five logs, one an attempt: $(find "$work/logs")"
step "it goes on where it was"
started >/dev/null
until_committed $((before + 2))
launch stop --limit 60 >/dev/null
"$program" ledger check "$work/nodes/coordinator/run"
pgrep -f "$work/nodes" >/dev/null && fail "something of it still runs"
echo "4 nodes: started, killed, started again, stopped, gone on with"
