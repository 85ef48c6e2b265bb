// SPDX-License-Identifier: GPL-3.0-or-later
/* The switch's core on a clock of our own: who gets a frame, and when, to the nanosecond. */
#include <check.h>
#include <stdlib.h>

#include "kvm/switch/core.h"
#include "tests/frames.h"

Suite *switchcore_suite(void);

#define US INT64_C(1000)
#define MS INT64_C(1000000)

struct world {
    struct core *c;
    struct net_ctl *ctl;
    void *memory;
    bool busy[NET_PORTS + 1], gone[NET_PORTS + 1];
    uint64_t got[NET_PORTS + 1], bytes[NET_PORTS + 1], left[NET_PORTS + 1];
    uint32_t last_cookie;
    uint8_t last[2048];
    uint32_t last_len;
};

static enum core_taken deliver(void *ctx, uint32_t port, const uint8_t *frame, uint32_t len)
{
    struct world *w = ctx;
    if (w->gone[port]) return CORE_GONE;
    if (w->busy[port]) return CORE_BUSY;
    w->got[port]++;
    w->bytes[port] += frame_payload(frame, len);
    memcpy(w->last, frame, len);
    w->last_len = len;
    return CORE_TAKEN;
}

static void left(void *ctx, uint32_t port, uint32_t cookie)
{
    struct world *w = ctx;
    w->left[port]++;
    w->last_cookie = cookie;
}

static struct world *world_new(const struct net_cfg *cfg)
{
    struct world *w = calloc(1, sizeof *w);
    w->c = calloc(1, sizeof *w->c);
    w->ctl = calloc(1, sizeof *w->ctl);
    w->memory = calloc(1, core_bytes(cfg));
    ck_assert_ptr_null(core_refuses(cfg));
    core_init(w->c, cfg, w->ctl, (struct core_out){deliver, left, w}, w->memory);
    return w;
}

static void world_free(struct world *w)
{
    free(w->memory);
    free(w->ctl);
    free(w->c);
    free(w);
}

/* From station `from` on port from - 1 to station `to`. */
static void send(struct world *w, uint8_t from, uint8_t to, uint32_t payload, uint32_t cookie, int64_t now)
{
    uint8_t f[2048];
    uint32_t n = frames_between(f, to, from, payload, cookie);
    core_in(w->c, from - 1u, cookie, f, n, now);
}

/* --- who gets it --- */

START_TEST(an_unknown_station_is_sought_and_a_known_one_found)
{
    struct net_cfg cfg = frames_cfg(4, true);
    struct world *w = world_new(&cfg);
    send(w, 1, 2, 100, 7, 0);
    ck_assert_uint_eq(w->got[0], 0); /* not back to where it came from */
    ck_assert_uint_eq(w->got[1] + w->got[2] + w->got[3], 3);
    ck_assert_uint_eq(w->ctl->flooded, 1);
    ck_assert_uint_eq(w->left[0], 1);
    ck_assert_uint_eq(w->last_cookie, 7);
    send(w, 2, 1, 100, 0, 1); /* 1 is known by now */
    ck_assert_uint_eq(w->got[0], 1);
    ck_assert_uint_eq(w->got[2], 1);
    send(w, 1, 2, 100, 0, 2); /* and so is 2 */
    ck_assert_uint_eq(w->got[1], 2);
    ck_assert_uint_eq(w->got[2], 1);
    ck_assert_uint_eq(w->ctl->flooded, 1);
    ck_assert_uint_eq(w->ctl->learned, 2);
    /* Station 1 moves to port 3. */
    uint8_t f[256];
    core_in(w->c, 2, 0, f, frames_between(f, 2, 1, 10, 0), 3);
    send(w, 2, 1, 100, 0, 4);
    ck_assert_uint_eq(w->got[2], 2);
    ck_assert_uint_eq(w->got[0], 1);
    /* Long silence: it is sought again. */
    send(w, 2, 1, 100, 0, 5 + MACS_AGE_NS);
    ck_assert_uint_eq(w->ctl->flooded, 2);
    world_free(w);
}
END_TEST

START_TEST(a_broadcast_goes_to_all_others_and_of_the_known_only_to_them)
{
    struct net_cfg cfg = frames_cfg(3, false);
    struct world *w = world_new(&cfg);
    uint8_t f[256], me[NET_MAC];
    frames_mac(me, 2);
    core_in(w->c, 1, 0, f, frames_make(f, frames_all, me, 1, 2, 10, 0), 0);
    ck_assert_uint_eq(w->got[0], 1);
    ck_assert_uint_eq(w->got[1], 0);
    ck_assert_uint_eq(w->got[2], 1);
    send(w, 1, 9, 10, 0, 1); /* nobody has that MAC, and who is where is told */
    ck_assert_uint_eq(w->got[0] + w->got[1] + w->got[2], 2);
    send(w, 1, 1, 10, 0, 2); /* to itself */
    ck_assert_uint_eq(w->got[0], 1);
    ck_assert_uint_eq(w->ctl->sent[0].drops, 1);
    world_free(w);
}
END_TEST

START_TEST(nobody_sends_as_another_and_no_port_fills_the_table)
{
    struct net_cfg cfg = frames_cfg(3, false);
    memset(cfg.port[2].mac, 0, NET_MAC); /* whoever is behind the third is learnt */
    struct world *w = world_new(&cfg);
    uint8_t f[256];
    core_in(w->c, 0, 3, f, frames_between(f, 3, 2, 10, 0), 0); /* the first as the second */
    core_in(w->c, 2, 3, f, frames_between(f, 1, 2, 10, 0), 0); /* the third as the second */
    ck_assert_uint_eq(w->ctl->bad, 2);
    ck_assert_uint_eq(w->left[0], 1);
    ck_assert_uint_eq(w->got[0] + w->got[1] + w->got[2], 0);
    for (uint8_t s = 10; s < 200; s++)
        core_in(w->c, 2, 0, f, frames_between(f, 1, s, 10, 0), s);
    ck_assert_uint_eq(w->got[0], 190); /* they are let through */
    ck_assert_uint_eq(w->ctl->learned, MACS_A_PORT);
    uint64_t before = w->got[2];
    send(w, 1, 10, 10, 0, 300);
    ck_assert_uint_eq(w->got[2], before + 1);
    world_free(w);
}
END_TEST

START_TEST(what_is_no_frame_is_dropped_and_told)
{
    struct net_cfg cfg = frames_cfg(2, false);
    struct world *w = world_new(&cfg);
    uint8_t ok[2048], f[2048];
    uint32_t n = frames_between(ok, 2, 1, 100, 0), bad = 0;
    static const struct {
        uint32_t at, len;
        uint8_t value;
    } wrong[] = {
        {0, 0, 0},       {0, 13, 2},      {0, 1515, 2}, {6, 166, 3},   /* from a group */
        {12, 166, 0x81}, {13, 166, 1},    {12, 166, 5},                /* VLAN, no type, a length */
        {14, 166, 0x65}, {14, 166, 0x44},                              /* IP version, header too short */
        {14, 20, 0x45},  {16, 166, 0xff}, {16, 166, 1}, {17, 166, 19}, /* total length: too long, short */
    };
    for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        memset(f, 0, sizeof f);
        memcpy(f, ok, n);
        f[wrong[i].at] = wrong[i].value;
        if (wrong[i].at == 17) f[16] = 0;
        core_in(w->c, 0, i, f, wrong[i].len, 0);
        ck_assert_msg(w->ctl->bad == ++bad, "case %u is let through", i);
        ck_assert_uint_eq(w->last_cookie, i);
    }
    ck_assert_uint_eq(w->got[1], 0);
    ck_assert_uint_eq(w->ctl->sent[0].drops, bad);
    core_in(w->c, 0, 99, ok, n, 0);
    ck_assert_uint_eq(w->got[1], 1);
    world_free(w);
}
END_TEST

START_TEST(groups_do_not_reach_each_other)
{
    struct net_cfg cfg = frames_cfg(4, false);
    cfg.fabric.latency_ns = 10 * US;
    struct world *w = world_new(&cfg);
    w->ctl->group[2] = w->ctl->group[3] = 1;
    send(w, 1, 2, 10, 0, 0);
    send(w, 1, 3, 10, 0, 0);
    send(w, 3, 4, 10, 0, 0);
    uint8_t f[256], me[NET_MAC];
    frames_mac(me, 3);
    core_in(w->c, 2, 0, f, frames_make(f, frames_all, me, 1, 2, 10, 0), 0);
    core_run(w->c, MS);
    ck_assert_uint_eq(w->got[1], 1);
    ck_assert_uint_eq(w->got[2], 0);
    ck_assert_uint_eq(w->got[3], 2);
    ck_assert_uint_eq(w->got[0], 0);
    ck_assert_uint_eq(w->ctl->sent[0].drops, 1);
    ck_assert_uint_eq(w->left[0], 2);
    /* It is healed; and one that is cut while a frame is under way loses it. */
    w->ctl->group[2] = w->ctl->group[3] = 0;
    send(w, 1, 3, 10, 0, 2 * MS);
    core_run(w->c, 3 * MS);
    ck_assert_uint_eq(w->got[2], 1);
    send(w, 1, 3, 10, 0, 4 * MS);
    w->ctl->group[2] = 1;
    core_run(w->c, 5 * MS);
    ck_assert_uint_eq(w->got[2], 1);
    ck_assert_uint_eq(w->ctl->sent[0].drops, 2);
    ck_assert_uint_eq(w->left[0], 4);
    world_free(w);
}
END_TEST

/* --- when --- */

START_TEST(a_rate_is_exact_however_late_one_looks)
{
    struct net_cfg cfg = frames_cfg(2, false);
    cfg.fabric = (struct net_link){.bps = 100000000, .latency_ns = 250 * US};
    struct world *w = world_new(&cfg);
    int64_t t = 0, frame_ns = (1448 + 66 + 24) * 8 * 10; /* at 100 Mb/s */
    uint32_t sent = 0;
    /* 100 frames at a time wait; somebody looks every 3.7 ms only. */
    for (; t < 1000 * MS; t += 3700 * US) {
        core_run(w->c, t);
        while (sent < w->got[1] + 100)
            send(w, 1, 2, 1448, sent++, t);
    }
    core_run(w->c, 1000 * MS);
    int64_t expected = (1000 * MS - 250 * US) / frame_ns;
    ck_assert_int_eq((int64_t)w->got[1], expected);
    /* The first: its own time and the latency, to the ns. */
    world_free(w);
    w = world_new(&cfg);
    send(w, 1, 2, 1448, 0, 12345);
    core_run(w->c, 12345 + frame_ns + 250 * US - 1);
    ck_assert_uint_eq(w->got[1], 0);
    ck_assert_int_eq(core_due(w->c), 12345 + frame_ns + 250 * US);
    core_run(w->c, 12345 + frame_ns + 250 * US);
    ck_assert_uint_eq(w->got[1], 1);
    ck_assert_int_eq(core_due(w->c), INT64_MAX);
    world_free(w);
}
END_TEST

START_TEST(a_link_is_shared_by_weight)
{
    struct net_cfg cfg = frames_cfg(4, false);
    cfg.fabric.bps = 1000000000;
    cfg.port[0].weight = 3000;
    cfg.port[1].weight = 1000;
    struct world *w = world_new(&cfg);
    uint32_t sent[2] = {0};
    for (int64_t t = 0; t < 1000 * MS; t += MS) {
        core_run(w->c, t);
        for (uint8_t k = 0; k < 2; k++) /* the second in frames of a third of the size */
            while (w->c->port[k].inside < 400)
                send(w, (uint8_t)(k + 1), (uint8_t)(k + 3), k ? 400 : 1448, sent[k]++, t);
    }
    double a = (double)w->ctl->sent[0].wire, b = (double)w->ctl->sent[1].wire;
    ck_assert_double_eq_tol(a / b, 3, .01);
    ck_assert_double_eq_tol((a + b) * 8 / 1e9, 1, .002);
    world_free(w);
}
END_TEST

START_TEST(the_way_out_passes_nic_switch_and_port)
{
    struct net_cfg cfg = frames_cfg(2, false);
    cfg.uplink = NET_BRIDGE;
    cfg.nic = (struct net_link){.bps = 1000000000, .latency_ns = 50 * US};
    cfg.fabric.latency_ns = 10 * US;
    cfg.up.bps = 100000000;
    struct world *w = world_new(&cfg);
    int64_t bits = (1000 + 66 + 24) * 8, out = bits + 50 * US + 10 * US + bits * 10;
    uint8_t f[2048];
    uint8_t peer[NET_MAC], me[NET_MAC];
    frames_mac(me, 1);
    frames_mac(peer, 99);
    core_in(w->c, 0, 5, f, frames_make(f, peer, me, 1, 2, 1000, 0), 0);
    /* Nobody knows the peer: it is sought on the uplink alone, as the NICs are known. */
    core_run(w->c, out - 1);
    ck_assert_uint_eq(w->got[2], 0);
    core_run(w->c, out);
    ck_assert_uint_eq(w->got[2], 1);
    ck_assert_uint_eq(w->got[1], 0);
    ck_assert_uint_eq(w->ctl->nic.frames, 1);
    ck_assert_uint_eq(w->ctl->nic.wire, 1090);
    ck_assert_uint_eq(w->ctl->fabric.frames, 1);
    ck_assert_uint_eq(w->ctl->fabric.bytes, 1000);
    /* Back: down, across, NIC: the same. And inside nothing but the switch. */
    core_in(w->c, 2, 0, f, frames_make(f, me, peer, 2, 1, 1000, 0), 10 * MS);
    core_run(w->c, 10 * MS + out - 1);
    ck_assert_uint_eq(w->got[0], 0);
    core_run(w->c, 10 * MS + out);
    ck_assert_uint_eq(w->got[0], 1);
    send(w, 1, 2, 1000, 8, 20 * MS);
    core_run(w->c, 20 * MS + 10 * US);
    ck_assert_uint_eq(w->got[1], 1);
    ck_assert_uint_eq(w->ctl->nic.frames, 2);
    /* To a peer that is known, a frame has left when it is through the NIC. */
    uint64_t told = w->left[0];
    core_in(w->c, 0, 77, f, frames_make(f, peer, me, 1, 2, 1000, 0), 30 * MS);
    core_run(w->c, 30 * MS + bits - 1);
    ck_assert_uint_eq(w->left[0], told);
    core_run(w->c, 30 * MS + bits);
    ck_assert_uint_eq(w->left[0], told + 1);
    ck_assert_uint_eq(w->last_cookie, 77);
    world_free(w);
}
END_TEST

START_TEST(the_uplink_is_answered_where_a_nic_is)
{
    struct net_cfg cfg = frames_cfg(2, false);
    cfg.uplink = NET_BRIDGE;
    struct world *w = world_new(&cfg);
    uint8_t f[64] = {255, 255, 255, 255, 255, 255, 2,  0,  0, 0, 0,  99, 8, 6, 0, 1, 8, 0,  6, 4, 0,
                     1,   2,   0,   0,   0,   0,   99, 10, 0, 0, 99, 0,  0, 0, 0, 0, 0, 10, 0, 0, 2};
    core_in(w->c, 2, 0, f, 42, 0);
    ck_assert_uint_eq(w->got[2], 1);
    ck_assert_uint_eq(w->got[0] + w->got[1], 0);
    ck_assert_uint_eq(w->last_len, 42);
    ck_assert_mem_eq(w->last, f + 6, 6); /* to who asked */
    ck_assert_mem_eq(w->last + 22, cfg.port[1].mac, 6);
    ck_assert_uint_eq(frame_be32(w->last + 28), 0x0a000002);
    f[41] = 77; /* nobody's: asked of all */
    core_in(w->c, 2, 0, f, 42, 1);
    ck_assert_uint_eq(w->got[0] + w->got[1], 2);
    world_free(w);
}
END_TEST

/* --- what is lost --- */

static uint64_t pattern(uint64_t key, uint32_t ppm, uint64_t *lost)
{
    struct net_cfg cfg = frames_cfg(2, false);
    cfg.loss_ppm = ppm;
    cfg.loss_key = key;
    struct world *w = world_new(&cfg);
    uint64_t which = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        uint64_t before = w->got[1];
        send(w, 1, 2, 10, i, i);
        which = which * 31 + (w->got[1] - before);
        ck_assert_uint_eq(w->left[0], i + 1);
    }
    *lost = w->ctl->sent[0].drops;
    ck_assert_uint_eq(w->ctl->fabric.drops, *lost);
    ck_assert_uint_eq(w->got[1] + *lost, 20000);
    world_free(w);
    return which;
}

START_TEST(loss_is_as_asked_for_and_the_seeds)
{
    uint64_t a, b, c, none, all;
    ck_assert_uint_eq(pattern(7, 50000, &a), pattern(7, 50000, &b));
    ck_assert_uint_ne(pattern(7, 50000, &a), pattern(8, 50000, &c));
    ck_assert_uint_eq(a, b);
    ck_assert_double_eq_tol((double)a, 1000, 4 * 31); /* binomial: four standard deviations */
    ck_assert_double_eq_tol((double)c, 1000, 4 * 31);
    pattern(7, 0, &none);
    pattern(7, 1000000, &all);
    ck_assert_uint_eq(none, 0);
    ck_assert_uint_eq(all, 20000);
}
END_TEST

START_TEST(a_sender_has_its_room_and_takes_nobody_elses)
{
    struct net_cfg cfg = frames_cfg(3, false);
    struct world *w = world_new(&cfg);
    w->busy[2] = true;
    for (uint32_t i = 0; i < NET_QUEUE + 100; i++)
        send(w, 1, 3, 10, i, i);
    ck_assert_uint_eq(w->ctl->sent[0].drops, 100);
    ck_assert_uint_eq(w->left[0], 100); /* what was dropped is told; what waits is not */
    send(w, 2, 3, 10, 0, 10000);
    ck_assert_uint_eq(w->ctl->sent[1].drops, 0);
    ck_assert_uint_eq(w->got[2], 0);
    w->busy[2] = false;
    core_ready(w->c, 2);
    ck_assert_uint_eq(w->got[2], NET_QUEUE + 1);
    ck_assert_uint_eq(w->left[0], NET_QUEUE + 100);
    ck_assert_uint_eq(w->left[1], 1);
    ck_assert_uint_eq(w->ctl->got[2].frames, NET_QUEUE + 1);
    world_free(w);
}
END_TEST

START_TEST(from_the_uplink_only_so_many_wait)
{
    struct net_cfg cfg = frames_cfg(2, false);
    cfg.uplink = NET_BRIDGE;
    cfg.rx_queue = 20;
    struct world *w = world_new(&cfg);
    uint8_t f[256], me[NET_MAC], peer[NET_MAC];
    frames_mac(me, 1);
    frames_mac(peer, 99);
    w->busy[0] = true;
    for (uint32_t i = 0; i < 50; i++)
        core_in(w->c, 2, 0, f, frames_make(f, me, peer, 1, 2, 10, i), i);
    ck_assert_uint_eq(w->ctl->got[0].drops, 30);
    ck_assert_uint_eq(w->ctl->nic.drops, 30);
    send(w, 2, 1, 10, 0, 100); /* of the same host: waits behind them, and is not dropped */
    w->busy[0] = false;
    core_ready(w->c, 0);
    ck_assert_uint_eq(w->got[0], 21);
    core_in(w->c, 2, 0, f, frames_make(f, me, peer, 1, 2, 10, 0), 200);
    ck_assert_uint_eq(w->got[0], 22);
    world_free(w);
}
END_TEST

START_TEST(who_is_gone_loses_frames_and_holds_nobody_up)
{
    struct net_cfg cfg = frames_cfg(2, false);
    struct world *w = world_new(&cfg);
    w->busy[1] = true;
    for (uint32_t i = 0; i < 10; i++)
        send(w, 1, 2, 10, i, i);
    ck_assert_uint_eq(w->left[0], 0);
    core_gone(w->c, 1);
    ck_assert_uint_eq(w->left[0], 10);
    ck_assert_uint_eq(w->ctl->got[1].drops, 10);
    send(w, 1, 2, 10, 0, 20);
    ck_assert_uint_eq(w->left[0], 11);
    ck_assert_uint_eq(w->ctl->got[1].drops, 11);
    ck_assert_uint_eq(w->ctl->sent[0].drops, 0); /* it did send them */
    world_free(w);
}
END_TEST

START_TEST(a_configuration_that_cannot_be_is_refused)
{
    struct net_cfg ok = frames_cfg(2, false), c;
    ck_assert_ptr_null(core_refuses(&ok));
    c = ok, c.n_ports = 0;
    ck_assert_ptr_nonnull(core_refuses(&c));
    c = ok, c.n_ports = NET_PORTS + 1;
    ck_assert_ptr_nonnull(core_refuses(&c));
    c = ok, c.n_peers = NET_PEERS + 1;
    ck_assert_ptr_nonnull(core_refuses(&c));
    c = ok, c.uplink = 9;
    ck_assert_ptr_nonnull(core_refuses(&c));
    c = ok, c.frame_max = NET_FRAME_MAX + 1;
    ck_assert_ptr_nonnull(core_refuses(&c));
    c = ok, c.frame_max = 66;
    ck_assert_ptr_nonnull(core_refuses(&c));
    c = ok, c.loss_ppm = 1000001;
    ck_assert_ptr_nonnull(core_refuses(&c));
    c = ok, c.port[1].weight = 0;
    ck_assert_ptr_nonnull(core_refuses(&c));
    c = ok, c.port[1].mac[0] = 3;
    ck_assert_ptr_nonnull(core_refuses(&c));
    c = ok, c.up.bps = -1;
    ck_assert_ptr_nonnull(core_refuses(&c));
}
END_TEST

Suite *switchcore_suite(void)
{
    Suite *s = suite_create("switchcore");
    TCase *t = tcase_create("switchcore");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, an_unknown_station_is_sought_and_a_known_one_found);
    tcase_add_test(t, a_broadcast_goes_to_all_others_and_of_the_known_only_to_them);
    tcase_add_test(t, nobody_sends_as_another_and_no_port_fills_the_table);
    tcase_add_test(t, what_is_no_frame_is_dropped_and_told);
    tcase_add_test(t, groups_do_not_reach_each_other);
    tcase_add_test(t, a_rate_is_exact_however_late_one_looks);
    tcase_add_test(t, a_link_is_shared_by_weight);
    tcase_add_test(t, the_way_out_passes_nic_switch_and_port);
    tcase_add_test(t, the_uplink_is_answered_where_a_nic_is);
    tcase_add_test(t, loss_is_as_asked_for_and_the_seeds);
    tcase_add_test(t, a_sender_has_its_room_and_takes_nobody_elses);
    tcase_add_test(t, from_the_uplink_only_so_many_wait);
    tcase_add_test(t, who_is_gone_loses_frames_and_holds_nobody_up);
    tcase_add_test(t, a_configuration_that_cannot_be_is_refused);
    suite_add_tcase(s, t);
    return s;
}
