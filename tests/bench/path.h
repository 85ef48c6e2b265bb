// SPDX-License-Identifier: GPL-3.0-or-later
/* path.h - for benchmarks: a scenario from the file to the meter, as every run has it, to run in pieces. */
#ifndef VLAB_TESTS_BENCH_PATH_H
#define VLAB_TESTS_BENCH_PATH_H

#include "base/alloc.h"
#include "metrics/meter.h"
#include "model/model.h"

struct path {
    struct scenario_file *file;
    struct scenario *sc;
    struct meter *meter;
    struct model *model;
    struct rec_block block;
    int64_t ns_an_event;
};

/* What it is a measure of takes so much simulated time. */
static inline void *path_new(const char *yaml, int64_t ns_an_event)
{
    struct path *p = alloc_array(1, sizeof *p);
    struct diag d;
    diag_init(&d);
    p->file = scenario_parse("bench", yaml, strlen(yaml), &d);
    p->sc = p->file ? scenario_at(p->file, 0, &d) : NULL;
    if (!p->sc) {
        diag_print(&d, stderr, false);
        exit(2);
    }
    diag_done(&d);
    p->ns_an_event = ns_an_event;
    rec_block_init(&p->block);
    p->meter = meter_new(p->sc, &(struct meter_opts){.only_vm = MODEL_ALL});
    rec_block_add_reader(&p->block, meter_reader(p->meter));
    p->model = model_new(p->sc, 1, MODEL_ALL, &p->block);
    return p;
}

static inline void path_free(void *st)
{
    struct path *p = st;
    model_free(p->model);
    meter_free(p->meter);
    scenario_free(p->sc);
    scenario_close(p->file);
    free(p);
}

/* As much simulated time as n events take. */
static inline void path_run(void *st, uint64_t n)
{
    struct path *p = st;
    sim_run(model_sim(p->model), sim_now(model_sim(p->model)) + (int64_t)n * p->ns_an_event);
}

#endif
