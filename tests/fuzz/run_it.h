// SPDX-License-Identifier: GPL-3.0-or-later
/* run_it.h - for fuzzing: runs a scenario, metered, and falls over where a law of the model or of the meter
 * is broken, or where the run cannot go on though somebody waits. What is too large is let be, and what would
 * take too many events is given up half way. */
#ifndef VLAB_TESTS_FUZZ_RUN_IT_H
#define VLAB_TESTS_FUZZ_RUN_IT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/draw.h"
#include "metrics/meter.h"
#include "model/model.h"

#define RUN_NS         20000000
#define RUN_MAX_EVENTS 50000
#define RUN_PIECES     500

static void run_broken(const char *why)
{
    fprintf(stderr, "broken: %s\n", why);
    abort();
}

/* What a single step may bring about without an event. */
static bool step_small(const struct sc_vm *vm, const struct step *s)
{
    double mean = draw_mean(&s->amount, prog_pool(vm->work.prog));
    return s->kind == STEP_TOUCH ? mean <= 300 : s->kind != STEP_NET || mean <= 150000;
}

static bool run_small(const struct scenario *sc)
{
    uint64_t cpus = 0, tasks = 0, bytes = 0;
    for (uint32_t i = 0; i < sc->n_hosts; i++)
        cpus += sc->hosts[i].cores;
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        const struct sc_vm *vm = &sc->vms[i];
        cpus += vm->vcpus;
        tasks += vm->work.threads + vm->work.clients;
        bytes += (uint64_t)vm->memory_bytes;
        const struct step *s = prog_steps(vm->work.prog);
        for (uint32_t k = 0; k < vm->work.prog->n_steps; k++) {
            if (!step_small(vm, &s[k])) return false;
            if (s[k].kind == STEP_TOUCH) bytes += (uint64_t)s[k].span * 4096;
        }
    }
    for (uint32_t i = 0; i < sc->n_disks; i++)
        if ((uint64_t)sc->disks[i].channels * sc->disks[i].dies > 4096) return false;
    return sc->n_hosts <= 8 && sc->n_vms <= 32 && cpus <= 128 && tasks <= 512 && bytes <= 1u << 30 &&
           scenario_n_devs(sc) <= 64 && sc->run.duration_ns <= RUN_NS;
}

/* False: given up. */
static bool run_through(struct model *m, int64_t end_ns)
{
    for (int64_t i = 1; i <= RUN_PIECES; i++) {
        enum sim_end end = sim_run(model_sim(m), (end_ns - 1) / RUN_PIECES * i);
        if (sim_events(model_sim(m)) > RUN_MAX_EVENTS) return false;
        if (end != SIM_STALLED) continue;
        char *why = sim_stall_report(model_sim(m));
        if (!strstr(why, "time does not pass")) run_broken(why);
        free(why);
        return false;
    }
    return true;
}

/* True: it ran to its end. only_vm as in model_new. */
static bool run_it(const struct scenario *sc, uint32_t only_vm)
{
    if (!run_small(sc)) return false;
    struct rec_block *b = malloc(sizeof *b);
    ASSERT(b);
    rec_block_init(b);
    struct meter *meter = meter_new(sc, &(struct meter_opts){.only_vm = only_vm, .per_entity = true});
    rec_block_add_reader(b, meter_reader(meter));
    struct model *m = model_new(sc, sc->run.seed, only_vm, b);
    bool whole = run_through(m, sc->run.duration_ns);
    char *why = NULL;
    if (whole && model_run(m, &why) != 0) run_broken(why);
    for (uint32_t i = 0; i < sc->n_vms; i++)
        meter_set_checksum(meter, i, model_checksum(m, i));
    model_free(m);
    free(b);
    if (whole && meter_finish(meter, sc->run.duration_ns, &why) != 0) run_broken(why);
    meter_free(meter);
    return whole;
}

#endif
