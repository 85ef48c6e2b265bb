// SPDX-License-Identifier: GPL-3.0-or-later
/* The composed scenarios of the validation set are what their seeds make, all twelve; with VLAB_ACCEPT set
 * they are written anew. */
#include <check.h>
#include <stdlib.h>

#include "base/buf.h"
#include "tests/compose.h"
#include "tests/unit/reading.h"

Suite *composed_suite(void);

static const uint64_t seeds[] = COMPOSE_SEEDS;
#define N_SEEDS ((int)(sizeof seeds / sizeof *seeds))

static char *made(uint64_t seed)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    compose(f, seed);
    fclose(f);
    return text;
}

START_TEST(the_files_are_the_seeds)
{
    char path[64], *text = made(seeds[_i]);
    snprintf(path, sizeof path, "scenarios/validate/composed-%02d.yaml", (int)seeds[_i]);
    if (getenv("VLAB_ACCEPT")) {
        FILE *f = fopen(path, "w");
        ck_assert_ptr_nonnull(f);
        fputs(text, f);
        fclose(f);
    }
    struct buf b;
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s is not there", path);
    buf_init(&b);
    ck_assert_int_eq(buf_read(&b, f, 1 << 16), 0);
    fclose(f);
    ck_assert_str_eq(b.text, text);
    buf_done(&b);
    free(text);
}
END_TEST

/* Three resources or more each, half of them over-committed, each a valid scenario and in the list. */
START_TEST(they_are_what_was_asked_for)
{
    struct buf list;
    FILE *f = fopen("scenarios/validate/all.txt", "rb");
    ck_assert_ptr_nonnull(f);
    buf_init(&list);
    ck_assert_int_eq(buf_read(&list, f, 1 << 16), 0);
    fclose(f);
    int over = 0;
    for (int i = 0; i < N_SEEDS; i++) {
        struct diag d;
        char *text = made(seeds[i]), name[40];
        struct scenario_file *file = parse(text, &d);
        struct scenario *sc = at(file, 0, &d);
        bool kinds[STEP_NKINDS] = {false};
        for (uint32_t v = 0; v < sc->n_vms; v++)
            for (uint32_t k = 0; k < sc->vms[v].work.prog->n_steps; k++)
                kinds[prog_steps(sc->vms[v].work.prog)[k].kind] = true;
        ck_assert_int_ge(
            kinds[STEP_CPU] + kinds[STEP_TOUCH] + kinds[STEP_DISK] + kinds[STEP_NET] + kinds[STEP_OPS], 3);
        over += strstr(sc->about, "too little") != NULL;
        snprintf(name, sizeof name, "\ncomposed-%02d.yaml\n", (int)seeds[i]);
        ck_assert_msg(strstr(list.text, name) != NULL, "not in the list: %s", name);
        scenario_free(sc);
        scenario_close(file);
        diag_done(&d);
        free(text);
    }
    ck_assert_int_eq(N_SEEDS, 12);
    ck_assert_int_eq(over, 6);
    buf_done(&list);
}
END_TEST

Suite *composed_suite(void)
{
    Suite *s = suite_create("composed");
    TCase *t = tcase_create("composed");
    tcase_add_loop_test(t, the_files_are_the_seeds, 0, N_SEEDS);
    tcase_add_test(t, they_are_what_was_asked_for);
    suite_add_tcase(s, t);
    return s;
}
