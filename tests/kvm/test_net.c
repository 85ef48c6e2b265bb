// SPDX-License-Identifier: GPL-3.0-or-later
/* Networks of real guests: frames through ring, VMM and switch, counted as the simulator counts them. */
#include "scenario/reach.h"
#include "wired.h"

Suite *net_suite(void);

/* --- the same as the simulator's --- */

START_TEST(ping_pong_has_the_librarys_checksum)
{
    static const enum sc_net_kind kinds[] = {SC_NET_HOST_ONLY, SC_NET_NAT, SC_NET_BRIDGE};
    const struct step a[] = {SEND(10000, 1), RECEIVE(1), WORK(100000)}, b[] = {RECEIVE(7), SEND(100, 0)};
    struct wired *w = wired_new(kinds[_i], 1, 2, 600 * MS);
    lab_set_prog(w->l, 0, a, COUNT(a));
    lab_set_prog(w->l, 1, b, COUNT(b));
    w->l->vms[0].work.until = w->l->vms[1].work.until = 30;
    wired_run(w);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(w->l->seen[i].n[REC_WORK], 30);
        ck_assert_uint_eq(w->l->rep.checksum[i], lab_expected(w->l, i, 0, 30));
        ck_assert_int_eq(w->vm[i][FRAMES], 30 * 8);
        ck_assert_int_eq(w->vm[i][BYTES], 30 * 10100);
        ck_assert_int_eq(w->vm[i][WIRE], 30 * (10100 + 8 * 90));
        ck_assert_int_eq(w->vm[i][DROPS], 0);
        ck_assert_int_gt(w->l->seen[i].state_ns[VCPU_NETWAIT], 0);
    }
    ck_assert_int_eq(w->dev[1][FRAMES], 30 * 8); /* across the switch */
    ck_assert_int_eq(w->dev[0][FRAMES], 0);      /* and past the NIC */
    wired_free(w);
}
END_TEST

START_TEST(requests_are_served_with_their_frames)
{
    const struct step ask[] = {SEND(3000, 1)}, serve[] = {RECEIVE(3), WORK(200000)};
    struct wired *w = wired_new(SC_NET_HOST_ONLY, 2, 2, 500 * MS);
    w->l->vms[0].work.requests = true;
    w->l->vms[0].work.arrivals = SC_PERIODIC;
    w->l->stretch = (struct sc_stretch){.kind = SC_PERIODIC, .gap_ns = 5 * MS, .for_ns = INT64_MAX};
    w->l->vms[0].work.stretches = &w->l->stretch;
    w->l->vms[0].work.n_stretches = 1;
    w->l->vms[0].work.until = 50;
    lab_set_prog(w->l, 0, ask, COUNT(ask));
    lab_set_prog(w->l, 1, serve, COUNT(serve));
    wired_run(w);
    ck_assert_uint_eq(w->l->seen[0].n[REC_DONE], 50);
    ck_assert_uint_eq(w->l->seen[1].n[REC_WORK], 50);
    ck_assert_uint_eq(w->l->rep.checksum[1], lab_expected(w->l, 1, 0, 50));
    ck_assert_int_eq(w->vm[1][FRAMES], 150);
    wired_free(w);
}
END_TEST

/* Its ring is full most of the time, and the switch's queue too: they wait, nothing is lost. */
START_TEST(a_busy_receiver_holds_its_senders_back)
{
    const struct step send[] = {SEND(200000, 1)}, take[] = {RECEIVE(139), WORK(5000000)};
    struct wired *w = wired_new(SC_NET_HOST_ONLY, 2, 2, 700 * MS);
    lab_set_prog(w->l, 0, send, COUNT(send));
    lab_set_prog(w->l, 1, take, COUNT(take));
    w->l->vms[0].work.until = w->l->vms[1].work.until = 20;
    wired_run(w);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(w->l->seen[i].n[REC_WORK], 20);
        ck_assert_int_eq(w->vm[i][FRAMES], 20 * 139);
        ck_assert_int_eq(w->vm[i][BYTES], 20 * 200000);
        ck_assert_int_eq(w->vm[i][DROPS], 0);
    }
    wired_free(w);
}
END_TEST

START_TEST(every_vcpu_sends_by_its_own_ring)
{
    const struct step send[] = {SEND(20000, 1), WORK(200000)}, take[] = {RECEIVE(14)};
    struct wired *w = wired_new(SC_NET_HOST_ONLY, 2, 2, 600 * MS);
    w->l->vms[0].vcpus = w->l->vms[0].work.threads = 2;
    lab_set_prog(w->l, 0, send, COUNT(send));
    lab_set_prog(w->l, 1, take, COUNT(take));
    w->l->vms[0].work.until = w->l->vms[1].work.until = 40;
    wired_run(w);
    ck_assert_uint_eq(w->l->seen[0].n[REC_WORK], 40);
    ck_assert_uint_eq(w->l->seen[1].n[REC_WORK], 40);
    uint64_t sum = lab_expected(w->l, 0, 0, 20) + lab_expected(w->l, 0, 1, 20);
    ck_assert_uint_eq(w->l->rep.checksum[0], sum & PROG_CHECKSUM_MASK);
    ck_assert_int_eq(w->vm[1][FRAMES], 40 * 14);
    wired_free(w);
}
END_TEST

/* Jumbo frames: as many as the MTU makes of a send. */
START_TEST(a_frame_is_as_long_as_the_mtu_lets_it)
{
    static const int64_t mtus[] = {9000, 576, 68};
    const struct step send[] = {SEND(9000, 1), WORK(100000)}, out[] = {RECEIVE(1)};
    struct wired *w = wired_new(SC_NET_BRIDGE, 2, 2, 400 * MS);
    int64_t frames = (9000 + mtus[_i] - 53) / (mtus[_i] - 52);
    w->nic.mtu = mtus[_i];
    lab_set_prog(w->l, 0, send, COUNT(send));
    lab_set_prog(w->l, 1, out, COUNT(out));
    w->l->vms[0].work.until = 3;
    wired_run(w);
    ck_assert_int_eq(w->vm[1][FRAMES], 3 * frames);
    ck_assert_int_eq(w->vm[1][WIRE], 3 * (9000 + frames * 90));
    ck_assert_uint_eq(w->l->seen[1].n[REC_WORK], (uint64_t)(3 * frames));
    wired_free(w);
}
END_TEST

/* Four tasks that send, one that takes: the wire is never without a frame. */
START_TEST(a_rate_holds_within_3_percent)
{
    const struct step a[] = {SEND(100000, 1)}, b[] = {RECEIVE(70)};
    double share = 0;
    for (int try = 0; try < 6 && share < .97; try++) {
        struct wired *w = wired_new(_i ? SC_NET_NAT : SC_NET_HOST_ONLY, 2, 2, 500 * MS);
        const struct step out[] = {SEND(100000, 2)};
        w->network.bandwidth_bps = _i ? 0 : 30000000;
        w->nic.bandwidth_bps = _i ? 30000000 : 0;
        w->l->vms[0].work.threads = 4;
        lab_set_prog(w->l, 0, _i ? out : a, 1);
        lab_set_prog(w->l, 1, b, COUNT(b));
        wired_run(w);
        double now = (double)w->dev[_i ? 0 : 1][WIRE] * 8e9 / 5e8 / 3e7;
        ck_assert_double_le(now, 1.001);
        if (now > share) share = now;
        wired_free(w);
    }
    ck_assert_double_ge(share, .97);
}
END_TEST

START_TEST(senders_share_a_link_by_weight)
{
    const struct step to2[] = {SEND(100000, 2)}, take[] = {RECEIVE(70)};
    double ratio = 0;
    for (int try = 0; try < 6 && !(ratio > 2.85 && ratio < 3.15); try++) {
        struct wired *w = wired_new(SC_NET_HOST_ONLY, 2, 3, 600 * MS);
        w->network.bandwidth_bps = 30000000;
        w->l->vms[0].net_weight = 3000;
        for (uint32_t i = 0; i < 2; i++) {
            w->l->vms[i].work.threads = 4;
            lab_set_prog(w->l, i, to2, 1);
        }
        lab_set_prog(w->l, 2, take, 1);
        wired_run(w);
        ratio = (double)w->vm[0][WIRE] / (double)w->vm[1][WIRE];
        wired_free(w);
    }
    ck_assert_double_eq_tol(ratio, 3, .15);
}
END_TEST

/* --- who reaches whom --- */

static const struct {
    enum sc_net_kind kind;
    const char *nat;
} worlds[] = {{SC_NET_HOST_ONLY, NULL}, {SC_NET_NAT, NULL}, {SC_NET_NAT, "nft"}, {SC_NET_BRIDGE, NULL}};

START_TEST(who_reaches_whom_is_as_the_scenario_says)
{
    const struct step all[] = {SEND(1000, 1), SEND(2000, 2), SEND(500, 3)}, take[] = {RECEIVE(1)};
    if (worlds[_i].nat)
        setenv("VLAB_NAT", worlds[_i].nat, 1);
    else
        unsetenv("VLAB_NAT");
    struct wired *w =
        wired_new(worlds[_i].kind, 2, 2, worlds[_i].kind == SC_NET_HOST_ONLY ? 2500 * MS : 700 * MS);
    lab_set_prog(w->l, 0, all, COUNT(all));
    lab_set_prog(w->l, 1, take, COUNT(take));
    w->l->vms[0].work.until = w->l->vms[1].work.until = 1;
    enum kvm_status st = lab_run(w->l);
    if (st == KVM_NO_KVM) {
        fprintf(stderr, "SKIPPED: net: %s\n", w->l->why);
        _exit(0);
    }
    ck_assert_msg(st == KVM_OK, "%s", w->l->why ? w->l->why : "?");
    ck_assert_uint_eq(w->l->seen[0].n[REC_WORK], 1);
    ck_assert_uint_eq(w->l->seen[1].n[REC_WORK], 1); /* VM to VM: always */
    ck_assert_uint_eq(w->l->rep.checksum[0], lab_expected(w->l, 0, 0, 1));
    const int64_t frames[] = {2, 1}, bytes[] = {2000, 500};
    int64_t refused = 0;
    for (uint32_t p = 0; p < 2; p++) {
        bool reaches = reach_between(&w->l->sc, 0, 2 + p);
        ck_assert_int_eq(w->dev[2 + p][FRAMES], reaches ? frames[p] : 0);
        ck_assert_int_eq(w->dev[2 + p][BYTES], reaches ? bytes[p] : 0);
        refused += reaches ? 0 : frames[p];
    }
    ck_assert_int_eq(refused > 0, worlds[_i].kind == SC_NET_HOST_ONLY);
    ck_assert_int_eq(w->refused[0], refused);
    ck_assert_int_eq(w->vm[0][DROPS], refused);
    ck_assert_int_eq(w->dev[1][DROPS], refused);
    ck_assert_uint_eq(w->refused_why[0], refused ? UINT64_C(1) << REC_WHY_NO_ROUTE : 0);
    ck_assert_int_eq(w->dev[0][FRAMES], refused ? 0 : 3); /* through the NIC */
    ck_assert_int_eq(w->vm[0][FRAMES], refused ? 1 : 4);
    wired_free(w);
}
END_TEST

START_TEST(a_send_without_a_way_takes_a_second)
{
    const struct step out[] = {SEND(1000, 2)};
    struct wired *w = wired_new(SC_NET_HOST_ONLY, 1, 1, 1400 * MS);
    lab_set_prog(w->l, 0, out, 1);
    wired_run(w);
    ck_assert_uint_eq(w->n_refused[0], 2);
    ck_assert_uint_eq(w->l->seen[0].n[REC_WORK], 1);
    ck_assert_int_ge(w->l->seen[0].work_ns[0], 1000 * MS);
    ck_assert_int_lt(w->l->seen[0].work_ns[0], 1100 * MS);
    ck_assert_int_gt(w->l->seen[0].state_ns[VCPU_NETWAIT], 1250 * MS);
    wired_free(w);
}
END_TEST

/* As in the simulator: its drops, and its sender has sent them. */
START_TEST(who_starts_later_takes_no_frames_before)
{
    const struct step ask[] = {SEND(1000, 1)}, take[] = {RECEIVE(1), WORK(100000)};
    struct wired *w = wired_new(SC_NET_HOST_ONLY, 2, 2, 400 * MS);
    w->l->vms[0].work.requests = true;
    w->l->vms[0].work.arrivals = SC_PERIODIC;
    w->l->stretch = (struct sc_stretch){.kind = SC_PERIODIC, .gap_ns = 20 * MS, .for_ns = INT64_MAX};
    w->l->vms[0].work.stretches = &w->l->stretch;
    w->l->vms[0].work.n_stretches = 1;
    w->l->vms[1].start_ns = 210 * MS;
    lab_set_prog(w->l, 0, ask, COUNT(ask));
    lab_set_prog(w->l, 1, take, COUNT(take));
    wired_run(w);
    ck_assert_int_eq(w->vm[0][FRAMES], 19);
    ck_assert_int_eq(w->vm[0][DROPS], 0);
    ck_assert_int_ge(w->vm[1][DROPS], 9); /* of 20 .. 200 ms; under load the last may come late */
    ck_assert_int_le(w->vm[1][DROPS], 10);
    ck_assert_int_eq(w->vm[1][FRAMES] + w->vm[1][DROPS], 19);
    wired_free(w);
}
END_TEST

Suite *net_suite(void)
{
    Suite *s = suite_create("net");
    if (!lab_usable("net")) return s;
    TCase *t = tcase_create("net");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, ping_pong_has_the_librarys_checksum, 0, 3);
    tcase_add_test(t, requests_are_served_with_their_frames);
    tcase_add_test(t, a_busy_receiver_holds_its_senders_back);
    tcase_add_test(t, every_vcpu_sends_by_its_own_ring);
    tcase_add_loop_test(t, a_frame_is_as_long_as_the_mtu_lets_it, 0, 3);
    tcase_add_loop_test(t, a_rate_holds_within_3_percent, 0, 2);
    tcase_add_test(t, senders_share_a_link_by_weight);
    tcase_add_loop_test(t, who_reaches_whom_is_as_the_scenario_says, 0, COUNT(worlds));
    tcase_add_test(t, a_send_without_a_way_takes_a_second);
    tcase_add_test(t, who_starts_later_takes_no_frames_before);
    suite_add_tcase(s, t);
    return s;
}
