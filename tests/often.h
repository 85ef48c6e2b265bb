// SPDX-License-Identifier: GPL-3.0-or-later
/* often.h - for tests that look at a hundred thousand things.
 *
 * Check writes a line to a file at every assertion, passed or not, and keeps it: some hundred thousand of
 * them cost more than what they look at, and make each later test's fork dear. ck_often says nothing until
 * it fails. FEWER(n) is n, and a tenth of it under a sanitizer, which looks for mistakes of memory and of
 * arithmetic, not of statistics. */
#ifndef VLAB_TESTS_OFTEN_H
#define VLAB_TESTS_OFTEN_H

#include <check.h>

#define ck_often(cond)                                                                                       \
    do {                                                                                                     \
        if (!(cond)) ck_abort_msg("not so: %s", #cond);                                                      \
    } while (0)

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#endif
#ifdef SANITIZED
#define FEWER(n) ((n) / 10)
#else
#define FEWER(n) (n)
#endif

#endif
