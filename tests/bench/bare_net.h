// SPDX-License-Identifier: GPL-3.0-or-later
/* bare_net.h - the least that a thousand senders on one line cost, without a model around it: each always has
 * a frame, the line sends one at a time, whose turn it is by virtual time (a heap of all senders), and what
 * nobody can do without is counted: frames, bytes and wire of the sender, the line and the receiver. */
#ifndef VLAB_TESTS_BARE_NET_H
#define VLAB_TESTS_BARE_NET_H

#include "bench.h"

enum { BARE_SENDERS = 1000 };

struct bare_count {
    uint64_t frames, bytes, wire;
};

struct bare_net {
    int64_t now_ns;
    struct bare_turn {
        int64_t tag;
        uint32_t sender;
    } heap[BARE_SENDERS];
    struct bare_count of[BARE_SENDERS], line, receiver;
    int64_t left[BARE_SENDERS];
};

static void *bare_net_new(uint64_t size)
{
    struct bare_net *b = calloc(1, sizeof *b);
    if (!b) abort();
    for (uint32_t i = 0; i < BARE_SENDERS; i++) {
        b->heap[i].sender = i;
        b->left[i] = (int64_t)size;
    }
    return b;
}

static void bare_net_free(void *st)
{
    free(st);
}

static inline void bare_net_add(struct bare_count *c, uint64_t payload)
{
    c->frames++;
    c->bytes += payload;
    c->wire += payload + 90;
}

/* n frames. */
BENCH_NOINLINE static void bare_net_run(void *st, uint64_t n)
{
    struct bare_net *b = st;
    while (n-- > 0) {
        struct bare_turn t = b->heap[0];
        int64_t payload = b->left[t.sender] < 1448 ? b->left[t.sender] : 1448;
        b->left[t.sender] -= payload;
        if (b->left[t.sender] == 0) b->left[t.sender] = 14480;
        b->now_ns += (payload + 90) * 8;
        bare_net_add(&b->of[t.sender], (uint64_t)payload);
        bare_net_add(&b->line, (uint64_t)payload);
        bare_net_add(&b->receiver, (uint64_t)payload);
        t.tag += payload + 90;
        uint32_t i = 0;
        for (uint32_t c; (c = 2 * i + 1) < BARE_SENDERS; i = c) {
            if (c + 1 < BARE_SENDERS && b->heap[c + 1].tag < b->heap[c].tag) c++;
            if (b->heap[c].tag >= t.tag) break;
            b->heap[i] = b->heap[c];
        }
        b->heap[i] = t;
    }
}

#endif
