// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/once.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "kvm/kvm.h"
#include "model/model.h"
#include "scenario/expect.h"

/* Whether a VM's slowdown is asked for: it plays the victim, or an expectation names slowdown. */
static bool wants_alone(const struct scenario *sc, uint32_t vm)
{
    bool named = sc->vms[vm].victim;
    for (uint32_t i = 0; !named && i < sc->n_expects; i++)
        named = expect_mentions(sc->expects[i], "slowdown");
    return named;
}

static int run(const struct once *o, struct model *m, char **why)
{
    int64_t end = o->sc->run.duration_ns;
    if (o->progress)
        for (int64_t i = 1; i < 100; i++) {
            if (sim_run(model_sim(m), end / 100 * i) == SIM_STALLED) break; /* model_run says why */
            if (!o->progress(o->progress_ctx, sim_now(model_sim(m)), end)) return -1;
        }
    return model_run(m, why);
}

/* One pass, of all VMs or of one alone. */
static struct meter *pass(const struct once *o, uint32_t only_vm, char **why)
{
    struct rec_block *b = malloc(sizeof *b);
    ASSERT(b);
    rec_block_init(b);
    struct meter_opts mo = {.only_vm = only_vm,
                            .no_series = o->no_series || only_vm != MODEL_ALL,
                            .per_entity = o->per_entity && only_vm == MODEL_ALL};
    struct meter *meter = meter_new(o->sc, &mo);
    rec_block_add_reader(b, meter_reader(meter));
    for (uint32_t i = 0; only_vm == MODEL_ALL && i < o->n_also; i++)
        rec_block_add_reader(b, o->also[i]);
    struct model *m = model_new(o->sc, o->seed, only_vm, b);
    int bad = run(o, m, why);
    for (uint32_t i = 0; !bad && i < o->sc->n_vms; i++)
        meter_set_checksum(meter, i, model_checksum(m, i));
    model_free(m);
    free(b);
    if (!bad) return meter;
    meter_free(meter);
    return NULL;
}

static bool alone(const struct once *o, uint32_t vm, double *pace, char **why)
{
    struct meter *m = pass(o, vm, why);
    if (!m) return false;
    bool ok = meter_finish(m, o->sc->run.duration_ns, why) == 0;
    *pace = meter_pace(m, vm);
    meter_free(m);
    return ok;
}

struct meter *once_sim(const struct once *o, char **why)
{
    *why = NULL;
    struct meter *m = pass(o, MODEL_ALL, why);
    for (uint32_t i = 0; m && i < o->sc->n_vms; i++) {
        double pace = 0;
        if (!wants_alone(o->sc, i)) continue;
        if (alone(o, i, &pace, why)) {
            meter_set_alone(m, i, pace);
            continue;
        }
        meter_free(m);
        return NULL;
    }
    if (m && meter_finish(m, o->sc->run.duration_ns, why) != 0) {
        meter_free(m);
        return NULL;
    }
    return m;
}

/* The largest share of a host's pCPUs that went to anything but guests and their switches. */
static double taken_by_others(const struct scenario *sc, const struct meter *m)
{
    double most = 0;
    for (uint32_t i = 0; i < sc->n_hosts; i++) {
        char host[80];
        snprintf(host, sizeof host, "host.%s", sc->hosts[i].name);
        const struct result *r = results_find(meter_output(m)->results, host, "cpu.hostos", "share");
        if (r && r->value > most) most = r->value;
    }
    return most;
}

/* One pass on KVM, of the scenario as it is. */
static struct meter *pass_kvm(const struct once *o, const struct scenario *sc, double *disturbed, int *code,
                              char **why)
{
    bool all = sc == o->sc;
    struct rec_block *b = malloc(sizeof *b);
    ASSERT(b);
    rec_block_init(b);
    struct meter_opts mo = {.only_vm = UINT32_MAX,
                            .real_clock = true,
                            .no_series = o->no_series || !all,
                            .per_entity = o->per_entity && all};
    struct meter *m = meter_new(sc, &mo);
    rec_block_add_reader(b, meter_reader(m));
    for (uint32_t i = 0; all && i < o->n_also; i++)
        rec_block_add_reader(b, o->also[i]);
    struct kvm_report r = {0};
    enum kvm_status st = (o->native ? kvm_run_native : kvm_run)(sc, o->seed, b, &r, why);
    rec_block_flush(b);
    for (uint32_t i = 0; st == KVM_OK && i < sc->n_vms; i++)
        meter_set_checksum(m, i, r.checksum[i]);
    if (r.disturbed_share > *disturbed) *disturbed = r.disturbed_share;
    for (uint32_t i = 0; r.ends && i < r.n_vms; i++)
        if (r.ends[i]) fprintf(stderr, "vlab: %s\n", r.ends[i]);
    for (uint32_t i = 0; r.io_failed && i < r.n_vms; i++)
        if (r.io_failed[i])
            fprintf(stderr, "vlab: vm.%s: %" PRIu64 " of its disk requests failed\n", sc->vms[i].name,
                    r.io_failed[i]);
    kvm_report_done(&r);
    free(b);
    *code = (int)st;
    if (st == KVM_OK) return m;
    meter_free(m);
    return NULL;
}

/* A host's other work is seen in the meter's books once they are closed. */
static bool finish_kvm(struct meter *m, const struct scenario *sc, double *disturbed, int *code, char **why)
{
    if (meter_finish(m, sc->run.duration_ns, why) != 0) {
        *code = (int)KVM_FAILED;
        return false;
    }
    if (taken_by_others(sc, m) > *disturbed) *disturbed = taken_by_others(sc, m);
    return true;
}

static bool alone_kvm(const struct once *o, uint32_t vm, double *pace, double *disturbed, int *code,
                      char **why)
{
    struct scenario one = *o->sc;
    one.vms = &o->sc->vms[vm];
    one.n_vms = 1;
    struct meter *m = pass_kvm(o, &one, disturbed, code, why);
    bool ok = m && finish_kvm(m, &one, disturbed, code, why);
    if (ok) *pace = meter_pace(m, 0);
    meter_free(m);
    return ok;
}

struct meter *once_kvm(const struct once *o, double *disturbed, int *code, char **why)
{
    struct meter *m = pass_kvm(o, o->sc, disturbed, code, why);
    for (uint32_t i = 0; m && o->sc->n_vms > 1 && i < o->sc->n_vms; i++) {
        double pace = 0;
        if (!wants_alone(o->sc, i)) continue;
        if (alone_kvm(o, i, &pace, disturbed, code, why)) {
            meter_set_alone(m, i, pace);
            continue;
        }
        meter_free(m);
        return NULL;
    }
    if (m && finish_kvm(m, o->sc, disturbed, code, why)) return m;
    meter_free(m);
    return NULL;
}
