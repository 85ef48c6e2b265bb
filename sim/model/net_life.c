// SPDX-License-Identifier: GPL-3.0-or-later
/* VMs that fail or move, NICs and networks that go down, and what becomes of the frames. */
#include "model/net.h"

#include "model/net_inner.h"
#include "scenario/reach.h"

/* --- frames that are lost on their way --- */

void net_lose(struct net *net, uint32_t i, bool left)
{
    struct net_frame *f = &net->frames[i];
    const struct net_route *r = &net->routes[f->route];
    uint32_t from = r->from;
    net->dropped++;
    net->dropped_bytes += f->payload;
    if (r->bulk) {
        net_bulk_lost(net, i);
        return;
    }
    struct net_vm *v = &net->vms[from];
    net_count_drops(net, from, 1);
    if (!left && f->life == v->life) {
        struct net_step *k = &v->steps[f->task];
        k->out--;
        if (k->out == 0 && k->bytes == 0 && k->waiting && k->phase == NET_FLY) net_wake(net, from, f->task);
    }
    net_frame_free(net, i);
    net_room(net, from);
}

/* Everything that is in the stage, or on its wire: those that wait go now, the others when their time comes.
 */
static void clear(struct net *net, struct net_stage *s)
{
    s->lost = s->serving != NONE;
    for (uint32_t f = s->air.head; f != NONE; f = net->frames[f].next)
        net->frames[f].lost = true;
    for (uint32_t i; (i = wfq_next(&s->turns)) != WFQ_NONE;) {
        struct net_flow *fl = &net->flows[i];
        uint32_t f = fl->waiting.head;
        fl->waiting.head = net->frames[f].next;
        wfq_taken(&s->turns, &fl->turn, fl->waiting.head == NONE ? 0 : net->frames[fl->waiting.head].wire);
        net_lose(net, f, net->frames[f].hop > 0 && !net->routes[net->frames[f].route].inside);
    }
}

static void set(struct net *net, uint32_t stage, bool up)
{
    struct net_stage *s = &net->stages[stage];
    if (s->down == !up) return;
    s->down = !up;
    if (!up) clear(net, s);
}

static void settle(struct net *net)
{
    if (!net->handling) {
        net_enter(net);
        net_leave(net);
    }
}

void net_set_nic(struct model *m, uint32_t nic, bool up)
{
    struct net *net = m->net;
    if (!net) return;
    set(net, 2 * nic, up);
    set(net, 2 * nic + 1, up);
    if (up) net_bulk_go_on(net);
    settle(net);
}

void net_set_network(struct model *m, uint32_t network, bool up)
{
    struct net *net = m->net;
    if (!net) return;
    const struct sc_network *x = &m->sc->networks[network];
    uint32_t n = x->kind == SC_NET_HOST_ONLY ? x->n_hosts : 3;
    for (uint32_t i = 0; i < n; i++)
        set(net, net->first_stage[network] + i, up);
    settle(net);
}

bool net_is_cut(const struct net *net, const struct net_route *r)
{
    for (uint32_t i = 0; i < r->n_hops; i++)
        if (net->stages[net->hops[r->first_hop + i].stage].down) return true;
    return false;
}

/* --- VMs --- */

void net_crash(struct model *m, struct vm *vm)
{
    struct net *net = m->net;
    struct net_vm *v = &net->vms[vm->index];
    for (uint32_t t = 0; t < v->n_steps; t++) {
        struct net_step *k = &v->steps[t];
        bool open = k->phase == NET_GO || k->phase == NET_PAID || k->phase == NET_FLY;
        if (open && k->route != NONE && k->conn != NONE) net_nat_over(net, k->route, k->conn);
        *k = (struct net_step){.route = NONE, .conn = NONE, .phase = NET_GIVEN_UP};
    }
    v->sending = v->receiving = (struct net_fifo){NONE, NONE};
    v->unread = v->unread_ps = 0;
    v->life++; /* of its frames on their way no step is told */
    v->down = true;
    for (uint32_t i = 0; i < net->n_woken; i++)
        if (net->woken[i].vm == vm->index) net->woken[i].vm = NONE;
}

void net_up(struct model *m, struct vm *vm)
{
    m->net->vms[vm->index].down = false;
}

bool net_reaches(const struct model *m, const struct vm *vm, uint32_t host)
{
    if (vm->sc->network == SC_NONE) return true;
    const struct sc_network *x = &m->sc->networks[vm->sc->network];
    if (x->n_hosts == m->sc->n_hosts) return true;
    for (uint32_t i = 0; i < x->n_hosts; i++)
        if (x->hosts[i] == host) return true;
    return false;
}

/* What its tasks have not handed over yet goes the new way, where there is one without a port to open. */
static void reroute(struct net *net, uint32_t vm, struct net_step *k)
{
    if (k->route == NONE || k->bytes == 0 || k->phase == NET_TAKE || k->phase == NET_GIVEN_UP) return;
    uint32_t way = net_route_of(net, vm, net->routes[k->route].to);
    bool opened = k->phase != NET_BELL && k->phase != NET_OPEN;
    const struct net_route *r = &net->routes[way];
    if (opened && (k->conn != NONE || r->pool != NONE || r->why != REC_WHY_NONE)) return;
    k->route = way;
}

void net_move(struct model *m, struct vm *vm)
{
    struct net *net = m->net;
    if (!net) return;
    ASSERT(net->own_vms); /* VMs move only where scenario.moves says so */
    net->own_vms[vm->index].host = vm->host->index;
    net->end_of[vm->index] = net->n_ends++;
    for (uint32_t i = 0; i < net->n_routes; i++)
        if (net->routes[i].from == vm->index || net->routes[i].to == vm->index) net->routes[i].stale = true;
    struct net_vm *v = &net->vms[vm->index];
    for (uint32_t t = 0; t < v->n_steps; t++)
        reroute(net, vm->index, &v->steps[t]);
}
