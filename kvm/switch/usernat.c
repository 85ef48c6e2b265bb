// SPDX-License-Identifier: GPL-3.0-or-later
/* libslirp as the gateway: it takes IP packets apart and sends what is in them by sockets of this process,
 * under this process's identity. Those sockets are in the switch's own namespace, so all that they reach are
 * the peers, which are sockets too, each with an address of its own on loopback. */
#include <errno.h>
#include <netinet/in.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kvm/switch/switch.h"

#define BACK   64u /* frames from slirp that the switch has not taken yet; more are lost, as on any wire */
#define TIMERS 8u

struct timer {
    SlirpTimerCb cb;
    void *arg;
    int64_t at_ns; /* INT64_MAX: not set */
    bool used;
};

struct usernat {
    struct uplink up;
    struct net_ctl *ctl;
    Slirp *slirp;
    struct pollfd *pf; /* while slirp fills in, or is asked */
    uint32_t n_pf;
    int peer_fd[NET_PEERS];
    struct timer timers[TIMERS];
    struct {
        uint32_t len;
        uint8_t bytes[NET_FRAME_MAX];
    } back[BACK];
    uint32_t n_back;
    uint8_t datagram[65536];
};

/* --- what slirp calls --- */

static ssize_t on_frame(const void *buf, size_t len, void *opaque)
{
    struct usernat *u = opaque;
    if (u->n_back < BACK && len <= NET_FRAME_MAX) {
        memcpy(u->back[u->n_back].bytes, buf, len);
        u->back[u->n_back++].len = (uint32_t)len;
    }
    return (ssize_t)len;
}

static void on_guest_error(const char *msg, void *opaque)
{
    (void)msg;
    (void)opaque;
}

static int64_t on_clock(void *opaque)
{
    (void)opaque;
    return hub_now();
}

static void *on_timer_new(SlirpTimerCb cb, void *arg, void *opaque)
{
    struct usernat *u = opaque;
    for (uint32_t i = 0; i < TIMERS; i++) {
        if (u->timers[i].used) continue;
        u->timers[i] = (struct timer){cb, arg, INT64_MAX, true};
        return &u->timers[i];
    }
    return NULL;
}

static void on_timer_free(void *timer, void *opaque)
{
    (void)opaque;
    if (timer) *(struct timer *)timer = (struct timer){0};
}

static void on_timer_mod(void *timer, int64_t ms, void *opaque)
{
    (void)opaque;
    if (timer) ((struct timer *)timer)->at_ns = ms * 1000000;
}

static void on_fd(int fd, void *opaque)
{
    (void)fd;
    (void)opaque;
}

static void on_notify(void *opaque)
{
    (void)opaque;
}

static int add_fd(int fd, int events, void *opaque)
{
    struct usernat *u = opaque;
    if (u->n_pf >= HUB_UPLINK_FDS) return -1;
    short e = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) | (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
                      (events & SLIRP_POLL_PRI ? POLLPRI : 0));
    u->pf[u->n_pf] = (struct pollfd){.fd = fd, .events = e};
    return (int)u->n_pf++;
}

static int came_of(int i, void *opaque)
{
    const struct usernat *u = opaque;
    if (i < 0 || (uint32_t)i >= u->n_pf) return 0;
    short r = u->pf[i].revents;
    return (r & POLLIN ? SLIRP_POLL_IN : 0) | (r & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (r & POLLPRI ? SLIRP_POLL_PRI : 0) | (r & POLLERR ? SLIRP_POLL_ERR : 0) |
           (r & POLLHUP ? SLIRP_POLL_HUP : 0);
}

/* --- what the hub calls --- */

static uint32_t fill(struct uplink *up, struct pollfd *pf, int64_t *until)
{
    struct usernat *u = (struct usernat *)up;
    uint32_t ms = UINT32_MAX;
    u->pf = pf;
    u->n_pf = 0;
    for (uint32_t i = 0; i < u->ctl->cfg.n_peers; i++)
        pf[u->n_pf++] = (struct pollfd){.fd = u->peer_fd[i], .events = POLLIN};
    slirp_pollfds_fill(u->slirp, &ms, add_fd, u);
    if (ms != UINT32_MAX && hub_now() + ms * INT64_C(1000000) < *until)
        *until = hub_now() + ms * INT64_C(1000000);
    for (uint32_t i = 0; i < TIMERS; i++)
        if (u->timers[i].used && u->timers[i].at_ns < *until) *until = u->timers[i].at_ns;
    return u->n_pf;
}

static void take_datagrams(struct usernat *u, uint32_t i)
{
    for (;;) {
        ssize_t n = recv(u->peer_fd[i], u->datagram, sizeof u->datagram, MSG_DONTWAIT);
        if (n < 0) return;
        peers_took(u->ctl, u->ctl->cfg.peer[i].ip, u->datagram, (size_t)n);
    }
}

static void turn(struct uplink *up, struct hub *h, struct pollfd *pf, uint32_t n)
{
    struct usernat *u = (struct usernat *)up;
    u->pf = pf;
    u->n_pf = n;
    slirp_pollfds_poll(u->slirp, 0, came_of, u);
    int64_t now = hub_now();
    for (uint32_t i = 0; i < TIMERS; i++) {
        struct timer *t = &u->timers[i];
        if (!t->used || t->at_ns > now) continue;
        t->at_ns = INT64_MAX;
        t->cb(t->arg);
    }
    for (uint32_t i = 0; i < u->ctl->cfg.n_peers; i++)
        take_datagrams(u, i);
    for (uint32_t i = 0; i < u->n_back; i++)
        hub_from_uplink(h, u->back[i].bytes, u->back[i].len);
    u->n_back = 0;
}

static enum core_taken send_up(struct uplink *up, const uint8_t *frame, uint32_t len)
{
    struct usernat *u = (struct usernat *)up;
    slirp_input(u->slirp, frame, (int)len);
    return CORE_TAKEN;
}

/* --- set-up --- */

static int open_peer(struct net_ctl *ctl, uint32_t i)
{
    char name[16] = "lo:";
    name[3] = (char)('a' + i / 10);
    name[4] = (char)('0' + i % 10);
    ns_address(ctl, name, ctl->cfg.peer[i].ip, 0xffffffff);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(NET_UDP_PORT),
                            .sin_addr.s_addr = htonl(ctl->cfg.peer[i].ip)};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 4 << 20;
    if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof a) != 0)
        switch_fail(ctl, "a peer's socket: %s", strerror(errno));
    if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
        (void)setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return s;
}

struct uplink *usernat_open(struct net_ctl *ctl)
{
    static const SlirpCb calls = {.send_packet = on_frame,
                                  .guest_error = on_guest_error,
                                  .clock_get_ns = on_clock,
                                  .timer_new = on_timer_new,
                                  .timer_free = on_timer_free,
                                  .timer_mod = on_timer_mod,
                                  .register_poll_fd = on_fd,
                                  .unregister_poll_fd = on_fd,
                                  .notify = on_notify};
    const struct net_cfg *cfg = &ctl->cfg;
    uint32_t mtu = cfg->frame_max - NET_ETHER, mask = 0xffffff00;
    SlirpConfig s = {.version = 4,
                     .in_enabled = true,
                     .vnetwork.s_addr = htonl(cfg->gateway & mask),
                     .vnetmask.s_addr = htonl(mask),
                     .vhost.s_addr = htonl(cfg->gateway),
                     .vdhcp_start.s_addr = htonl((cfg->gateway & mask) + 250),
                     .vnameserver.s_addr = htonl((cfg->gateway & mask) + 254),
                     .if_mtu = mtu,
                     .if_mru = mtu,
                     .disable_dns = true,
                     .disable_dhcp = true};
    struct usernat *u = switch_memory(ctl, sizeof *u);
    u->ctl = ctl;
    u->up = (struct uplink){.fill = fill, .turn = turn, .send = send_up};
    ns_up(ctl, "lo");
    for (uint32_t i = 0; i < cfg->n_peers; i++)
        u->peer_fd[i] = open_peer(ctl, i);
    u->slirp = slirp_new(&s, &calls, u);
    if (!u->slirp) switch_fail(ctl, "libslirp cannot start");
    return &u->up;
}
