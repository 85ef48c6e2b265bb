#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs every fuzz target that was built for so many seconds each: run.sh [SECONDS [SEED]]. With a seed (not 0)
# and nothing learned yet the same inputs come in the same order, each time. What it learns stays in build/fuzz;
# tests/fuzz/corpus is what is kept. A finding is a file build/fuzz/TARGET-crash-*, shown here too, and exit 1.
seconds=${1:-20}
seed=${2:-0}
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
    if "$target" -seed="$seed" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -max_len=6000 $dict \
        -artifact_prefix="build/fuzz/$name-" "$learned" $kept >"$log" 2>&1; then
        echo "fuzz $name: $(sed -n 's/^Done \([0-9]*\) runs in \([0-9]*\) second.*/\1 inputs in \2 s, no finding/p' "$log")"
    else
        echo "fuzz $name: FOUND something; see $log" >&2
        grep -v -e '^#[0-9]' -e '^INFO' "$log" | head -n 25 >&2
        found=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        if [ -f "$found" ]; then
            echo "fuzz $name: the input, $(wc -c <"$found") bytes (base64 -d | gunzip):" >&2
            gzip -9 <"$found" | base64 >&2
        fi
        status=1
    fi
done
exit $status
