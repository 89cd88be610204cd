#!/usr/bin/env bash
# Builds the documentation of every module that has a catalogue with DocC, for reading in a browser; a warning is a failure.
#
#   Scripts/docs.sh [FOLDER [OPTION…]]      default: .build/documentation; options are those of swift build
#   python3 -m http.server --directory FOLDER/flowsteer        then http://localhost:8000/documentation/flowsteer
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=$(realpath -m "${1:-$root/.build/documentation}")
[ $# -eq 0 ] || shift
cd "$root"

docc=$(command -v docc || echo "$(dirname "$(realpath "$(command -v swift)")")/docc")
[ -x "$docc" ] || { echo "docs: there is no docc beside swift; toolchains from swift.org have it" >&2; exit 69; }

swift build "$@"
built=$(swift build "$@" --show-bin-path)
target=$(swift -print-target-info | sed -n 's/.*"unversionedTriple": "\(.*\)".*/\1/p')
# C modules are found by their maps: the build makes those that packages do not have themselves.
maps=()
while read -r map; do maps+=(-Xcc "-fmodule-map-file=$map"); done < <(
    find "$built" -maxdepth 2 -name module.modulemap
    find .build/checkouts/*/Sources Sources -name module.modulemap | while read -r map; do
        name=$(sed -n 's/^ *module \([A-Za-z0-9_]*\).*/\1/p' "$map" | head -n 1)
        [ -e "$built/$name.build/module.modulemap" ] || echo "$map"
    done
)
graphs=$(mktemp -d)
trap 'rm -rf "$graphs"' EXIT
mkdir -p "$out"
failed=0
for catalogue in Sources/*/*.docc; do
    module=$(basename "$(dirname "$catalogue")")
    mkdir -p "$graphs/$module"
    # Everything is `package` here: nothing depends on this package.
    swift symbolgraph-extract -module-name "$module" -target "$target" -I "$built/Modules" "${maps[@]}" \
        -minimum-access-level package -skip-synthesized-members -output-dir "$graphs/$module"
    echo "docs: $module"
    "$docc" convert "$catalogue" --fallback-display-name "$module" --fallback-bundle-identifier "flowsteer.$module" \
        --additional-symbol-graph-dir "$graphs/$module" --warnings-as-errors --output-path "$out/$module" || failed=1
done
[ "$failed" -ne 0 ] || echo "docs: in $out"
exit "$failed"
