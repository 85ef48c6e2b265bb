// SPDX-License-Identifier: GPL-3.0-or-later
/* A vCPU's way: check what the boot region holds, take a place for its data, say ready, work, exit. */
#include "kvm/guest/dev.h"

_Noreturn void guest_main(uint32_t vcpu);

/* All there is of memory that changes: a payload has no allocator. */
static struct {
    struct guest guests[ABI_MAX_VCPUS];
    struct task tasks[ABI_MAX_TASKS];
    uint32_t ready[ABI_MAX_TASKS];
    struct request waiting[ABI_MAX_WAITING];
    struct timer timers[ABI_MAX_TASKS + ABI_MAX_CLIENTS];
    uint32_t cycles[ABI_MAX_CLIENTS];
    uint64_t done, kept;
} memory;

uint64_t guest_add_done(void)
{
    return __atomic_add_fetch(&memory.done, 1, __ATOMIC_RELAXED);
}

uint64_t guest_keep(uint64_t bytes, uint64_t room, uint64_t *at)
{
    uint64_t was = __atomic_load_n(&memory.kept, __ATOMIC_RELAXED), got;
    do
        got = bytes < room - was ? bytes : room - was;
    while (!__atomic_compare_exchange_n(&memory.kept, &was, was + got, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
    *at = was;
    return got;
}

static const struct abi_boot *boot_checked(void)
{
    const struct abi_boot *b = (const struct abi_boot *)(uintptr_t)ABI_BOOT;
    if (b->magic != ABI_MAGIC || b->version != ABI_VERSION || b->n_vcpus > ABI_MAX_VCPUS)
        io_abort(ABI_ABORT_BOOT);
    return b;
}

_Noreturn void guest_main(uint32_t vcpu)
{
    const struct abi_boot *b = boot_checked();
    struct guest *g = &memory.guests[vcpu];
    g->boot = b;
    g->vcpu = vcpu;
    g->log = (struct abi_log *)((uintptr_t)ABI_LOG + (uintptr_t)vcpu * b->log_step);
    g->prog = (const struct prog *)(const void *)((const char *)b + b->prog_at);
    /* 20 us: short against any slice, long against reading the clock. */
    g->chunk = (uint64_t)((unsigned __int128)20000 * b->iters_per_ns_q32 >> 32) + 1;
    g->tasks = &memory.tasks[vcpu]; /* beyond the first vCPU a guest has one task and one timer */
    g->ready = &memory.ready[vcpu];
    g->timers.heap = &memory.timers[vcpu];
    g->waiting = memory.waiting;
    g->cycles = memory.cycles;
    dev_begin(g);
    net_setup(g);
    if (b->mode == ABI_RUN && !prog_valid(g->prog, b->prog_bytes)) io_abort(ABI_ABORT_PROGRAM);
    if (b->threads > ABI_MAX_TASKS || b->clients > ABI_MAX_CLIENTS) io_abort(ABI_ABORT_LIMITS);
    io_sync();
    if (b->mode == ABI_RUN)
        tasks_run(g);
    else
        measure_run(g);
    io_exit();
}
