// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

_Thread_local const int64_t *assert_clock_ns;

void assert_failed(const char *file, int line, const char *what)
{
    if (assert_clock_ns) {
        int64_t t = *assert_clock_ns;
        fprintf(stderr, "vlab: at simulated time %" PRId64 ".%09" PRId64 " s: ", t / 1000000000,
                t % 1000000000);
    } else {
        fprintf(stderr, "vlab: ");
    }
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    fprintf(stderr, "vlab: this is a mistake in vlab, not in your scenario; please report it with the "
                    "scenario and seed\n");
    abort();
}
