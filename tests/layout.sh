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
# Nothing promises what is not there, and nothing knows the machine it was written on.
later='TO''DO|FIX''ME|X''XX\b|HA''CK\b|place''holder|st''ub(s|bed)?\b'
here='/(home|ro''ot|work|Users)/[A-Za-z]'
git grep -n -I -E -i "\b($later)" -- ':!tests/fuzz/corpus' | grep -v '^README.md:.*X''XX' && # a plot of letters
    say "words that promise later are above"
git grep -n -I -E "$here" && say "paths of one machine are above"

# What a file exports begins with the file's first word (evq_radix.c: evq_; names.c: name_ or names_), a
# command's with cli_. Exceptions, FILE SYMBOL, each told in the header it is declared in.
cat >build/layout-exceptions <<'END'
sim/cli/.* cli_.*
.*/main main
sim/scenario/(sweep|dump) scenario_.*
sim/scenario/dist pool_add
kvm/runner/(run|report|calibrate|probe|baseline) kvm_.*
kvm/switch/main switch_.*
kvm/vmm/disk dev_disk
kvm/vmm/nic dev_nic
kvm/store/main store_.*
END
# Nothing that is written to outlives a call, but for what a signal's handler has to reach (what belongs to a
# thread is not looked at: the clock that a failed assertion prints, and the like).
cat >build/layout-variables <<'END'
sim/cli/stop stop_asked
END
out=build/${BUILD:-release}
objects=$(git ls-files 'sim/*.c' 'kvm/runner/*.c' 'kvm/vmm/*.c' 'kvm/switch/*.c' 'kvm/store/*.c' | sed "s#\(.*\)\.c#$out/\1.o#")
[ -n "$objects" ] && ls $objects >/dev/null || say "not all is built in $out: make"
nm -A -g --defined-only $objects 2>/dev/null | sed "s#^$out/##; s#\.o:[0-9a-f]* [A-Za-z]##" >build/layout-exports
objdump -t $objects 2>/dev/null |
    awk -v out="$out/" '/file format/ {f = substr($1, length(out) + 1); sub(/\.o:$/, "", f)}
         $0 ~ / O / && $0 ~ /[ \t](\.data|\.bss|COMMON|\*COM\*)\t/ {print f, $NF}' >build/layout-globals
wrong=$(awk 'NR == FNR {ok[n++] = "^" $1 " " $2 "$"; next}
     {for (i = 0; i < n; i++) if ($0 ~ ok[i]) next
      word = $1; sub(/.*\//, "", word); sub(/_.*/, "", word); one = word; sub(/s$/, "", one)
      if ($2 !~ "^(" word "|" one ")(_|$)") print $1 ".c: exports " $2 ", which does not begin with its word"}
     ' build/layout-exceptions build/layout-exports
     grep -v -x -F -f build/layout-variables build/layout-globals | sed 's/ /.c: a variable that outlives a call: /')
[ -z "$wrong" ] || say "$wrong"
for f in $(git ls-files | cut -d/ -f1 | sort -u); do
    case $f in
    .* | Makefile | sim | kvm | scenarios | plots | tests | lectures | README.md) ;;
    *) say "$f: does not belong at the top level" ;;
    esac
done
[ $bad = 0 ] && echo "layout: $(git ls-files '*.c' '*.h' | wc -l) files, $(wc -l <build/layout-exports) exported names in order"
exit $bad
