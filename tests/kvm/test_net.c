// SPDX-License-Identifier: GPL-3.0-or-later
/* Networks of real guests: frames through ring, VMM and switch, counted as the simulator counts them. */
#include <pthread.h>
#include <signal.h>

#include "kvm/net.h"
#include "procs.h"
#include "scenario/reach.h"

Suite *net_suite(void);

#define MS     INT64_C(1000000)
#define ALWAYS .probability = UINT32_MAX
#define SEND(n, whom)                                                                                        \
    {                                                                                                        \
        .kind = STEP_NET, .how = PROG_SEND, .target = (whom), ALWAYS, .amount = {                            \
            .kind = DIST_CONST,                                                                              \
            .a = (n)                                                                                         \
        }                                                                                                    \
    }
#define RECEIVE(n)                                                                                           \
    {                                                                                                        \
        .kind = STEP_NET, .how = PROG_RECEIVE, ALWAYS, .amount = {.kind = DIST_CONST, .a = (n) }             \
    }
#define WORK(ns)                                                                                             \
    {                                                                                                        \
        .kind = STEP_CPU, ALWAYS, .amount = {.kind = DIST_EXPONENTIAL, .a = (ns) }                           \
    }
#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { FRAMES, BYTES, WIRE, DROPS, N_COUNTS };

/* A lab whose VMs are on one network of host h1, by its one NIC; two peers, on it and outside. */
struct wired {
    struct lab *l;
    struct sc_nic nic;
    struct sc_network network;
    struct sc_peer peers[2];
    uint32_t nic_index[1];
    uint32_t hosts[1];
    int64_t vm[LAB_VMS][N_COUNTS], dev[4][N_COUNTS]; /* NIC, network, peers */
    uint64_t n_refused[LAB_VMS], refused_why[LAB_VMS];
    int64_t refused[LAB_VMS];
    uint64_t failed; /* of the network: events */
};

static void read_net(void *ctx, const struct rec *r, size_t n)
{
    struct wired *w = ctx;
    for (size_t i = 0; i < n; i++) {
        int which = r[i].cause - REC_N_NET_FRAMES;
        bool count = r[i].kind == REC_COUNT && which >= 0 && which < N_COUNTS;
        if (count && r[i].pcpu == REC_DEV && r[i].host < 4) w->dev[r[i].host][which] += r[i].value;
        if (count && r[i].vm < LAB_VMS) w->vm[r[i].vm][which] += r[i].value;
        if (r[i].kind != REC_EVENT) continue;
        w->failed += r[i].cause == REC_EV_FAILED && r[i].pcpu == REC_DEV && r[i].host == 1;
        if (r[i].cause != REC_EV_REFUSED || r[i].vm >= LAB_VMS) continue;
        w->n_refused[r[i].vm]++;
        w->refused[r[i].vm] += r[i].value;
        w->refused_why[r[i].vm] |= UINT64_C(1) << r[i].to;
    }
}

static struct wired *wired_new(enum sc_net_kind kind, uint32_t cores, uint32_t n, int64_t duration_ns)
{
    struct wired *w = calloc(1, sizeof *w);
    struct lab *l = w->l = lab_new("rr", cores, n, duration_ns);
    w->nic = (struct sc_nic){.name = "eth0", .mtu = 1500, .rx_queue = 256};
    w->network = (struct sc_network){.name = "lan",
                                     .kind = (uint8_t)kind,
                                     .nics = w->nic_index,
                                     .n_nics = kind != SC_NET_HOST_ONLY,
                                     .hosts = w->hosts,
                                     .n_hosts = 1,
                                     .up = SC_NONE,
                                     .ports = 64000,
                                     .hold_ns = INT64_C(60000000000)};
    w->peers[0] = (struct sc_peer){.name = "near", .network = kind == SC_NET_HOST_ONLY ? SC_NONE : 0};
    w->peers[1] = (struct sc_peer){.name = "far", .network = SC_NONE};
    l->sc.nics = &w->nic;
    l->sc.n_nics = 1;
    l->sc.networks = &w->network;
    l->sc.n_networks = 1;
    l->sc.peers = w->peers;
    l->sc.n_peers = 2;
    for (uint32_t i = 0; i < n; i++) {
        l->vms[i].network = 0;
        l->vms[i].net_weight = 1000;
    }
    l->also = (struct rec_reader){read_net, w, UINT32_MAX};
    return w;
}

static void wired_run(struct wired *w)
{
    lab_run_well(w->l);
}

static void wired_free(struct wired *w)
{
    lab_free(w->l);
    free(w);
}

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
        ck_assert_double_le(now, 1.03);
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
        wired_new(worlds[_i].kind, 2, 2, worlds[_i].kind == SC_NET_HOST_ONLY ? 2300 * MS : 300 * MS);
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
    struct wired *w = wired_new(SC_NET_HOST_ONLY, 1, 1, 2500 * MS);
    lab_set_prog(w->l, 0, out, 1);
    wired_run(w);
    ck_assert_uint_eq(w->n_refused[0], 3);
    ck_assert_uint_eq(w->l->seen[0].n[REC_WORK], 2);
    ck_assert_int_ge(w->l->seen[0].work_ns[0], 1000 * MS);
    ck_assert_int_lt(w->l->seen[0].work_ns[0], 1100 * MS);
    ck_assert_int_gt(w->l->seen[0].state_ns[VCPU_NETWAIT], 2300 * MS);
    wired_free(w);
}
END_TEST

/* --- what breaks --- */

struct killer {
    const char *name;
    uint32_t which;
    int signal;
    bool done;
};

/* When one of the VMMs has been at work for a while. */
static void *kill_later(void *arg)
{
    struct killer *k = arg;
    pid_t pids[LAB_VMS], vmms[LAB_VMS];
    for (int i = 0; i < 1000 && !k->done; i++, usleep(10000)) {
        int n = procs_vmms(getpid(), vmms, LAB_VMS);
        long ticks = 0;
        for (int v = 0; v < n; v++)
            ticks += procs_ticks(vmms[v]);
        if (ticks < 15 || procs_named(k->name, getpid(), pids, LAB_VMS) <= (int)k->which) continue;
        k->done = kill(pids[k->which], k->signal) == 0;
    }
    return NULL;
}

/* v0 sends to v1 as long as it can; v2 works. */
static struct wired *busy_net(int64_t duration_ns)
{
    const struct step send[] = {SEND(20000, 1), WORK(200000)}, take[] = {RECEIVE(14), WORK(1000)},
                      work[] = {WORK(1000000)};
    struct wired *w = wired_new(SC_NET_HOST_ONLY, 2, 3, duration_ns);
    w->network.bandwidth_bps = 50000000;
    lab_set_prog(w->l, 0, send, COUNT(send));
    lab_set_prog(w->l, 1, take, COUNT(take));
    lab_set_prog(w->l, 2, work, COUNT(work));
    return w;
}

START_TEST(without_its_switch_a_run_comes_to_its_end)
{
    struct killer k = {"vlab-switch", 0, SIGKILL, false};
    struct wired *w = busy_net(2500 * MS);
    pthread_t t;
    pthread_create(&t, NULL, kill_later, &k);
    int64_t from = host_now();
    wired_run(w);
    ck_assert_int_lt(host_now() - from, 6000 * MS);
    pthread_join(t, NULL);
    ck_assert(k.done);
    ck_assert_uint_eq(w->failed, 1);
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t n = w->l->seen[i].n[REC_WORK];
        ck_assert_ptr_null(w->l->rep.ends[i]);
        ck_assert_uint_gt(n, 0);
        ck_assert_uint_eq(w->l->rep.checksum[i], lab_expected(w->l, i, 0, n));
    }
    ck_assert_uint_gt(w->n_refused[0], 0); /* who sends sees it, each time anew; who receives, silence */
    ck_assert_uint_eq(w->refused_why[0], UINT64_C(1) << REC_WHY_LINK);
    ck_assert_uint_eq(w->n_refused[1], 0);
    ck_assert_int_eq(procs_named("vlab-switch", getpid(), NULL, 0), 0);
    wired_free(w);
}
END_TEST

START_TEST(a_stopped_switch_is_silence)
{
    struct killer k = {"vlab-switch", 0, SIGSTOP, false};
    struct wired *w = busy_net(1000 * MS);
    pthread_t t;
    pthread_create(&t, NULL, kill_later, &k);
    int64_t from = host_now();
    wired_run(w);
    ck_assert_int_lt(host_now() - from, 5000 * MS);
    pthread_join(t, NULL);
    ck_assert(k.done);
    uint64_t n = w->l->seen[2].n[REC_WORK];
    ck_assert_uint_eq(w->l->rep.checksum[2], lab_expected(w->l, 2, 0, n));
    ck_assert_int_eq(procs_named("vlab-switch", getpid(), NULL, 0), 0);
    wired_free(w);
}
END_TEST

START_TEST(a_killed_receiver_holds_nobody_up)
{
    struct wired *w = busy_net(1000 * MS);
    /* VMMs are listed by process id; any of them may be it. */
    struct killer k = {"vlab-vmm", 1, SIGKILL, false};
    pthread_t t;
    pthread_create(&t, NULL, kill_later, &k);
    wired_run(w);
    pthread_join(t, NULL);
    ck_assert(k.done);
    uint32_t down = 0, alive = 0;
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t n = w->l->seen[i].n[REC_WORK];
        if (w->l->rep.ends[i])
            down++;
        else if (++alive)
            ck_assert_uint_eq(w->l->rep.checksum[i], lab_expected(w->l, i, 0, n));
    }
    ck_assert_uint_eq(down, 1);
    if (w->l->rep.ends[1]) { /* what is sent to it is lost there, and goes on being sent */
        ck_assert_int_gt(w->vm[1][DROPS], 0);
        ck_assert_uint_gt(w->l->seen[0].n[REC_WORK], 40);
    }
    ck_assert_uint_eq(w->n_refused[0], 0);
    wired_free(w);
}
END_TEST

/* --- hostile guests --- */

static int open_guest(const char *name)
{
    char path[4096], file[64];
    snprintf(file, sizeof file, "guests/%s.elf", name);
    int fd = open(lab_beside(path, sizeof path, file), O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0, "%s is not there", path);
    return fd;
}

static const struct {
    const char *name, *line;
} hostiles[] = {
    {"nic_window", "it broke the rules: a request's buffer lies outside its window"},
    {"nic_wrap", "it broke the rules: a request's buffer lies outside its window"},
    {"nic_other", "it broke the rules: a request names another device's window"},
    {"nic_count", "it broke the rules: a ring's count of requests went back, or past its room"},
    {"nic_garbage", "still ran after the end"},
};

/* v0 is hostile; v1 and v2 play ping-pong on the same network, to the end of their count. */
START_TEST(a_hostile_nic_disturbs_nobody)
{
    const struct step a[] = {SEND(5000, 2), RECEIVE(1)}, b[] = {RECEIVE(4), SEND(100, 1)};
    struct wired *w = wired_new(SC_NET_HOST_ONLY, 2, 3, 500 * MS);
    w->l->payloads[0] = open_guest(hostiles[_i].name);
    lab_set_prog(w->l, 1, a, COUNT(a));
    lab_set_prog(w->l, 2, b, COUNT(b));
    w->l->vms[1].work.until = w->l->vms[2].work.until = 20;
    wired_run(w);
    const char *line = w->l->rep.ends[0];
    ck_assert_msg(line && strstr(line, hostiles[_i].line), "%s: %s", hostiles[_i].name,
                  line ? line : "no end");
    for (uint32_t i = 1; i < 3; i++) {
        ck_assert_ptr_null(w->l->rep.ends[i]);
        ck_assert_uint_eq(w->l->seen[i].n[REC_WORK], 20);
        ck_assert_uint_eq(w->l->rep.checksum[i], lab_expected(w->l, i, 0, 20));
        ck_assert_int_eq(w->vm[i][FRAMES], 20 * 5);
        ck_assert_int_eq(w->vm[i][DROPS], 0);
    }
    ck_assert_int_eq(w->vm[0][FRAMES], 0); /* nothing of it was a frame that it may send */
    if (strcmp(hostiles[_i].name, "nic_garbage") == 0) ck_assert_int_gt(w->vm[0][DROPS], 0);
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
    tcase_add_loop_test(t, a_rate_holds_within_3_percent, 0, 2);
    tcase_add_test(t, senders_share_a_link_by_weight);
    tcase_add_loop_test(t, who_reaches_whom_is_as_the_scenario_says, 0, COUNT(worlds));
    tcase_add_test(t, a_send_without_a_way_takes_a_second);
    tcase_add_test(t, without_its_switch_a_run_comes_to_its_end);
    tcase_add_test(t, a_stopped_switch_is_silence);
    tcase_add_test(t, a_killed_receiver_holds_nobody_up);
    tcase_add_loop_test(t, a_hostile_nic_disturbs_nobody, 0, COUNT(hostiles));
    suite_add_tcase(s, t);
    return s;
}
