#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The main job in a few minutes: who pays when physical CPUs are over-committed, simulated and on KVM guests.
# Leaves results and plots in runs/demo.
set -eu
cd "$(dirname "$0")/.."
vlab=build/${BUILD:-release}/vlab
mkdir -p runs/demo
began=$(date +%s)

show() { # NAME: the scenario, its summary, its plots
    echo
    $vlab run "scenarios/$1.yaml" -o "runs/demo/$1"
    $vlab plot "runs/demo/$1" >/dev/null
}
# NAME OPTIONS...: both clocks in one table, then a real run by itself for its plots. What a noisy host makes of
# them is shown, and does not end the demo.
on_kvm() {
    name=$1
    shift
    $vlab validate "scenarios/$name.yaml" $profile "$@" | tee "runs/demo/$name-validate.txt"
    [ "${1:-}" = -r ] && shift 2
    $vlab run "scenarios/$name.yaml" --backend=kvm -o "runs/demo/$name-kvm" "$@" >/dev/null || true
    $vlab plot "runs/demo/$name-kvm" >/dev/null || true
}
show 01-two-vms
show 02-noisy-neighbour
show 03-time-slicing
show 04-cpu-overcommit

echo
if $vlab kvm probe >runs/demo/probe.txt 2>&1; then
    echo "The same on real KVM guests of this machine (runs/demo/probe.txt says what it can do):"
    profile=
    if $vlab kvm calibrate --quick -o runs/demo/host.yaml >runs/demo/calibrate.txt; then
        profile="-p runs/demo/host.yaml"
    fi
    on_kvm 01-two-vms
    if [ "$(nproc)" -ge 2 ]; then
        echo
        echo "Two real CPUs, over-committed: who pays for the database's three neighbours?"
        on_kvm 02-noisy-neighbour -r 5 --set vms.db.vcpus=1 --set vms.batch.count=3 --set run.duration=2s \
            --set run.warmup=200ms --set run.replications=1
    fi
else
    echo "KVM is not usable on this machine; the table of both clocks is skipped. Why, and what would help:"
    sed 's/^/  /' runs/demo/probe.txt
fi
echo
echo "Plots to look at (SVG beside each):"
find runs/demo -name '*.png' | sort | sed 's/^/  /'
echo "demo: $(($(date +%s) - began)) s"
