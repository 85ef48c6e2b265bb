// SPDX-License-Identifier: GPL-3.0-or-later
/* treelab.h - for tests: a point of a scenario of the tree, run in the simulator. What it should come out at
 * is reckoned from the keys it states, so a test follows the scenario and not a copy of it. */
#ifndef VLAB_TESTS_TREELAB_H
#define VLAB_TESTS_TREELAB_H

#include <check.h>
#include <stdlib.h>

#include "cli/once.h"
#include "tests/lab.h"

struct tree {
    struct scenario_file *file;
    struct scenario *sc;
    struct meter *meter;
};

/* From the top of the tree: scenarios/PATH. */
static inline void tree_open(struct tree *t, const char *path, size_t point)
{
    struct diag d;
    diag_init(&d);
    *t = (struct tree){.file = scenario_open(path, &d)};
    ck_assert_msg(t->file != NULL, "%s cannot be read", path);
    ck_assert_uint_lt(point, scenario_points(t->file));
    t->sc = scenario_at(t->file, point, &d);
    ck_assert_msg(t->sc != NULL, "%s is refused", path);
    diag_done(&d);
}

static inline void tree_run(struct tree *t, uint64_t seed)
{
    char *why = NULL;
    meter_free(t->meter);
    t->meter = once_sim(&(struct once){.sc = t->sc, .seed = seed}, &why);
    ck_assert_msg(t->meter != NULL, "the run failed: %s", why ? why : "stopped");
}

static inline double tree_value(const struct tree *t, const char *entity, const char *metric,
                                const char *stat)
{
    const struct result *r = results_find(meter_output(t->meter)->results, entity, metric, stat);
    ck_assert_msg(r != NULL, "there is no %s.%s.%s", entity, metric, stat);
    return r->value;
}

static inline void tree_close(struct tree *t)
{
    meter_free(t->meter);
    scenario_free(t->sc);
    scenario_close(t->file);
}

#endif
