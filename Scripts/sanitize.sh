#!/usr/bin/env bash
# Builds everything in debug with a sanitizer and runs the tests under it, but for those of whole clusters, whose deadlines
# are for programs at their usual speed:
#   Scripts/sanitize.sh address|thread [ARGUMENTS OF swift test]
# Arguments take the place of that choice, as `--filter ClusterProcessTests`. The build stays in .build-address or
# .build-thread. The first thing found ends the run with the sanitizer's report and an exit code that is not 0.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sanitizer=${1:-}
[[ $sanitizer =~ ^(address|thread)$ ]] || { sed -n '4s/^# *//p' "${BASH_SOURCE[0]}" >&2; exit 64; }
shift
[ $# -gt 0 ] || set -- --skip ClusterProcessTests

Scripts/setup.sh

# Swift's runtime keeps what it makes once for the life of a process.
export ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=halt_on_error=1 OPENBLAS_NUM_THREADS=1

build=(--sanitize "$sanitizer" --scratch-path ".build-$sanitizer")
swift build "${build[@]}" --build-tests
exec swift test "${build[@]}" --disable-xctest --skip-build --no-parallel "$@"
