#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what is missing, by name from Debian's packages: what building, running and plotting need, and
# with the argument `all` what testing needs too. Says what it does; where it may not install, prints the one
# command to type and stops with 2. Taken for granted: Debian 12, make, and git for whoever cloned with it.
set -eu
want="gcc libc6-dev pkg-config libyaml-dev libgsl-dev libjansson-dev libseccomp-dev liburing-dev libslirp-dev
      libnftables-dev gnuplot-nox"
if [ "${1:-}" = all ]; then
    want="$want check git clang clang-format clang-tidy libclang-rt-14-dev cppcheck valgrind python3
          python3-yaml python3-jsonschema"
fi
missing=
for p in $want; do
    case $(dpkg-query -W -f='${Status}' "$p" 2>/dev/null || true) in
    *"ok installed"*) ;;
    *) missing="$missing $p" ;;
    esac
done
[ -n "$missing" ] || exit 0
install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then sudo=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo=sudo
else
    echo "vlab needs packages that are not installed here, and may not install them. Please type:" >&2
    if command -v sudo >/dev/null 2>&1; then
        echo "  sudo sh -c 'apt-get update && $install'" >&2
    else
        echo "  su -c 'apt-get update && $install'" >&2
    fi
    exit 2
fi
echo "vlab: installing from Debian's packages:$missing"
log=$(mktemp)
start=$(date +%s)
if ! { $sudo apt-get update && DEBIAN_FRONTEND=noninteractive $sudo $install; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "vlab: installing failed; what apt-get said is above" >&2
    rm -f "$log"
    exit 2
fi
rm -f "$log"
echo "vlab: packages installed in $(($(date +%s) - start)) s"
