// SPDX-License-Identifier: GPL-3.0-or-later
/* VMs that fail or move, NICs and networks that go down: whose frames are lost, who is told, and that all of
 * them add up. */
#include "tests/unit/net_world.h"

#include "base/rng.h"
#include "model/book.h"
#include "model/cpu.h"
#include "model/guest.h"
#include "model/host.h"
#include "model/power.h"

Suite *net_fail_suite(void);

#define GBPS   INT64_C(1000000000)
#define SECOND INT64_C(1000000000)
#define MS     INT64_C(1000000)

static void run_to(struct world *w, int64_t t_ns)
{
    char *why = NULL;
    sim_run(model_sim(w->m), t_ns);
    ck_assert_msg(net_check(w->m, &why) == 0, "at %lld ns: %s", (long long)t_ns, why);
}

static void settle(struct world *w)
{
    for (uint32_t i = 0; i < w->sc.n_hosts; i++)
        cpu_settle(w->m, &w->m->hosts[i]);
    book_settle(w->m);
}

static void crash(struct world *w, uint32_t vm)
{
    power_fail(w->m, &w->m->vms[vm], REC_WHY_GUEST);
    settle(w);
}

static void start(struct world *w, uint32_t vm)
{
    power_on(w->m, &w->m->vms[vm]);
    guest_arm(w->m, &w->m->vms[vm]);
    settle(w);
}

static void move(struct world *w, uint32_t vm, uint32_t host)
{
    host_move(w->m, &w->m->vms[vm], &w->m->hosts[host]);
    settle(w);
}

static int64_t refused(struct world *w, uint32_t vm, int64_t *first_ns)
{
    int n = 0;
    rec_block_flush(&w->block);
    for (const struct rec *r; (r = world_event(w, vm, REC_EV_REFUSED, n)); n++) {
        ck_assert_uint_eq(r->to, REC_WHY_LINK);
        if (n == 0) *first_ns = r->t_ns;
    }
    return n;
}

/* Two hosts with a NIC of 1 Gb/s each on one bridge; VMs 0 and 1 on the first host, 2 on the second. */
struct two {
    struct world *w;
    uint32_t nic[2], lan;
};

static struct two two(void)
{
    struct two t = {.w = world_new()};
    t.w->sc.moves = true;
    t.lan = world_net(t.w, SC_NET_BRIDGE);
    for (uint32_t i = 0; i < 2; i++)
        world_join(t.w, t.lan, t.nic[i] = world_nic(t.w, world_host(t.w, 4), GBPS));
    for (uint32_t i = 0; i < 3; i++)
        world_vm(t.w, i / 2, t.lan);
    return t;
}

/* What it has handed over goes on: at most its window of 256 frames; and when it is up it sends again. */
START_TEST(a_failed_senders_frames_go_on)
{
    struct two t = two();
    world_send(t.w, 0, 14480000, 2);
    world_start(t.w, 10 * SECOND);
    run_to(t.w, 10 * MS);
    int64_t before = world_nic_count(t.w, t.nic[1], REC_N_NET_FRAMES);
    crash(t.w, 0);
    run_to(t.w, SECOND);
    int64_t after = world_nic_count(t.w, t.nic[1], REC_N_NET_FRAMES);
    ck_assert_int_gt(after, before + 200);
    ck_assert_int_le(after, before + 256 + 1);
    ck_assert_int_eq(world_count(t.w, 0, REC_N_NET_FRAMES), after);
    ck_assert_int_eq(world_count(t.w, 0, REC_N_NET_DROPS), 0);
    start(t.w, 0);
    run_to(t.w, SECOND + 10 * MS);
    ck_assert_int_ge(world_nic_count(t.w, t.nic[1], REC_N_NET_FRAMES), after + 10 * MS / 12304 - 2);
    world_free(t.w);
}
END_TEST

/* A frame every 12.304 us for a VM that is off between 2 and 4 ms: dropped at its end, and those that it had
 * and nobody took are forgotten: its receive of 10 waits for 10 new ones. */
START_TEST(a_failed_receiver_drops_and_forgets)
{
    struct two t = two();
    world_send(t.w, 0, 14480000, 2);
    world_does(t.w, 2, (struct step[]){world_sleep(3 * MS), world_receive_step(10), world_sleep(SECOND)}, 3);
    world_start(t.w, 10 * SECOND);
    run_to(t.w, 2 * MS);
    int64_t had = world_count(t.w, 2, REC_N_NET_FRAMES);
    ck_assert_int_gt(had, 150);
    crash(t.w, 2);
    run_to(t.w, 4 * MS);
    ck_assert_int_eq(world_count(t.w, 2, REC_N_NET_FRAMES), had);
    int64_t drops = world_count(t.w, 2, REC_N_NET_DROPS);
    ck_assert_int_ge(drops, 2 * MS / 12304 - 1);
    ck_assert_int_le(drops, 2 * MS / 12304 + 1);
    net_set_nic(t.w->m, t.nic[0], false); /* nothing more comes */
    start(t.w, 2);
    run_to(t.w, 900 * MS);
    ck_assert_uint_eq(t.w->m->vms[2].tasks[0].where, TASK_WAITS);
    net_set_nic(t.w->m, t.nic[0], true);
    run_to(t.w, 2 * SECOND);
    ck_assert_uint_ne(t.w->m->vms[2].tasks[0].where, TASK_WAITS);
    world_free(t.w);
}
END_TEST

/* Started at 5 ms: what came before is dropped. */
START_TEST(before_it_is_started_it_gets_nothing)
{
    struct two t = two();
    world_send(t.w, 0, 14480000, 2);
    t.w->vms[2].start_ns = 5 * MS;
    world_start(t.w, 10 * SECOND);
    run_to(t.w, 5 * MS - 1);
    ck_assert_int_eq(world_count(t.w, 2, REC_N_NET_FRAMES), 0);
    ck_assert_int_gt(world_count(t.w, 2, REC_N_NET_DROPS), 400);
    run_to(t.w, 6 * MS);
    ck_assert_int_gt(world_count(t.w, 2, REC_N_NET_FRAMES), 79);
    world_free(t.w);
}
END_TEST

/* Either NIC is down from 1 ms to 500 ms. What was on the link is lost at the sender, the send ends, the next
 * is refused and takes 1 s, and then it goes on. The neighbour on the same host is reached meanwhile. */
START_TEST(a_nic_that_is_down_refuses)
{
    struct two t = two();
    world_send(t.w, 0, 144800, 2);
    world_does(t.w, 1, (struct step[]){world_send_step(1448, 0), world_sleep(MS)}, 2);
    world_start(t.w, 10 * SECOND);
    run_to(t.w, MS);
    net_set_nic(t.w->m, t.nic[_i], false);
    run_to(t.w, 400 * MS);
    int64_t at = -1, sent = world_count(t.w, 0, REC_N_NET_DROPS),
            came = world_count(t.w, 2, REC_N_NET_FRAMES);
    ck_assert_int_eq(refused(t.w, 0, &at), 1);
    ck_assert_int_ge(at, MS);
    ck_assert_int_le(at, 2 * MS);
    ck_assert_int_ge(sent, 101); /* all of the refused one, and what was lost */
    ck_assert_int_le(sent, 200);
    ck_assert_int_ge(world_count(t.w, 1, REC_N_NET_FRAMES), 399);
    ck_assert_int_eq(world_count(t.w, 1, REC_N_NET_DROPS), 0);
    run_to(t.w, 500 * MS);
    ck_assert_int_eq(world_count(t.w, 2, REC_N_NET_FRAMES), came);
    net_set_nic(t.w->m, t.nic[_i], true);
    run_to(t.w, at + SECOND - 1);
    ck_assert_int_eq(world_count(t.w, 2, REC_N_NET_FRAMES), came);
    run_to(t.w, at + SECOND + MS);
    ck_assert_int_ge(world_count(t.w, 2, REC_N_NET_FRAMES), came + 79);
    ck_assert_int_eq(refused(t.w, 0, &at), 1);
    world_free(t.w);
}
END_TEST

/* The switch is in each host too: with the network down nobody is reached. */
START_TEST(a_network_that_is_down_refuses_inside_too)
{
    struct two t = two();
    world_does(t.w, 0, (struct step[]){world_send_step(1448, 2), world_sleep(MS)}, 2);
    world_does(t.w, 1, (struct step[]){world_send_step(1448, 0), world_sleep(MS)}, 2);
    world_start(t.w, 10 * SECOND);
    run_to(t.w, 100 * MS);
    net_set_network(t.w->m, t.lan, false);
    run_to(t.w, 900 * MS);
    for (uint32_t i = 0; i < 2; i++) {
        int64_t at = -1;
        ck_assert_int_eq(refused(t.w, i, &at), 1);
        ck_assert_int_le(at, 102 * MS);
    }
    net_set_network(t.w->m, t.lan, true);
    int64_t had = world_count(t.w, 0, REC_N_NET_FRAMES);
    run_to(t.w, 2 * SECOND);
    ck_assert_int_gt(world_count(t.w, 0, REC_N_NET_FRAMES), had + 800);
    world_free(t.w);
}
END_TEST

/* To where its peer is: from then on they meet inside that host, and no NIC sees more than was on its way;
 * back again: the NICs carry all. */
START_TEST(a_moved_vm_goes_another_way)
{
    struct two t = two();
    world_does(t.w, 0, (struct step[]){world_send_step(14480, 2), world_sleep(MS)}, 2);
    world_start(t.w, 10 * SECOND);
    run_to(t.w, 100 * MS);
    int64_t wired = world_nic_count(t.w, t.nic[0], REC_N_NET_FRAMES);
    ck_assert_int_ge(wired, 870);
    move(t.w, _i ? 2 : 0, _i ? 0 : 1);
    run_to(t.w, 102 * MS);
    wired = world_nic_count(t.w, t.nic[0], REC_N_NET_FRAMES);
    int64_t came = world_count(t.w, 2, REC_N_NET_FRAMES);
    run_to(t.w, 200 * MS);
    ck_assert_int_eq(world_nic_count(t.w, t.nic[0], REC_N_NET_FRAMES), wired);
    ck_assert_int_ge(world_count(t.w, 2, REC_N_NET_FRAMES), came + 950);
    move(t.w, _i ? 2 : 0, _i ? 1 : 0);
    run_to(t.w, 300 * MS);
    ck_assert_int_ge(world_nic_count(t.w, t.nic[0], REC_N_NET_FRAMES), wired + 870);
    world_free(t.w);
}
END_TEST

START_TEST(a_network_reaches_its_hosts)
{
    struct two t = two();
    uint32_t h = world_host(t.w, 1), alone = world_vm(t.w, h, SC_NONE);
    world_start(t.w, SECOND);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert(net_reaches(t.w->m, &t.w->m->vms[0], i) == (i < 2));
        ck_assert(net_reaches(t.w->m, &t.w->m->vms[alone], i));
    }
    world_free(t.w);
}
END_TEST

/* Everything at random: after each of 400 happenings every frame is delivered, dropped or on its way. */
START_TEST(frames_add_up_whatever_fails)
{
    struct rng r = rng_at((uint64_t)_i + 77, 0, 0);
    struct world *w = world_new();
    w->sc.moves = true;
    uint32_t lan = world_net(w, SC_NET_BRIDGE), nat = world_net(w, SC_NET_NAT);
    w->nets[nat].ports = 3;
    w->nets[lan].latency_ns = 3000;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t n = world_nic(w, world_host(w, 4), GBPS / (1 + i));
        w->nics[n].packet_cost_ns = 2000 * i;
        w->nics[n].latency_ns = 20000 * i;
        w->nics[n].rx_queue = 16;
        world_join(w, lan, n);
        world_join(w, nat, n);
    }
    world_peer(w, lan);
    for (uint32_t i = 0; i < 12; i++)
        world_vm(w, i % 3, i % 4 == 3 ? nat : lan);
    for (uint32_t i = 0; i < 12; i++) {
        int64_t bytes = 1 + rng_u32(&r) % 60000; /* a statement a draw: arguments have no order */
        uint32_t to = rng_u32(&r) % 13;
        struct step s[3] = {world_send_step(bytes, to), world_sleep(rng_u32(&r) % 300000),
                            world_receive_step(2)};
        world_does(w, i, s, 2 + i % 2);
        w->vms[i].work.threads = 1 + i % 3;
        w->vms[i].mode = i % 5 == 0 ? SC_BARE : SC_HARDWARE;
    }
    world_start(w, 100 * SECOND);
    uint32_t bulk[2] = {UINT32_MAX, UINT32_MAX};
    bool off[12] = {false}, nic_down[3] = {false}, net_down[2] = {false};
    int64_t at = 0, drops = 0;
    for (int k = 0; k < 400; k++) {
        at += 1 + rng_u32(&r) % (k % 50 == 49 ? 1000000000 : 500000);
        run_to(w, at);
        uint32_t v = rng_u32(&r) % 12, n = rng_u32(&r) % 3;
        switch (rng_u32(&r) % 6) {
        case 0:
        case 1:
            if (off[v])
                start(w, v);
            else
                crash(w, v);
            off[v] = !off[v];
            break;
        case 2: net_set_nic(w->m, n, nic_down[n]), nic_down[n] = !nic_down[n]; break;
        case 3:
            if (n < 2) net_set_network(w->m, n, net_down[n]), net_down[n] = !net_down[n];
            break;
        case 4: move(w, v, n); break;
        default:
            n %= 2;
            /* One that is over is not there to be given up: these never are. */
            if (bulk[n] == UINT32_MAX) {
                bulk[n] = net_bulk(w->m, &w->m->hosts[n], &w->m->hosts[2], INT64_C(1) << 50, n * GBPS / 5, 0);
            } else {
                ck_assert_int_ge(net_bulk_cancel(w->m, bulk[n]), 0);
                bulk[n] = UINT32_MAX;
            }
        }
        char *why = NULL;
        ck_assert_msg(net_check(w->m, &why) == 0, "after happening %d: %s", k, why);
    }
    for (uint32_t i = 0; i < 12; i++)
        drops += world_count(w, i, REC_N_NET_DROPS);
    ck_assert_int_gt(drops, 100); /* or nothing was put to the test */
    ck_assert_int_gt(world_nic_count(w, 0, REC_N_NET_FRAMES), 1000);
    world_free(w);
}
END_TEST

Suite *net_fail_suite(void)
{
    Suite *s = suite_create("net_fail");
    TCase *t = tcase_create("net_fail");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, a_failed_senders_frames_go_on);
    tcase_add_test(t, a_failed_receiver_drops_and_forgets);
    tcase_add_test(t, before_it_is_started_it_gets_nothing);
    tcase_add_loop_test(t, a_nic_that_is_down_refuses, 0, 2);
    tcase_add_test(t, a_network_that_is_down_refuses_inside_too);
    tcase_add_loop_test(t, a_moved_vm_goes_another_way, 0, 2);
    tcase_add_test(t, a_network_reaches_its_hosts);
    tcase_add_loop_test(t, frames_add_up_whatever_fails, 0, 8);
    suite_add_tcase(s, t);
    return s;
}
