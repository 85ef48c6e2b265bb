#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# whole.sh RUNDIR: is every file of a run there, and none cut off? Says of which scenario and seed.
set -eu
for f in summary.csv series.csv events.csv metrics.prom scenario.yaml manifest.json; do
    [ -s "$1/$f" ] && [ -z "$(tail -c 1 "$1/$f")" ] || { echo "$f: missing or cut off"; exit 1; }
done
awk -F, 'NR == 1 {n = NF} NF != n {print FILENAME ": line " NR " is cut off"; bad = 1} END {exit bad}' "$1/series.csv"
python3 - "$1" <<'END'
import json, sys
with open(sys.argv[1] + "/manifest.json") as f:
    m = json.load(f)
print("whole:", m["scenario"], "seed", m["seed"])
END
