#!/usr/bin/env bash
# Makes keys for a run on Kubernetes and prints them as Secrets, with the list of who may come in:
#
#   Cluster/kubernetes/secrets.sh keys --rollouts 16 --trainers 2 | kubectl apply -f -
#
# Keys that are in the folder are kept, so it can be run again with more nodes.
set -euo pipefail
fail() {
    echo "secrets: $1" >&2
    exit 64
}
[ $# -eq 5 ] && [ "$2" = --rollouts ] && [ "$4" = --trainers ] || fail "expected FOLDER --rollouts N --trainers M"
folder=$1 rollouts=$3 trainers=$5
[[ $rollouts =~ ^[0-9]+$ ]] && [[ $trainers =~ ^[0-9]+$ ]] || fail "expected whole numbers"
program=${PROGRAM:-flowsteer}
umask 077
mkdir -p "$folder"
cd "$folder"
key() { [ -s "$1.key" ] || "$program" keygen --out "$1" >/dev/null; }
line() { echo "$1 $2 $(cat "$1.pub")"; }
key coordinator
key operator
[ -s web.token ] || od -An -N 24 -tx1 /dev/urandom | tr -d ' \n' >web.token
line operator operator >authorized_nodes
declare -A files
for role in rollout trainer; do
    count=$rollouts
    [ $role = rollout ] || count=$trainers
    files[$role]=--from-file=coordinator.pub
    for ((i = 0; i < count; i++)); do
        key "$role-$i"
        line "$role-$i" "$role" >>authorized_nodes
        files[$role]+=" --from-file=$role-$i.key"
    done
done
secret() { kubectl create secret generic "$@" --namespace flowsteer --dry-run=client --output yaml; echo ---; }
secret flowsteer-coordinator --from-file=coordinator.key --from-file=web.token
secret flowsteer-operator --from-file=operator.key --from-file=coordinator.pub
# shellcheck disable=SC2086  # words
secret flowsteer-rollouts ${files[rollout]}
# shellcheck disable=SC2086
secret flowsteer-trainers ${files[trainer]}
kubectl create configmap flowsteer-nodes --from-file=authorized_nodes --namespace flowsteer --dry-run=client --output yaml
