// SPDX-License-Identifier: GPL-3.0-or-later
/* Distributions of durations or sizes: `2ms`, `{exponential: 2ms}`, `{normal: [10ms, 1ms]}`. */
#include <stdio.h>
#include <string.h>

#include "scenario/reader.h"

static const struct dist_form forms[] = {
    {"exponential", DIST_EXPONENTIAL, "d", "mean", "Without memory."},
    {"uniform", DIST_UNIFORM, "dd", "a b", "Anything from a to b is as likely."},
    {"normal", DIST_NORMAL, "dd", "mean sd", "Negative values are cut to 0."},
    {"lognormal", DIST_LOGNORMAL, "dd", "mean sd",
     "Mean and standard deviation are the value's own, not its logarithm's."},
    {"weibull", DIST_WEIBULL, "dn", "scale shape", "Shape below 1: many early, some very late."},
    {"pareto", DIST_PARETO, "dn", "min shape",
     "A heavy tail: no variance for shapes up to 2, no mean up to 1."},
    {"hyperexponential", DIST_HYPEREXP, "dn", "mean scv",
     "More variable than exponential: scv is the squared coefficient of variation, 1 or more."},
    {"erlang", DIST_ERLANG, "dk", "mean k", "The sum of k exponential stages."},
    {"empirical", DIST_EMPIRICAL, "f", "FILE",
     "One of the file's values, each line as likely; in s where no unit is given."},
    {"sequence", DIST_SEQUENCE, "f", "FILE", "The file's values in order, over and over."},
};
#define N_FORMS (sizeof forms / sizeof forms[0])

const struct dist_form *dist_form_at(size_t i)
{
    return i < N_FORMS ? &forms[i] : NULL;
}

void pool_add(struct reader *r, struct pool *p, int64_t v)
{
    if (p->n == p->room) {
        uint32_t room = p->room ? 2 * p->room : 64;
        int64_t *more = arena_array(r->a, room, sizeof *more);
        if (p->n) memcpy(more, p->v, p->n * sizeof *more);
        p->v = more;
        p->room = room;
    }
    p->v[p->n++] = v;
}

static bool amount(struct reader *r, struct node *n, enum unit_kind kind, int64_t *out)
{
    struct unit_why why;
    if (n->bad) return false;
    if (n->kind != NODE_SCALAR) return tree_error(r->d, n, "%s is wanted here", unit_kind_name(kind)), false;
    if (unit_parse(kind, n->text, n->len, out, &why)) return true;
    if (tree_error(r->d, n, "%s", why.text) && why.hint[0]) diag_hint(r->d, "%s", why.hint);
    return false;
}

static const char *nothing(enum unit_kind unit)
{
    return unit == UNIT_DURATION ? "zero time" : "no bytes";
}

/* Parameter i of a form, into the field its kind has for it. */
static bool param(struct reader *r, struct node *n, enum unit_kind unit, const struct dist_form *f, size_t i,
                  struct dist *out)
{
    int64_t v = 0;
    switch (f->params[i]) {
    case 'd':
        if (!amount(r, n, unit, &v)) return false;
        *(i ? &out->b : &out->a) = v;
        return true;
    case 'n':
        if (!amount(r, n, UNIT_NUMBER, &v)) return false;
        out->x = (double)v / 1e9;
        if (out->x <= 0) return tree_error(r->d, n, "the shape must be over 0"), false;
        if (f->kind == DIST_HYPEREXP && out->x < 1)
            return tree_error(r->d, n, "a hyperexponential's scv is 1 or more"), false;
        return true;
    default:
        if (!amount(r, n, UNIT_COUNT, &v)) return false;
        if (v < 1 || v > 10000) return tree_error(r->d, n, "1 to 10000 stages, not %.40s", n->text), false;
        out->n = (uint32_t)v;
        return true;
    }
}

static bool params(struct reader *r, struct node *n, enum unit_kind unit, const struct dist_form *f,
                   struct dist *out)
{
    size_t want = strlen(f->params);
    if (want == 1 && n->kind == NODE_SCALAR) return param(r, n, unit, f, 0, out);
    if (n->kind != NODE_LIST || n->n != want || want == 1) {
        if (want == 1)
            tree_error(r->d, n, "`%s` has one parameter: %s", f->name, f->names);
        else
            tree_error(r->d, n, "`%s` has two parameters: [%.*s, %s]", f->name, (int)strcspn(f->names, " "),
                       f->names, strchr(f->names, ' ') + 1);
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < want; i++)
        ok &= param(r, n->items[i], unit, f, i, out);
    if (ok && f->kind == DIST_UNIFORM && out->b < out->a)
        return tree_error(r->d, n, "the first bound of `uniform` is above the second"), false;
    return ok;
}

static bool from_file(struct reader *r, struct node *n, enum unit_kind unit, struct dist *out,
                      struct pool *pool)
{
    struct got got;
    const struct key *k = key_find("vms.workload.arrivals.trace");
    if (!reader_scalar(r, n, k, &got)) return false;
    if (!pool) return true; /* the shape alone was asked for */
    uint32_t at = pool->n;
    if (!(unit == UNIT_SIZE ? trace_read_sizes(r, n, pool) : trace_read(r, n, false, pool))) return false;
    out->at = at;
    out->n = pool->n - at;
    return true;
}

static bool read_form(struct reader *r, struct node *n, enum unit_kind unit, struct dist *out,
                      struct pool *pool)
{
    const char *names[N_FORMS + 1] = {0};
    const struct dist_form *f = NULL;
    if (n->n != 1) {
        tree_error(r->d, n, "a distribution is a map of one key, as {exponential: 2ms}");
        return false;
    }
    for (size_t i = 0; i < N_FORMS; i++) {
        names[i] = forms[i].name;
        if (tree_is(n->keys[0], forms[i].name)) f = &forms[i];
    }
    if (!f) {
        if (tree_error(r->d, n->keys[0], "`%.60s` is not a distribution", n->keys[0]->text)) {
            const char *near = diag_nearest(n->keys[0]->text, names);
            if (near)
                diag_hint(r->d, "did you mean `%s`?", near);
            else
                diag_hint(r->d, "there are exponential uniform normal lognormal weibull pareto "
                                "hyperexponential erlang empirical sequence");
        }
        n->bad = true;
        return false;
    }
    out->kind = f->kind;
    struct node *v = n->items[0];
    if (f->params[0] == 'f') return from_file(r, v, unit, out, pool);
    if (!params(r, v, unit, f, out)) return false;
    /* Nothing can come of these but zero. */
    if (out->a == 0 && out->b == 0)
        return tree_error(r->d, v, "`%s` of %s is always zero", f->name, nothing(unit)), false;
    if (out->a == 0 && f->kind != DIST_UNIFORM && f->kind != DIST_NORMAL)
        return tree_error(r->d, v, "the %.*s of `%s` must be over zero", (int)strcspn(f->names, " "),
                          f->names, f->name),
               false;
    return true;
}

bool dist_read_in(struct reader *r, struct node *n, enum unit_kind unit, bool zero_ok, struct dist *out,
                  struct pool *pool)
{
    *out = (struct dist){.kind = DIST_CONST};
    if (n->bad) return false;
    if (n->kind == NODE_LIST)
        return tree_error(r->d, n, "%s or a distribution is wanted, not a list", unit_kind_name(unit)), false;
    bool ok = n->kind == NODE_MAP ? read_form(r, n, unit, out, pool) : amount(r, n, unit, &out->a);
    if (!ok) return false;
    if (n->kind == NODE_SCALAR && !out->a && !zero_ok)
        return tree_error(r->d, n, "a step of %s does nothing, over and over", nothing(unit)), false;
    if (pool && draw_make(out)) return tree_error(r->d, n, "these parameters are out of range"), false;
    return true;
}

bool dist_read(struct reader *r, struct node *n, bool zero_ok, struct dist *out, struct pool *pool)
{
    return dist_read_in(r, n, UNIT_DURATION, zero_ok, out, pool);
}

void dist_check(struct reader *r, struct node *n, const struct key *k)
{
    struct dist d;
    enum unit_kind unit = UNIT_DURATION;
    key_unit(k->type, &unit);
    dist_read_in(r, n, unit, true, &d, NULL);
}

bool dist_takes_time(const struct dist *d, const struct pool *pool)
{
    if (d->kind == DIST_CONST) return d->a > 0;
    if (d->kind != DIST_EMPIRICAL && d->kind != DIST_SEQUENCE) return true;
    for (uint32_t i = 0; i < d->n; i++)
        if (pool->v[d->at + i] > 0) return true;
    return false;
}
