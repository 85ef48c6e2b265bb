// SPDX-License-Identifier: GPL-3.0-or-later
/* What a run on real guests leaves: all records in the order of time, and what stands beside them. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "kvm/runner/pagepool.h"
#include "kvm/runner/run.h"
#include "kvm/runner/stores.h"

static void add_started(struct run *r, uint32_t i)
{
    const struct sc_vm *v = r->vms[i].sc;
    if (v->start_ns >= r->end_ns) return;
    recs_add(&r->recs, (struct rec){.t_ns = v->start_ns,
                                    .host = v->host,
                                    .vm = i,
                                    .vcpu = REC_NONE,
                                    .pcpu = REC_NONE,
                                    .kind = REC_EVENT,
                                    .cause = REC_EV_STARTED});
}

/* Which pages each VM lost, in order. */
static void report_evicted(const struct run *r, struct kvm_report *rep)
{
    rep->evicted = calloc(r->n_vms + 1, sizeof(uint32_t *));
    rep->n_evicted = calloc(r->n_vms + 1, sizeof *rep->n_evicted);
    ASSERT(rep->evicted && rep->n_evicted);
    for (uint32_t i = 0; i < r->n_vms; i++) {
        const uint32_t *pages = pagepool_evicted(r->pool, i, &rep->n_evicted[i]);
        rep->evicted[i] = malloc((rep->n_evicted[i] + 1) * sizeof **rep->evicted);
        ASSERT(rep->evicted[i]);
        if (rep->n_evicted[i] > 0) memcpy(rep->evicted[i], pages, rep->n_evicted[i] * sizeof **rep->evicted);
    }
}

void report_make(struct run *r, struct rec_block *out, struct kvm_report *rep)
{
    rep->checksum = calloc(r->n_vms + 1, sizeof *rep->checksum);
    rep->iters_per_ns = calloc(r->n_vms + 1, sizeof *rep->iters_per_ns);
    rep->ends = calloc(r->n_vms + 1, sizeof *rep->ends);
    rep->io_failed = calloc(r->n_vms + 1, sizeof *rep->io_failed);
    ASSERT(rep->checksum && rep->iters_per_ns && rep->ends && rep->io_failed);
    rep->n_vms = r->n_vms;
    rep->disturbed_share = (double)rep->disturbed_ns / ((double)r->end_ns * r->pc->cores);
    struct recs all = {0};
    for (uint32_t i = 0; i < r->n_vms; i++)
        add_started(r, i);
    ups_record(r);
    recs_append(&all, &r->recs);
    for (uint32_t i = 0; i < r->n_vms; i++) {
        struct run_vm *vm = &r->vms[i];
        rep->checksum[i] = guestlog_checksum(vm);
        rep->iters_per_ns[i] = r->iters_per_ns;
        rep->io_failed[i] = stores_failed(r, i);
        guestlog_close(r, vm);
        if (run_is_down(vm)) {
            rep->ends[i] = ends_text(vm->sc->name, &vm->end);
            ends_record(r, vm);
        }
        recs_append(&all, &vm->recs);
    }
    for (uint32_t i = 0; i < r->n_vcpus; i++)
        recs_append(&all, &r->vcpus[i].recs);
    recs_append(&all, pagepool_recs(r->pool));
    report_evicted(r, rep);
    recs_sort(&all);
    recs_feed(&all, out);
    recs_done(&all);
}

void kvm_report_done(struct kvm_report *rep)
{
    for (uint32_t i = 0; rep->ends && i < rep->n_vms; i++) {
        free(rep->ends[i]);
        free(rep->evicted[i]);
    }
    free(rep->evicted);
    free(rep->n_evicted);
    free(rep->ends);
    free(rep->checksum);
    free(rep->io_failed);
    free(rep->iters_per_ns);
    *rep = (struct kvm_report){0};
}
