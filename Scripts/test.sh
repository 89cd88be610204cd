#!/usr/bin/env bash
# Sets up the machine, builds everything in debug and runs the tests. Arguments go to `swift test`:
#   Scripts/test.sh --filter TensorsTests
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

Scripts/setup.sh

# One test at a time, and a BLAS that keeps to the thread that calls it: on a small machine tests that compute would
# starve those that keep time (the cluster's pings and deadlines).
export OPENBLAS_NUM_THREADS=1

# `--build-tests` also builds the flowsteer executable, which the process tests start from beside the test binary.
swift build --build-tests
exec swift test --disable-xctest --skip-build --no-parallel "$@"
