// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/validated.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "out/csv.h"
#include "out/num.h"

#define LEAST_SHARE 0.01

static const char *copy(const char *text)
{
    char *s = strdup(text);
    ASSERT(s);
    return s;
}

void validated_add(struct validated *v, const struct validated_row *row)
{
    if (v->n == v->cap) {
        v->cap = v->cap ? 2 * v->cap : 64;
        v->rows = realloc(v->rows, v->cap * sizeof *v->rows);
        ASSERT(v->rows);
    }
    struct validated_row *r = &v->rows[v->n++];
    *r = *row;
    r->scenario = copy(row->scenario);
    r->point = copy(row->point);
    r->entity = copy(row->entity);
    r->metric = copy(row->metric);
    r->stat = copy(row->stat);
    r->unit = copy(row->unit);
}

void validated_done(struct validated *v)
{
    for (size_t i = 0; i < v->n; i++) {
        struct validated_row *r = &v->rows[i];
        const char *const texts[] = {r->scenario, r->point, r->entity, r->metric, r->stat, r->unit};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            free((char *)(uintptr_t)texts[k]);
    }
    free(v->rows);
    *v = (struct validated){0};
}

static bool has_error(const struct validated_row *r)
{
    double least = r->unit[0] == '\0' ? LEAST_SHARE : 0;
    return r->judged && r->sim > least && r->real > least;
}

static bool same_row(const struct validated_row *a, const struct validated_row *b)
{
    return !strcmp(a->scenario, b->scenario) && !strcmp(a->entity, b->entity) &&
           !strcmp(a->metric, b->metric) && !strcmp(a->stat, b->stat);
}

/* Two points of a sweep as one row sees them. */
static void rank(const struct validated_row *a, const struct validated_row *b, struct validated_summary *s)
{
    double real = b->real - a->real, sim = b->sim - a->sim;
    if (fabs(real) <= 2 * hypot(a->real_spread, b->real_spread) || real == 0) return;
    s->rankings++;
    s->agreeing += sim * real > 0;
}

struct validated_summary validated_sum(const struct validated *v)
{
    struct validated_summary s = {0};
    for (size_t i = 0; i < v->n; i++) {
        const struct validated_row *r = &v->rows[i];
        for (size_t k = i + 1; k < v->n; k++)
            if (r->judged && v->rows[k].judged && same_row(r, &v->rows[k])) rank(r, &v->rows[k], &s);
        if (!has_error(r)) continue;
        double e = fabs(log(r->real / r->sim));
        s.errors++;
        s.mean += e;
        if (s.worst_row && e <= s.worst) continue;
        s.worst = e;
        s.worst_row = r;
    }
    if (s.errors) s.mean /= (double)s.errors;
    return s;
}

void validated_csv(FILE *f, const struct validated *v)
{
    fputs("scenario,point,entity,metric,stat,unit,sim,kvm,difference,spread,verdict\n", f);
    for (size_t i = 0; i < v->n; i++) {
        const struct validated_row *r = &v->rows[i];
        const char *const texts[] = {r->scenario, r->point, r->entity, r->metric, r->stat, r->unit};
        const double numbers[] = {r->sim, r->real, r->difference, r->spread};
        char n[NUM_LEN];
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            csv_field(f, texts[k]);
            putc(',', f);
        }
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            fprintf(f, "%s,", num_text(n, numbers[k]));
        fprintf(f, "%s\n", r->verdict);
    }
}
