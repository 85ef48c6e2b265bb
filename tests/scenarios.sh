#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every shipped scenario: read without a word, valid by the schema that editors use, its expectations hold,
# and two runs of it leave the same bytes in everything but the manifest.
set -u
cd "$(dirname "$0")/.."
vlab=build/${BUILD:-release}/vlab
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
fail() { echo "$*"; bad=1; }

$vlab schema >"$work/schema.json" || fail "vlab schema failed"
cmp -s "$work/schema.json" scenarios/schema.json || fail "scenarios/schema.json is not what vlab schema prints"
python3 tests/schema.py "$work/schema.json" scenarios/*.yaml || bad=1
for s in scenarios/*.yaml; do
    $vlab check "$s" >"$work/check" 2>&1 || fail "$(cat "$work/check")"
    for k in 1 2; do
        $vlab run "$s" -o "$work/run$k" >"$work/out" 2>&1 || fail "$s: exit $?
$(cat "$work/out")"
    done
    diff -r -q -x manifest.json "$work/run1" "$work/run2" || fail "$s: two runs differ"
    grep -q '^about: .*?$' "$s" || grep -q '^about: .*?"$' "$s" || fail "$s: about: asks no question"
    grep -q '^expect:' "$s" || fail "$s: expects nothing"
    echo "ok $s"
done
for s in scenarios/*.yaml; do
    name=${s##*/}
    grep -q "${name%.yaml}" scenarios/README.md || fail "scenarios/README.md does not name ${name%.yaml}"
done
exit $bad
