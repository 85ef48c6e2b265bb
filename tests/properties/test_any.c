// SPDX-License-Identifier: GPL-3.0-or-later
/* Scenarios at random that mix whatever there is (tests/any.h): the laws of model and meter hold in each, and
 * what comes out hangs on nothing but the scenario and its seed; not on how often one looks. */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "cli/once.h"
#include "tests/any.h"
#include "tests/often.h"

Suite *any_suite(void);

#define EACH FEWER(40)

/* Every row of a run as text; *why is set where a law is broken. NULL: not a scenario. */
static char *rows_of(const char *yaml, const char *sample)
{
    struct diag d;
    char *text = NULL, *why = NULL;
    size_t len = 0;
    diag_init(&d);
    struct scenario_file *file = scenario_parse("any.yaml", yaml, strlen(yaml), &d);
    if (file) scenario_set(file, "run.sample", sample, &d);
    struct scenario *sc = file ? scenario_at(file, 0, &d) : NULL;
    if (sc) {
        struct meter *m = once_sim(&(struct once){.sc = sc, .seed = sc->run.seed}, &why);
        if (!m && why && strstr(why, "time does not pass"))
            m = NULL; /* a scenario that stands still */
        else
            ck_assert_msg(m != NULL, "%s\n%s", why, yaml);
        FILE *f = open_memstream(&text, &len);
        for (size_t i = 0; m && i < results_count(meter_output(m)->results); i++) {
            const struct result *r = results_at(meter_output(m)->results, i);
            fprintf(f, "%s.%s.%s %.17g\n", r->entity, r->metric, r->stat, r->value);
        }
        fclose(f);
        meter_free(m);
    }
    free(why);
    scenario_free(sc);
    scenario_close(file);
    diag_done(&d);
    return text;
}

static void first_difference(const char *a, const char *b, const char *yaml)
{
    size_t at = 0;
    while (a[at] && a[at] == b[at])
        at++;
    while (at > 0 && a[at - 1] != '\n')
        at--;
    ck_abort_msg("%.100s\nand then\n%.100s\n%s", a + at, b + at, yaml);
}

START_TEST(laws_hold_and_looking_changes_nothing)
{
    int ran = 0;
    for (int i = 0; i < EACH; i++) {
        struct rng r = rng_at(4, (uint64_t)_i, (uint64_t)i);
        uint8_t bytes[800];
        size_t n = 50 + rng_u32(&r) % (sizeof bytes - 50), len;
        for (size_t k = 0; k < n; k++)
            bytes[k] = (uint8_t)rng_u32(&r);
        char *yaml = NULL;
        FILE *f = open_memstream(&yaml, &len);
        any_write(f, bytes, n);
        fclose(f);
        char *a = rows_of(yaml, "1ms"), *b = a ? rows_of(yaml, "13ms") : NULL;
        if (a && strcmp(a, b) != 0) first_difference(a, b, yaml);
        ran += a != NULL;
        free(a);
        free(b);
        free(yaml);
    }
    ck_assert_int_ge(4 * ran, EACH);
}
END_TEST

Suite *any_suite(void)
{
    Suite *s = suite_create("any");
    TCase *t = tcase_create("any");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, laws_hold_and_looking_changes_nothing, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
