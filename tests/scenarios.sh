#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every shipped scenario: read without a word, valid by the schema that editors use, its expectations hold,
# and two runs of it leave the same bytes in everything but the manifest. `tests/scenarios.sh FILE` looks at one.
set -u
cd "$(dirname "$0")/.."
vlab=build/${BUILD:-release}/vlab
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
fail() { echo "$*"; bad=1; }

one() { # FILE
    $vlab check "$1" >"$work/check" 2>&1 || fail "$(cat "$work/check")"
    for k in 1 2; do
        $vlab run "$1" -o "$work/run$k" >"$work/out" 2>&1 || fail "$1: exit $?
$(cat "$work/out")"
    done
    diff -r -q -x manifest.json "$work/run1" "$work/run2" || fail "$1: two runs differ"
    grep -q '^about: .*?$' "$1" || grep -q '^about: .*?"$' "$1" || fail "$1: about: asks no question"
    grep -q '^expect:' "$1" || fail "$1: expects nothing"
    name=${1##*/}
    grep -q "${name%.yaml}" scenarios/README.md || fail "scenarios/README.md does not name ${name%.yaml}"
    [ $bad = 1 ] || echo "ok $1"
}

if [ $# = 1 ]; then
    one "$1"
    exit $bad
fi
$vlab schema >"$work/schema.json" || fail "vlab schema failed"
cmp -s "$work/schema.json" scenarios/schema.json || fail "scenarios/schema.json is not what vlab schema prints"
python3 tests/schema.py "$work/schema.json" scenarios/*.yaml || bad=1
# A scenario is a process, as many at a time as there are CPUs.
printf '%s\n' scenarios/*.yaml | xargs -P "$(nproc 2>/dev/null || echo 2)" -n 1 sh tests/scenarios.sh || bad=1
exit $bad
