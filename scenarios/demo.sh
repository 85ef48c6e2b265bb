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
show 01-two-vms
show 02-noisy-neighbour
show 03-time-slicing
show 04-cpu-overcommit

echo
if $vlab kvm probe >runs/demo/probe.txt 2>&1; then
    echo "The same on real KVM guests of this machine (runs/demo/probe.txt says what it can do):"
    $vlab kvm calibrate --quick -o runs/demo/host.yaml >runs/demo/calibrate.txt
    $vlab validate scenarios/01-two-vms.yaml -p runs/demo/host.yaml | tee runs/demo/validate.txt
    $vlab run scenarios/01-two-vms.yaml --backend=kvm -o runs/demo/01-two-vms-kvm >/dev/null || true
    $vlab plot runs/demo/01-two-vms-kvm >/dev/null || true
else
    echo "KVM is not usable on this machine; the table of both clocks is skipped. Why, and what would help:"
    sed 's/^/  /' runs/demo/probe.txt
fi
echo
echo "Plots to look at (SVG beside each):"
find runs/demo -name '*.png' | sort | sed 's/^/  /'
echo "demo: $(($(date +%s) - began)) s"
