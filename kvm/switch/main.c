// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab-switch: one network. Started by the runner, never by hand. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm/switch/switch.h"

_Noreturn void switch_fail(struct net_ctl *ctl, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(ctl->text, sizeof ctl->text, fmt, ap);
    va_end(ap);
    __atomic_store_n(&ctl->state, NET_FAILED, __ATOMIC_RELEASE);
    _exit(1);
}

void *switch_memory(struct net_ctl *ctl, size_t bytes)
{
    void *p = calloc(1, bytes);
    if (!p) switch_fail(ctl, "no memory");
    return p;
}

static struct net_ctl *map_page(void)
{
    struct stat st;
    if (fstat(NET_FD_CTL, &st) != 0 || (size_t)st.st_size < sizeof(struct net_ctl)) return NULL;
    struct net_ctl *ctl = mmap(NULL, sizeof *ctl, PROT_READ | PROT_WRITE, MAP_SHARED, NET_FD_CTL, 0);
    return ctl != MAP_FAILED && ctl->magic == NET_MAGIC ? ctl : NULL;
}

static struct uplink *open_uplink(struct net_ctl *ctl)
{
    switch ((enum net_uplink)ctl->cfg.uplink) {
    case NET_NO_UPLINK: return NULL;
    case NET_SLIRP: return usernat_open(ctl);
    case NET_NAT:
    case NET_BRIDGE: return tap_open(ctl);
    }
    return NULL;
}

int main(void)
{
    struct net_ctl *ctl = map_page();
    if (!ctl) {
        fprintf(stderr, "vlab-switch is started by `vlab run --backend=kvm`, not by hand\n");
        return 2;
    }
    const char *why = core_refuses(&ctl->cfg);
    if (why) switch_fail(ctl, "its configuration: %s", why);
    if (close_range(NET_FD_PORTS + ctl->cfg.n_ports, ~0u, 0) != 0) switch_fail(ctl, "close_range: %m");
    ns_enter(ctl);
    struct uplink *up = open_uplink(ctl);
    struct hub *h = switch_memory(ctl, sizeof *h);
    int fds[NET_PORTS];
    for (uint32_t i = 0; i < NET_PORTS; i++)
        fds[i] = NET_FD_PORTS + (int)i;
    why = hub_init(h, ctl, fds, up);
    if (why) switch_fail(ctl, "%s", why);
    sandbox_enter(ctl, ctl->cfg.uplink == NET_SLIRP);
    __atomic_store_n(&ctl->state, NET_READY, __ATOMIC_RELEASE);
    while (hub_turn(h)) {
    }
    _exit(0);
}
