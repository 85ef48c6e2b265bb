// SPDX-License-Identifier: GPL-3.0-or-later
/* Hosts that are switched off for want of VMs: which are, from when on, until when, and what that saves. */
#include "base/rng.h"
#include "model/migrate.h"
#include "tests/lifelab.h"
#include "tests/often.h"

Suite *off_suite(void);

#define BUSY "workload: {steps: [{cpu: 1s}]}"

/* Hosts of one core; `a` always, `b` from 100 s to 300 s: a pCPU each, all of it. */
START_TEST(what_is_saved)
{
    static const double off_w[] = {0, 5, 30};
    double j[2];
    for (int pack = 0; pack < 2; pack++) {
        struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 400s}\n"
                                 "hosts: [{name: h, count: 3, cpu: {cores: 1}, price: 3.6/h, power: {idle: "
                                 "100W, busy: 200W, off: %gW}}]\n"
                                 "cloud: {place: %s, overcommit: {cpu: 1}}\n"
                                 "vms: [{name: a, " BUSY "}, {name: b, start: {at: 100s}, " BUSY "}]\n"
                                 "events: [{at: 300s, destroy: b}]\n",
                                 off_w[_i], pack ? "pack-and-power-off" : "first-fit");
        life_run(l, 1);
        double idle = pack ? off_w[_i] : 100;
        ck_near(lab_value(l, "host.h-0", "energy", "total"), 400 * 200, 1e-6);
        ck_near(lab_value(l, "host.h-1", "energy", "total"), 200 * 200 + 200 * idle, 1e-6);
        ck_near(lab_value(l, "host.h-2", "energy", "total"), 400 * idle, 1e-6);
        ck_near(lab_value(l, "host.h-2", "power", "max"), idle, 1e-9);
        ck_near(lab_value(l, "cluster", "hosts.on", "mean"), pack ? 1.5 : 3, 1e-9);
        ck_near(lab_value(l, "cluster", "cost", "total"), (pack ? 600 : 1200) * .001, 1e-9);
        ck_near(lab_value(l, "vm.b", "cpu.run", "total"), 200, 1e-9); /* it waits for nothing */
        j[pack] = lab_value(l, "cluster", "energy", "total");
        ck_assert_int_eq(life_when(l, "host.h-1", "off", 0), pack ? 0 : -1);
        ck_assert_int_eq(life_when(l, "host.h-1", "on", 0), pack ? 100 * LIFE_SEC : -1);
        ck_assert_int_eq(life_when(l, "host.h-1", "off", 1), pack ? 300 * LIFE_SEC : -1);
        lab_close(l);
    }
    /* Two hosts' idling but for 200 s of one of them. */
    ck_near(j[0] - j[1], 600 * (100 - off_w[_i]), 1e-6);
}
END_TEST

/* Where a VM has to boot it takes as long on a host that was off; what the host draws meanwhile counts. */
START_TEST(who_is_started_waits_for_its_boot)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 400s}\n"
        "hosts: [{name: h, count: 2, cpu: {cores: 1}, disks: [{name: d}], power: {idle: 100W, busy: 200W, "
        "off: 5W}}]\n"
        "images: [{name: i, boot: {cpu: 10s, time: 30s}}]\n"
        "cloud: {place: pack-and-power-off, overcommit: {cpu: 1}}\n"
        "vms: [{name: a, host: h-0, " BUSY "},\n"
        "      {name: b, host: h-1, disk: {on: d, size: 1GB, from: i}, workload: {kind: requests, arrivals: "
        "{periodic: 1s}, steps: [{cpu: 100ms}]}}]\n"
        "events: [{at: 100s, stop: b}, {at: 300s, start: b}]\n");
    life_run(l, 1);
    ck_assert_int_eq(life_when(l, "host.h-1", "on", 0), 300 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.b", "booted", 0), 40 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.b", "booted", 1), 340 * LIFE_SEC);
    ck_near(lab_value(l, "vm.b", "boot.time", "total"), 40, 1e-9);
    /* Requests come from 41 s on; those of 100 s to 340 s find nobody. */
    double lost = life_total(l, "vm.b", "queue.lost"), done = life_total(l, "vm.b", "work.done");
    ck_near(lost, 240, 1.5);
    ck_near(lost + done, 360, 1.5);
    double off_s = 200, busy_s = 2 * 10 + done * .1;
    ck_near(lab_value(l, "host.h-1", "energy", "total"), (400 - off_s) * 100 + busy_s * 100 + off_s * 5, 15);
    lab_close(l);
}
END_TEST

/* Post-copy: it runs on h-1 from 10 s on, but 1 GB of it comes from h-0 for 80 s yet. */
START_TEST(pages_still_come_from_there)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 200s}\nhosts: [{name: h, count: 2, cpu: {cores: 2}%s}]\n"
        "cloud: {place: pack-and-power-off, overcommit: {cpu: 1}}\n"
        "vms: [{name: a, host: h-0, memory: 1GB, migrate: {method: post-copy, rate: 100Mb/s}, " BUSY "},\n"
        "      {name: b, host: h-1, " BUSY
        "}]\nevents: [{at: 10s, migrate: a, to: h-1}, {at: 20s, stop: b}]\n",
        _i ? ", nics: [{name: e, bandwidth: 1Gb/s}]" : "");
    life_run(l, 1);
    ck_near((double)life_when(l, "host.h-0", "off", 0) / 1e9, 90, .01);
    ck_near(lab_value(l, "vm.a", "migration.time", "total"), 80, .01);
    ck_near(lab_value(l, "vm.a", "migration.bytes", "total"), 1e9, .5);
    lab_close(l);
}
END_TEST

/* Three hosts of four with two VMs of one each: h-0's go to h-1, then nobody has room for two more. The one
 * that is emptied is on until the last of its VMs has left it. */
START_TEST(consolidated_by_balancing)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 100s}\n"
        "hosts: [{name: h, count: 3, cpu: {cores: 4}, memory: 16GB, nics: [{name: e, bandwidth: 1Gb/s}], "
        "power: {idle: 100W, "
        "busy: 200W, off: 5W}}]\n"
        "cloud: {place: pack-and-power-off, overcommit: {cpu: 1}, balance: {every: 10s, above: 100%%}}\n"
        "vms: [{name: a, count: 2, host: h-0, memory: 1GB, migrate: {rate: 400Mb/s, step: 0b/s, dirty: "
        "{rate: 0B/s}}, " BUSY "},\n      {name: b, count: 2, host: h-1, " BUSY
        "}, {name: c, count: 2, host: h-2, " BUSY "}]\n");
    life_run(l, 1);
    for (int k = 0; k < 2; k++) {
        char name[20];
        snprintf(name, sizeof name, "vm.a-%d", k);
        ck_assert_int_eq(life_when(l, name, "migrating", 0), 10 * LIFE_SEC);
        ck_assert_int_eq(life_count(l, name, "migrated"), 1);
    }
    int64_t first = life_when(l, "vm.a-0", "migrated", 0), last = life_when(l, "vm.a-1", "migrated", 0);
    if (first > last) last = first;
    ck_near((double)last / 1e9, 10 + 20, .5); /* 1 GB at 400 Mb/s */
    ck_assert_int_eq(life_when(l, "host.h-0", "off", 0), last);
    ck_near(lab_value(l, "host.h-0", "energy", "total"),
            (double)last / 1e9 * 150 + (100 - (double)last / 1e9) * 5, .1);
    ck_near(lab_value(l, "host.h-1", "energy", "total"), 100 * 150 + (100 - (double)last / 1e9) * 50, .1);
    ck_assert_int_eq(life_count(l, "host.h-1", "off") + life_count(l, "host.h-2", "off"), 0);
    lab_close(l);
}
END_TEST

/* --- whatever happens --- */

static struct rng rng;

static int below(int n)
{
    return (int)(rng_u32(&rng) % (uint32_t)n);
}

static char *a_life(const char *policy)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    fprintf(f,
            "vlab: 1\nname: t\nrun: {duration: 60s}\n"
            "hosts: [{name: h, count: 4, cpu: {cores: 2}, memory: 8GB, nics: [{name: e, bandwidth: 10Gb/s}], "
            "power: {idle: "
            "100W, busy: 200W, off: 7W}}]\n"
            "images: [{name: i, boot: {time: 700ms}}]\nstorage: [{name: s, hosts: [h]}]\n"
            "cloud: {place: %s, overcommit: {cpu: 1}, ha: {detect: 1s, dispatch: 500ms}, balance: {every: "
            "7s, above: 40%%}}\n"
            "vms:\n",
            policy);
    for (int v = 0; v < 8; v++)
        fprintf(f,
                "- {name: v%d, memory: 500MB, disk: {on: s, size: 1GB, from: i}, start: {at: %dms}, migrate: "
                "{method: %s, "
                "rate: 2Gb/s, step: 0b/s, dirty: {rate: 1MB/s}}, workload: {steps: [{cpu: {exponential: "
                "20ms}}, {sleep: "
                "{exponential: 30ms}}]}}\n",
                v, below(20000), below(2) ? "post-copy" : "pre-copy");
    fprintf(f, "events:\n");
    for (int e = 0, at = 0; e < 40; e++) {
        static const char *const verbs[] = {"stop",  "start",  "destroy", "migrate",
                                            "pause", "resume", "start",   "stop"};
        at += below(2500);
        if (at >= 60000) break;
        int what = below(12);
        if (what < 8)
            fprintf(f, "- {at: %dms, %s: v%d}\n", at, verbs[what], below(8));
        else if (what < 10)
            fprintf(f, "- {at: %dms, fail: h-%d, for: %dms}\n", at, below(4), 1 + below(9000));
        else if (what == 10)
            fprintf(f, "- {at: %dms, fail: v%d, for: 3s}\n", at, below(8));
        else
            fprintf(f, "- {at: %dms, drain: h-%d}\n- {at: %dms, repair: h-%d}\n", at, below(4), at + 1,
                    below(4));
    }
    fclose(f);
    return text;
}

/* From the events: how long it was on. */
static double on_s(const struct lab *l, const char *host, double end_s)
{
    const struct run_output *o = lab_output(l);
    bool off = false;
    int failures = 0;
    double sum = 0, since = 0;
    for (size_t i = 0; i < o->n_happenings; i++) {
        const struct happening *e = &o->happenings[i];
        if (strcmp(e->entity, host)) continue;
        bool was = !off && failures == 0;
        if (!strcmp(e->kind, "on")) off = false;
        if (!strcmp(e->kind, "off")) off = true;
        if (!strcmp(e->kind, "failed")) failures++;
        if (!strcmp(e->kind, "repaired")) failures--;
        if (was) sum += (double)e->t_ns / 1e9 - since;
        since = (double)e->t_ns / 1e9;
    }
    return sum + (!off && failures == 0 ? end_s - since : 0);
}

START_TEST(only_the_empty_are_off)
{
    rng = rng_at(rng_key(5, (uint64_t)_i, RNG_TIE), 0, 0);
    bool pack = _i % 4 != 3;
    uint64_t were_off = 0;
    for (int round = 0; round < FEWER(20) + 1; round++) {
        char *text = a_life(pack ? "pack-and-power-off" : "least-loaded");
        struct life l = {.lab = lab_open("%s", text)};
        free(text);
        life_begin(&l, 1);
        for (int64_t t = 1; t < 600; t++) {
            life_to(&l, t * 100 * LIFE_MS); /* nobody who runs is on a host that is off */
            for (uint32_t h = 0; h < 4; h++) {
                const struct mhost *host = &l.m->hosts[h];
                bool needed = host->expects > 0 || migrate_needs(l.m, host);
                for (uint32_t v = 0; v < l.m->sc->n_vms; v++) {
                    const struct vm *vm = &l.m->vms[v];
                    if (vm->resident && vm->host == host) needed |= vm->wanted;
                }
                if (host->off) ck_often(pack && !needed);
                if (!host->off && !host->n_failures && pack) ck_often(needed);
                were_off += host->off;
            }
        }
        life_end(&l);
        lab_run(l.lab, 1);
        for (int h = 0; h < 4; h++) {
            char name[20];
            snprintf(name, sizeof name, "host.h-%d", h);
            double on = on_s(l.lab, name, 60), busy = lab_value(l.lab, name, "cpu.util", "share") * 60;
            double want = on * 100 + busy * 100 + (60 - on) * 7;
            ck_near(lab_value(l.lab, name, "energy", "total"), want, 1e-6 * want);
        }
        lab_close(l.lab);
    }
    ck_assert(pack ? were_off > 0 : were_off == 0);
}
END_TEST

Suite *off_suite(void)
{
    Suite *s = suite_create("off");
    TCase *tc = tcase_create("off");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, what_is_saved, 0, 3);
    tcase_add_test(tc, who_is_started_waits_for_its_boot);
    tcase_add_loop_test(tc, pages_still_come_from_there, 0, 2);
    tcase_add_test(tc, consolidated_by_balancing);
    tcase_add_loop_test(tc, only_the_empty_are_off, 0, 4);
    suite_add_tcase(s, tc);
    return s;
}
