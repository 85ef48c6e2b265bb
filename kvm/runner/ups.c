// SPDX-License-Identifier: GPL-3.0-or-later
/* What is there and what of it is up, where the scenario's events make that a question. */
#include "kvm/runner/run.h"

static void add(struct run *r, uint32_t vm, enum rec_power what, int64_t t, int64_t value)
{
    recs_add(&r->recs, (struct rec){.t_ns = t,
                                    .value = value,
                                    .host = r->vms[0].sc->host,
                                    .vm = vm,
                                    .vcpu = REC_NONE,
                                    .pcpu = REC_NONE,
                                    .kind = REC_POWER,
                                    .cause = (uint8_t)what});
}

void ups_record(struct run *r)
{
    if (r->sc->n_events == 0 || r->n_vms == 0) return;
    add(r, UINT32_MAX, REC_P_UP, 0, 1);
    for (uint32_t i = 0; i < r->n_vms; i++) {
        const struct run_vm *vm = &r->vms[i];
        if (vm->sc->start_ns >= r->end_ns) continue;
        add(r, i, REC_P_THERE, vm->sc->start_ns, 1);
        add(r, i, REC_P_UP, vm->sc->start_ns, 1);
        if (run_is_down(vm) && vm->down_ns < r->end_ns && vm->down_ns >= vm->sc->start_ns)
            add(r, i, REC_P_UP, vm->down_ns, 0);
    }
}
