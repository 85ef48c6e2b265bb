#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Writes the main of a Check runner for the test files named: test_NAME.c exports `Suite *NAME_suite(void)`.
cat <<'HEAD'
#include <check.h>
#include <stdlib.h>
HEAD
names=$(for f in "$@"; do b=${f##*/test_}; echo "${b%.c}"; done)
for n in $names; do echo "Suite *${n}_suite(void);"; done
echo 'int main(void) {'
echo '    SRunner *sr = srunner_create(NULL);'
for n in $names; do echo "    srunner_add_suite(sr, ${n}_suite());"; done
cat <<'TAIL'
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
TAIL
