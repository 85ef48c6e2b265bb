// SPDX-License-Identifier: GPL-3.0-or-later
/* lab.h - for tests: a scenario from text, run in the simulator, its numbers by name. A mistake in the
 * scenario or a broken law fails the test with what was said. */
#ifndef VLAB_TESTS_LAB_H
#define VLAB_TESTS_LAB_H

#include <stdint.h>

#include "metrics/meter.h"
#include "scenario/scenario.h"

struct lab;

/* The printf-made YAML, read and checked; the scenario's own seed unless a run says otherwise. */
__attribute__((format(printf, 1, 2))) struct lab *lab_open(const char *fmt, ...);
void lab_close(struct lab *l);
const struct scenario *lab_scenario(const struct lab *l);
/* Runs it with this seed; the numbers stay until the next run. */
void lab_run(struct lab *l, uint64_t seed);
double lab_value(const struct lab *l, const char *entity, const char *metric, const char *stat);
uint64_t lab_exact(const struct lab *l, const char *entity, const char *metric, const char *stat);
const struct run_output *lab_output(const struct lab *l);
/* Every row and event of the last run as text: to compare runs byte for byte. malloc'ed. */
char *lab_text(const struct lab *l);

/* Mean over seeds 1..reps of one number, and the standard error of that mean. */
struct lab_mean {
    double mean, se;
};
struct lab_mean lab_replicate(struct lab *l, int reps, const char *entity, const char *metric,
                              const char *stat);

#define ck_near(got, want, tol)                                                                              \
    do {                                                                                                     \
        double ck_g = (got), ck_w = (want), ck_t = (tol);                                                    \
        ck_assert_msg(ck_g >= ck_w - ck_t && ck_g <= ck_w + ck_t, "%s is %.9g, wanted %.9g +- %.3g", #got,   \
                      ck_g, ck_w, ck_t);                                                                     \
    } while (0)

#endif
