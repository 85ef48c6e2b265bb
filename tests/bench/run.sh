#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs every benchmark built in the folder OUT, then counts their instructions an event under callgrind:
# the difference of two runs of different length, so that what is done once cancels out, and what noise
# does not touch. 1 where a bound is broken, 2 where a benchmark could not run.
#
#   sh tests/bench/run.sh OUT [--quick]
#
# To add figures: a file bench_NAME.c beside this one, see bench.h.
set -u
out=${1:?usage: run.sh OUT [--quick]}
quick=${2:-}
worst=0

echo "figure            ours        bare, same work            ratio of the best of several runs"
for b in "$out"/bench_*; do
    [ -x "$b" ] || continue
    "$b" $quick
    rc=$?
    [ $rc -gt 1 ] && echo "$b: ended with $rc" >&2 && rc=2
    [ $rc -gt $worst ] && worst=$rc
done

# A whole run of the smallest scenario, from the command line to the files: under 50 ms.
hello() {
    t0=$(date +%s%N)
    "$out/vlab" run scenarios/00-hello.yaml -o "$tmp/hello" >/dev/null || exit 2
    echo $((($(date +%s%N) - t0) / 1000))
}
tmp=$(mktemp -d)
us=$(for _ in 1 2 3 4 5 6 7 8 9; do hello; done | sort -n | head -n 1)
rm -rf "$tmp"
[ "$us" -lt 50000 ] && verdict=ok || { verdict=BROKEN && worst=1; }
echo "vlab run 00-hello: $((us / 1000)).$((us % 1000 / 100)) ms, the best of 9   bound 50 ms   $verdict"

if ! command -v valgrind >/dev/null 2>&1; then
    echo "no valgrind: instructions are not counted"
    exit $worst
fi

# Instructions of `bench --one NAME N`; empty where it failed.
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$1" --one "$2" "$3" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

few=20000
many=220000
echo
echo "instructions an event, ours"
for b in "$out"/bench_*; do
    [ -x "$b" ] || continue
    for name in $("$b" --list); do
        x=$(count "$b" "$name" $few)
        y=$(count "$b" "$name" $many)
        if [ -z "$x" ] || [ -z "$y" ]; then
            echo "$b $name: callgrind counted nothing" >&2
            worst=2
            continue
        fi
        printf '%-16s %8d\n' "$name" $(((y - x) / (many - few)))
    done
done
exit $worst
