// SPDX-License-Identifier: GPL-3.0-or-later
/* parts.c - the parts of the model, where nothing is modelled: disks and networks that take no time, memory
 * that never runs short. */
#include "model/disk.h"
#include "model/lock.h"
#include "model/mem.h"
#include "model/net.h"
#define WEAK __attribute__((weak))
WEAK void mem_scan_job(struct model *m, uint64_t arg)
{
    (void)m;
    (void)arg;
}
WEAK void net_init(struct model *m)
{
    (void)m;
}
WEAK void net_done(struct model *m)
{
    (void)m;
}
WEAK void net_begin(struct model *m, struct vm *vm, uint32_t task)
{
    (void)m;
    (void)vm;
    (void)task;
}
WEAK enum net_said net_step(struct model *m, struct vm *vm, uint32_t task, int64_t *u, int64_t *o)
{
    (void)m;
    (void)vm;
    (void)task;
    (void)u;
    (void)o;
    return NET_OVER;
}
WEAK void net_tx_job(struct model *m, uint64_t arg)
{
    (void)m;
    (void)arg;
}
WEAK void net_rx_job(struct model *m, uint64_t arg)
{
    (void)m;
    (void)arg;
}
WEAK void lock_done(struct vm *vm)
{
    (void)vm;
}
WEAK enum lock_said lock_take(struct model *m, struct vm *vm, uint32_t task)
{
    (void)m;
    (void)vm;
    (void)task;
    return LOCK_HOLD;
}
WEAK void lock_release(struct model *m, struct vm *vm, uint32_t task)
{
    (void)m;
    (void)vm;
    (void)task;
}
