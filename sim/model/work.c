// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/work.h"

#include <stdlib.h>
#include <string.h>

#include "model/cloud.h"
#include "model/guest.h"

/* --- the queue: a ring of requests, grown by doubling --- */

static void ring_push(struct vm *vm, const struct request *r)
{
    if (vm->ring_n == vm->ring_cap) {
        uint64_t cap = vm->ring_cap ? 2 * vm->ring_cap : 16;
        struct request *n = malloc(cap * sizeof *n);
        ASSERT(n);
        for (uint64_t i = 0; i < vm->ring_n; i++)
            n[i] = vm->ring[(vm->ring_head + i) & (vm->ring_cap - 1)];
        free(vm->ring);
        vm->ring = n;
        vm->ring_cap = cap;
        vm->ring_head = 0;
    }
    vm->ring[(vm->ring_head + vm->ring_n++) & (vm->ring_cap - 1)] = *r;
}

bool work_next(struct model *m, struct vm *vm, struct request *out)
{
    struct vm *front = &m->vms[vm->front];
    /* One that leaves serves those that wait for it alone; a shared queue is for the others. */
    if (front->ring_n == 0 || (vm->leaving && vm->sc->work.shared_queue)) return false;
    *out = front->ring[front->ring_head++ & (front->ring_cap - 1)];
    front->ring_n--;
    return true;
}

/* Who takes a request now, with which thread; NULL: nobody. */
static struct vm *server(struct model *m, struct vm *front, uint32_t *task)
{
    for (uint32_t i = front->index; i < m->sc->n_vms && m->vms[i].front == front->index; i++) {
        struct vm *vm = &m->vms[i];
        if (!vm->sc || vm->off || vm->leaving) continue;
        *task = guest_free_task(vm);
        if (*task != NONE) return vm;
        if (!front->sc->work.shared_queue) break;
    }
    return NULL;
}

/* A request comes: to a thread, to the queue, or it is lost. */
static void come(struct model *m, struct vm *vm, struct request r)
{
    const struct sc_workload *w = &vm->sc->work;
    uint32_t t = NONE;
    struct vm *by = server(m, vm, &t);
    bool shut = (vm->off || vm->leaving) && !w->shared_queue;
    if (shut || (!by && vm->ring_n >= (uint64_t)w->queue_max)) {
        inner_tell(m, vm, REC_LOST, (int64_t)vm->arrivals, 0);
        inner_tell(m, vm, REC_EVENT, (int64_t)vm->arrivals, REC_EV_LOST);
        if (r.client != NONE) work_answered(m, vm, r.client);
        return;
    }
    inner_tell(m, vm, REC_ARRIVE, (int64_t)vm->arrivals, 0);
    vm->inside++;
    if (by)
        guest_begin_request(m, by, t, &r);
    else
        ring_push(vm, &r);
    cloud_backlog(m, vm);
}

/* --- open streams --- */

static void enter_stretch(struct vm *vm, uint32_t i, int64_t from_ns)
{
    const struct sc_stretch *s = &vm->sc->work.stretches[i];
    vm->stretch = i;
    vm->stretch_end = s->for_ns > INT64_MAX - from_ns ? INT64_MAX : from_ns + s->for_ns;
    vm->gap = (struct dist){.kind = s->kind == SC_POISSON ? DIST_EXPONENTIAL : DIST_CONST, .a = s->gap_ns};
    int made = draw_make(&vm->gap);
    ASSERT(made == 0);
}

/* The time of the next arrival after the last; INT64_MAX: there is none. */
static int64_t next_arrival(struct vm *vm)
{
    const struct sc_workload *w = &vm->sc->work;
    if (vm->arrivals >= w->until) return INT64_MAX;
    if (w->arrivals == SC_TRACE) {
        if (vm->arrivals >= w->n_trace) return INT64_MAX;
        int64_t at = w->trace_ns[vm->arrivals], start = vm->born_ns;
        return at > INT64_MAX - start ? INT64_MAX : start + at;
    }
    int64_t from = vm->arrived_ns;
    for (;;) {
        int64_t gap = draw_amount(&vm->gap, &vm->arrival_rng, NULL, 0);
        int64_t at = gap > INT64_MAX - from ? INT64_MAX : from + gap;
        if (at < vm->stretch_end || vm->stretch_end == INT64_MAX) return at;
        if (vm->stretch + 1 >= w->n_stretches) return INT64_MAX;
        from = vm->stretch_end;
        enter_stretch(vm, vm->stretch + 1, from);
    }
}

static void set_arrival(struct vm *vm)
{
    int64_t at = next_arrival(vm);
    if (at == INT64_MAX) return;
    vm->arrived_ns = at;
    timers_set(&vm->timers, at, TIMER_ARRIVAL, 0);
}

void work_on_arrival(struct model *m, struct vm *vm)
{
    struct request r = {.came_ns = sim_now(m->sim), .iter = vm->arrivals, .client = NONE};
    come(m, vm, r);
    vm->arrivals++;
    set_arrival(vm);
}

/* --- closed: clients --- */

static void think(struct model *m, struct vm *vm, uint32_t client)
{
    const struct sc_workload *w = &vm->sc->work;
    struct rng rng = rng_at(vm->key_think, client, vm->cycles[client]);
    int64_t d = draw_amount(&w->think, &rng, w->think_pool, vm->cycles[client]), now = sim_now(m->sim);
    if (d <= INT64_MAX - now) timers_set(&vm->timers, now + d, TIMER_CLIENT, client);
}

void work_on_client(struct model *m, struct vm *vm, uint32_t client)
{
    if (vm->arrivals >= vm->sc->work.until) return;
    struct request r = {.came_ns = sim_now(m->sim), .iter = vm->cycles[client]++, .client = client};
    come(m, vm, r);
    vm->arrivals++;
}

void work_answered(struct model *m, struct vm *vm, uint32_t client)
{
    think(m, &m->vms[vm->front], client);
}

void work_lost(struct model *m, struct vm *vm, int64_t came_ns, uint32_t client)
{
    struct vm *front = &m->vms[vm->front];
    front->inside--;
    inner_tell(m, front, REC_ABORT, sim_now(m->sim) - came_ns, 0);
    if (client == NONE) return;
    think(m, front, client);
    guest_arm(m, front);
}

int64_t work_forget(struct model *m, struct vm *vm)
{
    if (vm->front != vm->index || vm->sc->work.shared_queue) return 0;
    int64_t n = (int64_t)vm->ring_n;
    for (; vm->ring_n; vm->ring_n--, vm->ring_head++) {
        const struct request *r = &vm->ring[vm->ring_head & (vm->ring_cap - 1)];
        work_lost(m, vm, r->came_ns, r->client);
    }
    return n;
}

/* A stream begins, from this instant: of a VM that was destroyed and is made again too, with its first draws.
 */
static void open_door(struct model *m, struct vm *vm)
{
    const struct sc_workload *w = &vm->sc->work;
    vm->arrived_ns = sim_now(m->sim);
    vm->arrivals = 0;
    vm->arrival_rng =
        rng_at(rng_key(m->seed, rng_hash_name(vm->sc->draws, strlen(vm->sc->draws)), RNG_ARRIVAL), 0, 0);
    if (w->arrivals == SC_CLOSED) {
        uint32_t n = w->clients ? w->clients : 1;
        if (!vm->cycles) vm->cycles = calloc(n, sizeof *vm->cycles); /* else the door has been open before */
        ASSERT(vm->cycles);
        memset(vm->cycles, 0, n * sizeof *vm->cycles);
        for (uint32_t c = 0; c < w->clients; c++)
            think(m, vm, c);
        return;
    }
    if (w->arrivals != SC_TRACE) enter_stretch(vm, 0, vm->arrived_ns);
    set_arrival(vm);
}

void work_start(struct model *m, struct vm *vm)
{
    struct vm *front = &m->vms[vm->front];
    if (!front->open) {
        front->open = true;
        front->born_ns = sim_now(m->sim);
        open_door(m, front);
        if (front != vm) guest_arm(m, front);
    }
    struct request r;
    while (front->ring_n && !vm->leaving) {
        uint32_t t = guest_free_task(vm);
        if (t == NONE) break;
        work_next(m, vm, &r);
        guest_begin_request(m, vm, t, &r);
    }
}

static void tell_open(struct model *m, struct vm *vm, int64_t came_ns)
{
    inner_tell(m, vm, REC_OPEN, sim_now(m->sim) - came_ns, 0);
}

void work_close(struct model *m, struct vm *vm)
{
    if (!vm->sc->work.requests) return;
    for (uint64_t k = 0; k < vm->ring_n; k++)
        tell_open(m, vm, vm->ring[(vm->ring_head + k) & (vm->ring_cap - 1)].came_ns);
    for (uint32_t t = 0; t < vm->n_tasks; t++)
        if (vm->tasks[t].where != TASK_FREE) tell_open(m, &m->vms[vm->front], vm->tasks[t].began_ns);
}
