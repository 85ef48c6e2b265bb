// SPDX-License-Identifier: GPL-3.0-or-later
/* Fifty desktops are switched on: a disk that works as long as there is work is through with n boots after
 * n times one of them, whatever its queue; pCPUs likewise. */
#include <stdio.h>
#include <string.h>

#include "tests/lifelab.h"
#include "tests/treelab.h"

Suite *desktops_suite(void);

/* When each was switched on and up, from the VMs' own rows. */
struct storm {
    double last_up_s, longest_s;
};

static struct storm storm_of(const struct tree *t)
{
    struct storm s = {0};
    for (uint32_t i = 0; i < t->sc->n_vms; i++) {
        char name[80];
        snprintf(name, sizeof name, "vm.%s", t->sc->vms[i].name);
        double up = tree_value(t, name, "events.booted", "first"),
               took = tree_value(t, name, "boot.time", "total");
        ck_assert_int_eq((int)tree_value(t, name, "events.booted", "total"), 1);
        ck_near(up - took, (double)t->sc->vms[i].start_ns / 1e9, 1e-9);
        if (up > s.last_up_s) s.last_up_s = up;
        if (took > s.longest_s) s.longest_s = took;
    }
    return s;
}

static double read_s(const struct scenario *sc, int64_t bytes)
{
    return (double)bytes * 8 / (double)sc->disks[0].bandwidth_bps;
}

/* Full copies read all that is shared each from its own blocks; linked clones once, and their own. */
START_TEST(full_copies_and_linked_clones)
{
    static const double truth[] = {75, 6.5};
    struct tree t;
    tree_open(&t, "scenarios/17-boot-storm.yaml", (size_t)_i);
    const struct sc_image *img = &t.sc->images[t.sc->vms[0].image];
    double n = t.sc->n_vms, times = _i ? 1 : n;
    double want = times * read_s(t.sc, img->shared_bytes) + n * read_s(t.sc, img->own_bytes);
    ck_near(want, truth[_i], 1e-9);
    tree_run(&t, 1);
    ck_near(storm_of(&t).last_up_s, want, .001 * want);
    ck_near(tree_value(&t, t.sc->disks[0].entity, "disk.bytes", "total"),
            times * (double)img->shared_bytes + n * (double)img->own_bytes, .5);
    tree_close(&t);
}
END_TEST

START_TEST(one_after_the_other)
{
    struct tree t;
    tree_open(&t, "scenarios/17-boot-storm-stagger.yaml", 0);
    const struct scenario *sc = t.sc;
    double one = read_s(sc, sc->images[sc->vms[0].image].shared_bytes),
           gap = (double)sc->vms[1].start_ns / 1e9;
    double end = (double)sc->run.duration_ns / 1e9;
    ck_near(end, sc->n_vms * gap, 1e-9);
    ck_near(one / gap, .698, 5e-4);
    tree_run(&t, 1);
    ck_near(tree_value(&t, sc->disks[0].entity, "disk.util", "share"), sc->n_vms * one / end, .001);
    struct storm s = storm_of(&t);
    ck_near(s.longest_s, one, 1e-3);
    ck_near(s.last_up_s, (sc->n_vms - 1) * gap + one, 1e-3);
    tree_close(&t);
}
END_TEST

/* n boots of S each, every d: up to d = S the disk is never idle and the last is up at nS, and from there on
 * nobody waits and it is up at (n - 1) d + S. Which of the two it is decides how long a boot takes at most.
 */
START_TEST(how_far_apart)
{
    static const int every_ms[] = {0, 500, 1000, 1400, 1500, 1600, 2150, 3000};
    const int n = 50;
    const double one = 300e6 / 200e6, d = every_ms[_i] / 1e3;
    struct lab *l =
        lab_open("vlab: 1\nname: t\nrun: {duration: 160s}\nhosts: [{name: h, cpu: {cores: 50}, disks: "
                 "[{name: d, bandwidth: 200MB/s, queue: fifo}]}]\n"
                 "images: [{name: i, boot: {shared: 300MB}}]\nvms: [{name: v, count: %d, host: h, "
                 "disk: {on: d, size: 1GB, from: i, clone: full}, start: {every: %dms}}]\n",
                 n, every_ms[_i]);
    lab_run(l, 1);
    double last = d < one ? n * one : (n - 1) * d + one, wait = d < one ? (n - 1) * (one - d) : 0;
    char name[40];
    snprintf(name, sizeof name, "vm.v-%d", n - 1);
    ck_near(lab_value(l, name, "boot.time", "total"), one + wait, 1e-3);
    ck_near((double)life_when(l, name, "booted", 0) / 1e9, last, 1e-3);
    ck_near(lab_value(l, "host.h.disk.d", "disk.util", "share"), n * one / 160, 1e-4);
    lab_close(l);
}
END_TEST

/* What is shared is read once for each store, and whoever comes later finds it read; hosts that share a store
 * have but one copy of it. */
START_TEST(once_for_each_store)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 20s}\nhosts: [{name: h, count: 2, cpu: {cores: 25}}]\n"
        "storage: [{name: a, hosts: [h-0], bandwidth: 200MB/s}, {name: b, hosts: [h-0, h-1], bandwidth: "
        "200MB/s}]\n"
        "images: [{name: i, boot: {shared: 300MB, own: 20MB}}]\nvms:\n"
        "- {name: v, count: 25, host: h-0, disk: {on: %s, size: 1GB, from: i, clone: linked}}\n"
        "- {name: w, count: 25, host: h-1, disk: {on: b, size: 1GB, from: i, clone: linked}, start: {at: "
        "12s}}\n",
        _i ? "a" : "b");
    lab_run(l, 1);
    double own = 25 * 20 / 200., shared = 300 / 200., last[2] = {0, 0};
    for (int k = 0; k < 50; k++) {
        char name[40];
        snprintf(name, sizeof name, "vm.%s-%d", k < 25 ? "v" : "w", k % 25);
        double up = (double)life_when(l, name, "booted", 0) / 1e9;
        ck_assert(up > 0);
        if (up > last[k / 25]) last[k / 25] = up;
    }
    ck_near(last[0], shared + own, 1e-3);
    ck_near(last[1], 12 + own + (_i ? shared : 0), 1e-3);
    ck_near(lab_value(l, "storage.b", "disk.bytes", "total"), (300 + (_i ? 25 : 50) * 20) * 1e6, .5);
    if (_i) ck_near(lab_value(l, "storage.a", "disk.bytes", "total"), (300 + 25 * 20) * 1e6, .5);
    lab_close(l);
}
END_TEST

/* Nobody computes before the first has read, nor reads after all have: between these the pCPUs have n times
 * the boot's work to do, and none is idle before fewer are left than there are pCPUs. Apart by more than a
 * boot's share of them, each boots as if alone. */
START_TEST(nine_o_clock)
{
    struct tree t;
    tree_open(&t, "scenarios/17-vdi.yaml", (size_t)_i);
    const struct scenario *sc = t.sc;
    const struct sc_image *img = &sc->images[sc->vms[0].image];
    double n = sc->n_vms, cores = sc->hosts[0].cores, cpu = (double)img->cpu_ns / 1e9;
    double one = read_s(sc, img->shared_bytes + img->own_bytes),
           all = read_s(sc, img->shared_bytes) + n * read_s(sc, img->own_bytes);
    /* A desktop that is up wants this of a pCPU. */
    const struct step *s = prog_steps(sc->vms[0].work.prog);
    double day = (double)s[0].amount.a / (double)(s[0].amount.a + s[1].amount.a);
    tree_run(&t, 1);
    struct storm got = storm_of(&t);
    if (sc->vms[1].start_ns == 0) {
        ck_assert(got.last_up_s >= one + n * cpu / cores);
        ck_assert(got.last_up_s <= all + n * cpu / cores * (1 + day) + .1);
    } else {
        ck_assert(cpu + n * day < cores); /* so many boot at a time, and the others work */
        ck_near(got.longest_s, one + cpu, .1);
    }
    double busy = tree_value(&t, "host.h1", "cpu.util", "share") * cores * (double)sc->run.duration_ns / 1e9;
    ck_assert(busy > n * cpu);
    /* The rest of it is the day's. */
    double up_s = 0;
    for (uint32_t i = 0; i < sc->n_vms; i++) {
        char name[80];
        snprintf(name, sizeof name, "vm.%s", sc->vms[i].name);
        up_s += (double)sc->run.duration_ns / 1e9 - tree_value(&t, name, "events.booted", "first");
    }
    ck_near(busy - n * cpu, up_s * day, .03 * up_s * day);
    tree_close(&t);
}
END_TEST

Suite *desktops_suite(void)
{
    Suite *s = suite_create("desktops");
    TCase *tc = tcase_create("storms");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, full_copies_and_linked_clones, 0, 2);
    tcase_add_test(tc, one_after_the_other);
    tcase_add_loop_test(tc, how_far_apart, 0, 8);
    tcase_add_loop_test(tc, once_for_each_store, 0, 2);
    tcase_add_loop_test(tc, nine_o_clock, 0, 3);
    suite_add_tcase(s, tc);
    return s;
}
