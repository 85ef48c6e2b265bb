// SPDX-License-Identifier: GPL-3.0-or-later
/* Disks that come and go among the hosts of a store: each has a flow of the store's queue among its host's,
 * and nobody else's requests stand in it, however often VMs move, are destroyed and made anew while requests
 * wait there. Nothing grows by it. */
#include "base/rng.h"
#include "tests/disklab.h"
#include "tests/often.h"

Suite *disk_seats_suite(void);

enum { OPS = FEWER(6000), BLOCK = 4096, DISK = 1 << 20 };

static struct rng r;
static uint32_t most; /* seats of one host that were in use at once */

static uint32_t pick(uint32_t n)
{
    return (uint32_t)((uint64_t)rng_u32(&r) * n >> 32);
}

/* Of a copy: the disk of the write that waits for it. */
static const struct vdisk *owner(const struct io *io)
{
    return io->vd || !io->waiters ? io->vd : io->waiters->who->vd;
}

static void look(const struct life *l)
{
    const struct disks *d = l->m->disks;
    const struct disk_dev *dev = &d->devs[0];
    uint32_t n = dev->seats * dev->n_groups, sit = 0;
    uint64_t queued = 0;
    for (uint32_t i = 0; i < l->m->sc->n_vms; i++) {
        const struct vdisk *vd = disklab_disk(l->m, i);
        if (vd->flow == NO_SEAT) continue;
        sit++;
        ck_often(vd->attached && vd->flow < n && dev->sitting[vd->flow] == vd);
        ck_often(dev->sc->hosts[vd->flow / dev->seats] == vd->vm->host->index);
    }
    for (uint32_t i = 0, used = 0; i < n; i++) { /* by a disk, or by what one left that is no more */
        if (i % dev->seats == 0) used = 0;
        used += dev->sitting[i] || ioqueue_flow_waiting(dev->queue, i);
        if (used > most) most = used;
        sit -= dev->sitting[i] != NULL;
    }
    ck_often(sit == 0);
    for (uint32_t i = 0; i < d->n_ios; i++) {
        const struct io *io = &d->slabs[i / DISK_SLAB][i % DISK_SLAB];
        if (io->gen % 2 == 0 || !io->req.queued) continue;
        const struct vdisk *vd = owner(io), *sitter = dev->sitting[io->req.flow];
        bool alive = vd && vd->attached && vd->life == (io->vd ? io->life : io->waiters->who->life);
        ck_often(sitter == (alive ? vd : NULL));
        queued++;
    }
    ck_often(ioqueue_waiting(dev->queue) == queued);
}

static void ask(struct life *l, uint32_t i)
{
    if (l->m->vms[i].power != POWER_UP) return;
    int64_t len = BLOCK * (1 + pick(8)), at = BLOCK * (int64_t)pick((DISK - (uint32_t)len) / BLOCK);
    disklab_ask(l->m, disklab_disk(l->m, i), at, len, pick(3), pick(2));
}

static void do_one(struct life *l)
{
    struct model *m = l->m;
    uint32_t i = pick(m->sc->n_vms), what = pick(100);
    struct vm *vm = &m->vms[i];
    struct mhost *to = &m->hosts[pick(4) ? pick(m->sc->n_hosts) : 0];
    if (what < 60) {
        ask(l, i);
    } else if (what < 75) { /* as one that has failed is moved, its requests still out */
        if (vm->power == POWER_UP) power_fail(m, vm, REC_WHY_GUEST);
        if (vm->power == POWER_OFF || vm->power == POWER_FAILED) {
            host_move(m, vm, to);
            power_on(m, vm);
        }
    } else if (what < 82) { /* as one that runs is */
        if (vm->power == POWER_UP) host_move(m, vm, to);
    } else if (what < 86) {
        power_destroy(m, vm);
    } else if (what < 93 && vm->power == POWER_NONE) {
        power_define(m, vm, to);
        power_on(m, vm);
    } else if (what < 96) {
        disk_fail(m, 0, false);
    } else {
        while (m->disks->devs[0].failures)
            disk_repair(m, 0, false);
    }
    disklab_settle(m);
    look(l);
}

static struct lab *world(int hosts, int vms, int type, const char *start)
{
    return lab_open(
        "vlab: 1\nname: t\nrun: {duration: 1000s}\n"
        "hosts: [{name: h, count: %d, profile: modern, hypervisor: {type: %d, host_io: 300us}}]\n"
        "storage: [{name: san, hosts: [h], iops: 2000, queue: fair, pool: 1GiB, grain: 64KiB}]\n"
        "vms:\n- {name: base, host: h-0, disk: {on: san, size: 1MiB, used: 1MiB, provision: "
        "thin}, workload: {steps: [{sleep: 1s}]}}\n"
        "- {name: v, count: %d, host: h-0, start: %s, disk: {on: san, from: base, clone: linked, cache: "
        "64KiB}, workload: {steps: [{sleep: 1s}]}}\n"
        "events: [{at: 999s, migrate: base, to: h-1}]\n",
        hosts, type, vms, start);
}

START_TEST(seats_are_used_again)
{
    r = rng_at(3, (uint64_t)_i, 0);
    struct life l = {.lab = world(4, 12, _i % 2 + 1, "0s")};
    most = 0;
    life_begin(&l, 1);
    const struct disk_dev *dev = &l.m->disks->devs[0];
    uint32_t seats = dev->seats;
    ck_assert_uint_eq(seats, 13);
    life_to(&l, LIFE_MS);
    look(&l);
    for (int op = 0; op < OPS; op++) {
        do_one(&l);
        if (pick(3) == 0) ck_often(sim_run(l.m->sim, sim_now(l.m->sim) + pick(2000000)) != SIM_STALLED);
        if (op % 64 == 0) life_check(&l);
    }
    ck_assert_uint_le(dev->seats, most < seats ? seats : 2 * most);
    ck_assert_uint_le(dev->pool.n_accounts, 2 * l.m->sc->n_vms); /* of each living and what it shares */
    while (dev->failures)
        disk_repair(l.m, 0, false);
    disklab_settle(l.m);
    life_to(&l, sim_now(l.m->sim) + 20 * LIFE_SEC);
    look(&l);
    ck_assert_uint_eq(disklab_kept(l.m), 0);
    life_end(&l);
    lab_close(l.lab);
}
END_TEST

/* So many hosts that each has seats for a few: all come to one, and it gets more, whatever waits there. */
START_TEST(more_seats_when_they_run_out)
{
    enum { N = 260 };
    r = rng_at(4, 0, 0);
    struct life l = {.lab = world(N, N, 1, "900s")};
    life_begin(&l, 1);
    const struct disk_dev *dev = &l.m->disks->devs[0];
    uint64_t tickets[N][2];
    life_to(&l, LIFE_MS);
    ck_assert_uint_lt(dev->seats, 20);
    disk_fail(l.m, 0, false);
    for (uint32_t i = 1; i <= N; i++) {
        power_define(l.m, &l.m->vms[i], &l.m->hosts[_i]);
        power_on(l.m, &l.m->vms[i]);
        for (uint32_t k = 0; k < 2; k++)
            tickets[i - 1][k] =
                disklab_ask(l.m, disklab_disk(l.m, i), 65536 * (int64_t)pick(16), BLOCK, k, k);
        look(&l);
    }
    ck_assert_uint_ge(dev->seats, N);
    ck_assert_uint_eq(ioqueue_waiting(dev->queue), 2 * N); /* a read, and the copy for a write, each */
    for (uint32_t i = 1; i <= N; i++) {                    /* to one that has as many by now */
        host_move(l.m, &l.m->vms[i], &l.m->hosts[2]);
        if (i % 16 == 0) look(&l);
    }
    ck_assert_uint_lt(dev->seats, 2 * N);
    disk_repair(l.m, 0, false);
    disklab_settle(l.m);
    life_to(&l, LIFE_SEC);
    for (uint32_t i = 0; i < N; i++)
        ck_often(disklab_over(l.m, tickets[i][0]) && disklab_over(l.m, tickets[i][1]));
    ck_assert_uint_eq(disklab_kept(l.m), 0);
    life_end(&l);
    lab_close(l.lab);
}
END_TEST

Suite *disk_seats_suite(void)
{
    Suite *s = suite_create("disk_seats");
    TCase *tc = tcase_create("disk_seats");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, seats_are_used_again, 0, 20);
    tcase_add_loop_test(tc, more_seats_when_they_run_out, 0, 2);
    suite_add_tcase(s, tc);
    return s;
}
