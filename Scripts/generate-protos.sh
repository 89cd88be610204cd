#!/bin/sh
# Generates Sources/CClusterProto from Proto/*.proto with protoc-c (Debian: protobuf-c-compiler).
#
#   Scripts/generate-protos.sh           writes the generated files
#   Scripts/generate-protos.sh --check   changes nothing; fails with a diff when the committed files are stale
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
target="$root/Sources/CClusterProto"

case "${1-}" in
"" | --check) ;;
*)
    echo "usage: $0 [--check]" >&2
    exit 64
    ;;
esac

if ! command -v protoc-c >/dev/null; then
    echo "$0: protoc-c is missing; install protobuf-c-compiler" >&2
    exit 69
fi

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

# The source folder is the import root, so that generated files include each other by bare name: headers can
# then move to include/, where SwiftPM makes one clang module of them.
mkdir "$fresh/include"
(cd "$root/Proto" && protoc-c --proto_path=. --c_out="$fresh" *.proto)
mv "$fresh"/*.pb-c.h "$fresh/include/"

if [ "${1-}" = --check ]; then
    if ! diff -r -u "$target" "$fresh"; then
        echo "$0: Sources/CClusterProto is stale; run Scripts/generate-protos.sh and commit" >&2
        exit 1
    fi
    echo "Sources/CClusterProto is up to date"
    exit 0
fi

rm -f "$target"/*.pb-c.c "$target"/include/*.pb-c.h
mkdir -p "$target/include"
cp "$fresh"/*.pb-c.c "$target/"
cp "$fresh"/include/*.pb-c.h "$target/include/"
