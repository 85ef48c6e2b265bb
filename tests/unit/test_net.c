// SPDX-License-Identifier: GPL-3.0-or-later
/* Frames by hand: when each is where, who pays for it, what is lost, and that nothing else is. */
#include "tests/unit/net_world.h"

#include "base/rng.h"
#include "model/guest.h"
#include "model/net_map.h"
#include "policy/wfq.h"

Suite *net_suite(void);

#define GBPS   INT64_C(1000000000)
#define SECOND INT64_C(1000000000)

/* One host, one NIC on a bridge with a peer; VMs come later. */
struct lan {
    struct world *w;
    uint32_t host, nic, net, pc;
};

static struct lan lan_new(int64_t bps)
{
    struct lan l = {.w = world_new()};
    l.host = world_host(l.w, 4);
    l.nic = world_nic(l.w, l.host, bps);
    l.net = world_net(l.w, SC_NET_BRIDGE);
    l.pc = world_peer(l.w, l.net);
    world_join(l.w, l.net, l.nic);
    return l;
}

static struct step sleep_step(int64_t ns)
{
    return world_step(STEP_SLEEP, ns);
}

/* 3000 bytes are frames of 1448, 1448 and 104; with 90 bytes each 1538, 1538 and 194: at 1 Gb/s 26.16 us. */
START_TEST(a_send_takes_its_frames_time)
{
    struct lan l = lan_new(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].latency_ns = 50000; /* the sender does not wait for it */
    l.w->nets[l.net].latency_ns = 10000;
    world_does(l.w, a, (struct step[]){world_send_step(3000, 1), sleep_step(SECOND)}, 2);
    world_run(l.w, 86161);
    ck_assert_int_eq(l.w->m->vcpus[0].run_ns, 0);
    ck_assert_int_eq(world_count(l.w, a, REC_N_NET_FRAMES), 3);
    ck_assert_int_eq(world_count(l.w, a, REC_N_NET_BYTES), 3000);
    ck_assert_int_eq(world_count(l.w, a, REC_N_NET_WIRE), 3270);
    ck_assert_int_eq(world_nic_count(l.w, l.nic, REC_N_NET_WIRE), 3270);
    ck_assert_int_eq(world_net_count(l.w, l.net, REC_N_NET_WIRE), 3270);
    /* The last came at 26.160 + 50 + 10 us, the others before. */
    ck_assert_int_eq(world_peer_count(l.w, l.pc, REC_N_NET_BYTES), 3000);
    world_free(l.w);
}
END_TEST

START_TEST(the_last_frame_is_on_its_way_until_its_latency_is_over)
{
    struct lan l = lan_new(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].latency_ns = 50000;
    l.w->nets[l.net].latency_ns = 10000;
    world_does(l.w, a, (struct step[]){world_send_step(3000, 1), sleep_step(SECOND)}, 2);
    world_run(l.w, 86160); /* the end comes before all else of its instant */
    ck_assert_int_eq(world_count(l.w, a, REC_N_NET_BYTES), 3000);
    ck_assert_int_eq(world_peer_count(l.w, l.pc, REC_N_NET_BYTES), 2896);
    world_free(l.w);
}
END_TEST

/* The step is over at 26.160 us, then 1 ms of sleep: the second iteration ends at twice that. */
START_TEST(a_send_is_over_when_its_last_frame_has_left)
{
    struct lan l = lan_new(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].latency_ns = 700000;
    world_does(l.w, a, (struct step[]){world_send_step(3000, 1), sleep_step(1000000)}, 2);
    world_run(l.w, 3000000);
    ck_assert_int_eq(world_over(l.w, a, 0), 1026160);
    ck_assert_int_eq(world_over(l.w, a, 1), 2052320);
    world_free(l.w);
}
END_TEST

/* 1230.4 ns a frame at 10 Gb/s: what does not fill a ns is not lost. */
START_TEST(a_second_of_frames_takes_a_second)
{
    struct lan l = lan_new(10 * GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    world_does(l.w, a, (struct step[]){world_send_step(100000 * 1448, 1), sleep_step(SECOND)}, 2);
    world_run(l.w, 2 * SECOND);
    ck_assert_int_eq(world_over(l.w, a, 0), SECOND + 123040000);
    world_free(l.w);
}
END_TEST

START_TEST(the_smallest_mtu_of_the_way_counts)
{
    struct lan l = lan_new(GBPS);
    uint32_t h2 = world_host(l.w, 1), n2 = world_nic(l.w, h2, GBPS);
    world_join(l.w, l.net, n2);
    l.w->nics[l.nic].mtu = 9000;
    l.w->nics[n2].mtu = 500;
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    world_does(
        l.w, a,
        (struct step[]){world_send_step(10 * 448, b), world_send_step(2 * 8948, 2), sleep_step(SECOND)}, 3);
    world_run(l.w, 10000000);
    ck_assert_int_eq(world_count(l.w, a, REC_N_NET_FRAMES), 12);
    ck_assert_int_eq(world_count(l.w, b, REC_N_NET_FRAMES), 10);
    ck_assert_int_eq(world_count(l.w, b, REC_N_NET_WIRE), 10 * 538);
    ck_assert_int_eq(world_count(l.w, a, REC_N_NET_WIRE), 10 * 538 + 2 * 9038);
    world_free(l.w);
}
END_TEST

/* Ten frames through two NICs of 1 Gb/s, one after the other: 11 frame times, and all latencies. */
START_TEST(both_nics_send_each_frame)
{
    struct lan l = lan_new(GBPS);
    uint32_t h2 = world_host(l.w, 1), n2 = world_nic(l.w, h2, GBPS);
    world_join(l.w, l.net, n2);
    l.w->nics[l.nic].latency_ns = 1000;
    l.w->nics[n2].latency_ns = 200;
    l.w->nets[l.net].latency_ns = 30;
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    world_does(l.w, a, (struct step[]){world_send_step(14480, b), sleep_step(SECOND)}, 2);
    world_does(l.w, b, (struct step[]){world_receive_step(10), sleep_step(1)}, 2);
    world_run(l.w, 1000000);
    ck_assert_int_eq(world_over(l.w, b, 0), 11 * 12304 + 1230 + 1);
    ck_assert_int_eq(world_nic_count(l.w, n2, REC_N_NET_FRAMES), 10);
    world_free(l.w);
}
END_TEST

/* --- who pays --- */

/* 20 us a packet, 12.304 us of wire. bare: the vCPU runs 20 us a frame; the last leaves 12.304 us after it.
 */
START_TEST(a_bare_task_pays_its_packets)
{
    struct lan l = lan_new(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].packet_cost_ns = 20000;
    l.w->vms[a].mode = _i ? SC_CONTAINER : SC_BARE;
    world_does(l.w, a, (struct step[]){world_send_step(100 * 1448, 1), sleep_step(SECOND)}, 2);
    world_run(l.w, SECOND + 100 * 20000 + 12305);
    ck_assert_int_eq(world_over(l.w, a, 0), SECOND + 100 * 20000 + 12304);
    ck_assert_int_eq(l.w->m->vcpus[0].run_ns, 100 * 20000 + 1); /* of the next frame a ns */
    world_free(l.w);
}
END_TEST

START_TEST(a_host_thread_pays_for_a_guest)
{
    struct lan l = lan_new(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].packet_cost_ns = 20000;
    world_does(l.w, a, (struct step[]){world_send_step(100 * 1448, 1), sleep_step(SECOND)}, 2);
    world_run(l.w, SECOND + 100 * 20000 + 12305);
    ck_assert_int_eq(world_over(l.w, a, 0), SECOND + 100 * 20000 + 12304);
    ck_assert_int_eq(l.w->m->vcpus[0].run_ns, 0);
    ck_assert_uint_eq(l.w->m->n_threads, 1);
    ck_assert_int_eq(l.w->m->vcpus[1].run_ns, 100 * 20000 + 1); /* of the next frame a ns */
    world_free(l.w);
}
END_TEST

/* The wire is the slower: it never waits for the CPU but for the first frame. */
START_TEST(cpu_work_hides_behind_the_wire)
{
    struct lan l = lan_new(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].packet_cost_ns = 5000;
    l.w->vms[a].mode = _i ? SC_HARDWARE : SC_BARE;
    world_does(l.w, a, (struct step[]){world_send_step(1000 * 1448, 1), sleep_step(SECOND)}, 2);
    world_run(l.w, 2 * SECOND);
    ck_assert_int_eq(world_over(l.w, a, 0), SECOND + 5000 + 1000 * 12304);
    world_free(l.w);
}
END_TEST

/* A bare sender may be 256 frames ahead of the wire, no more: then it waits, and its vCPU is free. */
START_TEST(the_ring_bounds_how_far_ahead)
{
    struct lan l = lan_new(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].packet_cost_ns = 1000;
    l.w->vms[a].mode = SC_BARE;
    world_send(l.w, a, 1000 * 1448, 1);
    world_run(l.w, 1000000); /* 81 frames are sent by now: 1 us and 81 times 12.304 us, the 82nd goes */
    ck_assert_int_eq(world_count(l.w, a, REC_N_NET_FRAMES), 81);
    ck_assert_int_eq(l.w->m->vcpus[0].run_ns, (81 + 256 + 1) * 1000);
    world_free(l.w);
}
END_TEST

START_TEST(a_doorbell_a_send)
{
    static struct sc_modes modes;
    modes.price[SC_BARE][OP_DOORBELL] = (struct sc_price){.ps = 100000};
    modes.price[SC_HARDWARE][OP_DOORBELL] = (struct sc_price){.ps = 2000000, .exits = true};
    struct lan l = lan_new(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->hosts[l.host].modes = &modes;
    world_does(l.w, a, (struct step[]){world_send_step(10 * 1448, 1), sleep_step(1000)}, 2);
    world_run(l.w, 4 * (2000 + 123040 + 1000) + 1);
    ck_assert_int_eq(world_over(l.w, a, 3), 4 * (2000 + 123040 + 1000));
    ck_assert_int_eq(l.w->m->vcpus[0].run_ns, 4 * 2000 + 1);
    ck_assert_int_eq(world_count(l.w, a, REC_N_EXIT + OP_DOORBELL), 5);
    world_free(l.w);
}
END_TEST

/* On a type 2 host each frame crosses the host's own stack besides, 500.5 ns of its thread's time. */
START_TEST(a_hosted_hypervisor_has_a_stack_more)
{
    static struct sc_modes modes = {.host_io_ps = 500500, .emulation_milli = 1000};
    struct lan l = lan_new(0);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->hosts[l.host].modes = &modes;
    l.w->hosts[l.host].type = (uint8_t)(1 + _i);
    l.w->nics[l.nic].packet_cost_ns = 3000;
    world_does(l.w, a, (struct step[]){world_send_step(1000 * 1448, 1), sleep_step(SECOND)}, 2);
    world_run(l.w, 2 * SECOND);
    ck_assert_int_eq(world_over(l.w, a, 0), SECOND + 1000 * 3000 + _i * 500500);
    world_free(l.w);
}
END_TEST

/* --- receiving --- */

/* First come first served: 10 frames of which the first task takes 4, the second 5; the tenth nobody. */
START_TEST(frames_are_taken_in_order)
{
    struct lan l = lan_new(GBPS);
    uint32_t h2 = world_host(l.w, 2);
    world_join(l.w, l.net, world_nic(l.w, h2, 0));
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    world_does(l.w, a, (struct step[]){world_send_step(14480, b), sleep_step(SECOND)}, 2);
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
    struct lan l = lan_new(GBPS);
    uint32_t h2 = world_host(l.w, 1);
    world_join(l.w, l.net, world_nic(l.w, h2, 0));
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    world_does(l.w, a, (struct step[]){world_send_step(14480, b), sleep_step(SECOND)}, 2);
    world_does(l.w, b, (struct step[]){sleep_step(1000000), world_receive_step(10), sleep_step(1)}, 3);
    world_run(l.w, 1500000);
    ck_assert_int_eq(world_over(l.w, b, 0), 1000001);
    world_free(l.w);
}
END_TEST

/* A frame every 12.304 us, 20 us of CPU each: a queue of 50 fills, the rest is dropped, what is served is the
 * CPU's. */
START_TEST(a_slow_receiver_drops)
{
    struct lan l = lan_new(GBPS);
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
    struct lan l = lan_new(GBPS);
    uint32_t h2 = world_host(l.w, 1), n2 = world_nic(l.w, h2, 0);
    world_join(l.w, l.net, n2);
    l.w->nics[n2].packet_cost_ns = 1000000;
    l.w->nics[n2].rx_queue = 5;
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    l.w->vms[b].mode = _i ? SC_HARDWARE : SC_BARE;
    world_does(l.w, a, (struct step[]){world_send_step(20 * 1448, b), sleep_step(SECOND)}, 2);
    world_does(l.w, b, (struct step[]){sleep_step(500000), world_receive_step(5), sleep_step(SECOND)}, 3);
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
    struct lan l = lan_new(GBPS);
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
    struct lan l = lan_new(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, l.host, l.net);
    l.w->nets[l.net].latency_ns = 5000;
    world_does(l.w, a, (struct step[]){world_send_step(100 * 1448, b), sleep_step(1000)}, 2);
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
    struct lan l = lan_new(GBPS);
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
        struct step s[4] = {world_send_step(1 + rng_u32(&r) % 30000, rng_u32(&r) % 42),
                            world_send_step(1 + rng_u32(&r) % 30000, rng_u32(&r) % 42), world_receive_step(3),
                            world_step(STEP_CPU, 40000)};
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
    struct lan l = lan_new(GBPS);
    uint32_t h2 = world_host(l.w, 1), n2 = world_nic(l.w, h2, GBPS);
    world_join(l.w, l.net, n2);
    l.w->nics[n2].packet_cost_ns = 5000;
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    l.w->only = a + 1;
    world_does(l.w, a, (struct step[]){world_send_step(14480, b), sleep_step(SECOND)}, 2);
    world_run(l.w, 3 * SECOND / 2);
    ck_assert_int_eq(world_over(l.w, a, 0), SECOND + 123040);
    ck_assert_int_eq(world_nic_count(l.w, n2, REC_N_NET_FRAMES), 20);
    world_free(l.w);
}
END_TEST

/* Killed while its frames are on their way and its tasks wait for room: they arrive, nothing else comes. */
START_TEST(a_killed_vm_sends_no_more)
{
    struct lan l = lan_new(GBPS);
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

/* --- parts --- */

START_TEST(shares_are_exact_to_a_frame)
{
    static const uint32_t weights[4] = {1, 3, 1000, 9999};
    struct wfq_turn heap[4];
    struct wfq q = {.heap = heap};
    struct wfq_flow f[4];
    int64_t sent[4] = {0}, total = 0;
    struct rng r = rng_at(3, 0, 0);
    for (uint32_t i = 0; i < 4; i++) {
        f[i] = (struct wfq_flow){.id = i, .weight = weights[i]};
        wfq_add(&q, &f[i], i, 1538);
    }
    int64_t size[4] = {1538, 1538, 1538, 1538};
    for (int k = 0; k < 3000000; k++) {
        uint32_t i = wfq_next(&q);
        sent[i] += size[i];
        total += size[i];
        size[i] = 91 + rng_u32(&r) % 1448;
        wfq_taken(&q, &f[i], size[i]);
    }
    for (int i = 0; i < 4; i++) {
        double want = (double)total * weights[i] / (1 + 3 + 1000 + 9999);
        ck_assert_msg(sent[i] >= want - 2 * 1538 && sent[i] <= want + 2 * 1538, "flow %d: %ld, wanted %.0f",
                      i, (long)sent[i], want);
    }
}
END_TEST

/* Nothing is saved up by being away, in a busy period or between two. */
START_TEST(who_was_away_starts_level)
{
    struct wfq_turn heap[2];
    struct wfq q = {.heap = heap};
    struct wfq_flow f[2] = {{.id = 0, .weight = 1}, {.id = 1, .weight = 1}};
    wfq_add(&q, &f[0], 0, 1000);
    for (int k = 0; k < 1000; k++) {
        ck_assert_uint_eq(wfq_next(&q), 0);
        wfq_taken(&q, &f[0], 1000);
    }
    wfq_add(&q, &f[1], 1, 1000);
    int second = 0;
    for (int k = 0; k < 100; k++) {
        uint32_t i = wfq_next(&q);
        second += i == 1;
        wfq_taken(&q, &f[i], 1000);
    }
    ck_assert_int_ge(second, 49);
    ck_assert_int_le(second, 51);
    for (int k = 0; k < 2; k++)
        wfq_taken(&q, &f[wfq_next(&q)], 0);
    ck_assert_uint_eq(wfq_next(&q), WFQ_NONE);
    wfq_add(&q, &f[1], 1, 1000); /* the longer in service before is not held against it */
    wfq_add(&q, &f[0], 0, 1000);
    ck_assert_uint_eq(wfq_next(&q), 0);
}
END_TEST

START_TEST(the_map_forgets_nothing_else)
{
    enum { KEYS = 400 };
    struct net_map m = {0};
    uint32_t want[KEYS];
    struct rng r = rng_at(11, 0, 0);
    for (int i = 0; i < KEYS; i++)
        want[i] = NET_MAP_NONE;
    for (uint32_t k = 0; k < 20000; k++) {
        uint64_t i = rng_u32(&r) % KEYS, key = i << 32 | 5;
        if (want[i] == NET_MAP_NONE)
            net_map_put(&m, key, want[i] = k);
        else
            net_map_drop(&m, key), want[i] = NET_MAP_NONE;
        if (k % 100 != 0) continue;
        for (uint64_t j = 0; j < KEYS; j++)
            ck_assert_uint_eq(net_map_find(&m, j << 32 | 5), want[j]);
    }
    net_map_done(&m);
}
END_TEST

Suite *net_suite(void)
{
    Suite *s = suite_create("net");
    TCase *t = tcase_create("net");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, a_send_takes_its_frames_time);
    tcase_add_test(t, the_last_frame_is_on_its_way_until_its_latency_is_over);
    tcase_add_test(t, a_send_is_over_when_its_last_frame_has_left);
    tcase_add_test(t, a_second_of_frames_takes_a_second);
    tcase_add_test(t, the_smallest_mtu_of_the_way_counts);
    tcase_add_test(t, both_nics_send_each_frame);
    tcase_add_loop_test(t, a_bare_task_pays_its_packets, 0, 2);
    tcase_add_test(t, a_host_thread_pays_for_a_guest);
    tcase_add_loop_test(t, cpu_work_hides_behind_the_wire, 0, 2);
    tcase_add_test(t, the_ring_bounds_how_far_ahead);
    tcase_add_test(t, a_doorbell_a_send);
    tcase_add_loop_test(t, a_hosted_hypervisor_has_a_stack_more, 0, 2);
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
    tcase_add_test(t, shares_are_exact_to_a_frame);
    tcase_add_test(t, who_was_away_starts_level);
    tcase_add_test(t, the_map_forgets_nothing_else);
    suite_add_tcase(s, t);
    return s;
}
