// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/switch/core.h"

#include "base/rng.h"

/* --- what it holds --- */

static const char *refuses_link(const struct net_link *l)
{
    return l->bps < 0 || l->latency_ns < 0 ? "a rate or latency below 0" : NULL;
}

const char *core_refuses(const struct net_cfg *cfg)
{
    if (cfg->n_ports < 1 || cfg->n_ports > NET_PORTS) return "no ports, or too many";
    if (cfg->n_peers > NET_PEERS) return "too many peers";
    if (cfg->uplink > NET_BRIDGE) return "an uplink it does not know";
    if (cfg->frame_max < NET_OVERHEAD + 1 || cfg->frame_max > NET_FRAME_MAX) return "frames of no such size";
    if (cfg->loss_ppm > 1000000) return "a loss over 1";
    for (uint32_t i = 0; i < cfg->n_ports; i++) {
        if (cfg->port[i].weight == 0) return "a weight of 0";
        if (cfg->port[i].mac[0] & 1) return "a NIC with the MAC of a group";
    }
    for (uint32_t i = 0; i < cfg->n_peers; i++)
        if (cfg->peer[i].mac[0] & 1) return "a peer with the MAC of a group";
    if (cfg->gateway_mac[0] & 1) return "a gateway with the MAC of a group";
    const char *why = refuses_link(&cfg->nic);
    if (!why) why = refuses_link(&cfg->fabric);
    return why ? why : refuses_link(&cfg->up);
}

static bool is_mac(const uint8_t *mac)
{
    static const uint8_t nobody[NET_MAC];
    return memcmp(mac, nobody, NET_MAC) != 0;
}

static uint32_t n_all(const struct net_cfg *cfg)
{
    return cfg->n_ports + (cfg->uplink != NET_NO_UPLINK);
}

uint64_t core_bytes(const struct net_cfg *cfg)
{
    return (uint64_t)n_all(cfg) * NET_QUEUE * (sizeof(struct core_frame) + cfg->frame_max);
}

/* Who is behind the port is told, not learnt. */
static bool is_known(const struct core *c, uint32_t port)
{
    return port < c->cfg.n_ports && is_mac(c->cfg.port[port].mac);
}

void core_init(struct core *c, const struct net_cfg *cfg, struct net_ctl *ctl, struct core_out out,
               void *memory)
{
    memset(c, 0, sizeof *c);
    c->cfg = *cfg;
    c->ctl = ctl;
    c->out = out;
    c->n_all = n_all(cfg);
    uint32_t n = c->n_all * NET_QUEUE;
    c->frames = memory;
    c->bytes = (uint8_t *)memory + (size_t)n * sizeof *c->frames;
    for (uint32_t i = 0; i < n; i++)
        c->frames[i].next = i + 1 < n ? i + 1 : CORE_NONE;
    for (uint32_t p = 0; p < c->n_all; p++)
        c->port[p].out.head = CORE_NONE;
    for (uint32_t p = 0; p < cfg->n_ports; p++)
        if (is_known(c, p)) macs_pin(&c->macs, cfg->port[p].mac, p);
    if (cfg->uplink != NET_NO_UPLINK && is_mac(cfg->gateway_mac))
        macs_pin(&c->macs, cfg->gateway_mac, cfg->n_ports);
    for (uint32_t i = 0; cfg->uplink != NET_NO_UPLINK && i < cfg->n_peers; i++)
        if (is_mac(cfg->peer[i].mac)) macs_pin(&c->macs, cfg->peer[i].mac, cfg->n_ports);
    core_stage_init(c);
}

static uint8_t *bytes_of(const struct core *c, uint32_t f)
{
    return c->bytes + (size_t)f * c->cfg.frame_max;
}

/* --- books --- */

static void more(uint64_t *what, uint64_t n)
{
    __atomic_store_n(what, *what + n, __ATOMIC_RELAXED);
}

void core_count(struct net_count *n, const uint8_t *frame, uint32_t len)
{
    more(&n->frames, 1);
    more(&n->bytes, frame_payload(frame, len));
    more(&n->wire, len + NET_ON_WIRE);
}

/* The uplink has no books of its own: what it sends in vain is its receiver's drop. */
static void lost(struct core *c, uint32_t from)
{
    if (from < c->cfg.n_ports) more(&c->ctl->sent[from].drops, 1);
    more(&c->ctl->fabric.drops, 1);
}

static void lost_at(struct core *c, uint32_t to)
{
    if (to < c->cfg.n_ports) more(&c->ctl->got[to].drops, 1);
    more(&c->ctl->nic.drops, 1);
}

void core_left(struct core *c, uint32_t f)
{
    struct core_frame *x = &c->frames[f];
    if (!x->tells) return;
    x->tells = false;
    core_count(&c->ctl->sent[x->from], bytes_of(c, f), x->len);
    c->out.left(c->out.ctx, x->from, x->cookie);
}

static void release(struct core *c, uint32_t f)
{
    struct core_frame *x = &c->frames[f];
    if (x->tells) {
        x->tells = false;
        c->out.left(c->out.ctx, x->from, x->cookie); /* it was dropped */
    }
    c->port[x->from].inside--;
    x->next = c->free;
    c->free = f;
}

/* --- out --- */

/* False: the port is busy, the frame still there. */
static bool hand_out(struct core *c, uint32_t f)
{
    const struct core_frame *x = &c->frames[f];
    enum core_taken t =
        c->port[x->to].gone ? CORE_GONE : c->out.deliver(c->out.ctx, x->to, bytes_of(c, f), x->len);
    if (t == CORE_BUSY) return false;
    if (t == CORE_TAKEN) {
        if (x->to < c->cfg.n_ports) core_count(&c->ctl->got[x->to], bytes_of(c, f), x->len);
        if (x->from < c->cfg.n_ports) core_left(c, f);
    } else {
        c->port[x->to].gone = true;
        if (x->to < c->cfg.n_ports) more(&c->ctl->got[x->to].drops, 1);
    }
    release(c, f);
    return true;
}

static uint32_t group(const struct core *c, uint32_t port)
{
    return port < c->cfg.n_ports ? __atomic_load_n(&c->ctl->group[port], __ATOMIC_RELAXED) : 0;
}

void core_arrive(struct core *c, uint32_t f)
{
    struct core_frame *x = &c->frames[f];
    struct core_port *p = &c->port[x->to];
    if (group(c, x->from) != group(c, x->to)) {
        lost(c, x->from);
        release(c, f);
        return;
    }
    if (p->out.head == CORE_NONE && hand_out(c, f)) return;
    if (x->way == CORE_INWARD && p->inward >= c->cfg.rx_queue) {
        lost_at(c, x->to);
        release(c, f);
        return;
    }
    p->inward += x->way == CORE_INWARD;
    x->next = CORE_NONE;
    if (p->out.head == CORE_NONE)
        p->out.head = f;
    else
        c->frames[p->out.tail].next = f;
    p->out.tail = f;
}

void core_ready(struct core *c, uint32_t port)
{
    struct core_port *p = &c->port[port];
    while (p->out.head != CORE_NONE) {
        uint32_t f = p->out.head, next = c->frames[f].next;
        bool inward = c->frames[f].way == CORE_INWARD;
        if (!hand_out(c, f)) return;
        p->inward -= inward;
        p->out.head = next;
    }
}

void core_gone(struct core *c, uint32_t port)
{
    c->port[port].gone = true;
    core_ready(c, port);
}

/* --- in --- */

static enum core_way way_of(const struct core *c, uint32_t from, uint32_t to)
{
    return to == c->cfg.n_ports ? CORE_OUTWARD : from == c->cfg.n_ports ? CORE_INWARD : CORE_INSIDE;
}

/* False: the sender has as many frames inside as it may. */
static bool put(struct core *c, uint32_t from, uint32_t to, const uint32_t *cookie, const uint8_t *frame,
                uint32_t len, int64_t now)
{
    if (c->port[from].inside >= NET_QUEUE) return false;
    uint32_t f = c->free; /* there is one: senders' quotas are all there are */
    c->free = c->frames[f].next;
    c->port[from].inside++;
    c->frames[f] = (struct core_frame){.len = len,
                                       .cookie = cookie ? *cookie : 0,
                                       .from = (uint16_t)from,
                                       .to = (uint16_t)to,
                                       .way = (uint8_t)way_of(c, from, to),
                                       .tells = cookie && from < c->cfg.n_ports};
    memcpy(bytes_of(c, f), frame, len);
    core_forward(c, f, now);
    return true;
}

/* To everybody else of its group; what is for one station, only to where it could be. */
static void flood(struct core *c, uint32_t from, const uint8_t *frame, uint32_t len, int64_t now)
{
    more(&c->ctl->flooded, 1);
    if (from < c->cfg.n_ports) core_count(&c->ctl->sent[from], frame, len);
    for (uint32_t to = 0; to < c->n_all; to++) {
        if (to == from || c->port[to].gone || group(c, to) != group(c, from)) continue;
        if (!frame_to_group(frame) && is_known(c, to)) continue;
        if (!put(c, from, to, NULL, frame, len, now)) lost(c, from);
    }
}

static bool is_lost(struct core *c, uint32_t from)
{
    struct rng r = rng_at(c->cfg.loss_key, from, c->port[from].number++);
    return c->cfg.loss_ppm > 0 && ((uint64_t)rng_u32(&r) * 1000000 >> 32) < c->cfg.loss_ppm;
}

/* The uplink asks who has an address: the switch knows its NICs and answers for them. */
static bool answers(struct core *c, uint32_t from, const uint8_t *frame, uint32_t len)
{
    uint8_t answer[FRAME_ARP_BYTES];
    uint32_t ip;
    if (from != c->cfg.n_ports || !frame_asks_for(frame, len, &ip)) return false;
    for (uint32_t i = 0; i < c->cfg.n_ports; i++) {
        if (c->cfg.port[i].ip != ip || c->port[i].gone) continue;
        frame_answer(frame, ip, c->cfg.port[i].mac, answer);
        c->out.deliver(c->out.ctx, from, answer, sizeof answer);
        return true;
    }
    return false;
}

static bool is_allowed(const struct core *c, uint32_t port, const uint8_t *frame, uint32_t len)
{
    if (frame_check(frame, len, c->cfg.frame_max) != FRAME_OK) return false;
    uint32_t owner = macs_pinned(&c->macs, frame + NET_MAC);
    return owner == port || (owner == MACS_NONE && !is_known(c, port));
}

/* False: it goes nowhere. */
static bool dispatch(struct core *c, uint32_t port, uint32_t cookie, const uint8_t *frame, uint32_t len,
                     int64_t now)
{
    if (is_lost(c, port)) return false;
    uint32_t to = frame_to_group(frame) ? MACS_NONE : macs_find(&c->macs, frame, now);
    if (to == MACS_NONE) {
        flood(c, port, frame, len, now);
        if (port < c->cfg.n_ports) c->out.left(c->out.ctx, port, cookie);
        return true;
    }
    if (to == port) return false; /* what is behind the same port has no business here */
    if (group(c, to) != group(c, port)) return false;
    return put(c, port, to, &cookie, frame, len, now);
}

void core_in(struct core *c, uint32_t port, uint32_t cookie, const uint8_t *frame, uint32_t len, int64_t now)
{
    core_run(c, now);
    bool allowed = is_allowed(c, port, frame, len);
    if (!allowed)
        more(&c->ctl->bad, 1);
    else if (macs_learn(&c->macs, frame + NET_MAC, port, now))
        more(&c->ctl->learned, 1);
    if (allowed && answers(c, port, frame, len)) return;
    if (allowed && dispatch(c, port, cookie, frame, len, now)) return;
    lost(c, port);
    if (port < c->cfg.n_ports) c->out.left(c->out.ctx, port, cookie);
}
