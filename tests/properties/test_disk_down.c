// SPDX-License-Identifier: GPL-3.0-or-later
/* Disks that fail and come back at any instant, also while they are down already, under every order of
 * service and on every kind of device: nothing is lost, nothing is done twice, and in the end all of it is
 * done. */
#include "model/disk_inner.h"
#include "tests/lifelab.h"
#include "tests/often.h"

#include "base/rng.h"

Suite *disk_down_suite(void);

#define N_FAILURES 9
#define READS      120
#define WRITES     60
#define ROUNDS     40

static const char *const queues[] = {"fifo", "deadline", "fair", "mclock"};
static const char *const models[] = {"iops: 400, bandwidth: 50MB/s, latency: 300us",
                                     "model: ssd, channels: 2, dies: 2, read: 2ms, program: 5ms, erase: 10ms",
                                     "model: hdd, preset: sata7200"};

/* Four that use the disk in ways of their own: readers in parallel, writes that wait for the medium, a page
 * cache, and blocks that come from the pool when they are first written. */
static struct lab *make(const char *queue, const char *model, const char *events)
{
    return lab_open(
        "vlab: 1\nname: t\nrun: {duration: 60s, seed: 1}\nhosts: [{name: h, cpu: {cores: 4}, disks: [{name: "
        "d, "
        "%s, queue: %s, pool: 8GiB, grain: 64KiB}]}]\nvms:\n"
        "- {name: reads, disk: {on: d, size: 1GiB}, workload: {kind: requests, threads: 4, until: {count: "
        "%d}, "
        "arrivals: {poisson: 60/s}, steps: [{disk: {read: 16KiB}}]}}\n"
        "- {name: writes, disk: {on: d, size: 1GiB}, workload: {kind: requests, threads: 1, until: {count: "
        "%d}, arrivals: {poisson: 20/s}, steps: [{cpu: 1ms}, {disk: {write: 8KiB, flush: true}}]}}\n"
        "- {name: caches, disk: {on: d, size: 1GiB, cache: 1MiB}, workload: {until: {count: %d}, steps: "
        "[{disk: {write: 64KiB}}, {disk: {write: 64KiB}}, {cpu: 1ms}, {disk: {write: 4KiB, flush: true}}]}}\n"
        "- {name: grows, disk: {on: d, size: 1GiB, provision: thin}, workload: {until: {count: %d}, steps: "
        "[{disk: {write: 64KiB, pattern: sequential}}, {sleep: 20ms}]}}\n%s",
        model, queue, READS, WRITES, ROUNDS, ROUNDS, events);
}

/* When they fail and for how long, ms. */
static char *draw(struct rng *r, int64_t *longest_ms)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    *longest_ms = 0;
    fprintf(f, "events: [");
    for (int i = 0; i < N_FAILURES; i++) {
        bool pool = i % 3 == 2;
        uint32_t at = 1 + rng_u32(r) % 1500, ms = 1 + rng_u32(r) % (i % 2 ? 30 : 1500);
        fprintf(f, "%s{at: %ums, fail: h/d%s, for: %ums}", i ? ", " : "", at, pool ? "/pool" : "", ms);
        if (!pool && ms > *longest_ms) *longest_ms = ms;
    }
    fprintf(f, "]\n");
    fclose(f);
    return text;
}

static const char *const vms[] = {"vm.reads", "vm.writes", "vm.caches", "vm.grows"};
static const double count[] = {READS, WRITES, ROUNDS, ROUNDS};

START_TEST(nothing_is_lost)
{
    const char *queue = queues[_i % 4], *model = models[_i / 4];
    struct lab *calm = make(queue, model, "");
    lab_run(calm, 1);
    for (uint64_t seed = 1; seed <= (uint64_t)FEWER(20); seed++) {
        struct rng r = rng_at(seed, (uint64_t)_i, 77);
        int64_t longest_ms;
        char *events = draw(&r, &longest_ms);
        struct lab *l = make(queue, model, events);
        life_run(l, 1); /* the disk's books at 200 instants; conservation and Little's law at the end */
        int failed = life_count(l, "host.h.disk.d", "failed"); /* one that is down does not fail again */
        ck_assert(failed > 0 && failed == life_count(l, "host.h.disk.d", "repaired"));
        for (int i = 0; i < 4; i++) {
            ck_assert_msg(life_total(l, vms[i], "work.done") == count[i], "%s %s did %g of %g\n%s", queue,
                          vms[i], life_total(l, vms[i], "work.done"), count[i], events);
            ck_assert(lab_value(l, vms[i], "work.checksum", "total") ==
                      lab_value(calm, vms[i], "work.checksum", "total"));
        }
        for (int i = 0; i < 2; i++) /* no cache between: request for request, byte for byte */
            ck_assert(life_total(l, vms[i], "disk.bytes") == life_total(calm, vms[i], "disk.bytes") &&
                      life_total(l, vms[i], "disk.ops") == life_total(calm, vms[i], "disk.ops"));
        ck_assert(life_total(l, "vm.grows", "disk.bytes") == life_total(calm, "vm.grows", "disk.bytes"));
        /* It was felt: of those that come at 60 a second somebody waited for nearly all of it. */
        ck_assert(lab_value(l, "vm.reads", "latency", "max") > (double)longest_ms / 1e3 - .25);
        free(events);
        lab_close(l);
    }
    lab_close(calm);
}
END_TEST

/* One request on an idle disk, cut off: it goes on where it was, and failures are counted. */
START_TEST(a_request_goes_on_where_it_was)
{
    static const struct {
        const char *events;
        double more;
    } cases[] = {{"", 0},
                 {"events: [{at: 1100ms, fail: h/d, for: 2s}]\n", 2},
                 {"events: [{at: 1100ms, fail: h/d, for: 2s}, {at: 2s, fail: h/d, for: 2s}]\n", 2.9},
                 {"events: [{at: 1100ms, fail: h/d, for: 300ms}, {at: 1450ms, fail: h/d, for: 1s}]\n", 1.3},
                 {"events: [{at: 500ms, fail: h/d, for: 1s}]\n", .5}};
    static const char *const slow[] = {"bandwidth: 1MB/s", "model: ssd, channels: 1, dies: 1, read: 20ms",
                                       "model: hdd, preset: hp97560"};
    double alone = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lab *l = lab_open(
            "vlab: 1\nname: t\nrun: {duration: 60s, seed: 1}\nhosts: [{name: h, disks: [{name: d, %s}]}]\n"
            "vms: [{name: a, disk: {on: d, size: 1GiB}, start: 1s, workload: {until: {count: 1}, steps: "
            "[{disk: {read: 1MiB}}]}}]\n%s",
            slow[_i], cases[i].events);
        life_run(l, 1);
        double took = lab_value(l, "vm.a", "work.time", "total");
        if (i == 0) alone = took;
        ck_assert(alone > .2); /* or it is over before the last failure */
        ck_near(took, alone + cases[i].more, 1e-6);
        lab_close(l);
    }
}
END_TEST

/* A disk is away for a failure of its own and with its host: it is back when both are. 100 reads a second. */
START_TEST(a_disk_is_back_when_all_is)
{
    static const struct {
        const char *events;
        double done;
    } cases[] = {{"{at: 1005ms, fail: h/d, for: 5s}, {at: 2005ms, fail: h, for: 1s}", 100 + 399},
                 {"{at: 2005ms, fail: h, for: 4s}, {at: 3005ms, fail: h/d, for: 1s}", 200 + 399},
                 {"{at: 2005ms, fail: h, for: 2s}, {at: 3005ms, fail: h/d, for: 3s}", 200 + 399},
                 {"{at: 1005ms, fail: h/d, for: 3s}, {at: 2005ms, fail: h/d, for: 4s}", 100 + 399}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lab *l = lab_open(
            "vlab: 1\nname: t\nrun: {duration: 10s, seed: 1}\nhosts: [{name: h, disks: [{name: d, iops: "
            "100}]}]\nvms: [{name: a, disk: {on: d, size: 1GiB}, workload: {steps: [{disk: {read: "
            "4KiB}}]}}]\nevents: [%s]\n",
            cases[i].events);
        life_run(l, 1);
        ck_near(life_total(l, "vm.a", "work.done"), cases[i].done, 1);
        lab_close(l);
    }
}
END_TEST

/* On a type 2 host each request first crosses the host's own I/O stack, on a CPU that others use too: a host,
 * a process of the hypervisor or a guest that fails meanwhile leaves nothing behind there, and who starts
 * again is served again. */
START_TEST(requests_in_the_hosts_own_stack)
{
    static const char *const whom[] = {"h", "h/vmm/p", "a", "h/d"};
    for (uint64_t seed = 1; seed <= (uint64_t)FEWER(20); seed++) {
        struct rng r = rng_at(seed, (uint64_t)_i, 78);
        char events[1000] = "";
        size_t n = 0;
        for (int i = 0; i < 8; i++) { /* to the ns: in the middle of whatever it is */
            uint32_t at = 100000000 + rng_u32(&r) % 700000000, ns = 1 + rng_u32(&r) % 30000000;
            n += (size_t)snprintf(events + n, sizeof events - n, "%s{at: %uns, fail: %s, for: %uns}",
                                  i ? ", " : "", at, whom[rng_u32(&r) % 4], ns);
        }
        struct lab *l = lab_open(
            "vlab: 1\nname: t\nrun: {duration: 1s, seed: 1}\nhosts: [{name: h, profile: modern, hypervisor: "
            "{type: 2}, cpu: {cores: 1, scheduler: rr, slice: 100us}, vmm: [p, q], disks: [{name: d, iops: "
            "20000, "
            "latency: 50us}]}]\nvms:\n- {name: a, vmm: p, disk: {on: d, size: 1GiB}, workload: {threads: 3, "
            "steps: [{disk: {read: 4KiB}}, {cpu: 20us}]}}\n"
            "- {name: b, vmm: q, disk: {on: d, size: 1GiB, cache: 64KiB}, workload: {threads: 2, steps: "
            "[{disk: "
            "{write: 4KiB}}, {cpu: 10us}]}}\n"
            "events: [%s]\n",
            events);
        struct life x = {.lab = l};
        life_begin(&x, 1);
        uint64_t before[2] = {0};
        for (int64_t k = 1; k < 200; k++) {
            life_to(&x, LIFE_SEC / 200 * k);
            if (k == 170) before[0] = life_vm(&x, "a")->done, before[1] = life_vm(&x, "b")->done;
        }
        ck_assert_uint_gt(life_vm(&x, "a")->done, before[0] + 50);
        ck_assert_uint_gt(life_vm(&x, "b")->done, before[1] + 50);
        life_end(&x);
        lab_run(l, 1);
        lab_close(l);
    }
}
END_TEST

#define BLOCK 65536

/* Bytes that the device has written by now. */
static int64_t written(struct life *l)
{
    return l->m->disks->devs[0].book->count[REC_N_DISK_BYTES];
}

/* A guest writes block after block, no block twice, through a page cache of any size: four, then one with a
 * flush. The disk fails, its pool is full and grows, and at some ns the guest crashes. So at any time the
 * blocks of whole iterations are on the medium; and in the end each block that was acknowledged is there, or
 * counted as lost: it can be told by counting which. */
START_TEST(what_was_flushed_is_there_and_the_rest_is_counted)
{
    int64_t lost_sum = 0, starved = 0, cut = 0;
    for (uint64_t seed = 1; seed <= (uint64_t)FEWER(150); seed++) {
        struct rng r = rng_at(seed, (uint64_t)_i, 79);
        uint32_t cache = 1 + rng_u32(&r) % 12, pool = 20 + rng_u32(&r) % 100, grow = rng_u32(&r) % 2000;
        uint32_t down = rng_u32(&r) % 1500, for_ms = 1 + rng_u32(&r) % 400, pause_us = rng_u32(&r) % 20000;
        int64_t crash = 100 * LIFE_MS + rng_u32(&r) % 1900000000;
        struct lab *lab = lab_open("vlab: 1\nname: t\nrun: {duration: 4s, seed: 1}\nhosts: [{name: h, disks: "
                                   "[{name: d, %s, queue: %s, "
                                   "pool: %uKiB, grain: 64KiB}]}]\nvms: [{name: a, disk: {on: d, size: 1GiB, "
                                   "provision: thin, cache: "
                                   "%uKiB}, workload: {steps: [{disk: {write: 64KiB, pattern: sequential}}, "
                                   "{sleep: {exponential: %uus}}, "
                                   "{disk: {write: 64KiB, pattern: sequential}}, {sleep: {exponential: "
                                   "%uus}}, {disk: {write: 64KiB, "
                                   "pattern: sequential}}, {disk: {write: 64KiB, pattern: sequential}}, "
                                   "{disk: {write: 64KiB, pattern: "
                                   "sequential, flush: true}}]}}]\nevents: [{at: %ums, grow: h/d, by: "
                                   "64MiB}, {at: %ums, fail: h/d, for: "
                                   "%ums}, {at: %lldns, fail: a}]\n",
                                   models[_i % 3], queues[seed % 4], 64 * pool, 64 * cache, 1 + pause_us,
                                   1 + pause_us, grow, down, for_ms, (long long)crash);
        struct life l = {.lab = lab};
        life_begin(&l, seed);
        const struct vm *vm = life_vm(&l, "a");
        for (int64_t t = 0; t + 17 * LIFE_MS < crash;) {
            life_to(&l, t += 17 * LIFE_MS);
            ck_often(written(&l) >= (int64_t)vm->done * 5 * BLOCK);
            starved += l.m->disks->devs[0].starved != NULL;
        }
        life_to(&l, crash - 1);
        static const int acknowledged[] = {0, 1, 1, 2, 2, 3, 4}; /* when it is at that step */
        uint32_t at = vm->tasks[0].act.pc;
        int64_t blocks = (int64_t)vm->done * 5 + acknowledged[at];
        cut += at != 1 && at != 3;
        life_end(&l);
        rec_block_flush(&l.out);
        lab_run(lab, seed);
        /* A write under way may have got there; nobody was told so. */
        double is = life_total(lab, "host.h.disk.d", "disk.bytes") + life_lost(lab),
               least = (double)blocks * BLOCK;
        ck_assert_msg(is == least || (at != 1 && at != 3 && is == least + BLOCK),
                      "seed %d, at step %u: %g blocks on the disk or lost, %g acknowledged", (int)seed, at,
                      is / BLOCK, least / BLOCK);
        lost_sum += life_lost(lab) > 0;
        lab_close(lab);
    }
    ck_assert(FEWER(20) < 20 ||
              (lost_sum > 20 && starved > 20 && cut > 20)); /* or nothing was put to the test */
}
END_TEST

Suite *disk_down_suite(void)
{
    Suite *s = suite_create("disk_down");
    TCase *t = tcase_create("disk_down");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, nothing_is_lost, 0, 12);
    tcase_add_loop_test(t, a_request_goes_on_where_it_was, 0, 3);
    tcase_add_test(t, a_disk_is_back_when_all_is);
    tcase_add_loop_test(t, requests_in_the_hosts_own_stack, 0, 4);
    tcase_add_loop_test(t, what_was_flushed_is_there_and_the_rest_is_counted, 0, 3);
    suite_add_tcase(s, t);
    return s;
}
