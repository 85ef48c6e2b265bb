// SPDX-License-Identifier: GPL-3.0-or-later
/* Disks that fail and come back at any time, by themselves, with their host or in their pools, under every
 * I/O queue and of every model, while VMs read and write there. Whatever happens, at any time the requests
 * issued are those done, once each, and those under way; nothing is done on a disk that is away; and when all
 * is repaired whoever waited goes on. At the end the laws hold that every run is held to. */
#include "base/rng.h"
#include "metrics/meter.h"
#include "model/event.h"
#include "tests/disklab.h"
#include "tests/often.h"

Suite *disk_random_suite(void);

enum { VMS = 8, DISKS = 3, SEEDS = 2, WORLDS = 4 * 3 * SEEDS, OPS = FEWER(300), THREADS = 3 };

static const char *const queues[] = {"fifo", "deadline", "fair", "mclock"};
static const char *const models[] = {
    "iops: 800, bandwidth: 60MB/s, latency: 200us",
    "model: ssd, channels: 2, dies: 2, read: {exponential: 80us}, spare: 20%",
    "model: hdd, preset: sata7200"};

#define CLOUD                                                                                                \
    "vlab: 1\nname: t\nrun: {duration: %dms}\n"                                                              \
    "hosts: [{name: h, count: 2, profile: modern, hypervisor: {type: %d}, cpu: {cores: 4}, disks: [{name: "  \
    "d, %s, queue: %s, cache: %s, pool: 36MiB, grain: 64KiB}]}]\n"                                           \
    "storage: [{name: san, hosts: [h-0, h-1], iops: 2000, bandwidth: 50MB/s, queue: %s, pool: 18MiB, "       \
    "grain: "                                                                                                \
    "64KiB, cache: 1MiB}]\n"                                                                                 \
    "vms:\n"                                                                                                 \
    "- {name: a-plain, host: h-0, disk: {on: d, size: 32MiB}, workload: {threads: 3, steps: [{disk: {read: " \
    "16KiB}}, {sleep: {exponential: 5ms}}]}}\n"                                                              \
    "- {name: b-thin, host: h-1, disk: {on: d, size: 32MiB, provision: thin%s}, workload: {threads: 3, "     \
    "steps:"                                                                                                 \
    " [{disk: {write: 16KiB}}, {sleep: {exponential: 9ms}}]}}\n"                                             \
    "- {name: c-store, host: h-1, disk: {on: san, size: 32MiB, provision: thin%s}, workload: {threads: 3, "  \
    "steps: [{disk: {write: 8KiB, pattern: sequential}}, {sleep: {exponential: 3ms}}]}}\n"                   \
    "- {name: d-far, host: h-0, disk: {on: san, size: 8MiB}, workload: {threads: 3, steps: [{disk: {read: "  \
    "8KiB}}, {sleep: {exponential: 2ms}}]}}\n"                                                               \
    "- {name: e-cached, host: h-0, disk: {on: d, size: 8MiB, provision: thin, cache: 256KiB}, workload: "    \
    "{threads: 3, steps: [{disk: {write: 8KiB}}, {sleep: 2ms}, {disk: {read: 12KiB}}, {sleep: 2ms}]}}\n"     \
    "- {name: f-careful, host: h-1, disk: {on: d, size: 8MiB, provision: thin, cache: 1MiB}, workload: "     \
    "{threads: 3, steps: [{disk: {write: 8KiB}}, {sleep: {exponential: 4ms}}, {disk: {write: 4KiB, flush: "  \
    "true}, probability: 0.3}, {disk: {trim: 64KiB}, probability: 0.1}]}}\n"                                 \
    "- {name: g-tied, host: h-0, disk: {on: san, size: 8MiB, provision: thin, cache: 512KiB, limit: {iops: " \
    "300/s}}, workload: {threads: 3, steps: [{disk: {write: 12KiB, flush: true}}, {sleep: {exponential: "    \
    "4ms}}]}}\n"                                                                                             \
    "- {name: i-asked, host: h-1, disk: {on: san, size: 8MiB}, workload: {kind: requests, threads: 3, "      \
    "queue: "                                                                                                \
    "shared, arrivals: {poisson: 60/s}, steps: [{disk: {read: 4KiB}}, {disk: {write: 4KiB}}]}}\n"

static struct world {
    struct life life;
    struct rng r;
    int64_t done[DISKS], done_then[DISKS]; /* by the records; when it failed */
    int64_t since_ns[DISKS];               /* it is away; -1: it is not */
    struct sc_event events[OPS + 1];
    int64_t crashes[2];
    int64_t seen[4]; /* things that must have happened: away, waiting meanwhile, forgotten, starved */
} * w;

static uint32_t pick(uint32_t n)
{
    return (uint32_t)((uint64_t)rng_u32(&w->r) * n >> 32);
}

static void hear(void *ctx, const struct rec *recs, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        if (recs[i].kind != REC_IO) continue;
        if (recs[i].to)
            w->seen[2]++;
        else
            w->done[recs[i].host]++;
    }
}

static void look(void)
{
    struct model *m = w->life.m;
    rec_block_flush(m->out);
    life_check(&w->life);
    for (uint32_t i = 0; i < DISKS; i++) {
        const struct disk_dev *dev = &m->disks->devs[i];
        int64_t under_way = disklab_under_way(m, dev);
        bool away = dev->failures > 0;
        ck_often(dev->issued == w->done[i] + under_way);
        ck_often(dev->book->level[REC_L_DISK_QUEUE] == under_way);
        ck_often(dev->book->count[REC_N_DISK_OPS] == w->done[i]);
        ck_often(!away || dev->book->level[REC_L_DISK_BUSY] == 0);
        if (away && w->since_ns[i] == dev->halted_ns) ck_often(w->done[i] == w->done_then[i]);
        w->seen[0] += away;
        w->seen[1] += away && under_way > 0;
        w->seen[3] += dev->starved != NULL;
        w->since_ns[i] = away ? dev->halted_ns : -1;
        w->done_then[i] = w->done[i];
    }
    for (uint32_t i = 0; i < 4; i++) { /* one request an iteration: each woke its task once */
        int64_t more = m->vms[i].book->count[REC_N_DISK_OPS] - (int64_t)m->vms[i].done;
        ck_often(more >= 0 && more <= THREADS * (1 + w->crashes[m->vms[i].host->index]));
    }
}

static void happen(struct sc_event *e)
{
    uint32_t what = pick(20);
    *e = (struct sc_event){.to = SC_NONE, .n = 1, .target = pick(DISKS)};
    e->verb = what < 9 ? SC_FAIL : what < 14 ? SC_REPAIR : SC_GROW;
    e->kind = what < 14 && pick(3) == 0 ? SC_T_POOL : SC_T_DISK;
    if (e->verb == SC_FAIL) e->for_ns = pick(6) ? 1 + (int64_t)pick(150000) * 1000 : 0;
    if (e->verb == SC_GROW) e->value = 65536 * (int64_t)pick(8);
    if (what == 19) { /* a host, not for long */
        e->verb = SC_FAIL;
        e->kind = SC_T_HOST;
        e->target = pick(2);
        e->for_ns = 1 + (int64_t)pick(100000) * 1000;
        w->crashes[e->target]++;
        /* A read may be over now that had all it wanted of the disk and waited for what it drove out. */
        for (uint32_t i = 0; i < DISKS; i++)
            w->since_ns[i] = -1;
    }
    event_do(w->life.m, e);
    disklab_settle(w->life.m);
}

/* All is repaired and there is room: nobody waits for what was asked before, and everybody goes on. */
static void calm_down(void)
{
    struct model *m = w->life.m;
    uint64_t done[VMS];
    for (uint32_t i = 0; i < DISKS; i++) {
        for (uint32_t pool = 0; pool < 2; pool++) {
            struct sc_event e = {
                .verb = SC_REPAIR, .kind = pool ? SC_T_POOL : SC_T_DISK, .target = i, .n = 1};
            event_do(m, &e);
        }
        disk_grow(m, i, 256 << 20);
    }
    disklab_settle(m);
    life_to(&w->life, sim_now(m->sim) + LIFE_SEC); /* by then hosts are back, too */
    int64_t then = sim_now(m->sim);
    for (uint32_t i = 0; i < VMS; i++)
        done[i] = m->vms[i].done;
    life_to(&w->life, then + 4 * LIFE_SEC);
    for (uint32_t i = 0; i < DISKS; i++) {
        ck_assert_uint_eq(m->disks->devs[i].failures, 0);
        ck_assert_ptr_null(m->disks->devs[i].starved);
    }
    for (uint32_t i = 0; i < VMS; i++)
        ck_assert_msg(m->vms[i].done > done[i] + 20, "VM %u is stuck", i);
    for (uint32_t i = 0; i < m->disks->n_ios; i++) {
        const struct io *io = &m->disks->slabs[i / DISK_SLAB][i % DISK_SLAB];
        ck_often(io->gen % 2 == 0 || io->issued_ns < 0 || io->issued_ns > then);
    }
}

START_TEST(disks_fail_and_come_back)
{
    w = calloc(1, sizeof *w);
    ck_assert_ptr_nonnull(w);
    w->r = rng_at(5, (uint64_t)_i, 0);
    const char *queue = queues[_i % 4], *reserved = _i % 4 == 3 ? ", reservation: 100/s" : "";
    struct lab *lab = w->life.lab = lab_open(CLOUD, OPS * 22 + 6000, _i % 2 + 1, models[_i / 4 % 3], queue,
                                             _i % 5 ? "0B" : "2MiB", queue, reserved, reserved);
    struct meter *meter = meter_new(lab_scenario(lab), &(struct meter_opts){.only_vm = UINT32_MAX});
    struct dist gap = {.kind = DIST_EXPONENTIAL, .a = 20 * LIFE_MS};
    ck_assert_int_eq(draw_make(&gap), 0);
    life_begin(&w->life, (uint64_t)_i + 1);
    rec_block_add_reader(&w->life.out, meter_reader(meter));
    rec_block_add_reader(&w->life.out, (struct rec_reader){.read = hear, .mask = 1u << REC_IO});
    for (int op = 0; op < OPS; op++) {
        ck_often(sim_run(w->life.m->sim, sim_now(w->life.m->sim) + draw_amount(&gap, &w->r, NULL, 0)) !=
                 SIM_STALLED);
        look();
        happen(&w->events[op]);
        look();
    }
    calm_down();
    for (int k = 0; FEWER(40) == 40 && k < 4; k++)
        ck_assert_msg(w->seen[k] > 0, "%d", k);
    life_end_metered(&w->life, meter);
    free(w);
}
END_TEST

Suite *disk_random_suite(void)
{
    Suite *s = suite_create("disk_random");
    TCase *tc = tcase_create("disk_random");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, disks_fail_and_come_back, 0, WORLDS);
    suite_add_tcase(s, tc);
    return s;
}
