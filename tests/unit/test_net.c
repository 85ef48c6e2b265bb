// SPDX-License-Identifier: GPL-3.0-or-later
/* Frames by hand: when each is where, and who pays for it. */
#include "tests/unit/net_world.h"

Suite *net_suite(void);

#define GBPS   INT64_C(1000000000)
#define SECOND INT64_C(1000000000)

/* 3000 bytes are frames of 1448, 1448 and 104; with 90 bytes each 1538, 1538 and 194: at 1 Gb/s 26.16 us. */
START_TEST(a_send_takes_its_frames_time)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].latency_ns = 50000; /* the sender does not wait for it */
    l.w->nets[l.net].latency_ns = 10000;
    world_does(l.w, a, (struct step[]){world_send_step(3000, 1), world_sleep(SECOND)}, 2);
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
    struct world_lan l = world_lan(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].latency_ns = 50000;
    l.w->nets[l.net].latency_ns = 10000;
    world_does(l.w, a, (struct step[]){world_send_step(3000, 1), world_sleep(SECOND)}, 2);
    world_run(l.w, 86160); /* the end comes before all else of its instant */
    ck_assert_int_eq(world_count(l.w, a, REC_N_NET_BYTES), 3000);
    ck_assert_int_eq(world_peer_count(l.w, l.pc, REC_N_NET_BYTES), 2896);
    world_free(l.w);
}
END_TEST

/* The step is over at 26.160 us, then 1 ms of sleep: the second iteration ends at twice that. */
START_TEST(a_send_is_over_when_its_last_frame_has_left)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].latency_ns = 700000;
    world_does(l.w, a, (struct step[]){world_send_step(3000, 1), world_sleep(1000000)}, 2);
    world_run(l.w, 3000000);
    ck_assert_int_eq(world_over(l.w, a, 0), 1026160);
    ck_assert_int_eq(world_over(l.w, a, 1), 2052320);
    world_free(l.w);
}
END_TEST

/* 1230.4 ns a frame at 10 Gb/s: what does not fill a ns is not lost. */
START_TEST(a_second_of_frames_takes_a_second)
{
    struct world_lan l = world_lan(10 * GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    world_does(l.w, a, (struct step[]){world_send_step(100000 * 1448, 1), world_sleep(SECOND)}, 2);
    world_run(l.w, 2 * SECOND);
    ck_assert_int_eq(world_over(l.w, a, 0), SECOND + 123040000);
    world_free(l.w);
}
END_TEST

START_TEST(the_smallest_mtu_of_the_way_counts)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t h2 = world_host(l.w, 1), n2 = world_nic(l.w, h2, GBPS);
    world_join(l.w, l.net, n2);
    l.w->nics[l.nic].mtu = 9000;
    l.w->nics[n2].mtu = 500;
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    world_does(
        l.w, a,
        (struct step[]){world_send_step(10 * 448, b), world_send_step(2 * 8948, 2), world_sleep(SECOND)}, 3);
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
    struct world_lan l = world_lan(GBPS);
    uint32_t h2 = world_host(l.w, 1), n2 = world_nic(l.w, h2, GBPS);
    world_join(l.w, l.net, n2);
    l.w->nics[l.nic].latency_ns = 1000;
    l.w->nics[n2].latency_ns = 200;
    l.w->nets[l.net].latency_ns = 30;
    uint32_t a = world_vm(l.w, l.host, l.net), b = world_vm(l.w, h2, l.net);
    world_does(l.w, a, (struct step[]){world_send_step(14480, b), world_sleep(SECOND)}, 2);
    world_does(l.w, b, (struct step[]){world_receive_step(10), world_sleep(1)}, 2);
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
    struct world_lan l = world_lan(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].packet_cost_ns = 20000;
    l.w->vms[a].mode = _i ? SC_CONTAINER : SC_BARE;
    world_does(l.w, a, (struct step[]){world_send_step(100 * 1448, 1), world_sleep(SECOND)}, 2);
    world_run(l.w, SECOND + 100 * 20000 + 12305);
    ck_assert_int_eq(world_over(l.w, a, 0), SECOND + 100 * 20000 + 12304);
    ck_assert_int_eq(l.w->m->vcpus[0].run_ns, 100 * 20000 + 1); /* of the next frame a ns */
    world_free(l.w);
}
END_TEST

START_TEST(a_host_thread_pays_for_a_guest)
{
    struct world_lan l = world_lan(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].packet_cost_ns = 20000;
    world_does(l.w, a, (struct step[]){world_send_step(100 * 1448, 1), world_sleep(SECOND)}, 2);
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
    struct world_lan l = world_lan(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->nics[l.nic].packet_cost_ns = 5000;
    l.w->vms[a].mode = _i ? SC_HARDWARE : SC_BARE;
    world_does(l.w, a, (struct step[]){world_send_step(1000 * 1448, 1), world_sleep(SECOND)}, 2);
    world_run(l.w, 2 * SECOND);
    ck_assert_int_eq(world_over(l.w, a, 0), SECOND + 5000 + 1000 * 12304);
    world_free(l.w);
}
END_TEST

/* A bare sender may be 256 frames ahead of the wire, no more: then it waits, and its vCPU is free. */
START_TEST(the_ring_bounds_how_far_ahead)
{
    struct world_lan l = world_lan(GBPS);
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
    struct world_lan l = world_lan(GBPS);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->hosts[l.host].modes = &modes;
    world_does(l.w, a, (struct step[]){world_send_step(10 * 1448, 1), world_sleep(1000)}, 2);
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
    struct world_lan l = world_lan(0);
    uint32_t a = world_vm(l.w, l.host, l.net);
    l.w->hosts[l.host].modes = &modes;
    l.w->hosts[l.host].type = (uint8_t)(1 + _i);
    l.w->nics[l.nic].packet_cost_ns = 3000;
    world_does(l.w, a, (struct step[]){world_send_step(1000 * 1448, 1), world_sleep(SECOND)}, 2);
    world_run(l.w, 2 * SECOND);
    ck_assert_int_eq(world_over(l.w, a, 0), SECOND + 1000 * 3000 + _i * 500500);
    world_free(l.w);
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
    suite_add_tcase(s, t);
    return s;
}
