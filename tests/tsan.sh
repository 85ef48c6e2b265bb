#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# ThreadSanitizer over what has threads: the runner's dispatcher, one thread a pCPU, gating real guests under
# every policy of ours. What it shares with the VMMs, other processes, TSan does not see. Shares and slices are
# not judged here, where everything is slower (tests/kvm.sh does); a report of a race is, and a crash or a
# test that ran out of time.
set -u
cd "$(dirname "$0")/.."
make --no-print-directory -j"$(nproc)" BUILD=tsan WERROR=1 all build/tsan/test-kvm || exit 1
if ! why=$( (exec 3<>/dev/kvm) 2>&1); then
    echo "the dispatcher has no guests to gate: ${why##*: } (/dev/kvm)"
    exit 77
fi
log=build/tsan/share.log
CK_RUN_SUITE=share TSAN_OPTIONS=halt_on_error=1 VLAB=build/tsan/vlab build/tsan/test-kvm >"$log" 2>&1
cat "$log"
if grep -q -e 'WARNING: ThreadSanitizer' -e 'FATAL: ThreadSanitizer' -e ':E:' "$log"; then exit 1; fi
awk '/^[0-9]+%: Checks: / {ran = $3 + 0; failed = $5 + 0}
     END {if (ran == 0 || 2 * failed > ran) {print "too little of it ran to the end"; exit 1}}' "$log"
