#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs every fuzz target that was built for so many seconds each. What it learns stays in build/fuzz;
# tests/fuzz/corpus is what is kept. A finding is a file build/fuzz/TARGET-crash-*, and exit 1.
seconds=${1:-20}
status=0
for target in build/fuzz/fuzz_*; do
    [ -x "$target" ] && [ ! -d "$target" ] || continue
    name=${target##*/fuzz_}
    kept=tests/fuzz/corpus/$name
    learned=build/fuzz/learned-$name
    mkdir -p "$learned"
    [ -d "$kept" ] || kept=
    [ "$name" = run ] && kept="$kept scenarios"
    log=build/fuzz/$name.log
    dict=tests/fuzz/$name.dict
    [ -f "$dict" ] && dict=-dict=$dict || dict=
    if "$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -max_len=6000 $dict \
        -artifact_prefix="build/fuzz/$name-" "$learned" $kept >"$log" 2>&1; then
        echo "fuzz $name: $(sed -n 's/^Done \([0-9]*\) runs in \([0-9]*\) second.*/\1 inputs in \2 s, no finding/p' "$log")"
    else
        echo "fuzz $name: FOUND something; see $log" >&2
        tail -n 25 "$log" >&2
        status=1
    fi
done
exit $status
