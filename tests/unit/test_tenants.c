// SPDX-License-Identifier: GPL-3.0-or-later
/* VMs on request: thousands of them one after the other in a few slots. None is lost, none is there twice,
 * who is turned away is told why, and of who was in a slot before nothing is left. */
#include <math.h>

#include "model/cloud_inner.h"
#include "tests/lifelab.h"
#include "tests/often.h"

Suite *tenants_suite(void);

#define SLOTS 8

/* What is told in a run, as it is told. */
struct watch {
    struct rec *recs;
    size_t n, cap;
};

static void see(void *ctx, const struct rec *r, size_t n)
{
    struct watch *w = ctx;
    for (size_t i = 0; i < n; i++) {
        if (w->n == w->cap)
            w->recs = realloc(w->recs, (w->cap = w->cap ? 2 * w->cap : 1024) * sizeof *w->recs);
        w->recs[w->n++] = r[i];
    }
}

static void begin(struct life *l, struct lab *lab, struct watch *w)
{
    l->lab = lab;
    rec_block_init(&l->out);
    rec_block_add_reader(&l->out, (struct rec_reader){.read = see, .ctx = w, .mask = UINT32_MAX});
    l->m = model_new(lab_scenario(lab), 1, MODEL_ALL, &l->out);
}

static bool is(const struct rec *r, enum rec_event what)
{
    return r->kind == REC_EVENT && r->cause == what && r->vm != UINT32_MAX;
}

/* --- comings and goings --- */

/* Each slot is free and listed so once, or taken; whom the manager counts is there. By hand one may be taken
 * off the list unseen, or stopped. */
static void check_slots(const struct model *m, bool by_hand)
{
    const struct cloud *c = m->cloud;
    uint32_t there = 0, vcpus = 0;
    for (uint32_t f = 0; f < c->sc->requests.n_flavours; f++) {
        const struct sc_flavour *of = &c->sc->requests.flavours[f];
        for (uint32_t k = 0; k < of->n_vms; k++) {
            const struct vm *vm = &m->vms[of->first_vm + k];
            uint32_t listed = 0;
            for (uint32_t i = 0; i < c->flavours[f].n_free; i++)
                listed += c->flavours[f].free[i] == vm->index;
            ck_often(listed == (vm->power == POWER_NONE) || (by_hand && listed == 1));
            ck_often(vm->resident == (vm->power != POWER_NONE));
            ck_often(vm->in_quota == (by_hand ? vm->wanted : vm->resident));
            there += vm->in_quota;
            vcpus += vm->in_quota ? vm->n_vcpus : 0;
        }
    }
    ck_often(c->n_there == there && c->vcpus_there == vcpus);
}

/* 20 Erlang for SLOTS slots, a quota, or pCPUs: whichever is least turns away. */
static const struct {
    const char *host, *cloud;
    uint32_t servers;
    enum rec_why why;
} least[] = {
    {"cpu: {cores: 100}", "", SLOTS, REC_WHY_SLOTS},
    {"cpu: {cores: 100}", "quota: {vms: 6}, ", 6, REC_WHY_QUOTA},
    {"cpu: {cores: 100}", "quota: {vcpus: 5}, ", 5, REC_WHY_QUOTA},
    {"cpu: {cores: 5}", "", 5, REC_WHY_CPU},
    {"cpu: {cores: 100}, memory: 7GiB", "", 7, REC_WHY_MEMORY},
};

START_TEST(thousands_in_a_few_slots)
{
    static const struct {
        const char *life;
        double scv;
    } lives[] = {{"10s", 0}, {"{exponential: 10s}", 1}};
    for (int k = 0; k < 2; k++) {
        double a = 6, n = FEWER(6000);
        struct lab *lab = lab_open(
            "vlab: 1\nname: t\nrun: {duration: %ds}\nhosts: [{name: h, %s}]\n"
            "cloud: {place: first-fit, overcommit: {cpu: 1, memory: 1}, %srequests: {arrivals: {poisson: "
            "0.6/s}, lifetime: "
            "%s, flavours: [{most: %d, vm: {name: v, memory: 1GiB, workload: {steps: [{sleep: 1h}]}}}]}}\n",
            (int)(n / .6), least[_i].host, least[_i].cloud, lives[k].life, SLOTS);
        struct watch w = {0};
        struct life l;
        begin(&l, lab, &w);
        double end_s = (double)lab_scenario(lab)->run.duration_ns / 1e9;
        for (int64_t t = 1; t < 500; t++) {
            life_to(&l, (int64_t)(end_s * 1e9) / 500 * t);
            check_slots(l.m, false);
        }
        life_end(&l);
        int64_t came_ns[SLOTS] = {0};
        uint32_t there = 0, admitted = 0, refused = 0, left = 0;
        double stays_s = 0, up_s = 0;
        for (size_t i = 0; i < w.n; i++) {
            const struct rec *r = &w.recs[i];
            if (r->kind == REC_STATE && r->from != VCPU_DOWN) up_s += (double)r->value / 1e9;
            if (is(r, REC_EV_DEFINED)) {
                came_ns[r->vm] = r->t_ns;
                ck_often(there++ < least[_i].servers);
                admitted++;
            }
            if (is(r, REC_EV_DESTROYED)) {
                there--;
                left++;
                stays_s += (double)(r->t_ns - came_ns[r->vm]) / 1e9;
            }
            if (!is(r, REC_EV_REJECTED)) continue;
            ck_often(there == least[_i].servers && r->to == least[_i].why);
            refused++;
        }
        ck_assert_uint_eq(admitted - left, there);
        for (uint32_t v = 0; v < SLOTS; v++) { /* those that are there yet */
            size_t at = w.n;
            while (at > 0 && !(w.recs[at - 1].vm == v && (is(&w.recs[at - 1], REC_EV_DEFINED) ||
                                                          is(&w.recs[at - 1], REC_EV_DESTROYED))))
                at--;
            if (at && is(&w.recs[at - 1], REC_EV_DEFINED)) stays_s += end_s - (double)came_ns[v] / 1e9;
        }
        /* Little's law, of the states of their vCPUs against the events: exactly. */
        ck_near(up_s, stays_s, 1e-9 * stays_s);
        /* Erlang's loss formula, whatever the lifetimes; 4 sigma, losses coming in bursts. */
        double b = 1;
        for (uint32_t s = 1; s <= least[_i].servers; s++)
            b = a * b / (s + a * b);
        double all = admitted + refused;
        ck_near(all, n, 4 * sqrt(n));
        ck_near(refused / all, b, 4 * sqrt(b * (1 - b) / n * 4));
        ck_near(up_s / end_s, a * (1 - b), 4 * a * (1 - b) * sqrt(2 * (1 + lives[k].scv) / n));
        if (lives[k].scv == 0) ck_near(stays_s, 10. * admitted, 10. * SLOTS);
        free(w.recs);
        lab_close(lab);
    }
}
END_TEST

/* Hosts fail, VMs boot, are destroyed and started by hand besides: still none is lost. */
START_TEST(no_orphans)
{
    struct lab *lab =
        lab_open("vlab: 1\nname: t\nrun: {duration: %ds}\n"
                 "hosts: [{name: h, count: 3, cpu: {cores: 4}, failures: {ttf: {exponential: 100s}, repair: "
                 "{exponential: 20s}}}]\n"
                 "images: [{name: i, boot: {cpu: 100ms, time: 1s}}]\nstorage: [{name: s, hosts: [h]}]\n"
                 "cloud: {place: %s, overcommit: {cpu: 1}, ha: {detect: 2s, dispatch: 1s}, requests: "
                 "{arrivals: {poisson: 1/s}, "
                 "lifetime: {exponential: 8s}, flavours: [{most: 5, vm: {name: v, disk: {on: s, size: 1GB, "
                 "from: i}, workload: "
                 "{kind: requests, arrivals: {poisson: 2/s}, steps: [{cpu: 100ms}]}}},\n"
                 "{most: 4, vm: {name: w, vcpus: 2, workload: {steps: [{cpu: 100ms}, {sleep: 100ms}]}}}]}}\n"
                 "events: [{every: 37s, destroy: v-0}, {every: 41s, start: v-1}, {every: 43s, destroy: v-1}, "
                 "{every: 53s, stop: v-2}, "
                 "{every: 31s, start: v-2}, {every: 59s, start: w-0}, {every: 61s, destroy: w-0}]\n",
                 FEWER(3000), _i ? "pack-and-power-off" : "worst-fit");
    struct watch w = {0};
    struct life l;
    begin(&l, lab, &w);
    for (int64_t t = 1; t < FEWER(3000); t++) {
        life_to(&l, t * LIFE_SEC);
        check_slots(l.m, true);
    }
    life_end(&l);
    int64_t up_ns[9];
    uint32_t left = 0, failed = 0;
    memset(up_ns, 0xff, sizeof up_ns);
    for (size_t i = 0; i < w.n; i++) {
        const struct rec *r = &w.recs[i];
        if (is(r, REC_EV_DEFINED)) up_ns[r->vm] = -1;
        failed += is(r, REC_EV_FAILED);
        if (r->kind == REC_POWER && r->cause == REC_P_UP && r->vm != UINT32_MAX && r->value &&
            up_ns[r->vm] < 0)
            up_ns[r->vm] = r->t_ns;
        if (!is(r, REC_EV_LEFT)) continue;
        ck_often(up_ns[r->vm] >= 0 && r->t_ns > up_ns[r->vm]); /* a lifetime begins when it is up */
        left++;
    }
    ck_assert_uint_gt(left, FEWER(1000));
    ck_assert_uint_gt(failed, FEWER(50));
    free(w.recs);
    lab_close(lab);
}
END_TEST

/* A lifetime is of the request: who starts a VM by hand in a slot that has been used, or was asked for in
 * vain, has it for good. */
START_TEST(by_hand_it_has_no_end)
{
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 100s}\nhosts: [{name: h, cpu: {cores: 1}}]\n"
                             "cloud: {place: first-fit, overcommit: {cpu: 1}, requests: {arrivals: "
                             "{periodic: 10s}, lifetime: 5s, flavours: "
                             "[{most: 1, vm: {name: v, workload: {steps: [{sleep: 1s}]}}}]}}\n"
                             "vms: [{name: other, start: {at: %ds}, workload: {steps: [{sleep: 1s}]}}]\n"
                             "events: [{at: 17s, destroy: other}, {at: 18s, start: v-0}]\n",
                             _i ? 2 : 200);
    life_run(l, 1);
    /* 10 s to 15 s by request, unless somebody else has the pCPU then. */
    ck_assert_int_eq(life_when(l, "vm.v-0", "left", 0), _i ? -1 : 15 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.v-0", "rejected", 0), (_i ? 10 : 20) * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.v-0", "started", !_i), 18 * LIFE_SEC);
    ck_assert_int_eq(life_count(l, "vm.v-0", "left"), !_i);
    lab_close(l);
}
END_TEST

/* It is from when it first was up, whatever happens meanwhile: also if it is failed when it is over. */
START_TEST(a_failure_prolongs_no_life)
{
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 290s}\nhosts: [{name: h, cpu: {cores: 1}}]\n"
                             "cloud: {place: first-fit, requests: {arrivals: {periodic: 100s}, lifetime: "
                             "50s, flavours: [{most: 1, vm: {name: v, "
                             "workload: {steps: [{sleep: 1s}]}}}]}}\n"
                             "events: [{at: 120s, fail: h, for: 10s}, {at: 220s, fail: h, for: 60s}]\n");
    life_run(l, 1);
    ck_assert_int_eq(life_when(l, "vm.v-0", "left", 0), 150 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.v-0", "left", 1), 250 * LIFE_SEC);
    ck_near(lab_value(l, "vm.v-0", "cpu.down", "total"), 290 - 40 - 20, 1e-9);
    ck_assert_int_eq(life_count(l, "vm.v-0", "started"), 3); /* not again when the host is back at 280 s */
    lab_close(l);
}
END_TEST

/* What a tenant wrote goes with it: 10 MB for 50 s of each 100 s, of 1000 s. */
START_TEST(its_blocks_go_with_it)
{
    struct lab *l = lab_open("vlab: 1\nname: t\nrun: {duration: 1000s}\nhosts: [{name: h, cpu: {cores: 1}}]\n"
                             "storage: [{name: d, hosts: [h], pool: 1GB, grain: 1MB}]\n"
                             "cloud: {place: first-fit, requests: {arrivals: {periodic: 100s}, lifetime: "
                             "50s, flavours: [{most: 1, vm: {name: v, "
                             "disk: {on: d, size: 10MB, provision: %s}, workload: {steps: [{disk: {write: "
                             "10MB, pattern: sequential}}, {sleep: "
                             "1h}]}}}]}}\n",
                             _i ? "thin" : "thick");
    life_run(l, 1);
    ck_near(lab_value(l, "storage.d", "disk.allocated", "mean"), 10e6 * 9 * 50 / 1000, 1);
    ck_near(lab_value(l, "storage.d", "disk.allocated", "max"), 10e6, .5);
    lab_close(l);
}
END_TEST

/* --- nothing is left --- */

/* What a tenant does, in time since it was started, until it leaves, and when it does. NULL: it did not. */
static char *trace_of(const struct watch *w, size_t from, int64_t *life_ns)
{
    char *text = NULL;
    size_t len = 0;
    bool left = false;
    FILE *f = open_memstream(&text, &len);
    const struct rec *first = &w->recs[from];
    for (size_t i = from; i < w->n && !left; i++) {
        const struct rec *r = &w->recs[i];
        if (r->vm != first->vm || r->kind == REC_COUNT || r->kind == REC_LEVEL || r->kind == REC_POWER)
            continue;
        if (r->kind == REC_STATE && r->from == VCPU_DOWN) continue;
        if (is(r, REC_EV_REJECTED)) continue; /* somebody else, told of the first slot */
        *life_ns = r->t_ns - first->t_ns;
        left = is(r, REC_EV_LEFT);
        if (left) break;
        fprintf(f, "%lld %u %lld %u %u\n", (long long)(r->t_ns - first->t_ns), r->kind, (long long)r->value,
                r->kind == REC_STATE ? r->from : 0, r->kind == REC_EVENT ? r->cause : 0);
    }
    fclose(f);
    if (left) return text;
    free(text);
    return NULL;
}

/* Each has a host to itself, and the same draws: one is as the other, whoever was there before. */
static const char *const works[] = {
    "workload: {steps: [{cpu: {exponential: 30ms}}, {sleep: {exponential: 50ms}}]}",
    "workload: {steps: [{cpu: {exponential: 30ms}}], until: {count: 40}}",
    "workload: {kind: requests, arrivals: {poisson: 10/s}, steps: [{cpu: {exponential: 60ms}}]}",
    "workload: {kind: requests, arrivals: {poisson: 20/s}, queue: 2, steps: [{cpu: {exponential: 60ms}}]}",
    "workload: {kind: requests, arrivals: {poisson: 10/s}, steps: [{cpu: {exponential: 60ms}}], until: "
    "{count: 30}}",
    "workload: {kind: requests, arrivals: {sequence: [{periodic: 300ms, for: 2s}, {poisson: 30/s}]}, steps: "
    "[{cpu: 10ms}]}",
    "workload: {kind: requests, clients: 3, think: {exponential: 200ms}, steps: [{cpu: {exponential: "
    "60ms}}], until: {count: "
    "30}}",
    "memory: 16MiB, workload: {steps: [{touch: {pages: 300, of: 8MiB, write: 50%}}, {cpu: {exponential: "
    "20ms}}]}",
    "disk: {on: d, size: 100MB, from: i, clone: full}, workload: {steps: [{disk: {read: 64KiB}}, {disk: "
    "{write: 32KiB}}, "
    "{cpu: {exponential: 10ms}}]}",
    "disk: {on: d, size: 100MB, provision: thin, cache: 1MiB}, workload: {steps: [{disk: {write: 32KiB}}, "
    "{disk: {read: 64KiB}}, "
    "{sleep: {exponential: 10ms}}]}",
};
#define WORKS ((int)(sizeof works / sizeof *works))

START_TEST(one_is_as_the_other)
{
    struct lab *lab =
        lab_open("vlab: 1\nname: t\nrun: {duration: 300s}\n"
                 "hosts: [{name: h, count: 4, cpu: {cores: 1}, memory: {size: 64MiB, ref_cost: 1us}}]\n"
                 "images: [{name: i, boot: {shared: 1MB, own: 2MB, cpu: 10ms}}]\nstorage: [{name: d, hosts: "
                 "[h], latency: 1ms, pool: 10GB}]\n"
                 "cloud: {place: %s, overcommit: {cpu: 1}, requests: {arrivals: {poisson: 0.8/s}, lifetime: "
                 "{uniform: [3s, 9s]}, "
                 "flavours: [{most: 4, vm: {name: v, draws: all, %s}}]}}\n",
                 _i % 2 ? "first-fit" : "round-robin", works[_i / 2]);
    struct watch w = {0};
    struct life l;
    begin(&l, lab, &w);
    for (int64_t t = 1; t < 300; t++)
        life_to(&l, t * LIFE_SEC);
    life_end(&l);
    uint32_t n = 0, slots = 0;
    char *model = NULL;
    int64_t model_ns = 0;
    for (size_t i = 0; i < w.n; i++) {
        if (!is(&w.recs[i], REC_EV_STARTED)) continue;
        int64_t life_ns;
        char *text = trace_of(&w, i, &life_ns);
        if (!text) continue;
        slots |= 1u << w.recs[i].vm;
        n++;
        /* They live for different times: the shorter is a beginning of the longer. */
        char *longer = !model || strlen(text) > strlen(model) ? text : model;
        char *other = longer == text ? model : text;
        int64_t until_ns = longer == text ? model_ns : life_ns; /* the other's life */
        size_t same = 0, line = 0;
        for (; other && other[same] && other[same] == longer[same]; same++)
            if (other[same] == '\n') line = same + 1;
        ck_assert_msg(!other || !other[same], "tenant %u, slot %u: %.40s... and not %.40s...", n,
                      w.recs[i].vm, other + line, longer + line);
        if (other && longer[same]) ck_assert_int_ge(strtoll(longer + same, NULL, 10), until_ns);
        free(other);
        model = longer;
        if (longer == text) model_ns = life_ns;
    }
    ck_assert_uint_gt(strlen(model), 1000);
    free(model);
    ck_assert_uint_eq(slots, 15);
    ck_assert_uint_gt(n, 100);
    free(w.recs);
    lab_close(lab);
}
END_TEST

/* Busy for 50 s of a life of 60; looked at every 115 s. What is measured is the tenant's own. */
START_TEST(a_load_is_the_tenants_own)
{
    struct lab *lab = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 460s}\nhosts: [{name: h, count: 2, cpu: {cores: 2}}]\n"
        "cloud: {place: least-loaded, balance: {every: 115s, above: 100%%}, requests: {arrivals: {periodic: "
        "100s}, lifetime: "
        "60s, flavours: [{most: 1, vm: {name: v, workload: {steps: [{cpu: 50s}, {sleep: 1h}]}}}]}}\n");
    struct life l = {.lab = lab};
    life_begin(&l, 1);
    for (int k = 1; k <= 3; k++) {
        life_to(&l, k * 115 * LIFE_SEC);
        ck_assert_int_eq(life_vm(&l, "v-0")->power, POWER_UP);
        ck_assert_int_eq(l.m->cloud->vm[0].load_ppm, 1000000);
    }
    life_end(&l);
    lab_close(lab);
}
END_TEST

Suite *tenants_suite(void)
{
    Suite *s = suite_create("tenants");
    TCase *tc = tcase_create("tenants");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, thousands_in_a_few_slots, 0, sizeof least / sizeof *least);
    tcase_add_loop_test(tc, no_orphans, 0, 2);
    tcase_add_loop_test(tc, by_hand_it_has_no_end, 0, 2);
    tcase_add_test(tc, a_failure_prolongs_no_life);
    tcase_add_loop_test(tc, its_blocks_go_with_it, 0, 2);
    tcase_add_loop_test(tc, one_is_as_the_other, 0, 2 * WORKS);
    tcase_add_test(tc, a_load_is_the_tenants_own);
    suite_add_tcase(s, tc);
    return s;
}
