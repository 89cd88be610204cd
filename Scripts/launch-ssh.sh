#!/usr/bin/env bash
# Starts, watches and stops a cluster on machines that ssh reaches; see Cluster/ssh/README.md.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: Scripts/launch-ssh.sh VERB --hosts FILE [options]

  start      makes missing keys, exchanges the public ones, starts every node that does not run
  status     which nodes run; then what the coordinator says
  stop       SIGTERM: trainers finish their round, then rollouts end, then the coordinator
  kill       SIGKILL to all; the next start goes on from the last committed round
  logs DIR   copies every node's logs to DIR

  --hosts FILE        a node a line: name, role, ssh destination, address, more words for flowsteer
  --config FILE       the run's configuration, on the coordinator's machine   (start)
  --model DIR         the teacher's folder, on the workers' machines          (start)
  --dir DIR           where nodes keep keys, logs and files, on every machine (default: flowsteer, in the home folder)
  --flowsteer PROGRAM the program, on every machine                           (default: flowsteer)
  --port PORT         the coordinator's first port of four                    (default: 7700)
  --limit SECONDS     how long stop waits for a role                          (default: 600)

LAUNCH_SSH is the ssh command; default: ssh -o BatchMode=yes -o ConnectTimeout=10.

example:
  Scripts/launch-ssh.sh start --hosts hosts --config flowsteer/emoji.yaml --model flowsteer/teacher/emoji-scenes
  Scripts/launch-ssh.sh stop --hosts hosts
TEXT
}

fail() {
    echo "launch-ssh: $1" >&2
    exit "${2:-64}"
}

# ---- What is asked

verb=${1:-}
case $verb in
    start | status | stop | kill | logs) shift ;;
    -h | --help)
        usage
        exit 0
        ;;
    *) fail "'$verb' is no verb: expected start, status, stop, kill or logs; --help says more" ;;
esac
hosts='' config='' model='' dir=flowsteer program=flowsteer port=7700 limit=600 into=''
while [ $# -gt 0 ]; do
    case $1 in
        --hosts | --config | --model | --dir | --flowsteer | --port | --limit)
            [ $# -ge 2 ] || fail "$1 lacks its value"
            case $1 in
                --hosts) hosts=$2 ;;
                --config) config=$2 ;;
                --model) model=$2 ;;
                --dir) dir=$2 ;;
                --flowsteer) program=$2 ;;
                --port) port=$2 ;;
                --limit) limit=$2 ;;
            esac
            shift 2
            ;;
        -*) fail "unknown option $1; --help lists them" ;;
        *)
            [ "$verb" = logs ] && [ -z "$into" ] || fail "unexpected word '$1'"
            into=$1
            shift
            ;;
    esac
done
[ -n "$hosts" ] || fail "--hosts is missing: expected a file like Cluster/ssh/hosts.example"
[ -r "$hosts" ] || fail "$hosts cannot be read" 66
[[ $port =~ ^[0-9]+$ ]] && [ "$port" -ge 1 ] && [ "$port" -le 65532 ] || fail "--port is $port: expected 1 to 65532"
[[ $program != */* || $program == /* ]] || fail "--flowsteer is $program: expected an absolute path, or a name on the PATH"
[[ $limit =~ ^[0-9]+$ ]] || fail "--limit is $limit: expected whole seconds"
[ "$verb" != start ] || [ -n "$config" ] || fail "--config is missing: the run's configuration on the coordinator's machine"
[ "$verb" != start ] || [ -n "$model" ] || fail "--model is missing: the teacher's folder on the workers' machines"
[ "$verb" != logs ] || [ -n "$into" ] || fail "where to? expected logs DIR"
read -ra ssh <<<"${LAUNCH_SSH:-ssh -o BatchMode=yes -o ConnectTimeout=10}"

# ---- The nodes

names=()
declare -A role target address words
number=0
while read -r name kind destination place more || [ -n "$name" ]; do
    number=$((number + 1))
    [ -n "$name" ] && [[ $name != \#* ]] || continue
    [ -n "$place" ] || fail "$hosts:$number: expected name, role, ssh destination and address" 65
    [[ $name =~ ^[A-Za-z0-9._-]+$ ]] || fail "$hosts:$number: '$name' is no name: letters, digits, '.', '_' and '-'" 65
    [ -z "${role[$name]:-}" ] || fail "$hosts:$number: $name is there twice" 65
    case $kind in
        coordinator | rollout | trainer) ;;
        *) fail "$hosts:$number: '$kind' is no role: expected coordinator, rollout or trainer" 65 ;;
    esac
    names+=("$name")
    role[$name]=$kind target[$name]=$destination address[$name]=$place words[$name]=$more
done <"$hosts"
of_role() { for each in "${names[@]}"; do [ "${role[$each]}" != "$1" ] || echo "$each"; done; }
mapfile -t coordinators < <(of_role coordinator)
mapfile -t rollouts < <(of_role rollout)
mapfile -t trainers < <(of_role trainer)
[ ${#coordinators[@]} -eq 1 ] || fail "$hosts has ${#coordinators[@]} coordinators: expected one" 65
[ ${#rollouts[@]} -ge 1 ] && [ ${#trainers[@]} -ge 1 ] || fail "$hosts: expected a rollout and a trainer at least" 65
coordinator=${coordinators[0]}
endpoint=tcp://${address[$coordinator]}:$port

# Runs a script on a node's machine, in the folder of that node; its words follow.
#
# ssh hands the words to the remote shell as one line, so they are quoted; the script comes after them on standard input.
on() {
    local name=$1 script=$2
    shift 2
    local line=''
    [ $# -eq 0 ] || line=$(printf ' %q' "$@")
    "${ssh[@]}" "${target[$name]}" "bash -s --$(printf ' %q' "$dir" "$name")$line" <<REMOTE
set -euo pipefail
base=\$1 name=\$2
shift 2
mkdir -p "\$base/\$name"
cd "\$base/\$name"
# A process is known by its number and the moment it began, so that none that took its number later is taken for it.
began() { sed 's/.*) //' "/proc/\$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
running() {
    [ -s pid ] || return 1
    read -r pid since <pid
    [ -n "\$since" ] && [ "\$(began "\$pid")" = "\$since" ]
}
$script
REMOTE
}

# ---- Verbs

# Makes the node's keys if there are none, and prints the public one.
# shellcheck disable=SC2016  # expanded on the node's machine
keys_script='
umask 077
program=$1
shift
command -v "$program" >/dev/null || { echo "there is no program $program" >&2; exit 69; }
mkdir -p keys
for key in "$@"; do
    [ -s "keys/$key.key" ] || "$program" keygen --out "keys/$key" >/dev/null
    cat "keys/$key.pub"
done
'
# Starts the program with the words, out of reach of the end of this connection, and notes its number and its end.
# shellcheck disable=SC2016
start_script='
if running; then echo "runs already, process $pid"; exit 0; fi
umask 077
attempt=logs/$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$attempt"
rm -f pid exit
setsid bash -c '\''
    log=$1; shift
    "$@" </dev/null >"$log.out" 2>"$log.err" &
    child=$!
    trap "" TERM INT HUP
    since=$(sed "s/.*) //" "/proc/$child/stat" 2>/dev/null | cut -d " " -f 20)
    echo "$child $since" >pid
    wait "$child" && code=0 || code=$?
    echo "$code" >exit
'\'' launch "$attempt/$name" "$@" </dev/null >/dev/null 2>&1 &
for _ in $(seq 100); do
    [ ! -s pid ] || break
    sleep 0.05
done
read -r pid since <pid
echo "started, process $pid, logs in $PWD/$attempt"
'
# shellcheck disable=SC2016
signal_script='if running; then kill -s "$1" "$pid"; fi'
# Prints how a node is.
# shellcheck disable=SC2016
state_script='
if running; then echo "runs, process $pid"
elif [ -s exit ]; then echo "ended with exit code $(cat exit)"
elif [ -s pid ]; then echo "is gone without a word"
else echo "was never started"; fi
'

start() {
    local authorized='' key server
    for name in "${names[@]}"; do
        key=$(on "$name" "$keys_script" "$program" "$name") ||
            fail "$name: no keys on ${target[$name]}: what is said above, or ssh cannot reach it" 69
        if [ "$name" = "$coordinator" ]; then server=$key; else authorized+="$name ${role[$name]} $key"$'\n'; fi
    done
    key=$(on "$coordinator" "$keys_script" "$program" operator)
    authorized+="operator operator $key"$'\n'
    # shellcheck disable=SC2016
    on "$coordinator" 'umask 077; printf %s "$1" >authorized_nodes.new; mv authorized_nodes.new authorized_nodes' \
        "$authorized"

    local more
    read -ra more <<<"${words[$coordinator]}"
    # Paths that people give begin at the home folder, nodes work in their own.
    # shellcheck disable=SC2016
    local home='case $path in /*) ;; *) path=$HOME/$path ;; esac'
    # shellcheck disable=SC2016
    echo "$coordinator: $(on "$coordinator" 'path=$2; '"$home"'; set -- "$1" coordinator --config "$path" "${@:3}"'"$start_script" \
        "$program" "$config" --run run --bind "$endpoint" --advertise "${address[$coordinator]}" \
        --consecutive-ports --keys "keys/$coordinator.key" --authorized authorized_nodes "${more[@]}")"
    # It binds before it writes where it is; a worker may come earlier, but a mistake is told here and now.
    # shellcheck disable=SC2016
    on "$coordinator" '
        for _ in $(seq 600); do
            if ! running; then echo "the coordinator ended:" >&2; cat logs/*/"$name.err" | tail -n 5 >&2; exit 69; fi
            if [ run/coordinator.json -nt pid ]; then exit 0; fi
            sleep 0.1
        done
        echo "the coordinator does not serve after a minute" >&2; exit 69' || fail "$coordinator does not serve" 69

    for name in "${rollouts[@]}" "${trainers[@]}"; do
        local arguments=("$program" "${role[$name]}-worker" --coordinator "$endpoint" "--server-key=$server"
            --keys "keys/$name.key" --name "$name" --run work --advertise "${address[$name]}" --drain-limit "$limit")
        read -ra more <<<"${words[$name]}"
        # shellcheck disable=SC2016
        echo "$name: $(on "$name" 'path=$1; '"$home"'; set -- "${@:2}" --model "$path"'"$start_script" \
            "$model" "${arguments[@]}" "${more[@]}")"
    done
}

# Whether any of these nodes runs.
any_runs() {
    local each
    for each in "$@"; do [[ $(on "$each" "$state_script") != runs* ]] || return 0; done
    return 1
}

# Tells nodes to end, with a signal, and waits until they have.
drain() {
    local signal=$1 each deadline=$((SECONDS + limit + 5))
    shift
    for each in "$@"; do on "$each" "$signal_script" "$signal"; done
    while any_runs "$@"; do
        [ $SECONDS -lt $deadline ] || fail "$* did not end within $limit s; 'kill' ends them at once" 75
        sleep 1
    done
    for each in "$@"; do echo "$each: $(on "$each" "$state_script")"; done
}

case $verb in
    start) start ;;
    status)
        for name in "${names[@]}"; do echo "$name (${target[$name]}): $(on "$name" "$state_script")"; done
        # shellcheck disable=SC2016
        on "$coordinator" 'running || exit 0; "$1" status --coordinator "$2" --server-key "keys/$name.pub" --keys keys/operator.key' \
            "$program" "$endpoint"
        ;;
    stop)
        # A trainer needs the rollouts until its round is done; then nobody is there to fetch what they hold, and SIGINT
        # lets them go without waiting for that.
        drain TERM "${trainers[@]}"
        drain INT "${rollouts[@]}"
        drain TERM "$coordinator"
        ;;
    kill) for name in "${names[@]}"; do on "$name" "$signal_script" KILL; done ;;
    logs)
        for name in "${names[@]}"; do
            mkdir -p "$into/$name"
            on "$name" 'tar -cf - logs' | tar -xf - -C "$into/$name" --strip-components=1
            echo "$into/$name"
        done
        ;;
esac
