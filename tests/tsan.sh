#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# ThreadSanitizer over what has threads: the runner's dispatcher, one thread a pCPU, gating real guests under
# every policy. What it shares with the VMMs, other processes, TSan does not see.
set -u
cd "$(dirname "$0")/.."
make --no-print-directory -j"$(nproc)" BUILD=tsan WERROR=1 all build/tsan/test-kvm || exit 1
export TSAN_OPTIONS=halt_on_error=1
BUILD=tsan sh tests/kvm.sh share
