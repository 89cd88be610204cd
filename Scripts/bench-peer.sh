#!/usr/bin/env bash
# Compares flowsteer with PyTorch and diffusers on this machine: both in turns, two threads each, medians, the best
# variant of PyTorch for every row. Run it on a machine that does nothing else; the whole table takes about half an hour.
#
#   Scripts/bench-peer.sh [--rows NAME,…] [--quick] [--turns N] [--variant-limit SECONDS] [--json FILE] [--list]
#
# PyTorch is installed once, into ${XDG_CACHE_HOME:-~/.cache}/flowsteer/peer; FLOWSTEER_PEER_VENV names another virtual
# environment. torch.compile needs g++; without it its variants are reported as failed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/flowsteer
environment=${FLOWSTEER_PEER_VENV:-$cache/peer}
driver=$root/Scripts/reference/peer_ratios.py

case " $* " in
    *" -h "* | *" --help "*)
        sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    *" --list "*) exec python3 "$driver" --list ;;
esac

if ! "$environment/bin/python" -c 'import torch, diffusers, transformers, peft' 2>/dev/null; then
    echo "bench-peer: installing torch, diffusers, transformers and peft into $environment" >&2
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet torch diffusers transformers peft
fi
swift build --package-path "$root" -c release --product flowsteer >&2
program=$(swift build --package-path "$root" -c release --show-bin-path)/flowsteer

# What torch.compile has compiled is kept for the next run.
export TORCHINDUCTOR_CACHE_DIR=${TORCHINDUCTOR_CACHE_DIR:-$cache/inductor}
exec "$environment/bin/python" "$driver" --flowsteer "$program" --teacher "$root/Cluster/teacher/emoji-scenes" "$@"
