// SPDX-License-Identifier: GPL-3.0-or-later
/* Reservations: a VM that wants it has at least its reserved share, whatever the weights.
 *
 * As the reservation tags of mClock (Gulati, Merchant and Varman 2010), kept on the real clock: due_ns is
 * the time up to which the reservation has been served, and advances by ran/share. A VM with due_ns <= now
 * is owed time: its waiting vCPUs go before all others, the earliest due first, and preempt who runs
 * without being owed. The policy is charged for that time as for any other, so a reservation is a floor
 * under the weighted share and does not add to it. Nothing is owed for time in which the VM did not want
 * to run, and no more than OWED_NS back.
 *
 * It holds on each queue as long as the vCPUs there do not reserve more than their pCPU; with periodic
 * balancing, one that is owed and waits behind another that is owed moves to a pCPU where its reservation
 * fits, or that owes nobody at the moment. */
#include "policy/sched_frame.h"

enum { LOOK = 16 };

#define PPM      1000000
#define OWED_NS  INT64_C(1000000000)
#define GRAIN_NS INT64_C(2000000) /* a run on a reservation lasts this long at least, if the slice does */

void sched_reserve_set(struct sched *s, struct sched_vm *vm, uint32_t ppm, int64_t now)
{
    if (s->slots.on) ppm = 0; /* a VM has its slots, whatever others reserve */
    vm->reservation_ppm = ppm;
    vm->due_ns = now;
    s->has_reservations = s->has_reservations || ppm;
    s->special = s->special || ppm;
    if (s->gang.on) {
        sched_gang_due(s, vm, now);
        return;
    }
    for (uint32_t k = 0; k < vm->n_vcpus; k++) {
        struct sched_vcpu *v = vcpu_at(s, vm->first_vcpu + k);
        if (v->where != SCHED_QUEUED && v->where != SCHED_RUNNING) continue;
        struct sched_queue *q = queue_at(s, v->pcpu);
        sched_reserve_book(s, q, v, true);
        if (v->where != SCHED_QUEUED) continue;
        sched_reserve_unwait(q, v);
        sched_reserve_wait(s, q, v);
        if (ppm && sched_reserve_preempts(s, q, v, now)) {
            q->preempt = true;
            ask_resched(s, v->pcpu);
        }
    }
}

void sched_reserve_charge(struct sched_vm *vm, int64_t ran_ns, int64_t now)
{
    if (vm->due_ns < now - OWED_NS) vm->due_ns = now - OWED_NS;
    __int128 served = (__int128)ran_ns * PPM / vm->reservation_ppm;
    vm->due_ns += served > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)served;
}

void sched_reserve_wait(struct sched *s, struct sched_queue *q, struct sched_vcpu *v)
{
    const struct sched_vm *vm = vm_of(s, v);
    if (!vm->reservation_ppm) return;
    v->has_due = true;
    v->due.key = vm->due_ns;
    sched_heap_add(&q->due, &v->due);
}

void sched_reserve_unwait(struct sched_queue *q, struct sched_vcpu *v)
{
    if (!v->has_due) return;
    sched_heap_del(&q->due, &v->due);
    v->has_due = false;
}

static bool owed(const struct sched *s, const struct sched_vcpu *v, int64_t now)
{
    const struct sched_vm *vm = vm_of(s, v);
    return vm->reservation_ppm && vm->due_ns <= now;
}

/* The waiting vCPU whose VM is due first, owed or not. Keys grow with what siblings run elsewhere. */
static struct sched_vcpu *first_due(struct sched *s, struct sched_queue *q)
{
    for (struct sched_node *n; (n = q->due);) {
        struct sched_vcpu *v = vcpu_at(s, n->id);
        int64_t due = vm_of(s, v)->due_ns;
        if (due <= n->key) return v;
        sched_heap_del(&q->due, n);
        n->key = due;
        sched_heap_add(&q->due, n);
    }
    return NULL;
}

bool sched_reserve_preempts(const struct sched *s, const struct sched_queue *q, const struct sched_vcpu *v,
                            int64_t now)
{
    return owed(s, v, now) && q->current && !q->reserved;
}

struct sched_vcpu *sched_reserve_first(struct sched *s, struct sched_queue *q, int64_t now)
{
    struct sched_vcpu *v = first_due(s, q), *cur = q->current;
    if (v && !owed(s, v, now)) v = NULL;
    if (!cur || !owed(s, cur, now)) return v;
    return v && vm_of(s, v)->due_ns < vm_of(s, cur)->due_ns ? v : cur;
}

int64_t sched_reserve_bound(struct sched *s, struct sched_queue *q, int64_t run_ns, int64_t now)
{
    const struct sched_vcpu *v = first_due(s, q);
    int64_t most = run_ns;
    if (q->reserved && owed(s, q->current, now)) {
        const struct sched_vm *vm = vm_of(s, q->current);
        int64_t behind = now - vm->due_ns < OWED_NS ? now - vm->due_ns : OWED_NS;
        most = behind / 1000 * vm->reservation_ppm / (PPM / 1000);
    } else if (v) {
        most = vm_of(s, v)->due_ns - now;
    }
    if (most < GRAIN_NS) most = GRAIN_NS;
    return run_ns < most ? run_ns : most;
}

void sched_reserve_book(struct sched *s, struct sched_queue *q, struct sched_vcpu *v, bool in)
{
    const struct sched_vm *vm = vm_of(s, v);
    q->booked_ppm -= v->booked_ppm;
    v->booked_ppm = in && vm->n_runnable ? vm->reservation_ppm / vm->n_runnable : 0;
    q->booked_ppm += v->booked_ppm;
}

bool sched_reserve_fits(const struct sched_queue *to, const struct sched_vcpu *v)
{
    return !v->booked_ppm || to->booked_ppm + v->booked_ppm <= PPM;
}

/* Nobody there is owed time, or runs because it is. */
static bool owes_nobody(struct sched *s, struct sched_queue *q, int64_t now)
{
    const struct sched_vcpu *v = first_due(s, q);
    return !(q->current && q->reserved) && !(v && owed(s, v, now));
}

/* One that is owed on q while another is served there: moves to the first pCPU where its reservation
 * fits beside the others, or else to the first that owes nobody now. */
static void spread_from(struct sched *s, struct sched_queue *q, int64_t now)
{
    const struct sched_queue *to = NULL;
    struct sched_vcpu *v = first_due(s, q);
    if (!v || !q->reserved || !owed(s, v, now - GRAIN_NS)) return;
    for (uint32_t p = 0; p < s->n_pcpus; p++) {
        struct sched_queue *there = queue_at(s, p);
        if (there == q || !may_join(s, v, p)) continue;
        bool fits = q->booked_ppm > PPM && sched_reserve_fits(there, v);
        if (fits || (!to && owes_nobody(s, there, now))) to = there;
        if (fits) break;
    }
    if (!to) return;
    sched_place_leave(s, v, SCHED_HOW_MOVE, now);
    sched_place_join(s, to->pcpu, v, SCHED_HOW_MOVE, now);
}

/* q owes nobody of its own: takes one that waits behind another that is owed, from one of the next pCPUs. */
struct sched_vcpu *sched_reserve_pull(struct sched *s, struct sched_queue *q, int64_t now)
{
    for (uint32_t i = 1; i <= LOOK && i < s->n_pcpus; i++) {
        struct sched_queue *from = queue_at(s, (q->pcpu + i) % s->n_pcpus);
        if (!from->due || !from->current || !from->reserved) continue;
        struct sched_vcpu *v = first_due(s, from);
        if (!v || !owed(s, v, now - GRAIN_NS) || !may_join(s, v, q->pcpu)) continue;
        sched_place_leave(s, v, SCHED_HOW_MOVE, now);
        sched_place_join(s, q->pcpu, v, SCHED_HOW_MOVE, now);
        drop_resched(s, q->pcpu);
        return v;
    }
    return NULL;
}

void sched_reserve_spread(struct sched *s, int64_t now)
{
    for (uint32_t p = 0; p < s->n_pcpus; p++)
        if (queue_at(s, p)->due) spread_from(s, queue_at(s, p), now);
}
