// SPDX-License-Identifier: GPL-3.0-or-later
/* Bulk transfers between hosts, as live migration makes them: chunks of 64 KiB that take their turn among the
 * guests' frames at the first NIC of either host, each as many frames as the NICs' MTU makes of it. At most
 * so many are on their way as fill the latency, and two more; none before its time at the rate that is asked
 * for. A chunk that is lost, as the NIC has gone down, is sent again when that is back. */
#include "model/net.h"

#include "model/host.h"
#include "model/migrate.h"
#include "model/net_inner.h"
#include "model/thread.h"

#define CHUNK 65536

struct net_bulk {
    struct mhost *from, *to;
    int64_t bytes, left, on_way; /* in all; not handed over yet; handed over and not there; bytes */
    int64_t rate_bps;            /* 0: no bound */
    int64_t began_ns;
    uint32_t route; /* NONE: there is no NIC to go by */
    uint32_t chunks, window;
    uint32_t arg, era;
    uint32_t next_free;
    bool busy, armed, pumping;
};

/* When so many bytes may be through. */
static int64_t due_ns(const struct net_bulk *b, int64_t bytes)
{
    if (b->rate_bps == 0) return b->began_ns;
    __int128 ns = ((__int128)bytes * 8000000000 + b->rate_bps - 1) / b->rate_bps + b->began_ns;
    return ns > INT64_MAX - 1 ? INT64_MAX - 1 : (int64_t)ns;
}

static void wake_at(struct net *net, uint32_t i, int64_t at_ns)
{
    struct net_bulk *b = &net->bulks[i];
    int64_t now = sim_now(net->m->sim);
    if (b->armed) return;
    b->armed = true;
    sim_at(net->m->sim, at_ns > now ? at_ns : now, EVQ_NORMAL, net->ev_bulk, i);
}

static uint32_t chunk_wire(const struct net_route *r, uint32_t payload, uint32_t *frames)
{
    *frames = (payload + r->payload - 1) / r->payload;
    return payload + *frames * (NET_HEADERS + NET_FRAMING);
}

static void hand_over(struct net *net, uint32_t i)
{
    struct net_bulk *b = &net->bulks[i];
    const struct net_route *r = &net->routes[b->route];
    uint32_t payload = b->left < CHUNK ? (uint32_t)b->left : CHUNK, frames;
    uint32_t wire = chunk_wire(r, payload, &frames), f = net_frame_new(net, b->route, i, payload);
    net->frames[f].wire = wire;
    net->frames[f].frames = frames;
    net->frames[f].life = b->era;
    b->left -= payload;
    b->on_way += payload;
    b->chunks++;
    net->handed++;
    net->handed_bytes += payload;
    net_touch(net, b->from);
    thread_give(net->m, b->from, THREAD_IO, JOB_NET_TX, r->tx_ps * frames / 1000, f);
}

static void hand_over_all(struct net *net, uint32_t i)
{
    int64_t now = sim_now(net->m->sim);
    while (net->bulks[i].busy && net->bulks[i].left > 0 && net->bulks[i].chunks < net->bulks[i].window) {
        struct net_bulk *b = &net->bulks[i];
        int64_t at = due_ns(b, b->bytes - b->left);
        if (net_is_cut(net, &net->routes[b->route])) return; /* net_bulk_go_on */
        if (at > now) {
            wake_at(net, i, at);
            return;
        }
        hand_over(net, i);
    }
}

/* As much as may go now. Where links take no time a chunk is there before hand_over returns: the loop goes on
 * then, not a pump within the pump. */
static void pump(struct net *net, uint32_t i)
{
    if (net->bulks[i].pumping) return;
    net->bulks[i].pumping = true;
    hand_over_all(net, i);
    struct net_bulk *b = &net->bulks[i];
    b->pumping = false;
    if (b->busy && b->left == 0 && b->chunks == 0) wake_at(net, i, due_ns(b, b->bytes));
}

void net_on_bulk(void *ctx, uint32_t i)
{
    struct net *net = ctx;
    struct net_bulk *b = &net->bulks[i];
    b->armed = false;
    net_enter(net);
    bool over = b->busy && b->left == 0 && b->chunks == 0 && sim_now(net->m->sim) >= due_ns(b, b->bytes);
    if (b->busy && !over) pump(net, i);
    net_leave(net);
    if (!over) return;
    uint32_t arg = b->arg;
    b->busy = false;
    b->next_free = net->free_bulk;
    net->free_bulk = i;
    migrate_sent(net->m, arg);
}

/* The chunk is through, or lost. False: it was of a transfer that is no more. */
static bool end(struct net *net, uint32_t f)
{
    struct net_bulk *b = &net->bulks[net->frames[f].task];
    bool known = b->era == net->frames[f].life && b->busy;
    b->chunks--;
    if (known) b->on_way -= net->frames[f].payload;
    return known;
}

void net_bulk_lost(struct net *net, uint32_t f)
{
    uint32_t i = net->frames[f].task;
    if (end(net, f)) {
        net->bulks[i].left += net->frames[f].payload;
        wake_at(net, i, sim_now(net->m->sim)); /* what it was lost on may be back already */
    }
    net_frame_free(net, f);
}

void net_bulk_came(struct net *net, uint32_t f)
{
    uint32_t i = net->frames[f].task;
    net->delivered++;
    net->delivered_bytes += net->frames[f].payload;
    bool known = end(net, f);
    net_frame_free(net, f);
    if (known) pump(net, i);
}

void net_bulk_go_on(struct net *net)
{
    for (uint32_t i = 0; i < net->n_bulks; i++)
        if (net->bulks[i].busy && net->bulks[i].route != NONE) wake_at(net, i, sim_now(net->m->sim));
}

static uint32_t new_bulk(struct net *net)
{
    for (uint32_t i = net->free_bulk, *link = &net->free_bulk; i != NONE;
         link = &net->bulks[i].next_free, i = *link) {
        if (net->bulks[i].armed || net->bulks[i].chunks)
            continue; /* something of the last one is still under way */
        *link = net->bulks[i].next_free;
        return i;
    }
    net_grow(net->bulks, net->n_bulks, net->cap_bulks);
    net->bulks[net->n_bulks] = (struct net_bulk){0};
    return net->n_bulks++;
}

uint32_t net_bulk(struct model *m, struct mhost *from, struct mhost *to, int64_t bytes, int64_t rate_bps,
                  uint32_t arg)
{
    struct net *net = m->net;
    uint32_t i = new_bulk(net), a = host_nic(m, from), b = host_nic(m, to);
    bool wired = a != NONE && b != NONE && bytes > 0;
    net->bulks[i] = (struct net_bulk){.from = from,
                                      .to = to,
                                      .bytes = bytes,
                                      .left = wired ? bytes : 0,
                                      .rate_bps = rate_bps,
                                      .began_ns = sim_now(m->sim),
                                      .route = wired ? net_route_bulk(net, a, b, i) : NONE,
                                      .arg = arg,
                                      .era = net->bulks[i].era + 1,
                                      .busy = true};
    if (!wired) {
        wake_at(net, i, due_ns(&net->bulks[i], bytes));
        return i;
    }
    const struct net_route *r = &net->routes[net->bulks[i].route];
    uint32_t frames, wire = chunk_wire(r, CHUNK, &frames);
    net->bulks[i].window =
        2 + (uint32_t)((uint64_t)r->window * (r->payload + NET_HEADERS + NET_FRAMING) / wire);
    wake_at(net, i, sim_now(m->sim));
    return i;
}

int64_t net_bulk_cancel(struct model *m, uint32_t i)
{
    struct net *net = m->net;
    struct net_bulk *b = &net->bulks[i];
    ASSERT(b->busy);
    int64_t sent = b->bytes - b->left - b->on_way;
    if (b->route == NONE) { /* as far as it would be by now */
        __int128 done = (__int128)(sim_now(m->sim) - b->began_ns) * b->rate_bps / 8000000000;
        sent = done < b->bytes ? (int64_t)done : b->bytes;
    }
    b->busy = false;
    b->next_free = net->free_bulk;
    net->free_bulk = i;
    return sent;
}

int64_t net_bulk_on_way(const struct net *net)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < net->n_bulks; i++)
        n += net->bulks[i].chunks;
    return n;
}
