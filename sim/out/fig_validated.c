// SPDX-License-Identifier: GPL-3.0-or-later
/* Simulated against measured: who agreed lies on the diagonal. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "out/figure.h"
#include "out/validated.h"

/* What the points stand for, by unit: a block of data each. */
static const struct {
    const char *unit, *name;
} kinds[] = {
    {"", "shares"}, {"s", "times, s"}, {"1/s", "rates, 1/s"}, {"x", "slowdowns"}, {NULL, "counts and bytes"}};
#define N_KINDS (sizeof kinds / sizeof *kinds)

static size_t kind_of(const struct validated_row *r)
{
    size_t k = 0;
    while (kinds[k].unit && strcmp(kinds[k].unit, r->unit) != 0)
        k++;
    return k;
}

static bool is_drawn(const struct validated_row *r)
{
    return r->judged && r->sim > 0 && r->real > 0 && strcmp(r->unit, "sum") != 0;
}

void fig_validated(struct rundir *rd, const struct report *rp, const struct validated *v)
{
    struct figure fig;
    char *note;
    double low = HUGE_VAL, high = 0;
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++) {
        const struct validated_row *r = &v->rows[i];
        if (!is_drawn(r)) continue;
        low = fmin(low, fmin(r->sim, r->real));
        high = fmax(high, fmax(r->sim, r->real));
        n++;
    }
    if (n == 0) return;
    struct validated_summary s = validated_sum(v);
    if (asprintf(&note, "%zu judged values; mean error a factor of %.3f, worst %.2f; grey: a factor of 1.1",
                 n, exp(s.mean), exp(s.worst)) < 0)
        note = NULL;
    ASSERT(note);
    figure_begin(&fig, rd, rp, "validated", "Does the simulator say what the hardware does?", note, 640);
    free(note);
    figure_number(&fig, "FROM", pow(10, floor(log10(low))));
    figure_number(&fig, "TO", pow(10, ceil(log10(high))));
    figure_number(&fig, "KINDS", (double)N_KINDS);
    char *names[N_KINDS];
    for (size_t k = 0; k < N_KINDS; k++) {
        names[k] = (char *)(uintptr_t)kinds[k].name;
        for (size_t i = 0; i < v->n; i++) {
            const struct validated_row *r = &v->rows[i];
            if (!is_drawn(r) || kind_of(r) != k) continue;
            figure_cell(fig.data, r->scenario);
            figure_value(fig.data, r->sim);
            figure_value(fig.data, r->real);
            putc('\n', fig.data);
        }
        fputs("nan\tnan\tnan\n\n\n", fig.data); /* a block must hold something */
    }
    figure_array(&fig, "NAMES", names, N_KINDS);
    figure_end(&fig, "validated");
}
