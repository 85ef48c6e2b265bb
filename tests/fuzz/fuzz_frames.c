// SPDX-License-Identifier: GPL-3.0-or-later
/* What ports of a switch send, and when, who is busy, gone or cut off: the bytes choose. Whatever it is,
 * every frame of a sender is told to have left once and no more, none is made up, and none comes out that is
 * not one.
 *
 * The first bytes are the network; then one action after another: which port, what, how much time passes. */
#include <stdlib.h>

#include "base/assert.h"
#include "kvm/switch/core.h"
#include "tests/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PORTS 4u

struct world {
    struct core core;
    struct net_ctl ctl;
    const uint8_t *data;
    size_t size;
    uint64_t put[PORTS], left[PORTS], taken;
    bool busy[PORTS + 1], gone[PORTS + 1];
};

static uint32_t next(struct world *w)
{
    if (w->size == 0) return 0;
    w->size--;
    return *w->data++;
}

static enum core_taken deliver(void *ctx, uint32_t port, const uint8_t *frame, uint32_t len)
{
    struct world *w = ctx;
    ASSERT(port < w->core.n_all);
    ASSERT(frame_check(frame, len, w->core.cfg.frame_max) == FRAME_OK);
    if (w->gone[port]) return CORE_GONE;
    if (w->busy[port]) return CORE_BUSY;
    w->taken++;
    return CORE_TAKEN;
}

static void left(void *ctx, uint32_t port, uint32_t cookie)
{
    struct world *w = ctx;
    ASSERT(port < w->core.cfg.n_ports);
    /* Cookies are the number of the frame: one that was not put in cannot come back. */
    ASSERT(cookie < w->put[port]);
    ASSERT(++w->left[port] <= w->put[port]);
}

static struct net_cfg choose(struct world *w)
{
    static const int64_t rates[] = {0, 1000, 1000000, 1000000000, INT64_MAX},
                         latencies[] = {0, 1, 1000000, INT64_MAX};
    struct net_cfg c = frames_cfg(PORTS, next(w) & 1);
    uint32_t how = next(w);
    c.uplink = how & 3;
    c.frame_max = how & 4 ? 1514 : 200;
    c.rx_queue = how & 8 ? 2 : 256;
    c.fabric = (struct net_link){rates[next(w) % 5], latencies[next(w) % 4]};
    c.nic = (struct net_link){rates[next(w) % 5], latencies[next(w) % 4]};
    c.up.bps = rates[next(w) % 5];
    c.loss_ppm = next(w) * 100;
    c.gateway = 0x0a000002;
    for (uint32_t i = 0; i < PORTS; i++)
        c.port[i].weight = 1 + next(w) * 100;
    return c;
}

/* A frame of the bytes' own, or a good one with some of its bytes changed. */
static uint32_t make_frame(struct world *w, uint8_t *f, uint32_t port)
{
    uint32_t how = next(w), len;
    if (how & 1) {
        len = next(w) | (how & 2 ? next(w) << 8 : 0u);
        if (len > NET_FRAME_MAX + 1) len = NET_FRAME_MAX + 1;
        for (uint32_t i = 0; i < len; i++)
            f[i] = (uint8_t)next(w);
        return len;
    }
    uint8_t from = (uint8_t)(how & 4 ? next(w) : port + 1);
    len = frames_between(f, (uint8_t)(1 + next(w) % 8), from, next(w) % 100, 0);
    if (how & 8) f[0] |= 1;
    for (uint32_t n = how >> 6; n > 0; n--)
        f[next(w) % len] = (uint8_t)next(w);
    return how & 16 ? len - next(w) % len : len;
}

static void act(struct world *w, int64_t *now)
{
    uint8_t f[NET_FRAME_MAX + 2];
    uint32_t what = next(w), port = (what >> 3) % w->core.n_all;
    *now += what & 128 ? 1000 * next(w) : 0;
    switch (what & 7) {
    case 0: w->busy[port] = !w->busy[port]; break;
    case 1: core_ready(&w->core, port); break;
    case 2:
        if (next(w) != 7) break;
        w->gone[port] = true;
        core_gone(&w->core, port);
        break;
    case 3:
        if (port < PORTS) w->ctl.group[port] = next(w) & 1;
        break;
    case 4: core_run(&w->core, *now); break;
    default: {
        uint32_t len = make_frame(w, f, port), cookie = 0;
        if (port < PORTS) cookie = (uint32_t)w->put[port]++;
        core_in(&w->core, port, cookie, f, len, *now);
    }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = calloc(1, sizeof *w);
    ASSERT(w);
    w->data = data;
    w->size = size;
    const struct net_cfg cfg = choose(w);
    ASSERT(!core_refuses(&cfg));
    void *memory = calloc(1, core_bytes(&cfg));
    ASSERT(memory);
    core_init(&w->core, &cfg, &w->ctl, (struct core_out){deliver, left, w}, memory);
    int64_t now = 0;
    while (w->size > 0)
        act(w, &now);
    /* Everybody is gone, and all time passes: nothing is left inside, everything was told. */
    for (uint32_t p = 0; p < w->core.n_all; p++) {
        w->gone[p] = true;
        core_gone(&w->core, p);
    }
    core_run(&w->core, INT64_MAX - 1);
    if (core_due(&w->core) == INT64_MAX && cfg.fabric.latency_ns < INT64_MAX &&
        cfg.nic.latency_ns < INT64_MAX)
        for (uint32_t p = 0; p < PORTS; p++) {
            ASSERT(w->core.port[p].inside == 0);
            ASSERT(w->left[p] == w->put[p]);
        }
    free(memory);
    free(w);
    return 0;
}
