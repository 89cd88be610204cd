#!/usr/bin/env bash
# Checks what the compiler does not: format, which module imports what, where `unsafe` and `async` may stand, the length
# of files, and that the committed protobuf output is up to date. One line a violation: `file:line: what`.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# Each Swift module and what it may import, beside the standard library. A test target may import what its module may,
# the module itself, and Testing, TestSupport and Foundation; a row of its own names what it may import on top.
imports='
Tensors          CKernels COpenBLAS Glibc Synchronization Dispatch
ZeroMQ           CZeroMQ Glibc Synchronization Dispatch
ClusterMessages  CClusterProto Tensors
ImageFiles       CJPEG CPNG Glibc Synchronization Dispatch

NeuralNetwork    Tensors
FlowMatching     Tensors
Checkpoints      Tensors Crypto Foundation Glibc Synchronization Dispatch
DiffusionModels  NeuralNetwork FlowMatching Tensors Checkpoints Foundation Synchronization
Distillation     DiffusionModels NeuralNetwork FlowMatching Tensors
Coordination     ClusterMessages OrderedCollections
Evaluation       DiffusionModels FlowMatching ImageFiles Tensors Foundation
Benchmarks       DiffusionModels Distillation FlowMatching NeuralNetwork Tensors

ClusterRuntime   Checkpoints ClusterMessages Coordination DiffusionModels Distillation Evaluation FlowMatching
ClusterRuntime   ImageFiles NeuralNetwork Tensors ZeroMQ
ClusterRuntime   Crypto GRDB Logging Yams Foundation Glibc Synchronization Dispatch
ClusterWeb       Checkpoints ClusterMessages ClusterRuntime Coordination
ClusterWeb       HTTPTypes Hummingbird HummingbirdCore Logging NIOCore NIOPosix Foundation Synchronization
flowsteer        Benchmarks ClusterRuntime ClusterWeb Checkpoints DiffusionModels Distillation Evaluation FlowMatching
flowsteer        ClusterMessages Coordination ImageFiles NeuralNetwork Tensors ZeroMQ
flowsteer        ArgumentParser Logging Foundation Glibc Synchronization Dispatch

TestSupport          Tensors
FuzzTargets          Checkpoints ClusterMessages Tensors
ClusterMessagesTests FuzzTargets
DistillationTests    Checkpoints
EvaluationTests      Checkpoints
ClusterProcessTests  flowsteer
ClusterWebTests      DiffusionModels Distillation ZeroMQ
'
everywhere='FoundationEssentials'
in_tests='Testing TestSupport Foundation Glibc Synchronization Dispatch'
unsafe='Tensors ZeroMQ ClusterMessages ImageFiles'
async='ZeroMQ ClusterRuntime ClusterWeb flowsteer'
longest=350

mapfile -t swift < <(find Sources Tests -name '*.swift' | sort)
# Not the protobuf output: nobody writes it by hand.
mapfile -t kernels < <(find Sources -name '*.[ch]' -not -path 'Sources/CClusterProto/*' | sort)
status=0

swift format lint --strict --parallel --recursive Sources Tests Package.swift || status=1

awk -v imports="$imports" -v everywhere="$everywhere" -v in_tests="$in_tests" -v unsafe="$unsafe" -v async="$async" \
    -f Scripts/lint.awk "${swift[@]}" </dev/null || status=1

for file in "${swift[@]}" "${kernels[@]}"; do
    [[ $file == Sources/* ]] || continue
    lines=$(wc -l <"$file")
    if [ "$lines" -gt "$longest" ]; then
        echo "$file:$lines: longer than $longest lines: split it by subject"
        status=1
    fi
done

# Articles name files as `Module/…/File.swift`.
while IFS=: read -r article line path; do
    [ -e "Sources/${path//\`/}" ] || {
        echo "$article:$line: there is no file ${path}"
        status=1
    }
done < <(find Sources -name '*.md' -exec grep -onHE '`[A-Za-z]+/[A-Za-z/+]+\.(swift|c|h)`' {} +)

# The image is built with the libraries that a machine is set up with.
for package in $(sed -n '/^packages=(/,/^)/s/^    //p' Scripts/setup.sh); do
    grep -qw -- "$package" Cluster/docker/Dockerfile || {
        echo "Cluster/docker/Dockerfile: does not install $package, which Scripts/setup.sh does"
        status=1
    }
done

if command -v protoc-c >/dev/null; then
    Scripts/generate-protos.sh --check || status=1
else
    echo "lint: protoc-c is not installed (Scripts/setup.sh installs it): protobuf output not compared"
fi

[ "$status" -ne 0 ] || echo "lint: ${#swift[@]} Swift files, no violations"
exit "$status"
