// SPDX-License-Identifier: GPL-3.0-or-later
/* A network namespace of the switch's own and what is in it. The kernel takes all of it away when the process
 * ends, however it ends. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kvm/switch/switch.h"

static void write_to(struct net_ctl *ctl, const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
    if (n < 0) switch_fail(ctl, "%s: %s", path, strerror(errno));
    close(fd);
}

void ns_sysctl(struct net_ctl *ctl, const char *path, const char *value)
{
    char full[128];
    snprintf(full, sizeof full, "/proc/sys/net/%s", path);
    write_to(ctl, full, value);
}

/* Whoever is not root has all capabilities in a user namespace of its own, which owns the network namespace.
 */
void ns_enter(struct net_ctl *ctl)
{
    unsigned uid = geteuid(), gid = getegid();
    if (uid == 0) {
        if (unshare(CLONE_NEWNET) == 0) return;
        switch_fail(ctl, "cannot make a network namespace: %s", strerror(errno));
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        switch_fail(ctl,
                    "cannot make a network namespace: %s; let users make namespaces (sysctl "
                    "user.max_user_namespaces, kernel.unprivileged_userns_clone) or run as root",
                    strerror(errno));
    char map[64];
    write_to(ctl, "/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", uid, uid);
    write_to(ctl, "/proc/self/uid_map", map);
    snprintf(map, sizeof map, "%u %u 1", gid, gid);
    write_to(ctl, "/proc/self/gid_map", map);
}

static void request(struct net_ctl *ctl, const char *name, unsigned long what, void *arg)
{
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0 || ioctl(s, what, arg) != 0)
        switch_fail(ctl, "interface %s (request 0x%lx): %s", name, what, strerror(errno));
    close(s);
}

static struct ifreq named(const char *name)
{
    struct ifreq r = {0};
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    return r;
}

void ns_up(struct net_ctl *ctl, const char *name)
{
    struct ifreq r = named(name);
    request(ctl, name, SIOCGIFFLAGS, &r);
    r.ifr_flags |= IFF_UP;
    request(ctl, name, SIOCSIFFLAGS, &r);
}

static void set_ip(struct ifreq *r, uint32_t ip)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(ip)};
    memcpy(&r->ifr_addr, &a, sizeof a);
}

void ns_address(struct net_ctl *ctl, const char *name, uint32_t ip, uint32_t mask)
{
    struct ifreq r = named(name);
    set_ip(&r, ip);
    request(ctl, name, SIOCSIFADDR, &r);
    set_ip(&r, mask);
    request(ctl, name, SIOCSIFNETMASK, &r);
}

void ns_mac(struct net_ctl *ctl, const char *name, const uint8_t *mac)
{
    struct ifreq r = named(name);
    r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(r.ifr_hwaddr.sa_data, mac, NET_MAC);
    request(ctl, name, SIOCSIFHWADDR, &r);
}

void ns_mtu(struct net_ctl *ctl, const char *name, uint32_t mtu)
{
    struct ifreq r = named(name);
    r.ifr_mtu = (int)mtu;
    request(ctl, name, SIOCSIFMTU, &r);
}

void ns_bridge(struct net_ctl *ctl, const char *name, const char *port0, const char *port1)
{
    const char *const ports[] = {port0, port1};
    request(ctl, name, SIOCBRADDBR, (void *)(uintptr_t)name);
    for (unsigned i = 0; i < 2; i++) {
        struct ifreq r = named(name);
        r.ifr_ifindex = (int)if_nametoindex(ports[i]);
        request(ctl, name, SIOCBRADDIF, &r);
    }
}

int ns_tap(struct net_ctl *ctl, const char *name, bool frames)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        switch_fail(ctl,
                    "/dev/net/tun: %s; without it a nat can be had by libslirp only, and a bridge with "
                    "peers not at all",
                    strerror(errno));
    struct ifreq r = named(name);
    r.ifr_flags = (short)((frames ? IFF_TAP : IFF_TUN) | IFF_NO_PI);
    if (ioctl(fd, TUNSETIFF, &r) != 0) switch_fail(ctl, "tap %s: %s", name, strerror(errno));
    return fd;
}
