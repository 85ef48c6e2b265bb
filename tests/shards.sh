#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A Check runner (tests/mkmain.sh) on all CPUs: three shards of its suites for each CPU, as many at a time as there
# are CPUs, each with its own closing line. One suite asked for by CK_RUN_SUITE is one process, as ever.
# Usage: tests/shards.sh RUNNER
set -u
runner=$1
cpus=$(nproc 2>/dev/null || echo 2)
if [ -n "${CK_RUN_SUITE:-}${CK_RUN_CASE:-}" ] || [ "$cpus" = 1 ]; then exec "$runner"; fi
logs=$(mktemp -d) || exit 1
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM
of=$((3 * cpus))
# What a shard prints appears when it has ended: shards do not speak at once.
seq "$of" | xargs -P "$cpus" -I '{}' sh -c '
    TEST_SHARD={}/$2 "$1" >"$3/{}" 2>&1
    rc=$?
    cat "$3/{}"
    exit $rc' sh "$runner" "$of" "$logs"
