// SPDX-License-Identifier: GPL-3.0-or-later
/* Bulk transfers between hosts: how long they take, what they share, what stops them. */
#include "tests/unit/net_world.h"

#include "model/net_inner.h"

Suite *net_bulk_suite(void);

#define GBPS   INT64_C(1000000000)
#define SECOND INT64_C(1000000000)
#define MIB    INT64_C(1048576)

/* Two hosts, each with a NIC of this bandwidth (-1: with none), and a VM; the transfers' `arg` is its number,
 * and as it is not migrating nothing else comes of them. */
struct pair {
    struct world *w;
    uint32_t nic[2];
};

static struct pair pair(int64_t bps)
{
    struct pair p = {.w = world_new()};
    p.w->sc.moves = true;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t h = world_host(p.w, 2);
        if (bps >= 0) p.nic[i] = world_nic(p.w, h, bps);
    }
    world_vm(p.w, 0, SC_NONE);
    return p;
}

static uint32_t begin(const struct pair *p, int64_t bytes, int64_t rate_bps)
{
    return net_bulk(p->w->m, &p->w->m->hosts[0], &p->w->m->hosts[1], bytes, rate_bps, 0);
}

static void run_to(const struct pair *p, int64_t t_ns)
{
    char *why = NULL;
    sim_run(model_sim(p->w->m), t_ns);
    ck_assert_msg(net_check(p->w->m, &why) == 0, "%s", why);
}

/* One that is over is the first to be used again. */
static bool is_over(const struct pair *p, uint32_t id)
{
    return p->w->m->net->free_bulk == id;
}

static void over_at(const struct pair *p, uint32_t id, int64_t t_ns)
{
    if (t_ns > 0) {
        run_to(p, t_ns - 1);
        ck_assert_msg(!is_over(p, id), "over before %lld", (long long)t_ns);
    }
    run_to(p, t_ns);
    ck_assert_msg(is_over(p, id), "not over at %lld", (long long)t_ns);
}

/* bytes * 8 / rate, to the next whole ns; with no rate, at once. */
START_TEST(without_nics_it_takes_bytes_by_rate)
{
    static const struct {
        int64_t bytes, rate, ns;
    } is[] = {
        {1024 * 1000000, GBPS, 8192000000},
        {1024 * MIB, GBPS, 8589934592},
        {1, 3 * GBPS, 3}, /* 2.67 ns */
        {1000, 0, 0},
        {0, GBPS, 0},
    };
    struct pair p = pair(-1);
    world_start(p.w, 100 * SECOND);
    over_at(&p, begin(&p, is[_i].bytes, is[_i].rate), is[_i].ns);
    world_free(p.w);
}
END_TEST

/* A NIC with more than the rate lets it take that; the last chunk is handed over before, and there by then.
 */
START_TEST(a_wide_nic_lets_the_rate_hold)
{
    struct pair p = pair(10 * GBPS);
    world_start(p.w, 100 * SECOND);
    over_at(&p, begin(&p, 1024 * 1000000, GBPS), 8192000000);
    ck_assert_int_eq(world_nic_count(p.w, p.nic[0], REC_N_NET_BYTES), 1024 * 1000000);
    ck_assert_int_eq(world_nic_count(p.w, p.nic[1], REC_N_NET_BYTES), 1024 * 1000000);
    world_free(p.w);
}
END_TEST

/* 160 chunks of 46 frames each, 65536 + 46 * 90 = 69676 bytes of wire, one NIC after the other: 161 chunks'
 * times of 557.408 us. */
START_TEST(a_nic_of_its_own_is_full)
{
    struct pair p = pair(GBPS);
    world_start(p.w, SECOND);
    over_at(&p, begin(&p, 10 * MIB, 0), 161 * 557408);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_int_eq(world_nic_count(p.w, p.nic[i], REC_N_NET_BYTES), 10 * MIB);
        ck_assert_int_eq(world_nic_count(p.w, p.nic[i], REC_N_NET_FRAMES), 160 * 46);
        ck_assert_int_eq(world_nic_count(p.w, p.nic[i], REC_N_NET_WIRE), 160 * 69676);
    }
    world_free(p.w);
}
END_TEST

/* Each NIC's latency once, however many chunks: they are on their way together. */
START_TEST(latency_comes_once)
{
    struct pair p = pair(GBPS);
    p.w->nics[p.nic[0]].latency_ns = 20000000;
    p.w->nics[p.nic[1]].latency_ns = 3000000;
    world_start(p.w, SECOND);
    over_at(&p, begin(&p, 10 * MIB, 0), 161 * 557408 + 23000000);
    world_free(p.w);
}
END_TEST

/* Links that take no time: however much it is, it is there at once. */
START_TEST(links_without_bandwidth_take_no_time)
{
    struct pair p = pair(0);
    world_start(p.w, SECOND);
    over_at(&p, begin(&p, 65536 * MIB, 0), 0);
    ck_assert_int_eq(world_nic_count(p.w, p.nic[1], REC_N_NET_BYTES), 65536 * MIB);
    world_free(p.w);
}
END_TEST

/* Two that begin together: of each half as much in the same time. */
START_TEST(two_share_fairly)
{
    struct pair p = pair(GBPS);
    world_start(p.w, 10 * SECOND);
    uint32_t a = begin(&p, 1000 * MIB, 0), b = begin(&p, 1000 * MIB, 0);
    run_to(&p, SECOND);
    int64_t of_a = net_bulk_cancel(p.w->m, a), of_b = net_bulk_cancel(p.w->m, b);
    ck_assert_int_ge(of_a, 50 * MIB);
    ck_assert_int_le(llabs(of_a - of_b), 2 * 65536);
    ck_assert_int_le(llabs(of_a + of_b - SECOND / 557408 * 65536), 4 * 65536);
    run_to(&p, 2 * SECOND); /* what was under way comes, and is nobody's */
    world_free(p.w);
}
END_TEST

/* A guest of the same weight that sends as fast as it can keeps half of the wire. */
START_TEST(a_guest_keeps_its_half)
{
    struct pair p = pair(GBPS);
    uint32_t lan = world_net(p.w, SC_NET_BRIDGE), pc = world_peer(p.w, lan);
    world_join(p.w, lan, p.nic[0]);
    uint32_t a = world_vm(p.w, 0, lan);
    world_send(p.w, a, 1000 * MIB, world_peer_end(p.w, pc));
    world_start(p.w, 10 * SECOND);
    begin(&p, 1000 * MIB, 0);
    run_to(&p, SECOND);
    int64_t guest = world_count(p.w, a, REC_N_NET_WIRE);
    ck_assert_int_ge(guest, GBPS / 16 - 2 * 69676);
    ck_assert_int_le(guest, GBPS / 16 + 2 * 69676);
    world_free(p.w);
}
END_TEST

/* Given up half-way: what has come so far; the rest is never handed over. */
START_TEST(given_up_it_says_how_far_it_was)
{
    struct pair p = pair(_i ? 10 * GBPS : -1);
    world_start(p.w, 10 * SECOND);
    uint32_t id = begin(&p, 1000 * 1000000, GBPS);
    run_to(&p, SECOND);
    int64_t sent = net_bulk_cancel(p.w->m, id);
    if (_i) {
        ck_assert_int_gt(sent, 125000000 - 2 * 65536);
        ck_assert_int_le(sent, 125000000 + 65536);
    } else {
        ck_assert_int_eq(sent, 125000000);
    }
    run_to(&p, 9 * SECOND);
    if (_i) ck_assert_int_le(world_nic_count(p.w, p.nic[0], REC_N_NET_BYTES), sent + 2 * 65536);
    world_free(p.w);
}
END_TEST

/* Down from 10 ms to 2 s: what was on the wire is lost and sent again, and all of it comes. */
START_TEST(a_nic_that_is_down_halts_it)
{
    struct pair p = pair(GBPS);
    world_start(p.w, 10 * SECOND);
    uint32_t id = begin(&p, 10 * MIB, 0);
    run_to(&p, 10000000);
    net_set_nic(p.w->m, p.nic[_i], false);
    run_to(&p, SECOND);
    int64_t sent = world_nic_count(p.w, p.nic[1], REC_N_NET_BYTES);
    ck_assert_int_lt(sent, 20 * 65536);
    run_to(&p, 2 * SECOND);
    ck_assert_int_eq(world_nic_count(p.w, p.nic[1], REC_N_NET_BYTES), sent);
    net_set_nic(p.w->m, p.nic[_i], true);
    over_at(&p, id, 2 * SECOND + (161 - sent / 65536) * 557408);
    ck_assert_int_eq(world_nic_count(p.w, p.nic[1], REC_N_NET_BYTES), 10 * MIB);
    world_free(p.w);
}
END_TEST

/* Back before it is known that what was on the wire, or in its latency, is lost: sent again all the same. */
START_TEST(a_short_failure_does_not_end_it)
{
    struct pair p = pair(GBPS);
    if (_i) p.w->nics[p.nic[0]].latency_ns = 1000000;
    world_start(p.w, 10 * SECOND);
    uint32_t id = begin(&p, 65536, 0);
    int64_t at = _i ? 600000 : 100000;
    run_to(&p, at);
    net_set_nic(p.w->m, p.nic[0], false);
    run_to(&p, at + 1000);
    net_set_nic(p.w->m, p.nic[0], true);
    /* Known when it would have left, or come: at 557.408 us, or 1557.408 us. */
    over_at(&p, id, _i ? 1557408 + 2 * 557408 + 1000000 : 3 * 557408);
    world_free(p.w);
}
END_TEST

/* 20 us a frame of the host's I/O thread: 46 frames are 920 us a chunk, more than the wire takes. */
START_TEST(a_packets_price_holds_it_back)
{
    struct pair p = pair(GBPS);
    p.w->nics[p.nic[_i]].packet_cost_ns = 20000;
    world_start(p.w, 10 * SECOND);
    uint32_t id = begin(&p, 10 * MIB, 0);
    over_at(&p, id, 160 * 920000 + 2 * 557408);
    world_free(p.w);
}
END_TEST

Suite *net_bulk_suite(void)
{
    Suite *s = suite_create("net_bulk");
    TCase *t = tcase_create("net_bulk");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, without_nics_it_takes_bytes_by_rate, 0, 5);
    tcase_add_test(t, a_wide_nic_lets_the_rate_hold);
    tcase_add_test(t, a_nic_of_its_own_is_full);
    tcase_add_test(t, latency_comes_once);
    tcase_add_test(t, links_without_bandwidth_take_no_time);
    tcase_add_test(t, two_share_fairly);
    tcase_add_test(t, a_guest_keeps_its_half);
    tcase_add_loop_test(t, given_up_it_says_how_far_it_was, 0, 2);
    tcase_add_loop_test(t, a_nic_that_is_down_halts_it, 0, 2);
    tcase_add_loop_test(t, a_short_failure_does_not_end_it, 0, 2);
    tcase_add_loop_test(t, a_packets_price_holds_it_back, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
