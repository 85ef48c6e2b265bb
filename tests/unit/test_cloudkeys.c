// SPDX-License-Identifier: GPL-3.0-or-later
/* What is above the hosts: every key arrives, what is not stated has its default, the resolved scenario reads
 * back to the same, and the order of the file does not matter. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/reading.h"

Suite *cloudkeys_suite(void);

static const char head[] = "run: {duration: 100s}\n";
static const char hosts[] =
    "hosts:\n"
    "- {name: h1, cpu: {cores: 4, speed: 2, defence: fixed-slots}, vmm: [one, two], rack: r2,\n"
    "   power: {off: 5W, steps: [{speed: 1, idle: 80W, busy: 120W}, {speed: 2, idle: 0.1kW, busy: "
    "200500mW}]},\n"
    "   price: 0.10/h, features: [avx512, sse4], mask: [avx512], limit: {cpu: 60%},\n"
    "   failures: {ttf: {exponential: 1000h}, repair: 4h}, disks: [{name: d, pool: 1GiB}], nics: [{name: "
    "n}]}\n"
    "- {name: h2, cpu: {cores: 4}, count: 2, rack: r1, power: {curve: [10W, 30W, 40W]}, features: [aes]}\n"
    "storage: [{name: san, pool: 10GiB}]\n"
    "networks: [{name: lan, nics: [h1/n]}]\n"
    "images:\n"
    "- {name: web, boot: {shared: 300MB, own: 20MB, cpu: 1s, time: 2s}}\n"
    "- {name: bare}\n";
static const char vms[] =
    "vms:\n"
    "- {name: web, count: 2, place: worst-fit, anti_affinity: [web], disk: {on: san, from: web, size: "
    "1GiB},\n"
    "   workload: {kind: requests, arrivals: {poisson: 1/s}, queue: shared, steps: [{cpu: 1ms}]}}\n"
    "- {name: db, host: h1, vmm: two, features: [sse4], affinity: [aid], disk: {on: san, size: 1GiB},\n"
    "   migrate: {method: post-copy, rate: 1Gb/s, step: 0b/s, stop_below: 1MiB, max_rounds: 5, diverge: "
    "throttle,\n"
    "   zero_pages: skip, downtime: 10ms, dirty: {rate: 8b/s, of: 1MiB, cold: 1B/s, pattern: uniform}},\n"
    "   memory: 1GiB}\n"
    "- {name: aid, host: h1, mode: container, kernel: k}\n";
static const char cloud[] =
    "cloud: {place: best-fit, overcommit: {cpu: 4, memory: 1.5}, quota: {vcpus: 100, memory: 1TiB, vms: "
    "50},\n"
    "  ha: {detect: 1s, dispatch: 2s, spares: 1}, balance: {every: 1m, above: 10%},\n"
    "  autoscale: [{group: web, above: 1, below: 0.5, add: 2, remove: 3, every: 1s, cooldown: 2s, max: 5}],\n"
    "  requests: {arrivals: {periodic: 10s}, lifetime: 1h, flavours: [{vm: {name: req, vcpus: 2}, most: 3,\n"
    "  chance: 7}]}}\n"
    "services: [{name: t, of: [web-*]}, {name: s, of: [d*, aid], need: 1}]\n";
static const char events[] = "events:\n"
                             "- {at: 1s, every: 2s, fail: h1/d, for: 3s}\n"
                             "- {every: 4s, repair: r2}\n"
                             "- {at: 5s, fail: h1/vmm/two}\n"
                             "- {at: 5s, fail: h1/n}\n"
                             "- {at: 5s, fail: h1/d/pool}\n"
                             "- {at: 5s, fail: san/pool}\n"
                             "- {at: 5s, fail: san}\n"
                             "- {at: 5s, fail: k}\n"
                             "- {at: 5s, fail: lan}\n"
                             "- {at: 5s, fail: h2}\n"
                             "- {at: 6s, set: vms.db.cpu.weight, to: 500}\n"
                             "- {at: 6s, set: vms.db.cpu.limit, to: 50%}\n"
                             "- {at: 6s, set: vms.db.migrate.dirty.rate, to: 1B/s}\n"
                             "- {at: 6s, set: hosts.h1.cpu.speed, to: 0.5}\n"
                             "- {at: 7s, migrate: db, to: h2-1}\n"
                             "- {at: 7s, migrate: db}\n"
                             "- {at: 8s, clone: db, as: copy, kind: linked}\n"
                             "- {at: 8s, grow: h1/d, by: 1GiB}\n"
                             "- {at: 8s, drain: h2-0}\n"
                             "- {at: 8s, add: {name: late, host: h1}}\n"
                             "- {at: 9s, pause: web}\n";

static struct scenario_file *whole(struct diag *d, bool reversed)
{
    const char *parts[] = {head, hosts, vms, cloud, events};
    char text[8000];
    size_t at = 0;
    for (int i = 0; i < 5; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s", parts[reversed ? 4 - i : i]);
    ck_assert_uint_lt(at, sizeof text);
    return parse(text, d);
}

static void ck_hosts(const struct scenario *sc)
{
    const struct sc_host *h = host_of(sc, "h1"), *g = host_of(sc, "h2-1");
    ck_assert(h->fixed_slots && !g->fixed_slots);
    ck_assert(h->n_vmms == 2 && g->n_vmms == 0);
    ck_assert_str_eq(h->vmms[1], "two");
    ck_assert(sc->n_racks == 2 && h->rack == 1 && g->rack == 0);
    ck_assert(h->price_u == 100000 && g->price_u == 0);
    ck_assert(h->limit_ppm == 600000 && g->limit_ppm == 1000000);
    ck_assert(sc->n_features == 3 && h->features == 4 && g->features == 1); /* aes avx512 sse4 */
    const struct sc_power *p = &h->power;
    ck_assert(p->stated && p->n_steps == 2 && p->n_curve == 0 && p->off_mw == 5000);
    ck_assert(p->steps[0].speed_ppm == 1000000 && p->steps[0].busy_mw == 120000);
    ck_assert(p->steps[1].idle_mw == 100000 && p->steps[1].busy_mw == 200500);
    p = &g->power;
    ck_assert(p->n_curve == 3 && p->idle_mw == 10000 && p->busy_mw == 40000 && p->curve_mw[1] == 30000);
    ck_assert(h->failures.stated && !g->failures.stated);
    ck_assert(h->failures.ttf.kind == DIST_EXPONENTIAL && h->failures.ttf.a == INT64_C(3600000000000000));
    ck_assert(h->failures.repair.kind == DIST_CONST && h->failures.repair.a == INT64_C(14400000000000));
}

static void ck_vms(const struct scenario *sc)
{
    const struct sc_vm *web = vm_of(sc, "web-0"), *db = vm_of(sc, "db"), *aid = vm_of(sc, "aid");
    const struct sc_vm *copy = vm_of(sc, "copy"), *late = vm_of(sc, "late"), *req = vm_of(sc, "req-2");
    ck_assert(web->placed && web->there == SC_AT_START && web->work.shared_queue && !db->placed);
    ck_assert_str_eq(web->place, "worst-fit");
    ck_assert_str_eq(sc->images[web->image].name, "web");
    ck_assert(db->image == SC_NONE && db->vmm == 1 && db->features == 4);
    ck_assert(web->n_apart == 4 && vm_of(sc, "web-4")->there == SC_BY_SCALE);
    ck_assert(db->n_with == 1 && &sc->vms[db->with[0]] == aid);
    ck_assert(aid->n_with >= 1 && aid->kernel == 0 && db->kernel == SC_NONE);
    const struct sc_migrate *m = &db->migrate;
    ck_assert(m->method == SC_POST_COPY && m->diverge == SC_DIVERGE_THROTTLE && m->skip_zero);
    ck_assert(m->rate_bps == 1000000000 && m->step_bps == 0 && m->stop_below_bytes == 1 << 20);
    ck_assert(m->max_rounds == 5 && m->downtime_ns == 10000000 && m->dirty_stated && m->dirty_uniform);
    ck_assert(m->dirty_bps == 8 && m->dirty_of_bytes == 1 << 20 && m->dirty_cold_bps == 8);
    m = &aid->migrate;
    ck_assert(m->method == SC_PRE_COPY && m->diverge == SC_DIVERGE_CANCEL && !m->skip_zero);
    ck_assert(m->rate_bps == 100000000 && m->step_bps == 50000000 && m->rate_max_bps == 500000000);
    ck_assert(m->stop_below_bytes == 256 << 10 && m->max_rounds == 30 && !m->downtime_ns && !m->dirty_stated);
    ck_assert(copy->there == SC_BY_CLONE && &sc->vms[copy->like] == db && copy->disks[0].linked);
    ck_assert(&sc->vms[copy->disks[0].from_vm] == db);
    ck_assert(late->there == SC_BY_ADD && !late->placed && late->like == SC_NONE);
    ck_assert(req->there == SC_BY_REQUEST && req->placed && !req->place && req->vcpus == 2);
}

static void ck_cloud(const struct scenario *sc)
{
    const struct sc_cloud *c = &sc->cloud;
    ck_assert(c->stated && c->ha && !c->power_off && sc->moves);
    ck_assert_str_eq(c->place, "best-fit");
    ck_assert(c->overcommit_cpu_m == 4000 && c->overcommit_mem_m == 1500);
    ck_assert(c->quota_vcpus == 100 && c->quota_vms == 50 && c->quota_bytes == INT64_C(1) << 40);
    ck_assert(c->detect_ns == 1000000000 && c->dispatch_ns == 2000000000 && c->spares == 1);
    ck_assert(c->balance_every_ns == INT64_C(60000000000) && c->balance_above_ppm == 100000);
    const struct sc_autoscale *s = c->scales;
    ck_assert(c->n_scales == 1 && s->n_vms == 5 && s->n_start == 2 && s->metric == SC_M_BACKLOG);
    ck_assert_str_eq(sc->vms[s->first_vm].name, "web-0");
    ck_assert(s->above_u == 1000000 && s->below_u == 500000 && s->target_u == -1 && s->add == 2);
    ck_assert(s->remove == 3 && s->every_ns == 1000000000 && s->cooldown_ns == 2000000000);
    const struct sc_requests *q = &c->requests;
    ck_assert(q->stated && !q->poisson && q->gap_ns == INT64_C(10000000000) && q->n_flavours == 1);
    ck_assert(q->flavours->n_vms == 3 && q->flavours->chance == 7);
    ck_assert_str_eq(sc->vms[q->flavours->first_vm].name, "req-0");
    ck_assert_uint_eq(sc->n_services, 2);
    ck_assert_str_eq(sc->services[0].entity, "service.s");
    ck_assert(sc->services[0].n_vms == 2 && sc->services[0].need == 1);
    ck_assert(sc->services[1].n_vms == sc->services[1].need);
    ck_assert_uint_eq(sc->n_images, 2);
    ck_assert(sc->images[1].shared_bytes == 300000000 && sc->images[1].own_bytes == 20000000);
    ck_assert(sc->images[1].cpu_ns == 1000000000 && sc->images[1].time_ns == 2000000000);
    ck_assert(!sc->images[0].shared_bytes && !sc->images[0].own_bytes && !sc->images[0].cpu_ns);
}

static void ck_events(const struct scenario *sc)
{
    static const struct {
        uint8_t verb, kind;
        int64_t at_s, value;
    } want[] = {{SC_FAIL, SC_T_DISK, 1, 0},  {SC_REPAIR, SC_T_RACK, 4, 0},   {SC_FAIL, SC_T_VMM, 5, 0},
                {SC_FAIL, SC_T_NIC, 5, 0},   {SC_FAIL, SC_T_POOL, 5, 0},     {SC_FAIL, SC_T_POOL, 5, 0},
                {SC_FAIL, SC_T_DISK, 5, 0},  {SC_FAIL, SC_T_KERNEL, 5, 0},   {SC_FAIL, SC_T_NETWORK, 5, 0},
                {SC_FAIL, SC_T_HOST, 5, 0},  {SC_SET, SC_T_VM, 6, 500},      {SC_SET, SC_T_VM, 6, 500000},
                {SC_SET, SC_T_VM, 6, 8},     {SC_SET, SC_T_HOST, 6, 500000}, {SC_MIGRATE, SC_T_VM, 7, 0},
                {SC_MIGRATE, SC_T_VM, 7, 0}, {SC_CLONE, SC_T_VM, 8, 0},      {SC_GROW, SC_T_DISK, 8, 1 << 30},
                {SC_DRAIN, SC_T_HOST, 8, 0}, {SC_ADD, SC_T_VM, 8, 0},        {SC_PAUSE, SC_T_VM, 9, 0}};
    ck_assert_uint_eq(sc->n_events, sizeof want / sizeof *want);
    const struct sc_event *e = sc->events;
    for (uint32_t i = 0; i < sc->n_events; i++)
        ck_assert_msg(e[i].verb == want[i].verb && e[i].kind == want[i].kind &&
                          e[i].at_ns == want[i].at_s * 1000000000 && e[i].value == want[i].value,
                      "event %u", i);
    ck_assert(e[0].every_ns == 2000000000 && e[0].for_ns == 3000000000 && e[1].every_ns == 4000000000);
    ck_assert(e[2].part == 1 && e[2].every_ns == 0 && e[2].for_ns == 0);
    ck_assert_str_eq(sc->hosts[e[2].target].name, "h1");
    ck_assert_str_eq(sc->disks[e[5].target].entity, "storage.san");
    ck_assert_uint_eq(e[9].n, 2);
    ck_assert(e[12].setting == SC_SET_VM_DIRTY && e[13].setting == SC_SET_HOST_SPEED);
    ck_assert_str_eq(sc->hosts[e[14].to].name, "h2-1");
    ck_assert(e[15].to == SC_NONE && e[16].linked);
    ck_assert_str_eq(sc->vms[e[16].to].name, "copy");
    ck_assert_str_eq(sc->vms[e[19].target].name, "late");
    ck_assert_str_eq(sc->vms[e[20].target].name, "web-0");
}

static void ck_all(const struct scenario *sc)
{
    ck_hosts(sc);
    ck_vms(sc);
    ck_cloud(sc);
    ck_events(sc);
}

START_TEST(every_key_arrives)
{
    struct diag d;
    struct scenario_file *f = whole(&d, _i == 1);
    struct scenario *sc = at(f, 0, &d);
    ck_all(sc);
    scenario_free(sc);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

START_TEST(the_resolved_scenario_reads_back)
{
    struct diag d, again;
    struct scenario_file *f = whole(&d, false);
    size_t len, len2;
    char *text = scenario_dump(f, &len);
    struct scenario_file *g = parse(text, &again);
    struct scenario *sc = at(g, 0, &again);
    ck_all(sc);
    char *text2 = scenario_dump(g, &len2);
    ck_assert_str_eq(text, text2);
    free(text);
    free(text2);
    scenario_free(sc);
    scenario_close(f);
    scenario_close(g);
    diag_done(&d);
    diag_done(&again);
}
END_TEST

#define H     "hosts: [{name: h1, disks: [{name: d}]}, {name: h2}]\n"
#define W     H "vms: [{name: a, host: h1, disk: d}, {name: b, count: 2, host: h2}]\n"
#define EV    W "events:\n- " /* line 4, column 3 */
#define SLOTS "hosts: [{name: h, cpu: {cores: 2, defence: fixed-slots}}]\nvms: [{name: a, host: h, cpu: "
#define CL    W "cloud: {" /* column 9 of line 3 */

static const struct refusal refusals[] = {
    {EV "{at: 1s}\n", 4, 3, "what is done?", NULL},
    {EV "{at: 1s, pause: a, stop: a}\n", 4, 3, "does one thing; this one does 2", NULL},
    {EV "{pause: a}\n", 4, 3, "when? `at` or `every` is missing", NULL},
    {EV "{at: 1s, pause: aa}\n", 4, 19, "there is no VM `aa`", "did you mean `a`?"},
    {EV "{at: 1s, pause: h1}\n", 4, 19, "there is no VM `h1`", NULL},
    {EV "{at: 1s, drain: h3}\n", 4, 19, "there is no host `h3`", "did you mean `h"},
    {EV "{at: 1s, fail: h1/dd}\n", 4, 18, "nothing called `h1/dd` that could fail", "did you mean `h1/d`?"},
    {EV "{at: 1s, pause: a, for: 1s}\n", 4, 22, "`for` does not go with `pause`", NULL},
    {EV "{at: 1s, pause: a, to: h1}\n", 4, 22, "`to` does not go with `pause`", NULL},
    {EV "{at: 1s, pause: a, by: 1GiB}\n", 4, 22, "`by` does not go with `pause`", NULL},
    {EV "{at: 1s, grow: h1/d}\n", 4, 3, "by how much? `by` is missing", NULL},
    {EV "{at: 1s, grow: h1/d, by: 1GiB}\n", 4, 18, "`d` has no pool that could grow", NULL},
    {EV "{at: 1s, clone: a}\n", 4, 3, "what is it to be called? `as` is missing", NULL},
    {EV "{at: 1s, migrate: a, to: h2}\n", 4, 28, "its disk is on `d`, which host `h2` does not reach",
     "migration needs shared storage"},
    {EV "{at: 1s, migrate: a, to: h9}\n", 4, 28, "there is no host `h9`", "did you mean"},
    {EV "{at: 1s, migrate: a, to: h1}\n", 4, 28, "it is there already", NULL},
    {EV "{at: 1s, set: vms.a.vcpus, to: 2}\n", 4, 17, "`vms.a.vcpus` cannot be changed while it runs",
     "vms.NAME.cpu.weight"},
    {EV "{at: 1s, set: vms.a.cpu.weight}\n", 4, 3, "to what? `to` is missing", NULL},
    {EV "{at: 1s, set: vms.a.cpu.weight, to: 0}\n", 4, 39, "out of range: 1 to 10000", NULL},
    {EV "{at: 1s, set: vms.a.cpu.limit, to: 200%}\n", 4, 38, "can run 100% at most", NULL},
    {EV "{at: 1s, pause: a, when: vms.a.vcpus=2}\n", 4, 28, "`vms.a.vcpus` is not swept", NULL},
    {EV "{at: 1s, pause: a, when: soon}\n", 4, 28, "`soon` is not KEY=VALUE", NULL},
    {W "services: [{name: s, of: [c]}]\n", 3, 27, "there is no VM `c`", NULL},
    {W "services: [{name: s, of: [b-*], need: 3}]\n", 3, 39, "it has 2 VMs: it would never be there", NULL},
    {W "services: [{name: s}]\n", 3, 12, "which VMs? `of` is missing", NULL},
    {CL "quota: {vms: 2}}\n", 3, 22, "3 VMs are there at the start", NULL},
    {CL "quota: {vcpus: 2}}\n", 3, 24, "VMs that are there at the start have 3 vCPUs", NULL},
    {CL "ha: {spares: 4}}\n", 3, 22, "out of range: 0 to 3", NULL},
    {H "vms: [{name: a, host: h1, place: best-fit}]\n", 2, 34, "a `host`, or a policy to `place` it", NULL},
    {H "vms: [{name: a, host: h1, vmm: x}]\n", 2, 32, "no hypervisor process `x`", "hosts.vmm"},
    /* A mistake elsewhere leaves something out that these would look at. */
    {"hosts: [{name: h, cpu: 1, vmm: [{a: b}]}]\nvms: [{name: a}]\n", 1, 33, "wants: list of names", NULL},
    {"hosts: [{name: h, count: 2, cpu: 1}]\nvms: [{name: a, count: 2, anti_affinity: [a]}]\n", 2, 7,
     "on which host?", NULL},
    {SLOTS "{reservation: 20%}}]\n", 2, 45, "host `h` has fixed slots, which nobody can reserve", NULL},
    {SLOTS "{cosched: relaxed}}]\n", 2, 41, "which siblings get each at its own time", NULL},
    {H "vms: [{name: a, host: h1, features: [x]}]\n", 2, 38, "no host has the feature `x`", "hosts.features"},
};

START_TEST(is_refused)
{
    ck_text_refused(&refusals[_i]);
}
END_TEST

/* An event of a group that a sweep makes empty does nothing there. */
START_TEST(an_empty_group_is_no_mistake)
{
    ck_text_accepted(W "events: [{at: 1s, pause: b}, {at: 1s, set: vms.b.cpu.weight, to: 5}]\n"
                       "sweep: {vms.b.count: [0, 2]}\n");
}
END_TEST

Suite *cloudkeys_suite(void)
{
    Suite *s = suite_create("cloudkeys");
    TCase *tc = tcase_create("cloudkeys");
    tcase_add_loop_test(tc, every_key_arrives, 0, 2);
    tcase_add_test(tc, the_resolved_scenario_reads_back);
    tcase_add_loop_test(tc, is_refused, 0, sizeof refusals / sizeof refusals[0]);
    tcase_add_test(tc, an_empty_group_is_no_mistake);
    suite_add_tcase(s, tc);
    return s;
}
