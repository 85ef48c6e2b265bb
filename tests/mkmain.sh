#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Writes the main of a Check runner for the test files named: test_NAME.c exports `Suite *NAME_suite(void)`.
# With TEST_SHARD=I/N (tests/shards.sh) it runs every Nth suite only, from the Ith on.
cat <<'HEAD'
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
HEAD
names=$(for f in "$@"; do b=${f##*/test_}; echo "${b%.c}"; done)
for n in $names; do echo "Suite *${n}_suite(void);"; done
cat <<'HEAD'
int main(void) {
    SRunner *sr = srunner_create(NULL);
    const char *env = getenv("TEST_SHARD");
    unsigned shard = 1, of = 1, k = 0;
    if (env && (sscanf(env, "%u/%u", &shard, &of) != 2 || shard < 1 || shard > of)) {
        fprintf(stderr, "TEST_SHARD=%s: I/N is asked for, I from 1 to N\n", env);
        return 2;
    }
HEAD
for n in $names; do echo "    if (k++ % of == shard - 1) srunner_add_suite(sr, ${n}_suite());"; done
cat <<'TAIL'
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
TAIL
