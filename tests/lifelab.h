// SPDX-License-Identifier: GPL-3.0-or-later
/* lifelab.h - for tests of life, failures and migration: a scenario run once in small pieces, and after each
 * piece everything that must hold inside (hosts, memory, disks, network) is asked; then once as users do. */
#ifndef VLAB_TESTS_LIFELAB_H
#define VLAB_TESTS_LIFELAB_H

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/cpu.h"
#include "model/disk.h"
#include "model/host.h"
#include "model/inner.h"
#include "model/mem.h"
#include "model/model.h"
#include "model/net.h"
#include "model/power.h"
#include "tests/lab.h"

#define LIFE_MS  INT64_C(1000000)
#define LIFE_SEC INT64_C(1000000000)

struct life {
    struct lab *lab;
    struct model *m;
    struct rec_block out;
};

static inline void life_check(struct life *l)
{
    char *why = NULL;
    bool good = host_check(l->m, &why) == 0 && net_check(l->m, &why) == 0 && mem_check(l->m, &why) == 0 &&
                disk_check(l->m, &why) == 0;
    ck_assert_msg(good, "at %lld ns: %s", (long long)sim_now(l->m->sim), why ? why : "?");
}

static inline void life_to(struct life *l, int64_t t_ns)
{
    ck_assert_int_ne(sim_run(l->m->sim, t_ns), SIM_STALLED);
    life_check(l);
}

/* The model itself, to be looked into. */
static inline void life_begin(struct life *l, uint64_t seed)
{
    rec_block_init(&l->out);
    l->m = model_new(lab_scenario(l->lab), seed, MODEL_ALL, &l->out);
}

static inline void life_end(struct life *l)
{
    char *why = NULL;
    ck_assert_msg(model_run(l->m, &why) == 0, "%s", why ? why : "?");
    model_free(l->m);
    l->m = NULL;
}

/* The same with a meter that has read all of it: its laws hold too. The lab and the meter are done with. */
static inline void life_end_metered(struct life *l, struct meter *meter)
{
    char *why = NULL;
    life_end(l);
    ck_assert_msg(meter_finish(meter, lab_scenario(l->lab)->run.duration_ns, &why) == 0, "%s",
                  why ? why : "?");
    meter_free(meter);
    lab_close(l->lab);
}

static inline struct vm *life_vm(struct life *l, const char *name)
{
    for (uint32_t i = 0; i < l->m->sc->n_vms; i++)
        if (strcmp(l->m->sc->vms[i].name, name) == 0) return &l->m->vms[i];
    ck_abort_msg("no VM %s", name);
}

/* In 200 checked pieces, and then as a user runs it. */
static inline void life_run(struct lab *lab, uint64_t seed)
{
    struct life l = {.lab = lab};
    int64_t end = lab_scenario(lab)->run.duration_ns;
    life_begin(&l, seed);
    for (int64_t k = 1; k < 200; k++)
        life_to(&l, end / 200 * k);
    life_end(&l);
    lab_run(lab, seed);
}

static inline double life_total(const struct lab *l, const char *entity, const char *metric)
{
    return lab_value(l, entity, metric, "total");
}

/* Bytes in guests' caches that were lost with them. */
static inline double life_lost(const struct lab *l)
{
    const struct run_output *o = lab_output(l);
    double sum = 0;
    for (size_t i = 0; i < o->n_happenings; i++)
        if (strcmp(o->happenings[i].kind, "dirty-lost") == 0) sum += o->happenings[i].value;
    return sum;
}

/* All rows of the entities that begin with that name (and their parts): to compare byte for byte. malloc'ed
 */
static inline char *life_rows(const struct lab *l, const char *entity)
{
    char *text = NULL;
    size_t len = 0, n = strlen(entity);
    FILE *f = open_memstream(&text, &len);
    const struct run_output *o = lab_output(l);
    for (size_t i = 0; i < results_count(o->results); i++) {
        const struct result *r = results_at(o->results, i);
        if (strncmp(r->entity, entity, n) != 0 || (r->entity[n] && r->entity[n] != '.')) continue;
        fprintf(f, "%s.%s.%s %.17g %llu\n", r->entity, r->metric, r->stat, r->value,
                (unsigned long long)r->exact);
    }
    fclose(f);
    return text;
}

/* When such an event of that entity came, the nth from 0; -1: it did not. */
static inline int64_t life_when(const struct lab *l, const char *entity, const char *kind, int nth)
{
    const struct run_output *o = lab_output(l);
    for (size_t i = 0; i < o->n_happenings; i++)
        if (strcmp(o->happenings[i].entity, entity) == 0 && strcmp(o->happenings[i].kind, kind) == 0 &&
            nth-- == 0)
            return o->happenings[i].t_ns;
    return -1;
}

static inline int life_count(const struct lab *l, const char *entity, const char *kind)
{
    int n = 0;
    while (life_when(l, entity, kind, n) >= 0)
        n++;
    return n;
}

#endif
