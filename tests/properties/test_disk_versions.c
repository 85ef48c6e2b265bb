// SPDX-License-Identifier: GPL-3.0-or-later
/* What is on the medium, block by block. Disks hold no bytes, so the test keeps versions: each write of a
 * block is one more, a write-back carries the version that its block had when it began, and when it is over
 * that one is on the medium, unless a younger one is (which of two at the device at once is written last is
 * left out: disk_cache.c). Of the model it asks only which write-backs are under way, which of them wait for
 * the pool or are in a host's stack, and which blocks are dirty. By that, through writes, flushes, crashes,
 * failures of disks, hosts and pools, snapshots, and pools that fill and grow:
 *
 * - whatever is newer than the medium is dirty, or a write-back carries it;
 * - a flush that is over has all on the medium that was written before it;
 * - a crash loses the blocks of which the newest version is neither there nor on its way, and says how many;
 * - nothing ends on a disk that is away, no grain is taken of a pool that is, and nobody waits for a pool in
 *   which there is room; in the end all is written and no request is kept. */
#include "base/rng.h"
#include "metrics/meter.h"
#include "tests/disklab.h"
#include "tests/often.h"

Suite *disk_versions_suite(void);

enum { VMS = 4, HOSTS = 2, DISKS = 3, BLOCKS = 96, MOST = 1024, WORLDS = 24, OPS = FEWER(4000) };

static const char *const queues[] = {"fifo", "deadline", "fair", "mclock"};
static const char *const models[] = {"iops: 3000, bandwidth: 40MB/s", "model: ssd, channels: 1, dies: 2",
                                     "model: hdd, latency: 100us"};

struct back {
    uint64_t ticket;
    uint32_t vm, first, n, content[BLOCKS];
};
struct ask {
    uint64_t ticket;
    uint32_t vm, need[BLOCKS];
};
struct known {
    uint32_t latest[BLOCKS], medium[BLOCKS];
    bool was_up;
};

enum {
    SEEN_LOST,
    SEEN_NOTHING_LOST,
    SEEN_FLUSHED,
    SEEN_STARVED,
    SEEN_FORGOTTEN,
    SEEN_AWAY,
    SEEN_STOPPED,
    SEEN_OUTLIVED,
    SEEN_STACK,
    SEEN_AGAIN,
    SEEN_KINDS
};

static struct world {
    struct life life;
    struct rng r;
    struct known of[VMS];
    struct back backs[MOST];
    struct ask asks[MOST];
    uint64_t gone[MOST]; /* of write-backs that a crash forgets */
    uint32_t n_gone;
    uint32_t n_backs, n_asks, version;
    uint32_t away[DISKS], dry[DISKS], down[HOSTS], snaps[VMS];
    bool was_dry[DISKS];
    uint64_t given[DISKS];
    int64_t told; /* bytes lost, as the records say */
    int64_t seen[SEEN_KINDS];
} * w;

static uint32_t pick(uint32_t n)
{
    return (uint32_t)((uint64_t)rng_u32(&w->r) * n >> 32);
}

static struct vm *vm_of(uint32_t i)
{
    return &w->life.m->vms[i];
}

static struct vdisk *vd_of(uint32_t i)
{
    return disklab_disk(w->life.m, i);
}

/* By itself, or with its host: a host's disk has the host's number. */
static bool is_away(uint32_t disk)
{
    return w->away[disk] || (disk < HOSTS && w->down[disk]);
}

static void hear(void *ctx, const struct rec *recs, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        if (recs[i].kind == REC_EVENT && recs[i].cause == REC_EV_DIRTY_LOST) w->told += recs[i].value;
}

/* --- the reference --- */

static bool dirty(const struct vdisk *vd, uint32_t block)
{
    const struct pagecache *c = &vd->cache;
    for (uint32_t i = c->n_dirty ? c->dirty_old : PAGECACHE_NONE; i != PAGECACHE_NONE; i = c->v[i].dirty_next)
        if (c->v[i].key == block) return true;
    return false;
}

static bool starves(const struct back *b)
{
    for (const struct io *io = vd_of(b->vm)->dev->starved; io; io = io->next)
        if (disk_io_ticket(io) == b->ticket) return true;
    return false;
}

static bool in_stack(const struct back *b)
{
    const struct io *io = disk_io_find(w->life.m->disks, b->ticket);
    return io && io->stage == IO_STACK;
}

static bool known_back(uint64_t ticket)
{
    for (uint32_t i = 0; i < w->n_backs; i++)
        if (w->backs[i].ticket == ticket) return true;
    return false;
}

/* Write-backs that are new, the youngest first. What is written just now, from first on, n blocks, may have
 * left the cache before it was: then it is dirty again, or leaves again, and the elder has what it was. */
static void meet(uint32_t vm, uint32_t first, uint32_t n, const uint32_t *before)
{
    bool left[BLOCKS] = {false};
    for (const struct io *io = vd_of(vm)->backs; io; io = io->back_next) {
        if (known_back(disk_io_ticket(io))) continue;
        ck_often(w->n_backs < MOST);
        struct back *b = &w->backs[w->n_backs++];
        *b = (struct back){.ticket = disk_io_ticket(io),
                           .vm = vm,
                           .first = (uint32_t)(io->at / PAGECACHE_BLOCK),
                           .n = (uint32_t)disk_cache_blocks(io)};
        ck_often(b->first + b->n <= BLOCKS);
        for (uint32_t k = b->first; k < b->first + b->n; k++) {
            bool just = k >= first && k < first + n;
            b->content[k] = just && (left[k] || dirty(vd_of(vm), k)) ? before[k] : w->of[vm].latest[k];
            w->seen[SEEN_AGAIN] += left[k];
            left[k] = true;
        }
    }
}

static void land(void)
{
    for (uint32_t i = 0; i < w->n_backs;) {
        struct back *b = &w->backs[i];
        struct known *of = &w->of[b->vm];
        if (!disklab_over(w->life.m, b->ticket)) {
            w->seen[SEEN_STARVED] += starves(b);
            i++;
            continue;
        }
        ck_often(!is_away(vd_of(b->vm)->dev->index));
        for (uint32_t k = b->first; k < b->first + b->n; k++)
            if (b->content[k] > of->medium[k]) of->medium[k] = b->content[k];
        w->seen[SEEN_OUTLIVED] += !of->was_up;
        *b = w->backs[--w->n_backs];
    }
}

static void flushes(void)
{
    for (uint32_t i = 0; i < w->n_asks;) {
        struct ask *a = &w->asks[i];
        if (!disklab_over(w->life.m, a->ticket)) {
            i++;
            continue;
        }
        for (uint32_t k = 0; k < BLOCKS; k++)
            ck_often(w->of[a->vm].medium[k] >= a->need[k]);
        w->seen[SEEN_FLUSHED]++;
        *a = w->asks[--w->n_asks];
    }
}

/* No grain is taken of a pool that is away; else the first who waits for it waits for want of room. */
static void pools(void)
{
    for (uint32_t i = 0; i < DISKS; i++) {
        const struct disk_dev *dev = &w->life.m->disks->devs[i];
        const struct io *head = dev->starved;
        if (w->dry[i] && w->was_dry[i]) ck_often(dev->pool.given <= w->given[i]);
        if (head && !w->dry[i])
            ck_often(!pool_has(&dev->pool, volume_needs(&head->vd->vol, head->at, head->len).grains));
        w->was_dry[i] = w->dry[i] > 0;
        w->given[i] = dev->pool.given;
    }
}

/* What is newer than the medium is somewhere; of a VM that stopped in order, nothing is. */
static void look(void)
{
    land();
    pools();
    for (uint32_t i = 0; i < VMS; i++) {
        struct known *of = &w->of[i];
        bool up = vm_of(i)->power != POWER_OFF && vm_of(i)->power != POWER_FAILED;
        uint32_t carried[BLOCKS] = {0};
        meet(i, 0, 0, NULL);
        for (const struct back *b = w->backs; b < w->backs + w->n_backs; b++)
            for (uint32_t k = b->first; b->vm == i && k < b->first + b->n; k++)
                if (b->content[k] > carried[k]) carried[k] = b->content[k];
        for (uint32_t k = 0; k < BLOCKS; k++) {
            if (of->latest[k] > of->medium[k]) ck_often(dirty(vd_of(i), k) || carried[k] == of->latest[k]);
            if (of->was_up && !up) ck_often(of->latest[k] == of->medium[k]);
        }
        w->seen[SEEN_STOPPED] += of->was_up && !up;
        of->was_up = up;
    }
    flushes();
}

/* --- crashes --- */

/* What will be left of a VM that crashes now, with its host or alone; how many blocks are lost. Flushes that
 * are out are of no use to it any more, and write-backs that wait for the pool, or in the stack of a host
 * that is no more, go nowhere. */
static int64_t expect_crash(uint32_t vm, bool with_host)
{
    struct known *of = &w->of[vm];
    uint32_t left[BLOCKS];
    int64_t lost = 0;
    memcpy(left, of->medium, sizeof left);
    for (uint32_t i = 0; i < w->n_backs;) {
        struct back *b = &w->backs[i];
        if (b->vm == vm && (starves(b) || (with_host && in_stack(b)))) {
            w->seen[SEEN_STACK] += in_stack(b);
            w->gone[w->n_gone++] = b->ticket;
            *b = w->backs[--w->n_backs];
            w->seen[SEEN_FORGOTTEN]++;
            continue;
        }
        for (uint32_t k = b->first; b->vm == vm && k < b->first + b->n; k++)
            if (b->content[k] > left[k]) left[k] = b->content[k];
        i++;
    }
    for (uint32_t k = 0; k < BLOCKS; k++)
        lost += of->latest[k] > left[k];
    memcpy(of->latest, left, sizeof left);
    for (uint32_t i = 0; i < w->n_asks;)
        if (w->asks[i].vm == vm)
            w->asks[i] = w->asks[--w->n_asks];
        else
            i++;
    of->was_up = false;
    w->seen[lost ? SEEN_LOST : SEEN_NOTHING_LOST]++;
    return lost;
}

/* The VM, or all that run on the host. */
static void crash(uint32_t vm, uint32_t host)
{
    struct model *m = w->life.m;
    int64_t lost = 0;
    w->n_gone = 0;
    for (uint32_t i = 0; i < VMS; i++)
        if ((i == vm || (vm == NONE && vm_of(i)->host->index == host)) && w->of[i].was_up)
            lost += expect_crash(i, vm == NONE);
    rec_block_flush(m->out);
    int64_t told = w->told;
    if (vm == NONE)
        host_fail(m, &m->hosts[host], REC_WHY_HOST);
    else if (pick(2))
        power_fail(m, vm_of(vm), REC_WHY_GUEST);
    else
        power_cut(m, vm_of(vm));
    disklab_settle(m);
    rec_block_flush(m->out);
    ck_often(w->told - told == lost * PAGECACHE_BLOCK);
    while (w->n_gone)
        ck_often(disklab_over(m, w->gone[--w->n_gone]));
}

/* --- anything may happen --- */

static void ask(uint32_t vm, bool write, bool flush)
{
    struct known *of = &w->of[vm];
    uint32_t n = 1 + pick(pick(4) ? 4 : 24), first = pick(BLOCKS - n + 1), before[BLOCKS];
    if (vm_of(vm)->power != POWER_UP || w->n_asks == MOST || w->n_backs > MOST - 2 * BLOCKS) return;
    memcpy(before, of->latest, sizeof before);
    w->version++;
    for (uint32_t k = first; write && k < first + n; k++)
        of->latest[k] = w->version;
    uint64_t ticket = disklab_ask(w->life.m, vd_of(vm), (int64_t)first * PAGECACHE_BLOCK,
                                  (int64_t)n * PAGECACHE_BLOCK, write, flush);
    meet(vm, first, write ? n : 0, before);
    if (!flush || !ticket) return;
    w->asks[w->n_asks] = (struct ask){.ticket = ticket, .vm = vm};
    memcpy(w->asks[w->n_asks++].need, of->latest, sizeof before);
}

static void fail_disk(uint32_t disk, bool pool)
{
    uint32_t *n = pool ? &w->dry[disk] : &w->away[disk];
    if (*n > 1) return;
    disk_fail(w->life.m, disk, pool);
    w->seen[SEEN_AWAY]++;
    ++*n;
}

static void repair_disk(uint32_t disk, bool pool)
{
    uint32_t *n = pool ? &w->dry[disk] : &w->away[disk];
    if (*n == 0 && is_away(disk)) return; /* that is its host's failure */
    disk_repair(w->life.m, disk, pool);
    if (*n) --*n;
}

static void fail_host(uint32_t h)
{
    if (w->down[h]) return;
    for (uint32_t i = 0; i < VMS; i++) /* so that somebody is in its stack */
        ask(i, true, pick(2));
    crash(NONE, h);
    w->down[h] = 1;
}

static void repair_host(uint32_t h)
{
    if (!w->down[h]) return;
    w->down[h] = 0;
    host_repair(w->life.m, &w->life.m->hosts[h]);
}

static void start(uint32_t vm)
{
    struct vm *v = vm_of(vm);
    if ((v->power == POWER_OFF || v->power == POWER_FAILED) && host_up(v->host)) power_on(w->life.m, v);
}

static void anything(void)
{
    struct model *m = w->life.m;
    uint32_t vm = pick(VMS), disk = pick(DISKS), host = pick(HOSTS), what = pick(400);
    if (what < 150)
        ask(vm, true, false);
    else if (what < 200)
        ask(vm, true, true);
    else if (what < 240)
        ask(vm, false, false);
    else if (what < 255)
        fail_disk(disk, pick(2));
    else if (what < 300)
        repair_disk(disk, pick(2));
    else if (what < 310)
        crash(vm, NONE);
    else if (what < 312)
        fail_host(host);
    else if (what < 320)
        repair_host(host);
    else if (what < 325)
        power_stop(m, vm_of(vm));
    else if (what < 370)
        start(vm);
    else if (what < 375)
        disk_grow(m, disk, 65536 * pick(4));
    else if (what < 377 && w->snaps[vm] < 6)
        w->snaps[vm] += disk_snapshot(m, vm_of(vm)) < 6;
    disklab_settle(m);
    look();
}

static void pass(int64_t ns)
{
    int64_t until = sim_now(w->life.m->sim) + ns;
    for (int i = 0; i < 30 && sim_now(w->life.m->sim) < until && sim_step(w->life.m->sim); i++)
        look();
}

/* All is repaired, there is room, the VMs stop in order: nothing is left under way. */
static void calm_down(void)
{
    struct model *m = w->life.m;
    for (uint32_t h = 0; h < HOSTS; h++)
        repair_host(h);
    for (uint32_t d = 0; d < DISKS; d++) {
        disk_grow(m, d, 64 << 20);
        while (w->away[d])
            repair_disk(d, false);
        while (w->dry[d])
            repair_disk(d, true);
    }
    disklab_settle(m);
    for (uint32_t i = 0; i < VMS; i++)
        start(i);
    disklab_settle(m);
    look();
    life_to(&w->life, sim_now(m->sim) + 60 * LIFE_SEC);
    look();
    ck_assert_uint_eq(w->n_asks, 0);
    for (uint32_t i = 0; i < VMS; i++)
        power_stop(m, vm_of(i));
    disklab_settle(m);
    look();
    life_to(&w->life, sim_now(m->sim) + 60 * LIFE_SEC);
    look();
    for (uint32_t i = 0; i < VMS; i++) {
        ck_assert_int_eq(vm_of(i)->power, POWER_OFF);
        ck_often(memcmp(w->of[i].latest, w->of[i].medium, sizeof w->of[i].latest) == 0);
    }
    ck_assert_uint_eq(w->n_backs, 0);
    ck_assert_uint_eq(disklab_kept(m), 0);
}

START_TEST(every_block_is_somewhere)
{
    w = calloc(1, sizeof *w);
    ck_assert_ptr_nonnull(w);
    w->r = rng_at(9, (uint64_t)_i, 0);
    const char *dev = models[_i % 3], *queue = queues[_i / 3 % 4], *type = _i / 12 ? "2" : "1";
    struct lab *lab = w->life.lab = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 1000s}\n"
        "hosts: [{name: h, count: 2, profile: modern, hypervisor: {type: %s}, cpu: {cores: 1}, disks: "
        "[{name: "
        "d, %s, queue: %s, pool: 448KiB, grain: %s}]}]\n"
        "storage: [{name: san, hosts: [h-0, h-1], iops: 3000, bandwidth: 40MB/s, queue: %s, pool: 512KiB, "
        "grain: 32KiB, cache: 64KiB}]\n"
        "vms:\n"
        "- {name: a, host: h-0, disk: {on: d, size: 384KiB, provision: thin, cache: 64KiB}, workload: "
        "{steps: [{sleep: 5ms}]}}\n"
        "- {name: b, host: h-1, disk: {on: san, size: 384KiB, provision: thin, cache: 128KiB}, workload: "
        "{steps: [{sleep: 7ms}]}}\n"
        "- {name: c, host: h-0, disk: {on: san, size: 384KiB, provision: thin, cache: 32KiB}, workload: "
        "{steps: [{sleep: 9ms}]}}\n"
        "- {name: e, host: h-1, disk: {on: d, size: 384KiB, provision: thin, cache: 64KiB}, workload: "
        "{steps: [{sleep: 9ms}]}}\n",
        type, dev, queue, _i % 2 ? "64KiB" : "16KiB", queue);
    struct meter *meter = meter_new(lab_scenario(lab), &(struct meter_opts){.only_vm = UINT32_MAX});
    life_begin(&w->life, (uint64_t)_i + 1);
    rec_block_add_reader(&w->life.out, meter_reader(meter));
    rec_block_add_reader(&w->life.out, (struct rec_reader){.read = hear, .mask = 1u << REC_EVENT});
    life_to(&w->life, LIFE_MS);
    for (uint32_t i = 0; i < VMS; i++)
        w->of[i].was_up = true;
    for (int op = 0; op < OPS; op++) {
        anything();
        if (pick(2)) pass((int64_t)pick(3) * 100000);
        if (op % 32 == 0) life_check(&w->life);
    }
    calm_down();
    for (int k = 0; FEWER(40) == 40 && k < SEEN_KINDS; k++) /* or nothing was tried */
        if (k != SEEN_STACK || _i / 12) ck_assert_msg(w->seen[k] > 0, "%d", k);
    life_end_metered(&w->life, meter);
    free(w);
}
END_TEST

Suite *disk_versions_suite(void)
{
    Suite *s = suite_create("disk_versions");
    TCase *tc = tcase_create("disk_versions");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, every_block_is_somewhere, 0, WORLDS);
    suite_add_tcase(s, tc);
    return s;
}
