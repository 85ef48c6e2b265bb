// SPDX-License-Identifier: GPL-3.0-or-later
/* vlab-switch as a process, over its ports' sockets, on the real clock: no KVM is needed. What needs a
 * namespace says so where there is none to be had. */
#include <signal.h>
#include <sys/wait.h>

#include "tests/often.h"
#include "tests/unit/nics.h"

Suite *switch_suite(void);

START_TEST(frames_find_their_way_and_senders_are_told)
{
    struct net_cfg cfg = frames_cfg(3, true);
    struct netproc p;
    start(&p, &cfg);
    struct nic n[3] = {nic_of(&p, 0), nic_of(&p, 1), nic_of(&p, 2)};
    uint8_t f[2048];
    ck_assert(put(&n[0], f, frames_between(f, 2, 1, 100, 1)));
    take_until(&n[1], 1, 2000 * MS);
    take_until(&n[2], 1, 2000 * MS);
    take_left(&n[0], 1);
    ck_assert(put(&n[1], f, frames_between(f, 1, 2, 1448, 2)));
    take_until(&n[0], 1, 2000 * MS);
    ck_assert_uint_eq(n[0].last_number, 2);
    take_left(&n[1], 1);
    take(&n[2]);
    ck_assert_uint_eq(n[2].got, 1);
    ck_assert_uint_eq(p.ctl->flooded, 1);
    ck_assert_uint_eq(p.ctl->got[0].bytes, 1448);
    ck_assert_uint_eq(p.ctl->sent[1].wire, 1448 + 66 + 24);
    /* Nonsense on the socket: counted, and nothing else comes of it. */
    ck_assert_int_eq(send(n[2].fd, "x", 1, 0), 1);
    ck_assert_int_eq(send(n[2].fd, f, 1000, 0), 1000);
    memset(f, 0, sizeof f);
    f[0] = NET_FRAME;
    ck_assert_int_eq(send(n[2].fd, f, sizeof f, 0), sizeof f);
    take_left(&n[2], 1);
    ck_assert_uint_eq(p.ctl->bad, 3);
    ck_assert(put(&n[0], f, frames_between(f, 2, 1, 10, 3)));
    take_until(&n[1], 2, 2000 * MS);
    netproc_stop(&p);
}
END_TEST

/* So many frames, as fast as the window lets it; the time until the last has left. */
static int64_t pump(struct nic *from, struct nic *to, uint8_t a, uint8_t b, uint64_t n)
{
    uint8_t f[2048];
    int64_t began = host_now();
    uint64_t end = from->sent + n;
    while (from->left < end && host_now() < began + 20000 * MS) {
        while (from->sent < end && from->on_way < NET_WINDOW &&
               put(from, f, frames_between(f, b, a, 1448, from->sent))) {
        }
        take(from);
        take(to);
        struct pollfd pf[2] = {{.fd = from->fd, .events = POLLIN}, {.fd = to->fd, .events = POLLIN}};
        poll(pf, 2, 5);
    }
    ck_assert_uint_eq(from->left, end);
    return host_now() - began;
}

START_TEST(a_rate_holds_within_3_percent)
{
    static const int64_t rates[] = {10000000, 100000000, 300000000};
    struct net_cfg cfg = frames_cfg(2, false);
    cfg.fabric.bps = rates[_i];
    struct netproc p;
    start(&p, &cfg);
    struct nic a = nic_of(&p, 0), b = nic_of(&p, 1);
    double best = 0;
    for (int try = 0; try < TRIES && best < .97; try++) {
        uint64_t n = (uint64_t)rates[_i] / (1538 * 8) * 3 / 10; /* of 300 ms */
        best = keep_best(best, n, pump(&a, &b, 1, 2, n), rates[_i]);
    }
    ck_assert_double_ge(best, .97);
    ck_assert_uint_eq(p.ctl->sent[0].drops + p.ctl->got[1].drops, 0); /* who keeps to its window loses none */
    netproc_stop(&p);
}
END_TEST

START_TEST(a_frame_takes_its_latency)
{
    struct net_cfg cfg = frames_cfg(2, false);
    cfg.fabric.latency_ns = 5 * MS;
    struct netproc p;
    start(&p, &cfg);
    struct nic a = nic_of(&p, 0), b = nic_of(&p, 1);
    int64_t least = INT64_MAX;
    uint8_t f[2048];
    for (uint32_t i = 0; i < 15; i++) {
        int64_t from = host_now();
        ck_assert(put(&a, f, frames_between(f, 2, 1, 100, i)));
        take_until(&b, i + 1, 2000 * MS);
        ck_assert_int_ge(b.last_ns - from, 5 * MS);
        if (b.last_ns - from < least) least = b.last_ns - from;
    }
    ck_assert_int_lt(least, 6 * MS); /* the best of 15: what a busy machine adds is not the switch's */
    netproc_stop(&p);
}
END_TEST

START_TEST(loss_comes_by_seed)
{
    uint64_t first[2] = {0};
    for (uint32_t k = 0; k < 2; k++) {
        struct net_cfg cfg = frames_cfg(2, false);
        cfg.loss_ppm = 200000;
        cfg.loss_key = 5;
        struct netproc p;
        start(&p, &cfg);
        struct nic a = nic_of(&p, 0), b = nic_of(&p, 1);
        uint8_t f[2048];
        for (uint32_t i = 0; i < 200; i++) { /* one by one, so each must be told before the next */
            ck_assert(put(&a, f, frames_between(f, 2, 1, 10, i)));
            take_left(&a, i + 1);
            take(&b);
            first[k] = first[k] * 31 + b.got;
        }
        ck_assert_uint_eq(p.ctl->sent[0].drops, 200 - b.got);
        ck_assert_uint_gt(b.got, 130);
        ck_assert_uint_lt(b.got, 190);
        netproc_stop(&p);
    }
    ck_assert_uint_eq(first[0], first[1]);
}
END_TEST

START_TEST(a_partition_cuts_and_heals_while_it_runs)
{
    struct net_cfg cfg = frames_cfg(2, false);
    struct netproc p;
    start(&p, &cfg);
    struct nic a = nic_of(&p, 0), b = nic_of(&p, 1);
    uint8_t f[2048];
    for (uint32_t i = 0; i < 30; i++) {
        __atomic_store_n(&p.ctl->group[1], i / 10 == 1, __ATOMIC_RELAXED);
        ck_assert(put(&a, f, frames_between(f, 2, 1, 10, i)));
        take_left(&a, i + 1);
    }
    take_until(&b, 20, 2000 * MS);
    ck_assert_uint_eq(p.ctl->sent[0].drops, 10);
    netproc_stop(&p);
}
END_TEST

START_TEST(what_passes_after_the_end_is_not_counted)
{
    struct net_cfg cfg = frames_cfg(2, false);
    struct netproc p;
    start(&p, &cfg);
    struct nic a = nic_of(&p, 0), b = nic_of(&p, 1);
    uint8_t f[2048];
    for (uint32_t i = 0; i < 10; i++) {
        if (i == 5) __atomic_store_n(&p.ctl->until_ns, host_now(), __ATOMIC_RELAXED);
        ck_assert(put(&a, f, frames_between(f, 2, 1, 10, i)));
        take_left(&a, i + 1);
    }
    take_until(&b, 10, 2000 * MS);
    ck_assert_uint_eq(p.ctl->sent[0].frames, 5);
    ck_assert_uint_eq(p.ctl->got[1].frames, 5);
    ck_assert_uint_eq(p.ctl->fabric.frames, 5);
    netproc_stop(&p);
}
END_TEST

START_TEST(who_does_not_read_holds_up_only_those_who_send_there)
{
    struct net_cfg cfg = frames_cfg(4, false);
    struct netproc p;
    start(&p, &cfg);
    struct nic n[4];
    for (uint32_t i = 0; i < 4; i++)
        n[i] = nic_of(&p, i);
    uint8_t f[2048];
    /* 1 floods 2, which never reads, and does not mind its window. */
    int64_t until = host_now() + 2000 * MS;
    while (p.ctl->sent[0].drops < 1000 && host_now() < until) {
        (void)put(&n[0], f, frames_between(f, 2, 1, 1448, 0));
        take(&n[0]);
    }
    ck_assert_uint_ge(p.ctl->sent[0].drops, 1000);
    ck_assert(put(&n[2], f, frames_between(f, 4, 3, 10, 4)));
    take_until(&n[3], 1, 2000 * MS);
    /* And when it reads at last, it gets what waited. */
    uint64_t inside = n[0].sent - p.ctl->sent[0].drops - p.ctl->sent[0].frames;
    ck_assert_uint_le(inside, NET_QUEUE + 4096); /* and what is in the socket yet */
    while (take(&n[1]) && n[1].got < p.ctl->sent[0].frames) {
    }
    ck_assert_uint_gt(n[1].got, NET_QUEUE / 2);
    netproc_stop(&p);
}
END_TEST

START_TEST(who_does_not_hear_what_left_is_not_listened_to)
{
    struct net_cfg cfg = frames_cfg(2, false);
    struct netproc p;
    start(&p, &cfg);
    struct nic a = nic_of(&p, 0), b = nic_of(&p, 1);
    uint8_t f[2048];
    /* It never reads; whatever it does, the switch goes on for others. */
    for (uint32_t i = 0; i < 200000; i++)
        if (!put(&a, f, frames_between(f, 9, 1, 10, i))) {
            struct pollfd pf = {.fd = a.fd, .events = POLLOUT};
            if (poll(&pf, 1, 100) == 0) break;
        }
    ck_assert(put(&b, f, frames_between(f, 9, 2, 10, 0)));
    take_left(&b, 1);
    take_left(&a, a.sent); /* none of them is forgotten */
    netproc_stop(&p);
}
END_TEST

START_TEST(a_nic_that_hangs_up_is_forgotten)
{
    struct net_cfg cfg = frames_cfg(2, false);
    struct netproc p;
    start(&p, &cfg);
    struct nic a = nic_of(&p, 0);
    close(p.nic_fd[1]);
    p.nic_fd[1] = -1;
    uint8_t f[2048];
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert(put(&a, f, frames_between(f, 2, 1, 10, i)));
        take_left(&a, i + 1);
    }
    ck_assert_uint_eq(p.ctl->got[1].drops, 3);
    ck_assert(!netproc_gone(&p));
    netproc_hand_over(&p); /* the last one goes: so does the switch */
    for (int i = 0; i < 200 && !netproc_gone(&p); i++)
        host_sleep_until(host_now() + 10 * MS);
    ck_assert(netproc_gone(&p));
    netproc_stop(&p);
}
END_TEST

START_TEST(it_is_gone_with_its_runner)
{
    int pipes[2];
    ck_assert_int_eq(pipe(pipes), 0);
    pid_t runner = fork();
    if (runner == 0) {
        struct net_cfg cfg = frames_cfg(2, false);
        struct netproc p;
        char *why = NULL;
        int ok = netproc_start(&p, "test", &cfg, &why) == 0 && netproc_wait_ready(&p, "test", &why) == 0;
        pid_t it = ok ? p.pid : -1;
        (void)!write(pipes[1], &it, sizeof it);
        raise(SIGKILL);
    }
    pid_t it;
    ck_assert_int_eq(read(pipes[0], &it, sizeof it), sizeof it);
    waitpid(runner, NULL, 0);
    if (it < 0) return; /* no namespaces here: the other tests say so */
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", it);
    for (int i = 0; i < 200; i++) { /* a zombie until init reaps it */
        host_read_line(path, line, sizeof line);
        char *state = strrchr(line, ')');
        if (!state || state[2] == 'Z' || state[2] == 'X') return;
        host_sleep_until(host_now() + 10 * MS);
    }
    ck_abort_msg("it is still there: %s", line);
}
END_TEST

static bool status_has(pid_t pid, const char *line)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "re");
    bool found = false;
    while (f && fgets(text, sizeof text, f))
        found |= strncmp(text, line, strlen(line)) == 0;
    if (f) fclose(f);
    return found;
}

START_TEST(it_has_given_everything_up)
{
    static const uint32_t kinds[] = {NET_NO_UPLINK, NET_SLIRP, NET_BRIDGE};
    struct net_cfg cfg = frames_cfg(2, false);
    cfg.uplink = kinds[_i];
    cfg.gateway = 0x0a000002;
    struct netproc p;
    start(&p, &cfg);
    ck_assert(status_has(p.pid, "NoNewPrivs:\t1"));
#ifndef SANITIZED /* which makes calls of its own */
    ck_assert(status_has(p.pid, "Seccomp:\t2"));
#endif
    ck_assert(status_has(p.pid, "CapEff:\t0000000000000000"));
    ck_assert(status_has(p.pid, "CapPrm:\t0000000000000000"));
    if (geteuid() == 0) ck_assert(status_has(p.pid, "Uid:\t65534\t65534\t65534\t65534"));
    char mine[64], its[64], path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/net", p.pid);
    ssize_t a = readlink("/proc/self/ns/net", mine, sizeof mine), b = readlink(path, its, sizeof its);
    if (a > 0 && b > 0) ck_assert(a != b || memcmp(mine, its, (size_t)a) != 0);
    netproc_stop(&p);
}
END_TEST

START_TEST(what_cannot_be_started_says_why)
{
    struct net_cfg cfg = frames_cfg(2, false);
    struct netproc p;
    char *why = NULL;
    cfg.loss_ppm = 2000000;
    ck_assert_int_eq(netproc_start(&p, "lan", &cfg, &why), 0);
    ck_assert_int_eq(netproc_wait_ready(&p, "lan", &why), -1);
    ck_assert_str_eq(why, "network.lan: its switch cannot start: its configuration: a loss over 1");
    free(why);
    netproc_stop(&p);
}
END_TEST

Suite *switch_suite(void)
{
    Suite *s = suite_create("switch");
    TCase *t = tcase_create("switch");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, frames_find_their_way_and_senders_are_told);
    tcase_add_loop_test(t, a_rate_holds_within_3_percent, 0, 3);
    tcase_add_test(t, a_frame_takes_its_latency);
    tcase_add_test(t, loss_comes_by_seed);
    tcase_add_test(t, a_partition_cuts_and_heals_while_it_runs);
    tcase_add_test(t, what_passes_after_the_end_is_not_counted);
    tcase_add_test(t, who_does_not_read_holds_up_only_those_who_send_there);
    tcase_add_test(t, who_does_not_hear_what_left_is_not_listened_to);
    tcase_add_test(t, a_nic_that_hangs_up_is_forgotten);
    tcase_add_test(t, it_is_gone_with_its_runner);
    tcase_add_loop_test(t, it_has_given_everything_up, 0, 3);
    tcase_add_test(t, what_cannot_be_started_says_why);
    suite_add_tcase(s, t);
    return s;
}
