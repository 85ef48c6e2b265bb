#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# One program: bare, in a VM, in a VM that is moved half-way (all simulated), on KVM, and in a native process. The
# sum that it comes to is the same. Usage: tests/kvm/checksums.sh VLAB
set -eu
vlab=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$vlab" run tests/kvm/moved.yaml -o "$work/sim" >"$work/out" || { cat "$work/out"; exit 1; }
"$vlab" run tests/kvm/stays.yaml --backend=kvm -o "$work/kvm" >"$work/out" || { cat "$work/out"; exit 1; }
"$vlab" run tests/kvm/stays.yaml --backend=proc -o "$work/proc" >"$work/out" || { cat "$work/out"; exit 1; }
sums=$(awk -F, '$7 == "work.checksum" && $8 == "total" {print $2, $6, $10}' "$work/sim/summary.csv" "$work/kvm/summary.csv" \
    "$work/proc/summary.csv")
echo "$sums"
echo "$sums" | awk '{n++; sum[$3]} END {k = 0; for (s in sum) k++; if (n != 5 || k != 1) {print "differs: the sums are not one"; exit 1}}'
