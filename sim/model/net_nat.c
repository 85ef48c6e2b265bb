// SPDX-License-Identifier: GPL-3.0-or-later
/* The ports of a nat: each connection - a loop's task, or one request, to one receiver - has one of its
 * host's while it sends, and for hold_ns after its last packet, in which it may go on with the same. Those
 * not in use stand in order of their last packet, so what is free again is found at the head, when somebody
 * asks: no timers, O(1). */
#include "model/net_inner.h"

static uint64_t key_of(uint32_t route, uint32_t task)
{
    return (uint64_t)route << 32 | task;
}

static void unlist(struct net *net, struct net_pool *p, uint32_t c)
{
    const struct net_conn *x = &net->conns[c];
    if (x->prev != NONE)
        net->conns[x->prev].next = x->next;
    else
        p->idle.head = x->next;
    if (x->next != NONE)
        net->conns[x->next].prev = x->prev;
    else
        p->idle.tail = x->prev;
}

static void forget(struct net *net, struct net_pool *p, uint32_t c)
{
    unlist(net, p, c);
    if (!net->conns[c].ended) net_map_drop(&net->conn_of, net->conns[c].key);
    net->conns[c].next = net->free_conn;
    net->free_conn = c;
    p->used--;
}

/* What tells one request from the next that the same thread serves; a loop's task keeps its connections. */
static struct net_request request_of(const struct net *net, uint32_t route, uint32_t task)
{
    const struct vm *vm = &net->m->vms[net->routes[route].from];
    const struct prog_task *at = &vm->tasks[task].at;
    return vm->sc->work.requests ? (struct net_request){at->task, at->iter} : (struct net_request){0, 0};
}

uint32_t net_nat_begin(struct net *net, uint32_t route, uint32_t task)
{
    int64_t now = sim_now(net->m->sim);
    struct net_pool *p = &net->pools[net->routes[route].pool];
    uint64_t key = key_of(route, task);
    struct net_request of = request_of(net, route, task);
    uint32_t c = net_map_find(&net->conn_of, key);
    if (c != NET_MAP_NONE && (net->conns[c].of.task != of.task || net->conns[c].of.iter != of.iter)) {
        /* It was an earlier request's, and keeps its port until it is forgotten. */
        net_map_drop(&net->conn_of, key);
        net->conns[c].ended = true;
        c = NET_MAP_NONE;
    }
    if (c != NET_MAP_NONE) {
        unlist(net, p, c);
        net->conns[c].busy = true;
        return c;
    }
    while (p->idle.head != NONE && now - net->conns[p->idle.head].last_ns >= p->hold_ns)
        forget(net, p, p->idle.head);
    if (p->used >= p->ports) return NONE;
    p->used++;
    c = net->free_conn;
    if (c != NONE) {
        net->free_conn = net->conns[c].next;
    } else {
        net_grow(net->conns, net->n_conns, net->cap_conns);
        c = net->n_conns++;
    }
    net->conns[c] = (struct net_conn){.key = key, .of = of, .busy = true};
    net_map_put(&net->conn_of, key, c);
    return c;
}

void net_nat_over(struct net *net, uint32_t route, uint32_t conn)
{
    struct net_pool *p = &net->pools[net->routes[route].pool];
    struct net_conn *c = &net->conns[conn];
    ASSERT(c->busy);
    c->busy = false;
    c->last_ns = sim_now(net->m->sim);
    c->next = NONE;
    c->prev = p->idle.tail;
    if (c->prev != NONE)
        net->conns[c->prev].next = conn;
    else
        p->idle.head = conn;
    p->idle.tail = conn;
}
