// SPDX-License-Identifier: GPL-3.0-or-later
/* assert.h - our own mistakes, found as early as they can be.
 *
 * ASSERT is on in every build, release too: a wrong result is worse than a crash. It prints the
 * simulated time beside the place. A user's mistake is never an assertion but a diagnostic (diag.h). */
#ifndef VLAB_BASE_ASSERT_H
#define VLAB_BASE_ASSERT_H

#include <stdint.h>

/* The clock that a failed assertion on this thread prints; NULL where no run is under way. It is
 * read by assert_failed alone. */
extern _Thread_local const int64_t *assert_clock_ns;

_Noreturn void assert_failed(const char *file, int line, const char *what);

#define ASSERT(cond) (__builtin_expect(!!(cond), 1) ? (void)0 : assert_failed(__FILE__, __LINE__, #cond))

/* What holds by a rule stated elsewhere, where looking again would cost: told to clang's static analyser
 * alone. */
#ifdef __clang_analyzer__
#define ASSUME(cond) ASSERT(cond)
#else
#define ASSUME(cond) ((void)0)
#endif

#endif
