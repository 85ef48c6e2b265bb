// SPDX-License-Identifier: GPL-3.0-or-later
/* Exits by reason, as the VMM and KVM count them; what the guest says of itself is not asked. */
#include <unistd.h>

#include "kvm/runner/run.h"
#include "program/prog.h"

static uint64_t by_port(const struct run_vm *vm, enum abi_port port)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < vm->proc.n_vcpus; i++)
        n += __atomic_load_n(&vm->proc.ctl->v[i].exits[(port - ABI_PORT_FIRST) / 4], __ATOMIC_RELAXED);
    return n;
}

static uint64_t by_device(const struct run_vm *vm)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < vm->proc.n_vcpus; i++)
        n += __atomic_load_n(&vm->proc.ctl->v[i].exits_device, __ATOMIC_RELAXED);
    return n;
}

static void tell(struct run *r, struct run_vm *vm, enum prog_op op, uint64_t more)
{
    int64_t now = host_now() - r->zero_abs_ns;
    if (more == 0 || more > INT64_MAX) return;
    recs_add(&vm->recs, (struct rec){.t_ns = now < 1           ? 0
                                             : now > r->end_ns ? r->end_ns - 1
                                                               : now - 1,
                                     .value = (int64_t)more,
                                     .host = vm->sc->host,
                                     .vm = (uint32_t)(vm - r->vms),
                                     .vcpu = REC_NONE,
                                     .pcpu = REC_NONE,
                                     .kind = REC_COUNT,
                                     .cause = (uint8_t)(REC_N_EXIT + (int)op)});
}

void exits_count(struct run *r, struct run_vm *vm)
{
    uint64_t bell = 0, all[] = {by_port(vm, ABI_PORT_NOP), by_port(vm, ABI_PORT_HALT), by_device(vm)};
    static const enum prog_op op[] = {OP_IO_PORT, OP_HLT, OP_MMIO};
    for (int i = 0; i < 3; i++) {
        tell(r, vm, op[i], all[i] - vm->exits[i]);
        vm->exits[i] = all[i];
    }
    if (read(vm->proc.bell_fd, &bell, sizeof bell) == sizeof bell) tell(r, vm, OP_DOORBELL, bell);
}
