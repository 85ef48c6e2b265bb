// SPDX-License-Identifier: GPL-3.0-or-later
/* The ways out of a switch: nat by libslirp, nat by tap and nft, a bridge; each really in a namespace of the
 * switch's own, with peers at its far end. */
#include "tests/unit/nics.h"

Suite *uplink_suite(void);

static struct net_cfg outward(uint32_t uplink)
{
    struct net_cfg cfg = frames_cfg(2, false);
    cfg.uplink = uplink;
    cfg.n_peers = 2;
    for (uint32_t i = 0; i < 2; i++) {
        cfg.port[i].ip = 0x0a000110 + i;
        cfg.peer[i].ip = 0xc6336401 + i; /* 198.51.100.1, for documentation */
        if (uplink == NET_BRIDGE) frames_mac(cfg.peer[i].mac, (uint8_t)(100 + i));
    }
    if (uplink == NET_BRIDGE) return cfg;
    cfg.gateway = 0x0a000102;
    cfg.outer = 0xc63364fe;
    memcpy(cfg.gateway_mac, (const uint8_t[]){0x52, 0x55, 10, 0, 1, 2}, NET_MAC);
    return cfg;
}

static uint32_t to_peer(const struct net_cfg *c, uint8_t *f, uint32_t peer, uint32_t payload, uint64_t number)
{
    const uint8_t *mac = c->uplink == NET_BRIDGE ? c->peer[peer].mac : c->gateway_mac;
    return frames_make(f, mac, c->port[0].mac, c->port[0].ip, c->peer[peer].ip, payload, number);
}

START_TEST(peers_get_what_is_sent_to_them)
{
    static const uint32_t kinds[] = {NET_SLIRP, NET_NAT, NET_BRIDGE};
    struct net_cfg cfg = outward(kinds[_i]);
    struct netproc p;
    start(&p, &cfg);
    struct nic a = nic_of(&p, 0), b = nic_of(&p, 1);
    uint8_t f[2048];
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert(put(&a, f, to_peer(&cfg, f, i % 2, 1448 - i, i)));
        take_left(&a, i + 1);
    }
    int64_t until = host_now() + 2000 * MS;
    while (p.ctl->peer[0].frames + p.ctl->peer[1].frames < 100 && host_now() < until)
        host_sleep_until(host_now() + MS);
    ck_assert_uint_eq(p.ctl->peer[0].frames, 50);
    ck_assert_uint_eq(p.ctl->peer[1].frames, 50);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < 100; i += 2)
        bytes += 1448 - i;
    ck_assert_uint_eq(p.ctl->peer[0].bytes, bytes);
    ck_assert_uint_eq(p.ctl->peer[0].wire, bytes + 50 * 90);
    ck_assert_uint_eq(p.ctl->nic.frames, 100);
    ck_assert_uint_eq(p.ctl->bad, 0); /* behind nat: every packet bore the nat's name */
    take(&b);
    ck_assert_uint_eq(b.got, 0);
    /* And nobody else is out there. */
    uint64_t before = p.ctl->peer[0].frames;
    struct net_cfg other = cfg;
    other.peer[0].ip = 0xc0000201;
    ck_assert(put(&a, f, to_peer(&other, f, 0, 100, 0)));
    take_left(&a, 101);
    ck_assert(put(&a, f, to_peer(&cfg, f, 0, 100, 0)));
    take_left(&a, 102);
    until = host_now() + 2000 * MS;
    while (p.ctl->peer[0].frames == before && host_now() < until)
        host_sleep_until(host_now() + MS);
    ck_assert_uint_eq(p.ctl->peer[0].frames, before + 1);
    netproc_stop(&p);
}
END_TEST

static void pump_out(struct nic *from, const struct net_cfg *cfg, int64_t ns)
{
    uint8_t f[2048];
    for (int64_t until = host_now() + ns; host_now() < until;) {
        while (from->on_way < NET_WINDOW && put(from, f, to_peer(cfg, f, 0, 1448, from->sent))) {
        }
        take(from);
        struct pollfd pf = {.fd = from->fd, .events = POLLIN};
        poll(&pf, 1, 5);
    }
}

START_TEST(a_nics_rate_holds_on_the_way_out)
{
    static const uint32_t kinds[] = {NET_SLIRP, NET_NAT, NET_BRIDGE};
    struct net_cfg cfg = outward(kinds[_i]);
    cfg.nic.bps = 50000000;
    struct netproc p;
    start(&p, &cfg);
    struct nic a = nic_of(&p, 0);
    double best = 0;
    for (int try = 0; try < TRIES && best < .97; try++) {
        pump_out(&a, &cfg, 50 * MS);
        int64_t from = host_now();
        uint64_t before = p.ctl->peer[0].wire;
        pump_out(&a, &cfg, 300 * MS);
        best = keep_best(best, p.ctl->peer[0].wire - before, host_now() - from, cfg.nic.bps);
    }
    ck_assert_double_ge(best, .97);
    netproc_stop(&p);
}
END_TEST

Suite *uplink_suite(void)
{
    Suite *s = suite_create("uplink");
    TCase *t = tcase_create("uplink");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, peers_get_what_is_sent_to_them, 0, 3);
    tcase_add_loop_test(t, a_nics_rate_holds_on_the_way_out, 0, 3);
    suite_add_tcase(s, t);
    return s;
}
