#!/usr/bin/env bash
# Checks for Swift and installs the system libraries that are missing. Does nothing when everything is there.
set -euo pipefail

oldest_swift=6.2
packages=(
    libzmq3-dev
    libopenblas-dev
    libprotobuf-c-dev
    protobuf-c-compiler
    libpng-dev
    libjpeg-dev
    libsqlite3-dev
    pkg-config
)

fail() {
    echo "setup: $1" >&2
    exit 1
}

command -v swift >/dev/null ||
    fail "swift is not on the PATH; install Swift $oldest_swift or newer from https://www.swift.org/install/linux"
swift=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
[ -n "$swift" ] || fail "'swift --version' names no version; reinstall Swift $oldest_swift or newer"
[ "$(printf '%s\n' "$oldest_swift" "$swift" | sort -V | head -n 1)" = "$oldest_swift" ] ||
    fail "Swift $swift is too old; Swift $oldest_swift or newer is needed (https://www.swift.org/install/linux)"

if ! command -v dpkg-query >/dev/null; then
    echo "setup: Swift $swift; not a Debian system, so install the equivalents of these yourself: ${packages[*]}"
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: Swift $swift and all system libraries are there"
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
        fail "not root and no sudo; run as root: apt-get install ${missing[*]}"
    as_root=(sudo)
fi
echo "setup: Swift $swift; installing with apt-get: ${missing[*]}"
# Fresh containers carry no package lists, and old lists name files that are gone.
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
