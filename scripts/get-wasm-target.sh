#!/usr/bin/env bash
# Makes sure that this machine can build WebAssembly guests, in this order:
#   1. the Rust on the PATH, with the target added by rustup;
#   2. Debian's rustc-web, cargo-web and rust-web-src, which build the standard library for the target themselves.
# Says one line for each thing done, nothing where nothing is missing. Asks no questions.
set -euo pipefail

target=wasm32-unknown-unknown
debian_packages=(rustc-web cargo-web rust-web-src)
seconds_for_rustup=120

say() { printf '%s\n' "$*" >&2; }

has_target() {
    local sysroot
    sysroot=$(rustc --print sysroot 2>/dev/null) && [ -d "$sysroot/lib/rustlib/$target/lib" ]
}

has_debian_toolchain() {
    local sysroot
    [ -x /usr/bin/cargo ] || return 1
    sysroot=$(/usr/bin/rustc --print sysroot 2>/dev/null) || return 1
    [ -f "$sysroot/lib/rustlib/src/rust/library/std/Cargo.toml" ]
}

add_target() {
    command -v rustup >/dev/null || { say "no rustup here to add $target with"; return 1; }
    timeout "$seconds_for_rustup" rustup target add "$target" >/dev/null 2>&1 && has_target ||
        { say "rustup can't fetch $target here"; return 1; }
    say "added $target with rustup"
}

install_debian_toolchain() {
    command -v apt-get >/dev/null || { say "no apt-get here to install ${debian_packages[*]} with"; return 1; }
    [ "$(id -u)" = 0 ] ||
        { say "not root: run 'apt-get install ${debian_packages[*]}' as root, then try again"; return 1; }
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -y --no-install-recommends "${debian_packages[@]}" >/dev/null 2>&1 ||
        { apt-get update -qq >/dev/null 2>&1 || true
          apt-get install -qq -y --no-install-recommends "${debian_packages[@]}" >/dev/null 2>&1; } ||
        { say "apt-get can't install ${debian_packages[*]} here"; return 1; }
    has_debian_toolchain || { say "${debian_packages[*]} are installed but incomplete"; return 1; }
    say "installed ${debian_packages[*]}; the standard library for $target is built with the first plugin"
}

has_target || has_debian_toolchain || add_target || install_debian_toolchain ||
    { say "plugins can't be built: no Rust toolchain for $target could be had"; exit 1; }
