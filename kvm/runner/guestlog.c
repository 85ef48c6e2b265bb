// SPDX-License-Identifier: GPL-3.0-or-later
/* From what a guest wrote to records. The guest is not trusted: an entry that cannot be stops its VM. */
#include <stdlib.h>

#include "base/assert.h"
#include "kvm/runner/run.h"

#define COUNT_MOST (UINT64_C(1) << 40) /* of anything, between two looks: more than any machine does */

static void add(struct run *r, struct run_vm *vm, enum rec_kind kind, int64_t t, int64_t value)
{
    (void)r;
    recs_add(&vm->recs, (struct rec){.t_ns = t,
                                     .value = value,
                                     .host = vm->sc->host,
                                     .vm = (uint32_t)(vm - r->vms),
                                     .vcpu = REC_NONE,
                                     .pcpu = REC_NONE,
                                     .kind = (uint8_t)kind});
}

static void add_event(struct run *r, struct run_vm *vm, enum rec_event ev, int64_t t, int64_t value)
{
    add(r, vm, REC_EVENT, t, value);
    vm->recs.v[vm->recs.n - 1].cause = (uint8_t)ev;
}

/* Request e->value came: its place in `arrived`, which counts them all. False: it is not its turn. */
static bool new_number(struct run_vm *vm, const struct abi_entry *e, int64_t came_ns)
{
    if ((uint64_t)e->value != vm->n_arrived) return false;
    if (vm->n_arrived == vm->arrived_cap) {
        vm->arrived_cap = vm->arrived_cap ? 2 * vm->arrived_cap : 1024;
        vm->arrived = realloc(vm->arrived, vm->arrived_cap * sizeof *vm->arrived);
        ASSERT(vm->arrived);
    }
    vm->arrived[vm->n_arrived++] = came_ns;
    return true;
}

static bool take_arrival(struct run *r, struct run_vm *vm, const struct abi_entry *e)
{
    if (!new_number(vm, e, e->t_ns)) return false;
    add(r, vm, REC_ARRIVE, e->t_ns, e->value);
    return true;
}

static bool take_loss(struct run *r, struct run_vm *vm, const struct abi_entry *e)
{
    if (!new_number(vm, e, -1)) return false;
    add(r, vm, REC_LOST, e->t_ns, e->value);
    add_event(r, vm, REC_EV_LOST, e->t_ns, e->value);
    return true;
}

static bool take_answer(struct run *r, struct run_vm *vm, const struct abi_entry *e)
{
    if ((uint64_t)e->value >= vm->n_arrived || vm->arrived[e->value] < 0) return false;
    add(r, vm, REC_DONE, e->t_ns, e->t_ns - vm->arrived[e->value]);
    vm->arrived[e->value] = -1;
    return true;
}

/* A send that had no way: its frames are drops, the VM's and its network's. */
static bool take_refusal(struct run *r, struct run_vm *vm, const struct abi_entry *e)
{
    int64_t frames = e->value >> 8, why = e->value & 255;
    const struct scenario *sc = r->sc;
    if (vm->sc->network == SC_NONE || why == REC_WHY_NONE || why >= REC_NWHYS) return false;
    add_event(r, vm, REC_EV_REFUSED, e->t_ns, frames);
    vm->recs.v[vm->recs.n - 1].to = (uint8_t)why;
    add(r, vm, REC_COUNT, e->t_ns, frames);
    vm->recs.v[vm->recs.n - 1].cause = REC_N_NET_DROPS;
    recs_add(&vm->recs, (struct rec){.t_ns = e->t_ns,
                                     .value = frames,
                                     .host = sc->n_disks + sc->n_nics + vm->sc->network,
                                     .vm = UINT32_MAX,
                                     .vcpu = REC_NONE,
                                     .pcpu = REC_DEV,
                                     .kind = REC_COUNT,
                                     .cause = REC_N_NET_DROPS});
    return true;
}

static bool take(struct run *r, struct run_vm *vm, struct abi_entry e)
{
    if (e.t_ns < 0 || e.t_ns > r->end_ns || e.value < 0) return false;
    /* vCPUs' logs are read one after the other: their records are sorted later. Times of one VM with
     * requests, which has one vCPU, never go back. */
    if (vm->sc->work.requests && e.t_ns < vm->log_ns) return false;
    vm->log_ns = e.t_ns;
    switch (e.kind) {
    case ABI_LOG_ARRIVE: return take_arrival(r, vm, &e);
    case ABI_LOG_LOST: return take_loss(r, vm, &e);
    case ABI_LOG_DONE: return take_answer(r, vm, &e);
    case ABI_LOG_REFUSED: return take_refusal(r, vm, &e);
    case ABI_LOG_WORK:
        if (e.value > e.t_ns) return false;
        add(r, vm, REC_WORK, e.t_ns, e.value);
        return true;
    case ABI_LOG_UNTIL:
        add(r, vm, REC_UNTIL, e.t_ns, e.value);
        add_event(r, vm, REC_EV_FINISHED, e.t_ns, e.value);
        return true;
    default: return false;
    }
}

static bool drain_one(struct run *r, struct run_vm *vm, struct abi_log *l)
{
    uint64_t head = __atomic_load_n(&l->head, __ATOMIC_ACQUIRE), tail = l->tail;
    if (head - tail > ABI_LOG_LEN || __atomic_load_n(&l->overrun, __ATOMIC_ACQUIRE) != 0) return false;
    if (head - tail > vm->log_most - vm->n_log) return false; /* it would fill our memory */
    vm->n_log += head - tail;
    for (; tail < head; tail++)
        if (!take(r, vm, l->ring[tail % ABI_LOG_LEN])) return false;
    __atomic_store_n(&l->tail, tail, __ATOMIC_RELEASE);
    return true;
}

void guestlog_count(struct run *r, struct run_vm *vm, enum rec_count what, uint64_t more)
{
    int64_t now = host_now() - r->zero_abs_ns;
    if (more == 0 || more > COUNT_MOST) return;
    add(r, vm, REC_COUNT, now < 1 ? 0 : now > r->end_ns ? r->end_ns - 1 : now - 1, (int64_t)more);
    vm->recs.v[vm->recs.n - 1].cause = (uint8_t)what;
}

/* How many references there were more than when it was last looked. */
static bool count_refs(struct run *r, struct run_vm *vm)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < vm->proc.n_vcpus; i++)
        sum += __atomic_load_n(&vmproc_log(&vm->proc, i)->refs, __ATOMIC_ACQUIRE);
    if (sum < vm->refs || sum - vm->refs > COUNT_MOST) return false;
    guestlog_count(r, vm, REC_N_MEM_REFS, sum - vm->refs);
    vm->refs = sum;
    return true;
}

bool guestlog_drain(struct run *r, struct run_vm *vm)
{
    for (uint32_t i = 0; i < vm->proc.n_vcpus; i++)
        if (!drain_one(r, vm, vmproc_log(&vm->proc, i))) return false;
    return count_refs(r, vm);
}

void guestlog_close(struct run *r, struct run_vm *vm)
{
    for (uint64_t i = 0; i < vm->n_arrived; i++)
        if (vm->arrived[i] >= 0) add(r, vm, REC_OPEN, r->end_ns, r->end_ns - vm->arrived[i]);
}

uint64_t guestlog_checksum(const struct run_vm *vm)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < vm->proc.n_vcpus; i++)
        sum += __atomic_load_n(&vmproc_log(&vm->proc, i)->checksum, __ATOMIC_ACQUIRE);
    return sum & PROG_CHECKSUM_MASK;
}
