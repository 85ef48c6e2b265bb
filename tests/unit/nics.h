// SPDX-License-Identifier: GPL-3.0-or-later
/* nics.h - a switch process and the far ends of its ports, for tests. */
#ifndef VLAB_TESTS_UNIT_NICS_H
#define VLAB_TESTS_UNIT_NICS_H

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kvm/runner/host.h"
#include "kvm/runner/netproc.h"
#include "tests/frames.h"

#define MS INT64_C(1000000)

struct nic {
    int fd;
    uint32_t on_way; /* told to have left: not */
    uint64_t sent, left, got;
    uint64_t got_bytes; /* on the wire */
    int64_t last_ns;
    uint64_t last_number;
};

static inline void start(struct netproc *p, const struct net_cfg *cfg)
{
    char *why = NULL;
    int e = netproc_start(p, "test", cfg, &why);
    if (e == 0) e = netproc_wait_ready(p, "test", &why);
    if (e != 0 && why && (strstr(why, "namespace") || strstr(why, "/dev/net/tun"))) {
        fprintf(stderr, "SKIPPED: switch: %s\n", why);
        netproc_stop(p);
        free(why);
        _exit(0);
    }
    ck_assert_msg(e == 0, "%s", why);
}

static inline struct nic nic_of(const struct netproc *p, uint32_t i)
{
    return (struct nic){.fd = p->nic_fd[i]};
}

/* False: no room in the socket now. */
static inline bool put(struct nic *n, const uint8_t *frame, uint32_t len)
{
    uint8_t m[sizeof(struct net_msg) + 2048];
    struct net_msg head = {NET_FRAME, (uint32_t)n->sent};
    memcpy(m, &head, sizeof head);
    memcpy(m + sizeof head, frame, len);
    if (send(n->fd, m, sizeof head + len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return false;
    n->sent++;
    n->on_way++;
    return true;
}

/* Takes what is there. False: the switch has hung up. */
static inline bool take(struct nic *n)
{
    uint8_t m[4096];
    ssize_t r;
    while ((r = recv(n->fd, m, sizeof m, MSG_DONTWAIT)) > 0) {
        struct net_msg head;
        ck_assert_int_ge(r, sizeof head);
        memcpy(&head, m, sizeof head);
        if (head.kind == NET_LEFT) {
            ck_assert_uint_eq((size_t)r, sizeof head + head.n * sizeof(uint32_t));
            n->left += head.n;
            n->on_way -= head.n;
            continue;
        }
        ck_assert_uint_eq(head.kind, NET_FRAME);
        struct net_head h;
        memcpy(&h, m + sizeof head + NET_OVERHEAD - sizeof h, sizeof h);
        n->last_number = h.number;
        n->last_ns = host_now();
        n->got++;
        n->got_bytes += (uint64_t)r - sizeof head + NET_ON_WIRE;
    }
    return r != 0 && (r > 0 || errno == EAGAIN);
}

static inline void take_until(struct nic *n, uint64_t got, int64_t ns)
{
    int64_t until = host_now() + ns;
    while (take(n) && n->got < got && host_now() < until) {
        struct pollfd pf = {.fd = n->fd, .events = POLLIN};
        poll(&pf, 1, 10);
    }
    ck_assert_uint_eq(n->got, got);
}

static inline void take_left(struct nic *n, uint64_t left)
{
    int64_t until = host_now() + 2000 * MS;
    while (take(n) && n->left < left && host_now() < until) {
        struct pollfd pf = {.fd = n->fd, .events = POLLIN};
        poll(&pf, 1, 10);
    }
    ck_assert_uint_eq(n->left, left);
}

/* Who is kept from sending by a busy machine leaves the wire idle, and that is not the switch's fault: one of
 * several tries must come up to the rate. None may be over it: its first frames may have waited since before.
 */
#define TRIES 10

static inline double keep_best(double best, uint64_t bytes, int64_t ns, int64_t bps)
{
    double share = (double)bytes * 8e9 / (double)ns / (double)bps;
    ck_assert_double_le(share, 1.03);
    return share > best ? share : best;
}

#endif
