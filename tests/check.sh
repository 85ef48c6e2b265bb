#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The whole test suite, part by part, each within its budget (tests/budgets.txt). What a part prints goes to
# build/check/PART.log; shown are Check's closing lines, and the whole log of a part that failed.
# A part exits 77 where this machine cannot do it: then it is skipped, and said so.
set -u
cd "$(dirname "$0")/.."
mkdir -p build/check
passed=0 failed=0 skipped=0
began=$(date +%s)
JOBS=$(nproc 2>/dev/null || echo 2)

part() { # NAME COMMAND...
    name=$1
    shift
    log=build/check/$name.log
    budget=$(awk -v n="$name" '$1 == n {print $2}' tests/budgets.txt)
    start=$(date +%s)
    "$@" >"$log" 2>&1
    rc=$?
    took=$(($(date +%s) - start))
    if [ $rc = 0 ] && [ -n "$budget" ] && [ $took -gt $((2 * budget)) ]; then
        echo "took $took s; its budget is $budget s" >>"$log"
        rc=99
    fi
    grep -E '^[0-9]+%: Checks: ' "$log"
    case $rc in
    0) passed=$((passed + 1)); printf '  ok    %-12s %4d s\n' "$name" "$took" ;;
    77) skipped=$((skipped + 1)); printf '  skip  %-12s %4d s  %s\n' "$name" "$took" "$(tail -n 1 "$log")" ;;
    *) failed=$((failed + 1)); cat "$log"; printf '  FAIL  %-12s %4d s  (exit %d, %s)\n' "$name" "$took" "$rc" "$log" ;;
    esac
}

mk() { make --no-print-directory -j"$JOBS" WERROR=1 "$@"; }

part build mk all tests
part layout sh tests/layout.sh
part format sh tests/lint.sh format
part cppcheck sh tests/lint.sh cppcheck
part unit mk test-unit
part theory mk test-theory
part properties mk test-properties
part kvm sh tests/kvm.sh
part cli sh tests/cli/run.sh
part scenarios sh tests/scenarios.sh
part asan-build mk CC=clang BUILD=asan all tests # and so a second compiler reads everything
part asan-unit mk CC=clang BUILD=asan test-unit
part asan-random mk CC=clang BUILD=asan test-properties
part tsan sh tests/tsan.sh
[ -n "${LONG:-}" ] || part fuzz mk fuzz FUZZ_SECONDS=5 FUZZ_SEED=1
if [ -n "${LONG:-}" ]; then
    part fuzz-long mk fuzz FUZZ_SECONDS=600
    part clang-tidy sh tests/lint.sh clang-tidy
    part bench mk bench
    part validate sh tests/validate.sh
fi
echo "whole suite: $(($(date +%s) - began)) s"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
