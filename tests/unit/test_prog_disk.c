// SPDX-License-Identifier: GPL-3.0-or-later
/* Where disk requests go: inside the disk, each place as likely, in turn where they are in turn, and in the
 * guest as in the simulator. */
#include <check.h>
#include <stdlib.h>

#include "program/prog_disk.h"

Suite *prog_disk_suite(void);

/* The guest's, as it is compiled for it (guest_twin.o). */
int64_t guest_prog_disk_aim(uint64_t key, const struct prog_task *t, const struct prog_act *act, int64_t size,
                            int64_t next, struct rng *rng, int64_t *at);

static struct step step_of(int64_t amount, uint32_t flags)
{
    struct step s = {.kind = STEP_DISK, .probability = UINT32_MAX, .flags = flags};
    s.amount = (struct dist){.kind = DIST_CONST, .a = amount};
    return s;
}

START_TEST(the_guest_aims_where_the_simulator_does)
{
    for (uint64_t i = 0; i < 20000; i++) {
        struct rng x = rng_at(1, 2, i), a, b;
        int64_t amount = 1 + (int64_t)(rng_u32(&x) >> rng_u32(&x) % 32),
                size = 1 + (int64_t)rng_u32(&x) * 1000;
        struct step s = step_of(amount, i % 3 == 0 ? PROG_SEQUENTIAL : 0);
        struct prog_task t = {.task = rng_u32(&x), .iter = i};
        struct prog_act act = {.kind = STEP_DISK, .pc = (uint32_t)i % 5, .amount = amount, .step = &s};
        int64_t next = (int64_t)(rng_u32(&x) % (uint64_t)size), at = -1, guest_at = -2;
        int64_t len = prog_disk_aim(i * 77, &t, &act, size, next, &a, &at);
        ck_assert_int_eq(guest_prog_disk_aim(i * 77, &t, &act, size, next, &b, &guest_at), len);
        ck_assert_int_eq(at, guest_at);
        ck_assert_uint_eq(rng_u32(&a), rng_u32(&b)); /* and draw on alike */
        ck_assert_int_eq(len, amount < size ? amount : size);
        ck_assert_int_ge(at, 0);
        ck_assert_int_le(at, size - len);
        if (s.flags & PROG_SEQUENTIAL)
            ck_assert_int_eq(at, next + len <= size ? next : 0);
        else
            ck_assert_int_eq(at % len, 0);
    }
}
END_TEST

/* 16 places: chi-squared with 15 degrees of freedom, 37.7 is passed once in a thousand. */
START_TEST(anywhere_is_everywhere_alike)
{
    const double expected = 1000;
    double n[16] = {0}, chi = 0;
    for (uint64_t i = 0; i < 16000; i++) {
        struct rng r = rng_at(9, 8, i);
        n[prog_disk_anywhere(&r, 16 * 4096 + 100, 4096) / 4096]++;
    }
    for (int i = 0; i < 16; i++)
        chi += (n[i] - expected) * (n[i] - expected) / expected;
    ck_assert_double_lt(chi, 37.7);
}
END_TEST

Suite *prog_disk_suite(void)
{
    Suite *s = suite_create("prog_disk");
    TCase *t = tcase_create("prog_disk");
    tcase_add_test(t, the_guest_aims_where_the_simulator_does);
    tcase_add_test(t, anywhere_is_everywhere_alike);
    suite_add_tcase(s, t);
    return s;
}
