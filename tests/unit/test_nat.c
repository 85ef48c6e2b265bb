// SPDX-License-Identifier: GPL-3.0-or-later
/* nat: ports that run out and come back, forwarding, and what rewriting costs. */
#include "tests/unit/net_world.h"

Suite *nat_suite(void);

#define GBPS   INT64_C(1000000000)
#define SECOND INT64_C(1000000000)

struct home {
    struct world *w;
    uint32_t host, nic, nat, vm;
    uint32_t pc, web; /* endpoints */
};

/* A host behind nat, on a LAN with a peer, the outside beyond. */
static struct home home_new(uint32_t ports, int64_t hold_ns)
{
    struct home h = {.w = world_new()};
    h.host = world_host(h.w, 1);
    h.nic = world_nic(h.w, h.host, GBPS);
    h.nat = world_net(h.w, SC_NET_NAT);
    world_join(h.w, h.nat, h.nic);
    h.w->nets[h.nat].ports = ports;
    h.w->nets[h.nat].hold_ns = hold_ns;
    h.vm = world_vm(h.w, h.host, h.nat);
    h.pc = world_peer_end(h.w, world_peer(h.w, h.nat));
    h.web = world_peer_end(h.w, world_peer(h.w, SC_NONE));
    return h;
}

static void threads(struct world *w, uint32_t vm, uint32_t n)
{
    w->vms[vm].work.threads = n;
}

/* Ten tasks, a port each, and eight ports: two find none, tell it once, and try again every second; the
 * others hold theirs by sending on. */
START_TEST(ports_run_out)
{
    struct home h = home_new(8, 60 * SECOND);
    threads(h.w, h.vm, 10);
    world_does(h.w, h.vm, (struct step[]){world_send_step(1448, h.web), world_step(STEP_SLEEP, SECOND / 2)},
               2);
    world_run(h.w, 5 * SECOND + 1);
    for (int i = 0; i < 6; i++) {
        const struct rec *e = world_event(h.w, h.vm, REC_EV_NAT_FULL, i);
        ck_assert_ptr_nonnull(e);
        ck_assert_int_eq(e->t_ns, i * SECOND);
        ck_assert_int_eq(e->value, 8);
        ck_assert_int_eq(e->to, REC_WHY_PORTS);
    }
    ck_assert_ptr_null(world_event(h.w, h.vm, REC_EV_NAT_FULL, 6));
    /* Each attempt of the two is a packet lost. */
    ck_assert_int_eq(world_net_count(h.w, h.nat, REC_N_NET_DROPS), 12);
    ck_assert_int_eq(world_count(h.w, h.vm, REC_N_NET_DROPS), 12);
    ck_assert_int_eq(world_count(h.w, h.vm, REC_N_NET_FRAMES), 8 * 10);
    world_free(h.w);
}
END_TEST

/* One port, two tasks, each a packet every 10 s. The first sends at 0 and holds the port until 1.5 s after
 * its packet; the second, refused at 0 and 1 s, has it at 2 s. */
START_TEST(a_port_comes_back_when_its_time_is_over)
{
    struct home h = home_new(1, 3 * SECOND / 2);
    threads(h.w, h.vm, 2);
    world_does(h.w, h.vm, (struct step[]){world_send_step(1448, h.web), world_step(STEP_SLEEP, 10 * SECOND)},
               2);
    world_run(h.w, 9 * SECOND);
    ck_assert_int_eq(world_event(h.w, h.vm, REC_EV_NAT_FULL, 0)->t_ns, 0);
    ck_assert_int_eq(world_event(h.w, h.vm, REC_EV_NAT_FULL, 1)->t_ns, SECOND);
    ck_assert_ptr_null(world_event(h.w, h.vm, REC_EV_NAT_FULL, 2));
    ck_assert_int_eq(world_count(h.w, h.vm, REC_N_NET_FRAMES), 2);
    world_free(h.w);
}
END_TEST

/* A connection is one port, however often it is used; another receiver is another connection. */
START_TEST(a_connection_keeps_its_port)
{
    struct home h = home_new((uint32_t)(1 + _i), 60 * SECOND);
    world_does(h.w, h.vm,
               (struct step[]){world_send_step(1448, h.web), world_send_step(5 * 1448, h.web),
                               world_send_step(1, h.pc), world_step(STEP_SLEEP, SECOND / 8)},
               4);
    world_run(h.w, 3 * SECOND);
    if (_i)
        ck_assert_int_eq(world_over(h.w, h.vm, 19) > 0, 1); /* 125.2 ms each */
    else
        ck_assert_int_eq(world_over(h.w, h.vm, 0), -1);
    ck_assert((world_event(h.w, h.vm, REC_EV_NAT_FULL, 0) == NULL) == (_i == 1));
    world_free(h.w);
}
END_TEST

/* hold 0: free as soon as the last packet has left. A thousand connections one after the other need one port.
 */
START_TEST(no_hold_no_shortage)
{
    struct home h = home_new(1, 0);
    world_does(h.w, h.vm, (struct step[]){world_send_step(1448, h.web), world_send_step(1448, h.pc)}, 2);
    world_run(h.w, 24608001);
    ck_assert_int_eq(world_over(h.w, h.vm, 999), 1000 * 2 * 12304);
    ck_assert_ptr_null(world_event(h.w, h.vm, REC_EV_NAT_FULL, 0));
    world_free(h.w);
}
END_TEST

/* Inside one nat no port is taken and nothing is rewritten; from elsewhere only a forward rule leads in. */
START_TEST(inside_and_in)
{
    static const struct sc_forward rule = {8080, 80};
    struct home h = home_new(0, 0); /* no ports at all */
    uint32_t lan = world_net(h.w, SC_NET_BRIDGE);
    world_join(h.w, lan, h.nic);
    h.w->nets[h.nat].rewrite_ns = 4000;
    uint32_t b = world_vm(h.w, h.host, h.nat), c = world_vm(h.w, h.host, lan);
    if (_i) {
        h.w->vms[b].forwards = &rule;
        h.w->vms[b].n_forwards = 1;
    }
    world_does(h.w, h.vm, (struct step[]){world_send_step(1448, b), world_step(STEP_SLEEP, 10 * SECOND)}, 2);
    world_does(h.w, c, (struct step[]){world_send_step(2 * 1448, b), world_step(STEP_SLEEP, 10 * SECOND)}, 2);
    world_run(h.w, SECOND);
    ck_assert_ptr_null(world_event(h.w, h.vm, REC_EV_NAT_FULL, 0));
    ck_assert_int_eq(world_count(h.w, h.vm, REC_N_NET_FRAMES), 1);
    ck_assert_int_eq(world_count(h.w, b, REC_N_NET_FRAMES), _i ? 3 : 1);
    const struct rec *e = world_event(h.w, c, REC_EV_REFUSED, 0);
    ck_assert_int_eq(e == NULL, _i);
    if (e) ck_assert_int_eq(e->to, REC_WHY_NO_FORWARD);
    ck_assert_int_eq(world_nic_count(h.w, h.nic, REC_N_NET_FRAMES), 0); /* they meet inside the host */
    ck_assert_int_eq(h.w->m->vcpus[3].run_ns,
                     _i ? 2 * 4000 : 0); /* the host's thread rewrites what comes in */
    world_free(h.w);
}
END_TEST

/* 3 us of rewriting beside 20 us of packet: 100 frames of 23 us, on the thread or, bare, on the vCPU. */
START_TEST(rewriting_costs)
{
    struct home h = home_new(10, SECOND);
    h.w->nets[h.nat].rewrite_ns = 3000;
    h.w->nics[h.nic].packet_cost_ns = 20000;
    h.w->vms[h.vm].mode = _i ? SC_BARE : SC_PARAVIRTUAL;
    world_does(h.w, h.vm, (struct step[]){world_send_step(144800, h.web), world_step(STEP_SLEEP, SECOND)}, 2);
    world_run(h.w, 3 * SECOND / 2);
    ck_assert_int_eq(world_over(h.w, h.vm, 0), SECOND + 2300000 + 12304);
    ck_assert_int_eq(world_net_count(h.w, h.nat, REC_N_NET_FRAMES), world_count(h.w, h.vm, REC_N_NET_FRAMES));
    world_free(h.w);
}
END_TEST

/* Each host has its own ports. */
START_TEST(ports_are_a_hosts)
{
    struct home h = home_new(1, 60 * SECOND);
    uint32_t h2 = world_host(h.w, 1);
    world_join(h.w, h.nat, world_nic(h.w, h2, GBPS));
    uint32_t b = world_vm(h.w, h2, h.nat);
    world_does(h.w, h.vm, (struct step[]){world_send_step(1448, b + 1), world_step(STEP_SLEEP, SECOND)}, 2);
    world_does(h.w, b, (struct step[]){world_send_step(1448, b + 1), world_step(STEP_SLEEP, SECOND)}, 2);
    world_run(h.w, 5 * SECOND);
    ck_assert_ptr_null(world_event(h.w, h.vm, REC_EV_NAT_FULL, 0));
    ck_assert_ptr_null(world_event(h.w, b, REC_EV_NAT_FULL, 0));
    ck_assert_int_eq(world_count(h.w, b, REC_N_NET_FRAMES), 5);
    world_free(h.w);
}
END_TEST

Suite *nat_suite(void)
{
    Suite *s = suite_create("nat");
    TCase *t = tcase_create("nat");
    tcase_add_test(t, ports_run_out);
    tcase_add_test(t, a_port_comes_back_when_its_time_is_over);
    tcase_add_loop_test(t, a_connection_keeps_its_port, 0, 2);
    tcase_add_test(t, no_hold_no_shortage);
    tcase_add_loop_test(t, inside_and_in, 0, 2);
    tcase_add_loop_test(t, rewriting_costs, 0, 2);
    tcase_add_test(t, ports_are_a_hosts);
    suite_add_tcase(s, t);
    return s;
}
