// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm/switch/hub.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t hub_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* --- out --- */

static void hang_up(struct hub *h, uint32_t p)
{
    if (h->port[p].fd < 0) return;
    close(h->port[p].fd);
    h->port[p].fd = -1;
    h->port[p].n_left = 0;
}

static enum core_taken to_socket(struct hub *h, uint32_t p, uint32_t kind, uint32_t n, const void *data,
                                 size_t len)
{
    struct net_msg m = {kind, n};
    struct iovec v[2] = {{&m, sizeof m}, {(void *)(uintptr_t)data, len}};
    struct msghdr msg = {.msg_iov = v, .msg_iovlen = 2};
    struct hub_port *x = &h->port[p];
    if (x->fd < 0) return CORE_GONE;
    if (x->busy) return CORE_BUSY;
    for (;;) {
        if (sendmsg(x->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return CORE_TAKEN;
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != ENOBUFS) return CORE_GONE;
        x->busy = true;
        return CORE_BUSY;
    }
}

static enum core_taken deliver(void *ctx, uint32_t p, const uint8_t *frame, uint32_t len)
{
    struct hub *h = ctx;
    if (p == h->core.cfg.n_ports) return h->uplink->send(h->uplink, frame, len);
    return to_socket(h, p, NET_FRAME, 0, frame, len);
}

/* A port is listened to only while there is room for what all its frames inside will come to. */
static void left(void *ctx, uint32_t p, uint32_t cookie)
{
    struct hub_port *x = &((struct hub *)ctx)->port[p];
    if (x->fd >= 0 && x->n_left < 2 * NET_QUEUE) x->left[x->n_left++] = cookie;
}

static void tell_left(struct hub *h, uint32_t p)
{
    struct hub_port *x = &h->port[p];
    uint32_t told = 0;
    while (told < x->n_left) {
        uint32_t n = x->n_left - told < NET_LEFT_MAX ? x->n_left - told : NET_LEFT_MAX;
        enum core_taken t = to_socket(h, p, NET_LEFT, n, x->left + told, n * sizeof *x->left);
        if (t == CORE_BUSY) break;
        told = t == CORE_GONE ? x->n_left : told + n;
    }
    x->n_left -= told;
    memmove(x->left, x->left + told, x->n_left * sizeof *x->left);
}

/* --- in --- */

void hub_from_uplink(struct hub *h, const uint8_t *frame, uint32_t len)
{
    core_in(&h->core, h->core.cfg.n_ports, 0, frame, len, hub_now());
}

/* False: there was nothing, or nobody. */
static bool listen_to(struct hub *h, uint32_t p)
{
    struct hub_port *x = &h->port[p];
    struct net_msg m;
    if (x->fd < 0 || x->n_left + h->core.port[p].inside >= 2 * NET_QUEUE - 1) return false;
    ssize_t n = recv(x->fd, h->in, sizeof h->in, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n <= 0) {
        hang_up(h, p);
        core_gone(&h->core, p);
        return false;
    }
    if ((size_t)n < sizeof m || (memcpy(&m, h->in, sizeof m), m.kind != NET_FRAME)) {
        __atomic_store_n(&h->ctl->bad, h->ctl->bad + 1, __ATOMIC_RELAXED);
        return true;
    }
    core_in(&h->core, p, m.n, h->in + sizeof m, (uint32_t)((size_t)n - sizeof m), hub_now());
    return true;
}

/* A burst of each that has something, one by one in turn, so that nobody is ahead of others. */
static void listen_to_all(struct hub *h, const struct pollfd *pf)
{
    bool some = true;
    for (uint32_t k = 0; k < HUB_BURST && some; k++) {
        some = false;
        for (uint32_t p = 0; p < h->core.cfg.n_ports; p++)
            if (pf[p].revents & (POLLIN | POLLHUP | POLLERR)) some |= listen_to(h, p);
    }
}

/* --- a turn --- */

static uint32_t fill(struct hub *h, int64_t *until)
{
    uint32_t n = h->core.cfg.n_ports;
    for (uint32_t p = 0; p < n; p++) {
        const struct hub_port *x = &h->port[p];
        bool listens = x->n_left + h->core.port[p].inside < 2 * NET_QUEUE - 1;
        h->pf[p] =
            (struct pollfd){.fd = x->fd, .events = (short)((listens ? POLLIN : 0) | (x->busy ? POLLOUT : 0))};
    }
    *until = core_due(&h->core);
    if (h->uplink) n += h->uplink->fill(h->uplink, h->pf + n, until);
    return n;
}

static void wait_for(struct hub *h, uint32_t n, int64_t until)
{
    int64_t left_ns = until == INT64_MAX ? 0 : until - hub_now();
    struct timespec t = {0};
    if (left_ns > 0) t = (struct timespec){left_ns / 1000000000, left_ns % 1000000000};
    if (ppoll(h->pf, n, until == INT64_MAX ? NULL : &t, NULL) >= 0) return;
    for (uint32_t i = 0; i < n; i++)
        h->pf[i].revents = 0;
}

bool hub_turn(struct hub *h)
{
    int64_t until;
    uint32_t n_ports = h->core.cfg.n_ports, n = fill(h, &until), there = 0;
    wait_for(h, n, until);
    core_run(&h->core, hub_now());
    for (uint32_t p = 0; p < n_ports; p++) {
        if (!(h->pf[p].revents & (POLLOUT | POLLHUP | POLLERR))) continue;
        h->port[p].busy = false;
        tell_left(h, p);
        core_ready(&h->core, p);
    }
    listen_to_all(h, h->pf);
    if (h->uplink) {
        h->uplink->turn(h->uplink, h, h->pf + n_ports, n - n_ports);
        core_ready(&h->core, n_ports);
    }
    core_run(&h->core, hub_now());
    for (uint32_t p = 0; p < n_ports; p++) {
        tell_left(h, p);
        there += h->port[p].fd >= 0;
    }
    return there > 0;
}

/* --- set-up --- */

const char *hub_init(struct hub *h, struct net_ctl *ctl, const int *fds, struct uplink *uplink)
{
    const struct net_cfg cfg = ctl->cfg;
    const char *why = core_refuses(&cfg);
    if (why) return why;
    void *memory = mmap(NULL, core_bytes(&cfg), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return "no memory for frames";
    h->ctl = ctl;
    h->uplink = uplink;
    for (uint32_t p = 0; p < cfg.n_ports; p++)
        h->port[p] = (struct hub_port){.fd = fds[p]};
    core_init(&h->core, &cfg, ctl, (struct core_out){.deliver = deliver, .left = left, .ctx = h}, memory);
    return NULL;
}
