// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/net.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/cpu.h"
#include "model/guest.h"
#include "model/net_inner.h"

void *net_more(void *v, uint32_t *cap, size_t size)
{
    *cap = *cap ? 2 * *cap : 16;
    v = realloc(v, *cap * size);
    ASSERT(v);
    return v;
}

/* --- what follows from an event, when its handler is over --- */

static void arm_flush(struct net *net)
{
    if (net->flush_armed) return;
    net->flush_armed = true;
    sim_at(net->m->sim, sim_now(net->m->sim), EVQ_NORMAL, net->ev_flush, 0);
}

void net_touch(struct net *net, struct mhost *h)
{
    if (net->is_touched[h->index] || !h->sched) return; /* nobody runs there, where a VM is simulated alone */
    net->is_touched[h->index] = true;
    net_grow(net->touched, net->n_touched, net->cap_touched);
    net->touched[net->n_touched++] = h;
    if (!net->handling) arm_flush(net);
}

void net_wake(struct net *net, uint32_t vm, uint32_t task)
{
    net_grow(net->woken, net->n_woken, net->cap_woken);
    net->woken[net->n_woken++] = (struct net_who){vm, task};
    net->vms[vm].steps[task].waiting = false;
    net_touch(net, net->m->vms[vm].host);
}

void net_enter(struct net *net)
{
    net->handling = true;
}

/* Who is woken may send at once, and so wake others and touch other hosts: the lists grow meanwhile. Where
 * that comes to no end, as in a game of ping-pong that takes no time, each is woken by an event of its own
 * from then on, and the engine sees that time does not pass. */
void net_leave(struct net *net)
{
    struct model *m = net->m;
    uint32_t most = net->crowded_ns == sim_now(m->sim) ? 1 : NET_WOKEN_MAX, woken = 0, settled = 0;
    for (;;) {
        if (woken < net->n_woken && woken < most) {
            struct net_who w = net->woken[woken++];
            if (w.vm == NONE) continue; /* it has failed meanwhile */
            guest_wake_task(m, &m->vms[w.vm], w.task);
        } else if (settled < net->n_touched) {
            struct mhost *h = net->touched[settled++];
            net->is_touched[h->index] = false;
            cpu_settle(m, h);
        } else {
            break;
        }
    }
    net->n_touched = 0;
    net->handling = false;
    net->n_woken -= woken;
    if (net->n_woken) {
        net->crowded_ns = sim_now(m->sim);
        memmove(net->woken, net->woken + woken, net->n_woken * sizeof *net->woken);
        arm_flush(net);
    }
    book_settle(m); /* who was woken may have gone to a disk, or to memory */
}

static void on_flush(void *ctx, uint32_t arg)
{
    struct net *net = ctx;
    (void)arg;
    net->flush_armed = false;
    net_enter(net);
    net_leave(net);
}

/* --- the front door --- */

static void grow_steps(struct net_vm *v, uint32_t n)
{
    v->steps = realloc(v->steps, n * sizeof *v->steps);
    ASSERT(v->steps);
    for (; v->n_steps < n; v->n_steps++)
        v->steps[v->n_steps] = (struct net_step){.route = NONE};
}

/* Most often where the task sent last. */
static uint32_t route_to(struct net *net, uint32_t vm, const struct net_step *last, uint32_t to)
{
    return last->route != NONE && net->routes[last->route].to == to && !net->routes[last->route].stale
               ? last->route
               : net_route_of(net, vm, to);
}

void net_begin(struct model *m, struct vm *vm, uint32_t t)
{
    struct net *net = m->net;
    uint32_t i = vm->index;
    struct net_vm *v = &net->vms[i];
    const struct prog_act *act = &vm->tasks[t].act;
    if (t >= v->n_steps) grow_steps(v, vm->cap_tasks > t ? vm->cap_tasks : t + 1);
    if (act->step->how == PROG_RECEIVE)
        v->steps[t] = (struct net_step){.need = act->amount, .route = v->steps[t].route, .phase = NET_TAKE};
    else
        v->steps[t] = (struct net_step){.bytes = act->amount,
                                        .route = route_to(net, i, &v->steps[t], act->step->target),
                                        .conn = NONE,
                                        .phase = NET_BELL};
}

enum net_said net_step(struct model *m, struct vm *vm, uint32_t t, int64_t *useful_ns, int64_t *overhead_ns)
{
    struct net *net = m->net;
    uint32_t i = vm->index;
    net->vms[i].steps[t].waiting = false;
    if (net->vms[i].steps[t].phase == NET_TAKE) return (enum net_said)net_take(net, i, t, useful_ns);
    return (enum net_said)net_send(net, i, t, useful_ns, overhead_ns);
}

static bool uses_net(const struct scenario *sc)
{
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        const struct prog *p = sc->vms[i].work.prog;
        for (uint32_t k = 0; k < p->n_steps; k++)
            if (prog_steps(p)[k].kind == STEP_NET) return true;
    }
    return false;
}

/* It is off until net_up. One simulated alone sends to whom is never there, as if they were. */
static bool begins_later(const struct model *m, const struct sc_vm *vm)
{
    return m->only_vm == MODEL_ALL && (vm->start_ns > 0 || vm->there != SC_AT_START || vm->image != SC_NONE);
}

void net_init(struct model *m)
{
    const struct scenario *sc = m->sc;
    if (!uses_net(sc) && !sc->moves) return;
    struct net *net = m->net = alloc_array(1, sizeof *net);
    net->m = m;
    net->free_frame = net->free_conn = net->free_bulk = NONE;
    net->now = *sc;
    if (sc->moves) {
        net->own_vms = alloc_array(sc->n_vms, sizeof *net->own_vms);
        net->end_of = alloc_array(sc->n_vms, sizeof *net->end_of);
        for (uint32_t i = 0; i < sc->n_vms; i++) {
            net->own_vms[i] = sc->vms[i];
            net->end_of[i] = i;
        }
        net->now.vms = net->own_vms;
        net->n_ends = sc->n_vms + sc->n_peers;
    }
    net->crowded_ns = -1;
    net->ev_sent = sim_on(m->sim, "frame sent", net_on_sent, net);
    net->ev_came = sim_on(m->sim, "frame came", net_on_came, net);
    net->ev_flush = sim_on(m->sim, "network", on_flush, net);
    net->ev_bulk = sim_on(m->sim, "bulk transfer", net_on_bulk, net);
    net->vms = alloc_array(sc->n_vms, sizeof *net->vms);
    net->rx_waiting = alloc_array(sc->n_nics, sizeof *net->rx_waiting);
    net->is_touched = alloc_array(sc->n_hosts, sizeof *net->is_touched);
    for (uint32_t i = 0; i < sc->n_vms; i++)
        net->vms[i] = (struct net_vm){.sending = {NONE, NONE},
                                      .receiving = {NONE, NONE},
                                      .full_at = -1,
                                      .down = begins_later(m, &sc->vms[i]),
                                      .pays = sc->vms[i].mode == SC_BARE || sc->vms[i].mode == SC_CONTAINER};
    net_route_init(net);
}

void net_done(struct model *m)
{
    struct net *net = m->net;
    if (!net) return;
    for (uint32_t i = 0; i < net->n_stages; i++)
        free(net->stages[i].turns.heap);
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        free(net->vms[i].steps);
    net_map_done(&net->route_of);
    net_map_done(&net->flow_of);
    net_map_done(&net->conn_of);
    void *all[] = {net->stages,     net->first_stage, net->first_pool, net->vms,    net->routes, net->hops,
                   net->flows,      net->pools,       net->conns,      net->frames, net->woken,  net->touched,
                   net->is_touched, net->rx_waiting,  net->own_vms,    net->end_of, net->bulks};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(net);
}

/* --- nothing is lost --- */

static int broken(char **why, const char *what, int64_t is, int64_t should)
{
    if (asprintf(why, "network: %s: %" PRId64 ", but %" PRId64 " by the frames themselves", what, is,
                 should) < 0)
        *why = NULL;
    return -1;
}

int net_check(const struct model *m, char **why)
{
    const struct net *net = m->net;
    if (!net) return 0;
    int64_t frames = 0, bytes = 0, on_way = 0, waiting = 0;
    for (uint32_t i = 0; i < net->n_frames; i++) {
        if (net->frames[i].route == NONE) continue;
        frames++;
        bytes += net->frames[i].payload;
    }
    on_way = net_bulk_on_way(net);
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        on_way += net->vms[i].on_way;
    for (uint32_t i = 0; i < m->sc->n_nics; i++)
        waiting += net->rx_waiting[i];
    if (net->handed - net->delivered - net->dropped != frames)
        return broken(why, "frames handed in, less those delivered and dropped",
                      net->handed - net->delivered - net->dropped, frames);
    if (net->handed_bytes - net->delivered_bytes - net->dropped_bytes != bytes)
        return broken(why, "bytes handed in, less those delivered and dropped",
                      net->handed_bytes - net->delivered_bytes - net->dropped_bytes, bytes);
    if (on_way + waiting != frames)
        return broken(why, "frames on their way or waiting for a receiver's CPU", on_way + waiting, frames);
    return 0;
}
