#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Replays transcripts: a line `$ COMMAND` is run by sh from the project's root, and what it prints (stdout and
# stderr) must be the lines that follow, to the letter; `[exit N]` follows where it is not 0. Replayed are
# tests/cli/*.t and the ```console blocks of the Markdown files named below, so a document cannot go stale.
# `run.sh --accept FILE.t` rewrites a transcript from what is printed now.
set -u
cd "$(dirname "$0")/../.."
PATH=$PWD/build/${BUILD:-release}:$PATH
export PATH NO_COLOR=1 TERM=dumb LC_ALL=C.UTF-8
work=$(mktemp -d)
trap 'rm -rf "$work" runs/cli-test' EXIT
bad=0 n=0

replay() { # FILE: prints the transcript as it is now; its commands write in runs/cli-test
    rm -rf runs/cli-test
    while IFS= read -r line; do
        case $line in
        '$ '*)
            printf '%s\n' "$line"
            sh -c "${line#\$ }" >"$work/out" 2>&1 </dev/null
            rc=$?
            cat "$work/out"
            [ $rc = 0 ] || echo "[exit $rc]"
            ;;
        '#'*) printf '%s\n' "$line" ;;
        esac
    done <"$1"
}

one() { # NAME FILE
    replay "$2" >"$work/now"
    n=$((n + $(grep -c '^\$ ' "$2")))
    if ! diff -u "$2" "$work/now" >"$work/diff"; then
        echo "$1: not what is printed now:"
        cat "$work/diff"
        bad=1
    fi
}

if [ "${1:-}" = --accept ]; then
    replay "$2" >"$work/now" && cp "$work/now" "$2"
    exit
fi
for t in tests/cli/*.t; do
    one "$t" "$t"
done
for doc in README.md $(git ls-files 'lectures/*.md'); do
    [ -f "$doc" ] || continue
    awk '/^```console$/ {on = 1; next} /^```$/ {on = 0} on' "$doc" >"$work/doc"
    one "$doc" "$work/doc"
done
[ $bad = 0 ] && echo "cli: $n commands print what is written"
exit $bad
