// SPDX-License-Identifier: GPL-3.0-or-later
/* own_dir.h - a test case in a directory of its own, empty, gone afterwards: use own_dir_enter and
 * own_dir_leave as its checked fixture. */
#ifndef VLAB_TESTS_OWN_DIR_H
#define VLAB_TESTS_OWN_DIR_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char own_dir[64];

static inline void own_dir_enter(void)
{
    strcpy(own_dir, "vlab-test-XXXXXX");
    const char *tmp = getenv("TMPDIR");
    ck_assert_int_eq(chdir(tmp ? tmp : P_tmpdir), 0);
    ck_assert_ptr_nonnull(mkdtemp(own_dir));
    ck_assert_int_eq(chdir(own_dir), 0);
}

static inline int own_dir_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static inline void own_dir_leave(void)
{
    ck_assert_int_eq(chdir(".."), 0);
    nftw(own_dir, own_dir_remove, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
