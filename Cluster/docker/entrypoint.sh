#!/bin/sh
# Runs flowsteer as a container's first process.
#
# A process that was told to stop drains and ends with 0. To a supervisor that means "the work is done", so with
# STOPPED_EXIT_CODE in the environment such an end gets that code instead (75: try again), and only the end of the run
# is 0.
child=
told=
pass() {
    told=yes
    [ -z "$child" ] || kill -s "$1" "$child" 2>/dev/null
}
trap 'pass TERM' TERM
trap 'pass INT' INT
flowsteer "$@" &
child=$!
# A signal ends the first wait; the last one has the exit code.
while :; do
    wait "$child"
    code=$?
    kill -0 "$child" 2>/dev/null || break
done
if [ "$code" -eq 0 ] && [ -n "$told" ] && [ -n "${STOPPED_EXIT_CODE:-}" ]; then exit "$STOPPED_EXIT_CODE"; fi
exit "$code"
