// SPDX-License-Identifier: GPL-3.0-or-later
/* What keeps a host: power, price, failures, its rack; what its CPUs can do; how far placement fills it. */
#include <string.h>

#include "scenario/reader.h"

#define H "hosts."

uint64_t upkeep_features(struct reader *r, const struct node *map, const char *key, const struct scenario *sc)
{
    struct node *list = reader_sub(map, key, NODE_LIST);
    uint64_t bits = 0;
    for (uint32_t i = 0; list && i < list->n; i++) {
        struct node *n = list->items[i];
        if (n->kind != NODE_SCALAR || n->bad) continue;
        uint32_t f = reader_index(sc->features, sc->n_features, n->text);
        if (f < 64)
            bits |= UINT64_C(1) << f;
        else if (tree_error(r->d, n, "no host has the feature `%s`", n->text))
            diag_hint(r->d, "`hosts.features` brings them");
    }
    return bits;
}

static void read_curve(struct reader *r, const struct node *power, struct sc_power *p)
{
    struct node *list = reader_sub(power, "curve", NODE_LIST);
    if (!list) return;
    int64_t *mw = arena_array(r->a, list->n + 1, sizeof *mw);
    for (uint32_t i = 0; i < list->n; i++) {
        struct got got = {0};
        if (!reader_scalar(r, list->items[i], key_find(H "power.curve"), &got)) return;
        mw[i] = got.n;
    }
    if (list->n < 2) {
        tree_error(r->d, list, "a curve has two points or more: with nothing to do, and with all at work");
        return;
    }
    p->curve_mw = mw;
    p->n_curve = list->n;
    p->idle_mw = mw[0];
    p->busy_mw = mw[list->n - 1];
}

static void read_steps(struct reader *r, const struct node *power, const struct sc_host *h,
                       struct sc_power *p)
{
    struct node *list = reader_sub(power, "steps", NODE_LIST);
    if (!list) return;
    struct sc_speed *steps = arena_array(r->a, list->n + 1, sizeof *steps);
    for (uint32_t i = 0; i < list->n; i++) {
        struct node *m = list->items[i];
        struct got speed = reader_get(r, m, H "power.steps.speed");
        steps[i] = (struct sc_speed){.speed_ppm = (uint32_t)(speed.n / 1000),
                                     .idle_mw = reader_num(r, m, H "power.steps.idle"),
                                     .busy_mw = reader_num(r, m, H "power.steps.busy")};
        if (!speed.stated) tree_error(r->d, m, "at which speed? `speed` is missing");
        if (!speed.node) return;
        if (i && steps[i].speed_ppm <= steps[i - 1].speed_ppm)
            tree_error(r->d, speed.node, "steps go from the slowest to the fastest");
    }
    if (list->n < 2)
        tree_error(r->d, list, "two speeds or more make steps");
    else if (steps[list->n - 1].speed_ppm != h->speed_ppm)
        tree_error(r->d, list->items[list->n - 1], "the last step is the host's own speed, `cpu.speed`");
    p->steps = steps;
    p->n_steps = list->n;
}

static void read_power(struct reader *r, const struct node *map, struct sc_host *h)
{
    struct node *power = reader_sub(map, "power", NODE_MAP);
    struct sc_power *p = &h->power;
    if (!power) return;
    p->stated = true;
    struct got idle = reader_get(r, power, H "power.idle"), busy = reader_get(r, power, H "power.busy");
    p->idle_mw = idle.n;
    p->busy_mw = busy.n;
    p->off_mw = reader_num(r, power, H "power.off");
    if (busy.node && idle.n > busy.n) tree_error(r->d, busy.node, "busy, it takes less than idle");
    read_curve(r, power, p);
    read_steps(r, power, h, p);
    if (p->n_curve && p->n_steps)
        tree_error(r->d, tree_key(power, "curve"),
                   "a curve and steps do not go together: each step is a line");
}

static void read_failures(struct reader *r, const struct node *map, struct sc_host *h)
{
    struct node *f = reader_sub(map, "failures", NODE_MAP);
    struct pool pool = {0};
    if (!f) return;
    struct node *ttf = tree_get(f, "ttf", 3), *repair = tree_get(f, "repair", 6);
    struct got trace = reader_get(r, f, H "failures.trace");
    if (trace.node) {
        if (ttf || repair) tree_error(r->d, f, "failures are drawn (ttf, repair) or from a trace, not both");
        if (!trace_read(r, trace.node, true, &pool)) return;
        h->failures = (struct sc_failures){.stated = true, .trace_ns = pool.v, .n_trace = pool.n};
        return;
    }
    if (trace.stated) return;
    if (!ttf || !repair) {
        tree_error(r->d, f, "`failures` needs `ttf` and `repair`, or a `trace`");
        return;
    }
    if (ttf->bad || repair->bad) return;
    bool ok = dist_read(r, ttf, false, &h->failures.ttf, &pool);
    ok = dist_read(r, repair, true, &h->failures.repair, &pool) && ok; /* both: each says what is wrong */
    h->failures.pool = pool.v;
    h->failures.stated = ok;
    if (ok && !dist_takes_time(&h->failures.ttf, &pool))
        tree_error(r->d, ttf, "it would fail again and again without any time between");
}

void upkeep_read(struct reader *r, struct node *map, const struct scenario *sc, struct sc_host *h)
{
    struct node *cpu = reader_sub(map, "cpu", NODE_MAP), *limit = reader_sub(map, "limit", NODE_MAP);
    struct node *vmm = reader_sub(map, "vmm", NODE_LIST);
    h->fixed_slots = reader_get(r, cpu, H "cpu.defence").word[0] == 'f';
    h->price_u = reader_num(r, map, H "price");
    h->limit_ppm = (uint32_t)reader_num(r, limit, H "limit.cpu");
    h->features = upkeep_features(r, map, "features", sc) & ~upkeep_features(r, map, "mask", sc);
    struct got rack = reader_get(r, map, H "rack");
    h->rack = rack.node ? reader_index(sc->racks, sc->n_racks, rack.word) : SC_NONE;
    const char **names = arena_array(r->a, vmm ? vmm->n + 1 : 1, sizeof *names);
    for (uint32_t i = 0; vmm && i < vmm->n; i++) {
        if (vmm->items[i]->kind != NODE_SCALAR) continue;
        if (reader_index(names, h->n_vmms, vmm->items[i]->text) != SC_NONE)
            tree_error(r->d, vmm->items[i], "`%s` is here twice", vmm->items[i]->text);
        names[h->n_vmms++] = vmm->items[i]->text;
    }
    h->vmms = names;
    read_power(r, map, h);
    read_failures(r, map, h);
}

void upkeep_names(struct reader *r, const struct node *hosts, struct scenario *sc)
{
    sc->features = reader_names(r, hosts, "features", &sc->n_features);
    sc->racks = reader_names(r, hosts, "rack", &sc->n_racks);
    if (sc->n_features > 64) {
        tree_error(r->d, hosts->items[0], "more than 64 CPU features");
        sc->n_features = 64;
    }
}
