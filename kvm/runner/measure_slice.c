// SPDX-License-Identifier: GPL-3.0-or-later
/* Linux's slice as guests see it: a run like any other, of two guests that want one pCPU. */
#include <stdlib.h>

#include "base/assert.h"
#include "kvm/runner/measure.h"

struct sieve {
    struct measure *out;
    uint32_t seen;
};

static void read_runs(void *ctx, const struct rec *r, size_t n)
{
    struct sieve *s = ctx;
    for (size_t i = 0; i < n; i++) {
        if (r[i].kind != REC_STATE || r[i].from != VCPU_RUN || r[i].to != VCPU_READY) continue;
        if (s->seen++ >= 4) measure_add(s->out, (double)r[i].value); /* the first ones settle in */
    }
}

int measure_slice(int64_t run_ns, struct measure *out, char **why)
{
    struct step step = {
        .kind = STEP_CPU, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = 1000000}};
    void *mem = malloc(prog_size(1, 0));
    struct rec_block *block = malloc(sizeof *block);
    ASSERT(mem && block && draw_make(&step.amount) == 0);
    struct sc_vm vms[2];
    for (int i = 0; i < 2; i++)
        vms[i] = (struct sc_vm){.mode = SC_HARDWARE,
                                .network = SC_NONE,
                                .swap = SC_NONE,
                                .name = i ? "b" : "a",
                                .group = i ? "b" : "a",
                                .draws = i ? "b" : "a",
                                .vcpus = 1,
                                .weight = 1000,
                                .period_ns = 100000000,
                                .work = {.threads = 1, .until = UINT64_MAX, .queue_max = INT64_MAX}};
    vms[0].work.prog = vms[1].work.prog = prog_build(mem, &step, 1, NULL, 0);
    struct sc_host host = {.name = "here",
                           .group = "here",
                           .cores = 1,
                           .speed_ppm = 1000000,
                           .scheduler = "eevdf",
                           .limit_ppm = 1000000,
                           .rack = SC_NONE};
    struct scenario sc = {.name = "slice",
                          .run = {.duration_ns = run_ns},
                          .hosts = &host,
                          .n_hosts = 1,
                          .vms = vms,
                          .n_vms = 2};
    struct sieve s = {.out = out};
    struct kvm_report rep;
    rec_block_init(block);
    rec_block_add_reader(block, (struct rec_reader){read_runs, &s, 1u << REC_STATE});
    enum kvm_status st = kvm_run(&sc, 1, block, &rep, why);
    if (st == KVM_OK) kvm_report_done(&rep);
    measure_sort(out);
    free(block);
    free(mem);
    return st == KVM_OK ? 0 : -1;
}
