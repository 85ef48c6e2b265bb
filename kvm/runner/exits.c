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

/* Of disks: port I/O, or doorbells. */
static uint64_t by_pio(const struct run_vm *vm)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < vm->proc.n_vcpus; i++)
        n += __atomic_load_n(&vm->proc.ctl->v[i].exits_pio, __ATOMIC_RELAXED);
    return n;
}

static uint64_t by_kick(const struct run_vm *vm)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < ABI_MAX_DEVS; i++)
        if (!(vm->proc.ctl->dev[i].flags & ABI_DEV_PIO))
            n += __atomic_load_n(&vm->proc.ctl->dev[i].kicks, __ATOMIC_RELAXED);
    return n;
}

void exits_count(struct run *r, struct run_vm *vm)
{
    uint64_t bell = 0,
             all[] = {by_port(vm, ABI_PORT_NOP), by_port(vm, ABI_PORT_HALT), by_device(vm), by_kick(vm)};
    all[0] += by_pio(vm);
    static const enum prog_op op[] = {OP_IO_PORT, OP_HLT, OP_MMIO, OP_DOORBELL};
    for (int i = 0; i < 4; i++) {
        guestlog_count(r, vm, (enum rec_count)(REC_N_EXIT + (int)op[i]), all[i] - vm->exits[i]);
        vm->exits[i] = all[i];
    }
    if (read(vm->proc.bell_fd, &bell, sizeof bell) == sizeof bell)
        guestlog_count(r, vm, (enum rec_count)(REC_N_EXIT + (int)OP_DOORBELL), bell);
}
