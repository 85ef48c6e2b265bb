// SPDX-License-Identifier: GPL-3.0-or-later
/* Networks of real guests when something breaks or lies: a switch that is no more, a receiver that is killed,
 * a guest that fills its NIC's ring with nonsense. Who has nothing to do with it does not notice, and every
 * run comes to its end. */
#include <pthread.h>
#include <signal.h>

#include "wired.h"

Suite *netfail_suite(void);

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
        if (ticks < 8 || procs_named(k->name, getpid(), pids, LAB_VMS) <= (int)k->which) continue;
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
    struct wired *w = busy_net(2200 * MS);
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
    struct wired *w = busy_net(1600 * MS);
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
    struct wired *w = busy_net(1600 * MS);
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

Suite *netfail_suite(void)
{
    Suite *s = suite_create("netfail");
    if (!lab_usable("netfail")) return s;
    TCase *t = tcase_create("netfail");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, without_its_switch_a_run_comes_to_its_end);
    tcase_add_test(t, a_stopped_switch_is_silence);
    tcase_add_test(t, a_killed_receiver_holds_nobody_up);
    tcase_add_loop_test(t, a_hostile_nic_disturbs_nobody, 0, COUNT(hostiles));
    suite_add_tcase(s, t);
    return s;
}
