#!/usr/bin/env bash
# Cluster/slurm/flowsteer.sbatch under a real slurmctld and three slurmd on this machine: the job begins, is preempted by a
# job that matters more, drains, is requeued, goes on, and runs to its end; a cancelled one is not brought back. Needs
# root and Debian's slurmctld, slurmd, slurm-client and munge.
#
#   Tests/Launchers/slurm.sh [PROGRAM]     PROGRAM is a built flowsteer; default: .build/debug/flowsteer
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(realpath "${1:-$root/.build/debug/flowsteer}")
for command in slurmctld slurmd sbatch munged; do
    command -v "$command" >/dev/null || { echo "skipped: there is no $command"; exit 0; }
done
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 0; }
work=$(mktemp -d)
chmod 755 "$work"
daemons=()
cleanup() {
    scancel --quiet --user root 2>/dev/null || true
    # A slurmd does not end before its jobs.
    for _ in $(seq 60); do
        [ -n "$(squeue --noheader 2>/dev/null)" ] || break
        sleep 0.5
    done
    for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
    sleep 2
    for pid in "${daemons[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap cleanup EXIT
step() { echo "-- $1"; }
fail() {
    echo "FAILED: $1"
    tail -n 40 "$work"/*.log "$work"/run/logs/*.log 2>/dev/null || true
    exit 1
}

step "munged, slurmctld and slurmd"
host=$(hostname -s)
nodes=(node1 node2 node3)
mkdir -p "$work/munge" "$work/state"
chmod 700 "$work/munge"
head -c 1024 /dev/urandom >"$work/munge/key"
chmod 400 "$work/munge/key"
munged --foreground --force --key-file "$work/munge/key" --socket "$work/munge.socket" --pid-file "$work/munge/pid" \
    --log-file "$work/munge/log" --seed-file "$work/munge/seed" &
daemons+=($!)
# A requeued job waits until the credentials of its first start have expired: two minutes by default.
cat >"$work/slurm.conf" <<CONF
ClusterName=flowsteer
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket,cred_expire=5
CredType=cred/munge
SlurmctldPort=16817
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd-%n.pid
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool-%n
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,requeue_delay=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
KillWait=5
ReturnToService=2
$(for i in 0 1 2; do echo "NodeName=${nodes[$i]} NodeAddr=127.0.0.1 Port=1682$i CPUs=2 State=UNKNOWN"; done)
PartitionName=patient Nodes=ALL PriorityTier=1 GraceTime=60 Default=YES MaxTime=INFINITE State=UP
PartitionName=urgent Nodes=ALL PriorityTier=10 PreemptMode=OFF MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$work/slurm.conf
slurmctld -D -c &
daemons+=($!)
# Parts of a heterogeneous job are put on different nodes; a node is known by its host's name.
for node in "${nodes[@]}"; do
    mkdir -p "$work/spool-$node"
    unshare --uts bash -c 'hostname "$1"; exec slurmd -D -c -N "$1"' _ "$node" &
    daemons+=($!)
done
for _ in $(seq 100); do
    [ "$(sinfo --noheader --Node --format=%T --partition=patient 2>/dev/null | grep -c idle)" -lt 3 ] || break
    sleep 0.2
done
sinfo
[ "$(sinfo --noheader --Node --format=%T --partition=patient | grep -c idle)" -eq 3 ] || fail "the nodes do not come up"

cat >"$work/run.yaml" <<YAML
model: $root/Cluster/teacher/emoji-scenes
trajectory: {segments: 4, steps_per_segment: 1, guidance: [2.5, 3.5], max_uses: 2}
student: {rank: 2, targets: [attn.to_q, attn.to_v]}
discriminator: {depth: 1}
training: {batch_size: 4, local_steps: 4, rounds: 60, adversarial_start_step: 2}
cluster: {batch_samples: 4, lead_batches: 3, ping: 0.2, suspect: 1, dead: 3, grace: 10}
YAML
# One CPU a task, of the two that each node claims to have.
sed -e 's/^#SBATCH --ntasks=1 .*/#SBATCH --ntasks=1/' -e 's/^#SBATCH --ntasks=4 .*/#SBATCH --ntasks=2/' \
    -e 's/^#SBATCH --ntasks=2 .*/#SBATCH --ntasks=1/' "$root/Cluster/slurm/flowsteer.sbatch" >"$work/flowsteer.sbatch"
events=$work/run/events.jsonl
count() { if [ -e "$events" ]; then grep -c "\"kind\":\"$1\"" "$events" || true; else echo 0; fi; }
state() { squeue --noheader --format=%T --job "$1" 2>/dev/null | head -n 1; }
until_true() {
    local what=$1
    shift
    for _ in $(seq 400); do
        if "$@"; then return 0; fi
        sleep 0.2
    done
    fail "$what: not after 80 s; $(squeue 2>&1)"
}
submit() {
    sbatch --parsable --output="$work/job-%j.log" --chdir="$work" \
        --export="ALL,RUN_CONFIGURATION=$work/run.yaml,RUN_MODEL=$root/Cluster/teacher/emoji-scenes,RUN_FOLDER=$work/run,RUN_PROGRAM=$program,RUN_DRAIN_LIMIT=40" \
        "$work/flowsteer.sbatch"
}

step "the job begins"
job=$(submit)
committed() { [ "$(count roundCommitted)" -ge "$1" ]; }
until_true "three rounds" committed 3
[ "$(count joined)" -eq 3 ] || fail "$(count joined) workers joined: expected 3"

step "a job that matters more takes its place: it drains and queues up again"
urgent=$(sbatch --parsable --partition=urgent --exclusive --nodes=3 --output="$work/urgent.log" --wrap='echo urgent; sleep 3')
is() { [ "$(state "$1")" = "$2" ]; }
until_true "the urgent job runs" is "$urgent" RUNNING
[ "$(count left)" -ge 3 ] || fail "$(count left) workers left in peace: expected 3"
before=$(count roundCommitted)
grep -q 'drained; Slurm calls the job RUNNING' "$work/job-$job.log" || fail "it did not drain"

step "it goes on where it was, and runs to its end"
again() { [ "$(count started)" -eq 2 ] && committed $((before + 2)); }
until_true "a second start with further rounds" again
is_over() { ! squeue --noheader --format=%T --job "$job" 2>/dev/null | grep -q .; }
until_true "the end" is_over
scontrol show job "$job" | grep -m 1 -E 'JobState=COMPLETED' || fail "$(scontrol show job "$job" | grep JobState)"
[ "$(scontrol show job "$job" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p' | head -n 1)" = 1 ] || fail "it was not requeued once"
committed 60 || fail "$(count roundCommitted) rounds: expected 60"
"$program" ledger check "$work/run"

step "a job that is cancelled stays away"
rm -rf "$work/run"
job=$(submit)
until_true "a round" committed 1
scancel "$job"
until_true "the end" is_over
sleep 3
is_over || fail "it came back"
echo "slurm: began, preempted, drained, requeued once, went on, completed; cancelled stays cancelled"
