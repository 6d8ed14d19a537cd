#!/usr/bin/env bash
# Tests the examples in other languages in those, and builds them with `hub plugin build` into plugins/dist/examples: each
# where its sources have changed since, and none where its tools can't be had. That is said, and the reason is kept in
# NAME.left-out beside the components, for the hub's own tests. A failed test or build is a failure.
# With --left-out it only says what was left out.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=plugins/dist/examples
work=$PWD/target/examples
hub=${CARGO_TARGET_DIR:-target}/debug/hub

say() { printf '%s\n' "$*" >&2; }

# What the component is made of; its tests and documents are part of it, so that they are looked at again too.
fingerprint() {
    local made=(-name .venv -o -name node_modules -o -name bindings -o -name dist -o -name __pycache__)
    find "examples/$1" wit -type d \( "${made[@]}" \) -prune -o -type f -print0 |
        LC_ALL=C sort -z | xargs -0 cksum | cksum
}

# Runs a step quietly; what it said is shown where it fails.
step() {
    "$@" >"$work/step.log" 2>&1 || { cat "$work/step.log" >&2; say "failed: $*"; exit 1; }
}

inside() (
    cd "$1"
    shift
    "$@"
)

test_python() {
    rm -rf "$work/bindings"
    step componentize-py -d wit -w crm-adapter bindings "$work/bindings"
    export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$work/bindings
    step inside "examples/$1" python -m unittest
}

test_js() {
    step inside "examples/$1" node --test
}

build() {
    local name=$1 language=$2 tools code=0
    rm -f "$out/$name.wasm" "$out/$name.left-out"
    tools=$(scripts/get-example-tools.sh "$language" 2>"$work/tools.log") || code=$?
    cat "$work/tools.log" >&2
    case $code in
    0) ;;
    1) printf '%s is left out: %s\n' "$name" "$(tail -n 1 "$work/tools.log")" >"$out/$name.left-out"; return 0 ;;
    *) say "failed: what builds $name could not be installed as it is pinned"; exit 1 ;;
    esac
    (
        PATH=$tools:$PATH
        "test_$language" "$name"
    )
    ${CARGO:-cargo} build --quiet --workspace --bin hub
    step env PATH="$tools:$PATH" "$hub" plugin build "examples/$name" --out "$out"
    fingerprint "$name" >"$work/$name.built"
    say "tested and built $out/$name.wasm"
}

example() {
    local name=$1 language=$2
    [ -f "$out/$name.wasm" ] && [ "$(fingerprint "$name")" = "$(cat "$work/$name.built" 2>/dev/null)" ] ||
        build "$name" "$language"
}

mkdir -p "$out" "$work"
if [ "${1:-}" != --left-out ]; then
    example crm-python python
    example messaging-js js
fi
cat "$out"/*.left-out >&2 2>/dev/null || true
