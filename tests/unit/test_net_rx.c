// SPDX-License-Identifier: GPL-3.0-or-later
/* Frames by hand, at the other end: who takes them, what is dropped, what stays inside a host, what finds no
 * way; and that nothing else is lost, whatever happens. */
#include "tests/unit/net_world.h"

#include "base/rng.h"
#include "model/guest.h"

Suite *net_rx_suite(void);

#define GBPS   INT64_C(1000000000)
#define SECOND INT64_C(1000000000)

/* First come first served: 10 frames of which the first task takes 4, the second 5; the tenth nobody. */
START_TEST(frames_are_taken_in_order)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t h2 = world_host(l.w, 2);
    world_join(l.w, l.net, world_nic(l.w, h2, 0));
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    world_does(l.w, a, (struct step[]){world_send_step(14480, b), world_sleep(SECOND)}, 2);
    world_does(l.w, b, (struct step[]){world_receive_step(4 + _i)}, 1);
    l.w->vms[b].vcpus = 2;
    l.w->vms[b].work.threads = 2;
    world_run(l.w, 1000000);
    ck_assert_int_eq(world_over(l.w, b, 0), (4 + _i) * 12304);
    ck_assert_int_eq(world_over(l.w, b, 1), 2 * (4 + _i) * 12304);
    ck_assert_int_eq(world_over(l.w, b, 2), -1);
    world_free(l.w);
}
END_TEST

/* What came before the receive does not make it wait. */
START_TEST(frames_wait_for_their_receiver)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t h2 = world_host(l.w, 1);
    world_join(l.w, l.net, world_nic(l.w, h2, 0));
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    world_does(l.w, a, (struct step[]){world_send_step(14480, b), world_sleep(SECOND)}, 2);
    world_does(l.w, b, (struct step[]){world_sleep(1000000), world_receive_step(10), world_sleep(1)}, 3);
    world_run(l.w, 1500000);
    ck_assert_int_eq(world_over(l.w, b, 0), 1000001);
    world_free(l.w);
}
END_TEST

/* A frame every 12.304 us, 20 us of CPU each: a queue of 50 fills, the rest is dropped, what is served is the
 * CPU's. */
START_TEST(a_slow_receiver_drops)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t h2 = world_host(l.w, 1), n2 = world_nic(l.w, h2, 0);
    world_join(l.w, l.net, n2);
    l.w->nics[n2].packet_cost_ns = 20000;
    l.w->nics[n2].rx_queue = 50;
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    l.w->vms[b].mode = _i ? SC_HARDWARE : SC_BARE;
    world_send(l.w, a, 14480000, b);
    world_does(l.w, b, (struct step[]){world_receive_step(100000)}, 1);
    world_run(l.w, 100000000);
    int64_t came = world_nic_count(l.w, n2, REC_N_NET_FRAMES), lost = world_count(l.w, b, REC_N_NET_DROPS);
    int64_t got = world_count(l.w, b, REC_N_NET_FRAMES);
    ck_assert_int_eq(came, 8127); /* 100 ms of 12.304 us */
    ck_assert_int_eq(world_nic_count(l.w, n2, REC_N_NET_DROPS), lost);
    /* In 100 ms 5000 frames' time; a bare VM counts a frame when it lies in its queue, a guest when it is out
     * of it. */
    int64_t served = _i ? got : got - 50;
    ck_assert_int_ge(served, 4998);
    ck_assert_int_le(served, 5000);
    ck_assert_int_ge(lost, came - 5000 - 51);
    ck_assert_int_le(lost, came - 5000 - 49 + 2);
    ck_assert_int_eq(world_count(l.w, a, REC_N_NET_DROPS), 0);
    int64_t ran = l.w->m->vcpus[_i ? 2 : 1].run_ns;
    ck_assert_int_ge(ran, 99900000);
    world_free(l.w);
}
END_TEST

/* Of 20 frames in a burst a queue of 5 takes 5, whoever would pay for them. */
START_TEST(a_burst_fills_the_queue)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t h2 = world_host(l.w, 1), n2 = world_nic(l.w, h2, 0);
    world_join(l.w, l.net, n2);
    l.w->nics[n2].packet_cost_ns = 1000000;
    l.w->nics[n2].rx_queue = 5;
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    l.w->vms[b].mode = _i ? SC_HARDWARE : SC_BARE;
    world_does(l.w, a, (struct step[]){world_send_step(20 * 1448, b), world_sleep(SECOND)}, 2);
    world_does(l.w, b, (struct step[]){world_sleep(500000), world_receive_step(5), world_sleep(SECOND)}, 3);
    world_run(l.w, SECOND);
    ck_assert_int_eq(world_count(l.w, b, REC_N_NET_FRAMES), 5);
    ck_assert_int_eq(world_count(l.w, b, REC_N_NET_DROPS), 15);
    ck_assert_int_eq(world_nic_count(l.w, n2, REC_N_NET_FRAMES), 20);
    ck_assert_int_eq(l.w->m->vcpus[_i ? 2 : 1].run_ns, 5000000);
    world_free(l.w);
}
END_TEST

/* --- inside a host --- */

/* The NIC is full; host-only traffic beside it goes at its own 8 Gb/s, and the NIC sees none of it. */
START_TEST(host_only_never_meets_the_nic)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t priv = world_net(l.w, SC_NET_HOST_ONLY);
    world_inside(l.w, priv, l.host);
    l.w->nets[priv].bandwidth_bps = 8 * GBPS;
    l.w->nets[priv].latency_ns = 777;
    l.w->nics[l.nic].packet_cost_ns = 12000; /* of which host-only frames pay nothing */
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, l.host, priv),
             c = world_vm(l.w, l.host, priv);
    world_send(l.w, a, 14480000, 3);
    world_does(l.w, b, (struct step[]){world_send_step(1448, c)}, 1);
    world_does(l.w, c, (struct step[]){world_receive_step(1)}, 1);
    world_run(l.w, 100000000);
    /* Delivered before it is over: 1538 ns and the latency, one after the other. */
    ck_assert_int_eq(world_over(l.w, b, 0), 1538 + 777);
    ck_assert_int_eq(world_count(l.w, c, REC_N_NET_FRAMES), (100000000 - 1) / (1538 + 777));
    ck_assert_int_eq(world_net_count(l.w, priv, REC_N_NET_FRAMES), (100000000 + 777) / (1538 + 777));
    ck_assert_int_eq(world_nic_count(l.w, l.nic, REC_N_NET_FRAMES), world_count(l.w, a, REC_N_NET_FRAMES));
    ck_assert_int_eq(world_count(l.w, a, REC_N_NET_FRAMES), (100000000 - 12000 - 1) / 12304);
    world_free(l.w);
}
END_TEST

START_TEST(two_vms_of_a_bridge_meet_inside)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, l.host, l.net);
    l.w->nets[l.net].latency_ns = 5000;
    world_does(l.w, a, (struct step[]){world_send_step(100 * 1448, b), world_sleep(1000)}, 2);
    world_run(l.w, 6001);
    ck_assert_int_eq(world_over(l.w, a, 0), 6000);
    ck_assert_int_eq(world_nic_count(l.w, l.nic, REC_N_NET_FRAMES), 0);
    ck_assert_int_eq(world_net_count(l.w, l.net, REC_N_NET_FRAMES), 200);
    ck_assert_int_eq(world_count(l.w, b, REC_N_NET_FRAMES), 100);
    world_free(l.w);
}
END_TEST

/* --- no way --- */

START_TEST(no_way_costs_a_second)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t priv = world_net(l.w, SC_NET_HOST_ONLY);
    world_inside(l.w, priv, l.host);
    uint32_t a = world_vm(l.w, l.host, _i ? SC_NONE : priv);
    world_send(l.w, a, 3000, 1);
    world_run(l.w, 3 * SECOND + 1);
    ck_assert_int_eq(world_over(l.w, a, 0), SECOND);
    ck_assert_int_eq(world_over(l.w, a, 2), 3 * SECOND);
    const struct rec *e = world_event(l.w, a, REC_EV_REFUSED, 0);
    ck_assert_ptr_nonnull(e);
    ck_assert_int_eq(e->t_ns, 0);
    ck_assert_int_eq(e->value, 3);
    ck_assert_int_eq(e->to, _i ? REC_WHY_NO_NIC : REC_WHY_NO_ROUTE);
    ck_assert_ptr_nonnull(world_event(l.w, a, REC_EV_REFUSED, 3));
    ck_assert_ptr_null(world_event(l.w, a, REC_EV_REFUSED, 4));
    ck_assert_int_eq(world_count(l.w, a, REC_N_NET_DROPS), 4 * 3);
    ck_assert_int_eq(world_count(l.w, a, REC_N_NET_FRAMES), 0);
    if (!_i) ck_assert_int_eq(world_net_count(l.w, priv, REC_N_NET_DROPS), 4 * 3);
    world_free(l.w);
}
END_TEST

/* --- nothing is lost, whatever happens --- */

/* Forty VMs on three hosts under two switches send at random to each other and out, with prices, drops and
 * latencies; the frames add up whenever one looks. */
START_TEST(frames_add_up_at_any_time)
{
    struct world *w = world_new();
    struct rng r = rng_at(7, (uint64_t)_i, 0);
    uint32_t core = world_net(w, SC_NET_BRIDGE), nets[4];
    nets[0] = world_net(w, SC_NET_BRIDGE);
    nets[1] = world_net(w, SC_NET_BRIDGE);
    nets[2] = world_net(w, SC_NET_NAT);
    nets[3] = world_net(w, SC_NET_HOST_ONLY);
    w->nets[nets[2]].ports = 20;
    w->nets[nets[2]].hold_ns = 3000000;
    w->nets[nets[2]].rewrite_ns = 700;
    w->nets[core].latency_ns = 9000;
    for (int i = 0; i < 2; i++) {
        w->nets[nets[i]].up = core;
        w->nets[nets[i]].uplink = "core";
        w->nets[nets[i]].bandwidth_bps = 400000000;
    }
    for (int i = 0; i < 3; i++) {
        uint32_t h = world_host(w, 2), n = world_nic(w, h, i == 2 ? 0 : GBPS / 3);
        w->nics[n].packet_cost_ns = 3000 * (i + 1);
        w->nics[n].latency_ns = 20000;
        w->nics[n].rx_queue = 8;
        w->nics[n].mtu = 1500 - 300 * i;
        world_join(w, nets[i % 2], n);
        world_join(w, nets[2], n);
        world_inside(w, nets[3], h);
    }
    world_peer(w, core);
    world_peer(w, SC_NONE);
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t h = i % 3, kind = i / 3 % 4;
        world_vm(w, h, kind < 2 ? nets[h % 2] : nets[kind]);
        w->vms[i].mode = i % 5 == 0 ? SC_BARE : SC_HARDWARE;
        w->vms[i].net_weight = 1 + i * 250;
    }
    for (uint32_t i = 0; i < 40; i++) {
        struct step s[4] = {{0}, {0}, world_receive_step(3), world_step(STEP_CPU, 40000)};
        for (int k = 0; k < 2; k++) { /* to any other: what it would send to itself takes no time */
            int64_t bytes = 1 + rng_u32(&r) % 30000;
            s[k] = world_send_step(bytes, (i + 1 + rng_u32(&r) % 41) % 42);
        }
        world_does(w, i, s, i % 2 ? 4 : 2);
        w->vms[i].work.threads = 1 + i % 3;
    }
    world_start(w, 10 * SECOND);
    int64_t drops = 0, passed = 0, at = 0;
    for (int k = 0; k < 200; k++) {
        char *why = NULL;
        at += 1 + rng_u32(&r) % 1000000;
        sim_run(model_sim(w->m), at);
        ck_assert_msg(net_check(w->m, &why) == 0, "at %ld ns: %s", (long)at, why);
    }
    for (uint32_t i = 0; i < 3; i++)
        drops += world_nic_count(w, i, REC_N_NET_DROPS), passed += world_nic_count(w, i, REC_N_NET_FRAMES);
    ck_assert_int_gt(drops, 20); /* or nothing was put to the test */
    ck_assert_int_gt(passed, 2000);
    world_free(w);
}
END_TEST

/* A VM simulated alone (for its slowdown) sends to whom is not there; its own time is what it was. */
START_TEST(alone_it_sends_all_the_same)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t h2 = world_host(l.w, 1), n2 = world_nic(l.w, h2, GBPS);
    world_join(l.w, l.net, n2);
    l.w->nics[n2].packet_cost_ns = 5000;
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    l.w->only = a + 1;
    world_does(l.w, a, (struct step[]){world_send_step(14480, b), world_sleep(SECOND)}, 2);
    world_run(l.w, 3 * SECOND / 2);
    ck_assert_int_eq(world_over(l.w, a, 0), SECOND + 123040);
    ck_assert_int_eq(world_nic_count(l.w, n2, REC_N_NET_FRAMES), 20);
    world_free(l.w);
}
END_TEST

/* Killed while its frames are on their way and its tasks wait for room: they arrive, nothing else comes. */
START_TEST(a_killed_vm_sends_no_more)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, l.host, l.net);
    world_send(l.w, a, 14480000, 2);
    world_send(l.w, b, 14480000, 2);
    world_start(l.w, SECOND);
    sim_run(model_sim(l.w->m), 10000000);
    guest_kill(l.w->m, &l.w->m->vms[a]);
    sim_run(model_sim(l.w->m), 50000000);
    char *why = NULL;
    ck_assert_msg(net_check(l.w->m, &why) == 0, "%s", why);
    int64_t sent = world_count(l.w, a, REC_N_NET_FRAMES);
    ck_assert_int_ge(sent, 406 + 256 - 1); /* half of 10 ms, and its window */
    ck_assert_int_le(sent, 406 + 256 + 1);
    ck_assert_int_ge(world_count(l.w, b, REC_N_NET_FRAMES), 4063 - sent - 1); /* the line was never idle */
    world_free(l.w);
}
END_TEST

Suite *net_rx_suite(void)
{
    Suite *s = suite_create("net_rx");
    TCase *t = tcase_create("net_rx");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, frames_are_taken_in_order, 0, 2);
    tcase_add_test(t, frames_wait_for_their_receiver);
    tcase_add_loop_test(t, a_slow_receiver_drops, 0, 2);
    tcase_add_loop_test(t, a_burst_fills_the_queue, 0, 2);
    tcase_add_test(t, host_only_never_meets_the_nic);
    tcase_add_test(t, two_vms_of_a_bridge_meet_inside);
    tcase_add_loop_test(t, no_way_costs_a_second, 0, 2);
    tcase_add_loop_test(t, frames_add_up_at_any_time, 0, 3);
    tcase_add_test(t, alone_it_sends_all_the_same);
    tcase_add_test(t, a_killed_vm_sends_no_more);
    suite_add_tcase(s, t);
    return s;
}
