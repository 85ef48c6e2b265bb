// SPDX-License-Identifier: GPL-3.0-or-later
/* Disks: the simulator's requests on real files, shared as its policies say; datastores that misbehave. */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "disk_lab.h"
#include "kvm/store/inner.h"
#include "tests/often.h"

Suite *disk_suite(void);

static const char *const schedulers[] = {"rr", "eevdf"};

/* --- the same work as in the simulator --- */

/* Steps of every kind, a count as end. */
#define MIXED                                                                                                \
    "steps: [{cpu: 20us}, {disk: {read: 4KiB}}, {disk: {write: 12KiB, pattern: sequential}, probability: "   \
    "0.5}, "                                                                                                 \
    "{disk: {write: 1000B, flush: true}, probability: 0.1}, {disk: {trim: 64KiB}, probability: 0.1}, "       \
    "{disk: {read: 3MiB}, probability: 0.02}]"

static const struct same {
    const char *scheduler, *vms;
} sames[] = {
    {"rr",
     "  - {name: a, host: h1, disk: {on: d0, size: 64MiB, used: 1MiB, provision: thick}, workload: {kind: "
     "loop, threads: 5, until: 300, " MIXED "}}\n"},
    {"eevdf",
     "  - {name: a, host: h1, disk: {on: d0}, workload: {kind: loop, threads: 5, until: 300, " MIXED "}}\n"},
    {"rr", "  - {name: a, host: h1, mode: paravirtual, guest: modified, vcpus: 2, disk: [{on: d0, size: "
           "8MiB}, {on: d0}], workload: "
           "{kind: loop, threads: 2, until: 200, " MIXED "}}\n"},
    {"rr",
     "  - {name: a, host: h1, disk: {on: d0}, workload: {kind: requests, threads: 3, arrivals: {poisson: "
     "1000/s}, until: 300, " MIXED "}}\n"},
    /* A word a time: 50 ms for 4 KiB here. */
    {"rr",
     "  - {name: a, host: h1, mode: emulation, disk: {on: d0, size: 1MiB}, workload: {kind: loop, threads: "
     "3, until: 12, steps: [{cpu: 10us}, {disk: {write: 64B}}, {disk: {read: 512B}}, {disk: {trim: 4KiB}}, "
     "{disk: {read: 7B, pattern: sequential}}]}}\n"},
    {"eevdf", "  - {name: a, host: h1, mode: emulation, disk: {on: d0, size: 1MiB}, workload: {kind: loop, "
              "threads: 12, until: 24, steps: [{cpu: 10us}, {disk: {read: 64B}}]}}\n"},
};

START_TEST(work_is_the_simulators)
{
    struct disk_lab *l = disk_lab_new("1500ms", sames[_i].scheduler, "", sames[_i].vms);
    disk_lab_sim(l);
    struct disk_seen sim = l->vm[0];
    ck_assert_uint_eq(sim.until, 1);
    disk_lab_kvm_well(l);
    ck_assert_ptr_null(l->rep.ends[0]);
    ck_assert_uint_eq(l->rep.io_failed[0], 0);
    ck_assert_uint_eq(l->vm[0].until, 1);
    ck_assert_uint_eq(l->rep.checksum[0], l->sim_checksum[0]);
    ck_assert_uint_eq(l->vm[0].ops, sim.ops);
    ck_assert_int_eq(l->vm[0].bytes, sim.bytes);
    ck_assert_int_eq(l->vm[0].queue, 0);
    if (sames[_i].scheduler[0] == 'r' && strstr(sames[_i].vms, "thick"))
        ck_assert_int_ge(l->vm[0].allocated, 60 << 20);
    bool pio = strstr(sames[_i].vms, "emulation") != NULL;
    if (!pio) ck_assert_int_gt(l->vm[0].state_ns[VCPU_DISKWAIT], 0);
    ck_assert_int_eq(l->vm[0].exits[OP_DOORBELL] == 0, pio);
    /* Each word, and seven ports and one look or more for each request. */
    if (pio) ck_assert_int_ge(l->vm[0].exits[OP_IO_PORT], l->vm[0].bytes / 2);
    disk_lab_free(l);
}
END_TEST

/* Where there is no io_uring it is the same, by threads. */
START_TEST(threads_do_what_the_ring_does)
{
    struct disk_lab *l = disk_lab_new("1500ms", schedulers[_i], "", sames[_i].vms);
    disk_lab_sim(l);
    uint64_t ops = l->vm[0].ops;
    l->faults.no_uring = 1;
    disk_lab_kvm_well(l);
    ck_assert_uint_eq(l->rep.io_failed[0], 0);
    ck_assert_uint_eq(l->vm[0].until, 1);
    ck_assert_uint_eq(l->rep.checksum[0], l->sim_checksum[0]);
    ck_assert_uint_eq(l->vm[0].ops, ops);
    disk_lab_free(l);
}
END_TEST

/* A disk larger than this machine's is as good as any other, and the user is told. */
START_TEST(a_disk_that_does_not_fit_is_sparse)
{
    struct statvfs fs;
    struct disk_lab *l = disk_lab_new("2s", "rr", "",
                                      "  - {name: a, host: h1, disk: {on: d0, size: 7TiB}, workload: {kind: "
                                      "loop, threads: 2, until: 50, steps: "
                                      "[{cpu: 10us}, {disk: {write: 4KiB}}, {disk: {read: 4KiB}}]}}\n");
    disk_lab_sim(l);
    disk_lab_kvm_well(l);
    ck_assert_uint_eq(l->rep.checksum[0], l->sim_checksum[0]);
    ck_assert_uint_eq(l->rep.io_failed[0], 0);
    const char *dir = getenv("TMPDIR");
    ck_assert_int_eq(statvfs(dir && dir[0] == '/' ? dir : "/tmp", &fs), 0);
    bool fits = (double)fs.f_bavail * (double)fs.f_frsize / 2 >= 7.0 * 1024 * 1024 * 1024 * 1024;
    ck_assert(fits || (l->rep.note && strstr(l->rep.note, "does not fit")));
    ck_assert_int_le(l->vm[0].allocated, fits ? INT64_MAX : 50 * 65536);
    disk_lab_free(l);
}
END_TEST

/* --- how it is shared --- */

#define READERS "workload: {kind: loop, threads: 16, steps: [{cpu: 10us}, {disk: {read: 4KiB}}]}"

static const struct split {
    const char *disk, *a, *b;
    double share; /* of the first, in percent */
} splits[] = {
    {", iops: 1000/s, queue: fair", "weight: 1000", "weight: 1000", 50},
    {", iops: 1000/s, queue: fair", "weight: 3000", "weight: 1000", 75},
    {", bandwidth: 4MB/s, queue: fair", "weight: 1000", "weight: 4000", 20},
    {", iops: 800/s, queue: mclock", "weight: 1000, reservation: 600/s", "weight: 4000", 75},
    {", iops: 1000/s, queue: fair", "limit: 200/s", "size: 1GiB", 20},
};

START_TEST(a_disk_is_split_as_its_policy_says)
{
    const struct split *x = &splits[_i];
    char vms[1024];
    snprintf(vms, sizeof vms,
             "  - {name: a, host: h1, disk: {on: d0, %s}, " READERS "}\n"
             "  - {name: b, host: h1, disk: {on: d0, %s}, " READERS "}\n",
             x->a, x->b);
    struct disk_lab *l = disk_lab_new("1s", schedulers[_i % 2], x->disk, vms);
    disk_lab_sim(l);
    double sim = (double)l->dev.ops, sim_share = 100.0 * (double)l->vm[0].ops / sim;
    ck_assert_double_eq_tol(sim_share, x->share, 1.5);
    disk_lab_kvm_well(l);
    double share = 100.0 * (double)l->vm[0].ops / (double)l->dev.ops;
    ck_assert_msg(fabs(share - sim_share) <= 3, "%.2f %% of it, %.2f %% in the simulator", share, sim_share);
    ck_assert_msg(fabs((double)l->dev.ops / sim - 1) <= 0.12, "%ju requests, %.0f in the simulator",
                  l->dev.ops, sim);
    /* Closed loops on a full disk: their latency is their number over the rate. */
    disk_lab_free(l);
}
END_TEST

/* One reader at a time: the disk's latency is what each waits. */
START_TEST(latency_is_what_the_disk_takes)
{
    struct disk_lab *l = disk_lab_new("1s", schedulers[_i], ", iops: 500/s, latency: 3ms",
                                      "  - {name: a, host: h1, disk: d0, workload: {kind: loop, threads: 1, "
                                      "steps: [{cpu: 10us}, {disk: {read: "
                                      "4KiB}}]}}\n");
    disk_lab_sim(l);
    double sim = (double)l->vm[0].latency_ns / (double)l->vm[0].done, sim_ops = (double)l->vm[0].ops;
    ck_assert_double_eq_tol(sim / 1e6, 5, 0.01); /* 2 ms of server, 3 ms of latency */
    disk_lab_kvm_well(l);
    double kvm = (double)l->vm[0].latency_ns / (double)l->vm[0].done;
    ck_assert_msg(fabs(kvm / sim - 1) <= 0.12, "%.3f ms, %.3f in the simulator", kvm / 1e6, sim / 1e6);
    ck_assert_double_ge((double)l->vm[0].ops, 0.88 * sim_ops);
    /* It waits for its disk, nearly all the time: woken by the answer, not at some deadline. */
    ck_assert_int_gt(l->vm[0].state_ns[VCPU_DISKWAIT], 900000000);
    disk_lab_free(l);
}
END_TEST

/* --- what goes wrong --- */

START_TEST(faults_fall_where_the_plan_says)
{
    struct disk_lab *l = disk_lab_new("3s", schedulers[_i], "",
                                      "  - {name: a, host: h1, disk: d0, workload: {kind: loop, threads: 4, "
                                      "until: 400, steps: [{cpu: 10us}, {disk: "
                                      "{write: 4KiB}}]}}\n");
    l->faults = (struct store_faults){.seed = 7, .eio = UINT32_MAX / 10, .enospc = UINT32_MAX / 20};
    uint64_t planned = 0;
    int64_t longer;
    for (uint64_t i = 0; i < 400; i++)
        planned += faults_draw(&l->faults, 0, i, true, &longer) != ABI_DONE;
    ck_assert_uint_gt(planned, 30);
    disk_lab_kvm_well(l);
    ck_assert_uint_eq(l->rep.io_failed[0], planned);
    ck_assert_uint_eq(l->vm[0].until, 1); /* the guest goes on */
    ck_assert_int_eq(l->vm[0].bytes, (int64_t)(400 - planned) * 4096);
    disk_lab_free(l);
}
END_TEST

START_TEST(slow_ones_are_slow_and_a_stall_passes)
{
    struct disk_lab *l = disk_lab_new("1200ms", schedulers[_i], "",
                                      "  - {name: a, host: h1, disk: d0, workload: {kind: loop, threads: 4, "
                                      "steps: [{cpu: 100us}, {disk: {read: "
                                      "4KiB}}]}}\n");
    l->faults = (struct store_faults){.seed = 7,
                                      .slow = UINT32_MAX,
                                      .slow_ns = 5000000,
                                      .stall_from_ns = 300000000,
                                      .stall_for_ns = 400000000};
    disk_lab_kvm_well(l);
    ck_assert_uint_eq(l->rep.io_failed[0], 0);
    ck_assert_int_ge(l->vm[0].latency_ns / (int64_t)l->vm[0].done, 5000000);
    ck_assert_int_ge(l->vm[0].gap_ns, 390000000);
    ck_assert_int_ge(l->vm[0].last_ns, 1100000000); /* it goes on after */
    disk_lab_free(l);
}
END_TEST

struct killer {
    const char *name;
    int signal, after_ms;
    pid_t runner;
    bool done;
};

/* Sends the signal to the runner's first process of that name, once its VMs are at work. */
static void *kill_it(void *arg)
{
    struct killer *k = arg;
    pid_t pids[4];
    int all = strcmp(k->name, "vlab-vmm") == 0 ? 2 : 1;
    for (int i = 0; i < 500 && procs_named(k->name, k->runner, pids, 4) < all; i++)
        usleep(10000);
    usleep((useconds_t)k->after_ms * 1000);
    int n = procs_named(k->name, k->runner, pids, 4);
    k->done = n > 0 && kill(pids[0], k->signal) == 0;
    return NULL;
}

#define TWO_VMS                                                                                              \
    "  - {name: a, host: h1, disk: d0, workload: {kind: loop, threads: 8, steps: [{cpu: 100us}, {disk: "     \
    "{read: "                                                                                                \
    "4KiB}}]}}\n"                                                                                            \
    "  - {name: b, host: h1, disk: d0, workload: {kind: loop, threads: 8, steps: [{cpu: 100us}, {disk: "     \
    "{read: "                                                                                                \
    "4KiB}}]}}\n"

static const struct lost {
    int signal;
    const char *duration;
} losses[] = {{SIGKILL, "1s"}, {SIGKILL, "1s"}, {SIGSTOP, "5s"}};

START_TEST(without_its_datastore_a_vm_sees_errors_and_nobody_hangs)
{
    const struct lost *x = &losses[_i];
    struct disk_lab *l =
        disk_lab_new(x->duration, schedulers[_i % 2], ", iops: 1000/s, queue: fair", TWO_VMS);
    struct killer k = {"vlab-store", x->signal, 600, getpid(), false};
    pthread_t t;
    ck_assert_int_eq(pthread_create(&t, NULL, kill_it, &k), 0);
    disk_lab_kvm_well(l);
    pthread_join(t, NULL);
    ck_assert(k.done);
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_null(l->rep.ends[i]);
        ck_assert_uint_ge(l->rep.io_failed[i], 8);
        ck_assert_uint_gt(l->vm[i].work, 0);
        /* All that were under way and all after failed at once: the guest worked on. */
        ck_assert_int_ge(l->vm[i].last_ns, l->sc->run.duration_ns - 50000000);
    }
    ck_assert_uint_eq(l->dev.fails, x->signal == SIGKILL);
    ck_assert_int_eq(procs_named("vlab-store", getpid(), NULL, 0), 0);
    disk_lab_free(l);
}
END_TEST

START_TEST(a_killed_vm_leaves_the_disk_to_others)
{
    struct disk_lab *l = disk_lab_new("1500ms", schedulers[_i], ", iops: 1000/s, queue: fair", TWO_VMS);
    struct killer k = {"vlab-vmm", SIGKILL, 600, getpid(), false};
    pthread_t t;
    ck_assert_int_eq(pthread_create(&t, NULL, kill_it, &k), 0);
    disk_lab_kvm_well(l);
    pthread_join(t, NULL);
    ck_assert(k.done);
    int dead = l->rep.ends[0] ? 0 : 1, alive = 1 - dead;
    ck_assert_ptr_nonnull(l->rep.ends[dead]);
    ck_assert_ptr_null(l->rep.ends[alive]);
    ck_assert_uint_gt(l->dev.forgotten, 0);
    ck_assert_uint_le(l->dev.forgotten, 8);
    ck_assert_int_eq(l->vm[dead].queue, 0);
    ck_assert_uint_eq(l->rep.io_failed[alive], 0);
    /* What is left has the disk alone. */
    ck_assert_uint_gt(l->vm[alive].ops, l->vm[dead].ops + 200);
    disk_lab_free(l);
}
END_TEST

/* --- what a datastore may --- */

struct looked {
    pid_t runner;
    int n;           /* threads seen */
    char wrong[256]; /* what was not as it should be */
};

static void look_at(struct looked *x, const char *dir)
{
    static const char *const want[] = {
#ifndef SANITIZED
        "Seccomp:\t2\n",
#endif
        "NoNewPrivs:\t1\n", "CapEff:\t0000000000000000\n", "CapBnd:\t0000000000000000\n"};
    const int n_want = (int)(sizeof want / sizeof *want) - (geteuid() != 0);
    char path[400], text[8192];
    snprintf(path, sizeof path, "%s/status", dir);
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f) fclose(f);
    text[n] = 0;
    x->n++;
    /* Only who is root can give up what a process may be bounded to. */
    for (int i = 0; i < n_want; i++)
        if (!strstr(text, want[i])) snprintf(x->wrong, sizeof x->wrong, "%.100s: not %.60s", dir, want[i]);
}

static void *look(void *arg)
{
    struct looked *x = arg;
    pid_t store, vmms[2];
    if (!procs_wait_running(x->runner, 2, vmms)) return NULL;
    if (procs_named("vlab-store", x->runner, &store, 1) != 1) return NULL;
    char dir[64], path[400];
    snprintf(dir, sizeof dir, "/proc/%d/task", (int)store);
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.' || strncmp(e->d_name, "iou", 3) == 0) continue;
        snprintf(path, sizeof path, "%s/%.20s", dir, e->d_name);
        look_at(x, path);
    }
    if (d) closedir(d);
    return NULL;
}

START_TEST(a_datastore_is_confined)
{
    struct disk_lab *l = disk_lab_new("1500ms", "rr", "", TWO_VMS);
    struct looked x = {.runner = getpid()};
    pthread_t t;
    l->faults.no_uring = (uint32_t)_i;
    ck_assert_int_eq(pthread_create(&t, NULL, look, &x), 0);
    disk_lab_kvm_well(l);
    pthread_join(t, NULL);
    ck_assert_msg(x.wrong[0] == 0, "%s", x.wrong);
    ck_assert_int_ge(x.n, _i ? 9 : 1); /* its threads too */
    disk_lab_free(l);
}
END_TEST

/* Its runner is killed: it goes too, and its file was gone all along. */
START_TEST(a_datastore_dies_with_its_runner)
{
    pid_t runner = fork(), store = 0;
    if (runner == 0) {
        struct disk_lab *l = disk_lab_new("20s", "rr", "", TWO_VMS);
        char *why;
        _exit(disk_lab_kvm(l, &why) == KVM_OK);
    }
    pid_t vmms[2];
    bool running = procs_wait_running(runner, 2, vmms);
    int n = procs_named("vlab-store", runner, &store, 1);
    kill(runner, SIGKILL);
    waitpid(runner, NULL, 0);
    ck_assert(running);
    ck_assert_int_eq(n, 1);
    for (int i = 0; i < 500 && kill(store, 0) == 0; i++)
        usleep(10000);
    ck_assert_int_ne(kill(store, 0), 0);
}
END_TEST

static TCase *new_case(Suite *s, const char *name)
{
    TCase *t = tcase_create(name);
    tcase_set_timeout(t, 30);
    suite_add_tcase(s, t);
    return t;
}

Suite *disk_suite(void)
{
    Suite *s = suite_create("disk");
    if (!lab_usable("disk")) return s;
    TCase *t = new_case(s, "work");
    tcase_add_loop_test(t, work_is_the_simulators, 0, (int)(sizeof sames / sizeof *sames));
    tcase_add_loop_test(t, threads_do_what_the_ring_does, 0, 2);
    tcase_add_test(t, a_disk_that_does_not_fit_is_sparse);
    t = new_case(s, "share");
    tcase_add_loop_test(t, a_disk_is_split_as_its_policy_says, 0, (int)(sizeof splits / sizeof *splits));
    tcase_add_loop_test(t, latency_is_what_the_disk_takes, 0, 2);
    t = new_case(s, "faults");
    tcase_add_loop_test(t, faults_fall_where_the_plan_says, 0, 2);
    tcase_add_loop_test(t, slow_ones_are_slow_and_a_stall_passes, 0, 2);
    t = new_case(s, "lost");
    tcase_add_loop_test(t, without_its_datastore_a_vm_sees_errors_and_nobody_hangs, 0, 3);
    tcase_add_loop_test(t, a_killed_vm_leaves_the_disk_to_others, 0, 2);
    tcase_add_loop_test(t, a_datastore_is_confined, 0, 2);
    tcase_add_test(t, a_datastore_dies_with_its_runner);
    return s;
}
