#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The rules of the house that a compiler does not know: includes point only downwards, files stay small,
# the first line is the licence, and the top level holds what it should.
set -u
cd "$(dirname "$0")/.."
bad=0
say() { echo "$*"; bad=1; }

# What each folder may include. base < scenario, policy, program < engine < model < metrics < out < top < cli.
# A scenario holds compiled programs; a draw is base; out and top see neither model nor kvm.
allowed() {
    case $1 in
    sim/base) echo base ;;
    sim/program) echo base program ;;
    sim/policy) echo base policy ;;
    sim/scenario) echo base program policy scenario ;;
    sim/engine) echo base engine ;;
    sim/model) echo base scenario policy program engine model ;;
    sim/metrics) echo base scenario policy program engine model metrics ;;
    sim/out) echo base scenario policy program metrics out ;;
    sim/top) echo base scenario policy program metrics out top ;;
    sim/cli) echo base scenario policy program engine model metrics out top cli kvm ;;
    kvm | kvm/*) echo base scenario policy program metrics kvm ;;
    esac
}
for f in $(git ls-files 'sim/*.[ch]' 'kvm/*.[ch]'); do
    dir=$(dirname "$f")
    for inc in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$f"); do
        to=${inc%%/*}
        case " $(allowed "$dir") " in
        *" $to "*) ;;
        *) say "$f: includes $inc: $dir may include only: $(allowed "$dir")" ;;
        esac
    done
done
for f in $(git ls-files '*.c' '*.h'); do
    n=$(wc -l <"$f")
    [ "$n" -le 500 ] || say "$f: $n lines; 500 are the most a file may have"
    head -n 1 "$f" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later' || say "$f: the first line is not the licence"
done
for f in $(git ls-files | cut -d/ -f1 | sort -u); do
    case $f in
    .* | Makefile | sim | kvm | scenarios | plots | tests | lectures | README.md) ;;
    *) say "$f: does not belong at the top level" ;;
    esac
done
[ $bad = 0 ] && echo "layout: $(git ls-files '*.c' '*.h' | wc -l) files in order"
exit $bad
