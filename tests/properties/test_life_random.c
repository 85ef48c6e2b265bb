// SPDX-License-Identifier: GPL-3.0-or-later
/* A cloud in which anything may be done to anything at any time: a million operations from fixed seeds, and
 * after each of them what must hold does: every VM is in one place or none, seated there, with what was
 * promised adding up and nobody beside whom it must not be; and, looked at less often, no page, grain,
 * request or frame is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/cpu.h"
#include "model/disk.h"
#include "model/event.h"
#include "model/host.h"
#include "model/mem.h"
#include "model/net.h"
#include "metrics/meter.h"
#include "tests/lab.h"
#include "tests/often.h"

Suite *life_random_suite(void);

#define SEEDS   20
#define OPS     FEWER(50000) /* of each seed: a million in all */
#define DEEP    500          /* every so many operations all is recounted */
#define MEAN_NS INT64_C(40000000)
#define RUN_MS  (OPS * 30 + 30000)

#define CLOUD                                                                                                \
    "vlab: 1\nname: life\nrun: {duration: %dms}\n"                                                           \
    "hosts:\n"                                                                                               \
    "  - {name: a, count: 3, rack: left, cpu: {cores: 2, scheduler: %s}, memory: {size: 64MiB, reclaim: "    \
    "[swap], swap: san},"                                                                                    \
    " nics: [{name: eth0, bandwidth: 1Gb/s, packet_cost: 1us}], vmm: [one, two], features: [fast]}\n"        \
    "  - {name: b, count: 3, rack: right, cpu: {cores: 1, speed: 0.5, scheduler: %s}, memory: 64MiB,"        \
    " nics: [{name: eth0, bandwidth: 100Mb/s}], disks: [{name: own, iops: 500, pool: 1GB, grain: 1MB}], "    \
    "vmm: [one, two]}\n"                                                                                     \
    "storage: [{name: san, hosts: [a, b], iops: 3000, bandwidth: 200MB/s, pool: 4GB, grain: 1MB, cache: "    \
    "16MiB}]\n"                                                                                              \
    "networks: [{name: lan, kind: bridge, nics: [a/eth0, b/eth0], latency: 20us}]\n"                         \
    "images: [{name: desk, boot: {shared: 8MB, own: 1MB, cpu: 20ms, time: 100ms}}]\n"                        \
    "cloud: {place: %s, overcommit: {cpu: 6, memory: 1}, quota: {vms: 40}, ha: {detect: 1s, dispatch: "      \
    "300ms, spares: %d},\n"                                                                                  \
    "  balance: {every: 30s, above: 10%%}, autoscale: [{group: web, metric: backlog, above: 3, below: 0.5, " \
    "cooldown: 2s, max: 4}],\n"                                                                              \
    "  requests: {arrivals: {poisson: 0.2/s}, lifetime: {exponential: 20s}, flavours: [{most: 6, vm: "       \
    "{name: guest, memory: 4MiB,"                                                                            \
    " disk: {on: san, size: 32MB, provision: thin, from: desk, clone: linked}, workload: {kind: loop, "      \
    "steps: [{cpu: 50ms},"                                                                                   \
    " {disk: {write: 64KiB}}, {sleep: 1s}]}}}]}}\n"                                                          \
    "vms:\n"                                                                                                 \
    "  - {name: web, count: 2, memory: 4MiB, anti_affinity: [db], nic: lan, disk: {on: san, size: 64MB, "    \
    "from: desk, clone: linked,"                                                                             \
    " provision: thin}, workload: {kind: requests, queue: shared, threads: 2, arrivals: {poisson: 3/s}, "    \
    "steps: [{cpu: {exponential: 200ms}},"                                                                   \
    " {net: {send: 20kB, to: sink}}, {disk: {read: 16KiB}, probability: 0.5}]}}\n"                           \
    "  - {name: db, count: 2, vcpus: 3, memory: 8MiB, anti_affinity: [db], disk: {on: san, size: 64MB, "     \
    "cache: 1MiB},"                                                                                          \
    " migrate: {rate: 10MB/s, step: 2MB/s, rate_max: 50MB/s, diverge: throttle}, workload: {kind: "          \
    "requests, clients: 3, think:"                                                                           \
    " {exponential: 1s}, steps: [{touch: {pages: 3000, of: 8MiB, write: 30%%}}, {cpu: 30ms}, {disk: "        \
    "{write: 32KiB, flush: true},"                                                                           \
    " probability: 0.5}, {disk: {write: 32KiB}}]}}\n"                                                        \
    "  - {name: load, count: 6, vcpus: 2, memory: 4MiB, cpu: {limit: 150%%}, migrate: {method: post-copy, "  \
    "rate: 5MB/s}, workload: {kind: loop,"                                                                   \
    " threads: 3, steps: [{touch: {pages: 200, of: 4MiB, pattern: cyclic, write: 50%%}}, {cpu: "             \
    "{exponential: 300ms}}, {sleep: {exponential: 1s}},"                                                     \
    " {lock: {hold: 5ms}}, {busy: 20ms}]}}\n"                                                                \
    "  - {name: idle, count: 4, memory: 2MiB, migrate: {method: stop-and-copy}, nic: lan, workload: {kind: " \
    "loop, steps: [{sleep: 1s},"                                                                             \
    " {net: {send: 3kB, to: sink}}]}}\n"                                                                     \
    "  - {name: sink, host: a-0, memory: 2MiB, nic: lan, workload: {kind: loop, steps: [{net: {receive: "    \
    "5}}, {cpu: 1ms}]}}\n"                                                                                   \
    "  - {name: box, count: 3, host: b-1, mode: container, kernel: k, vmm: two, memory: 1MiB, disk: {on: "   \
    "own, size: 30MB, provision: thin},"                                                                     \
    " workload: {kind: loop, steps: [{cpu: 100ms}, {disk: {write: 128KiB, pattern: sequential}}, {sleep: "   \
    "2s}]}}\n"                                                                                               \
    "events:\n"                                                                                              \
    "  - {at: 1s, clone: box-0, as: twin, kind: linked}\n"                                                   \
    "  - {at: 1s, add: {name: late, memory: 2MiB, workload: {kind: loop, steps: [{cpu: 10ms}, {sleep: "      \
    "1s}]}}}\n"                                                                                              \
    "  - {at: 2s, set: vms.load.cpu.weight, to: 300}\n"

/* Any operation on anything. */
static struct sc_event any_event(const struct scenario *sc, struct rng *r)
{
    struct sc_event e = {.to = SC_NONE, .n = 1, .verb = (uint8_t)(rng_u32(r) % SC_NVERBS)};
    uint32_t vm = rng_u32(r) % sc->n_vms, host = rng_u32(r) % sc->n_hosts;
    e.kind = SC_T_VM;
    e.target = vm;
    switch ((enum sc_verb)e.verb) {
    case SC_FAIL:
    case SC_REPAIR:
        e.kind = (uint8_t)(rng_u32(r) % (SC_T_RACK + 1));
        e.for_ns = rng_u32(r) % 4 ? (int64_t)(rng_u32(r) % 10000) * 1000000 + 1 : 0;
        if (e.kind == SC_T_HOST || e.kind == SC_T_VMM) e.target = host;
        if (e.kind == SC_T_VMM) e.part = rng_u32(r) % 2;
        if (e.kind == SC_T_DISK || e.kind == SC_T_POOL) e.target = rng_u32(r) % sc->n_disks;
        if (e.kind == SC_T_NIC) e.target = rng_u32(r) % sc->n_nics;
        if (e.kind == SC_T_NETWORK) e.target = rng_u32(r) % sc->n_networks;
        if (e.kind == SC_T_KERNEL) e.target = 0;
        if (e.kind == SC_T_RACK) e.target = rng_u32(r) % sc->n_racks;
        break;
    case SC_SET:
        e.setting = (uint8_t)(rng_u32(r) % (SC_SET_HOST_SPEED + 1));
        if (e.setting == SC_SET_HOST_SPEED) e.kind = SC_T_HOST, e.target = host;
        e.value = e.setting == SC_SET_VM_WEIGHT    ? 1 + rng_u32(r) % 10000
                  : e.setting == SC_SET_HOST_SPEED ? 100000 + rng_u32(r) % 2000000
                  : e.setting == SC_SET_VM_DIRTY   ? rng_u32(r)
                  : e.setting == SC_SET_VM_LIMIT   ? (rng_u32(r) % 3) * 300000
                                                   : (rng_u32(r) % 3) * 50000;
        break;
    case SC_MIGRATE: e.to = rng_u32(r) % 3 ? host : SC_NONE; break;
    case SC_CLONE:
        for (uint32_t i = 0; i < sc->n_vms; i++)
            if (sc->vms[i].there == SC_BY_CLONE) e.to = i, e.target = sc->vms[i].like;
        break;
    case SC_GROW:
        e.kind = SC_T_DISK;
        e.target = rng_u32(r) % sc->n_disks;
        e.value = 1000000;
        break;
    case SC_DRAIN:
        e.kind = SC_T_HOST;
        e.target = host;
        break;
    case SC_DESTROY: /* not so often that nobody is left */
        if (rng_u32(r) % 4) e.verb = SC_START;
        break;
    case SC_SNAPSHOT: /* each keeps a volume for good */
        if (rng_u32(r) % 50) e.verb = SC_RESUME;
        break;
    case SC_ADD:
    case SC_INSPECT:
    case SC_PAUSE:
    case SC_START:
    case SC_STOP:
    case SC_RESUME:
    case SC_UNPLUG:
    case SC_NVERBS: break;
    }
    return e;
}

static struct sc_event last; /* what was done last, for messages */

static void must(bool ok, char **why, int seed, int op)
{
    if (!ok)
        ck_abort_msg("seed %d, after operation %d (verb %d on kind %d, target %u, to %u): %s", seed, op,
                     last.verb, last.kind, last.target, last.to, *why ? *why : "?");
}

START_TEST(a_million_operations)
{
    static const char *const scheds[] = {"credit", "cfs", "eevdf", "stride", "bvt", "credit"};
    static const char *const places[] = {"best-fit",     "worst-fit",          "round-robin",
                                         "least-loaded", "pack-and-power-off", "dominant-share",
                                         "first-fit"};
    struct lab *lab =
        lab_open(CLOUD, RUN_MS, scheds[_i % 6], scheds[(_i + 1) % 5], places[_i % 7], _i % 3 == 0);
    const struct scenario *sc = lab_scenario(lab);
    struct rec_block *b = calloc(1, sizeof *b);
    rec_block_init(b);
    struct meter *meter = meter_new(sc, &(struct meter_opts){.only_vm = UINT32_MAX, .no_series = true});
    rec_block_add_reader(b, meter_reader(meter));
    struct model *m = model_new(sc, (uint64_t)_i + 1, MODEL_ALL, b);
    struct rng r = rng_at(77, (uint64_t)_i, 0);
    struct dist gap = {.kind = DIST_EXPONENTIAL, .a = MEAN_NS};
    ck_assert_int_eq(draw_make(&gap), 0);
    struct sc_event *events = calloc(OPS, sizeof *events); /* as a scenario's, they last as long as the run */
    ck_assert_ptr_nonnull(events);
    char *why = NULL;
    for (int op = 0; op < OPS; op++) {
        if (rng_u32(&r) % 3 && sim_now(model_sim(m)) < (int64_t)RUN_MS * 1000000 - 25000000000)
            sim_run(model_sim(m), sim_now(model_sim(m)) + draw_amount(&gap, &r, NULL, 0));
        struct sc_event *e = &events[op];
        *e = last = any_event(sc, &r);
        must(host_check(m, &why) == 0, &why, _i, -op);
        event_do(m, e);
        must(host_check(m, &why) == 0, &why, _i, op);
        if (op % DEEP) continue;
        must(mem_check(m, &why) == 0, &why, _i, op);
        must(disk_check(m, &why) == 0, &why, _i, op);
        must(net_check(m, &why) == 0, &why, _i, op);
    }
    must(model_run(m, &why) == 0, &why, _i, OPS);
    must(meter_finish(meter, (int64_t)RUN_MS * 1000000, &why) == 0, &why, _i, OPS);
    static const char *const happened[] = {"booted",  "migrated", "restarted", "destroyed", "failed",
                                           "aborted", "paused",   "stopped",   "detected"};
    for (size_t i = 0; i < sizeof happened / sizeof *happened; i++) { /* or nothing was tried */
        char metric[40];
        snprintf(metric, sizeof metric, "events.%s", happened[i]);
        const struct result *n = results_find(meter_output(meter)->results, "cluster", metric, "total");
        ck_assert_msg(n && n->value >= OPS / 1000, "%s: %g", metric, n ? n->value : 0);
    }
    model_free(m);
    free(events);
    meter_free(meter);
    free(b);
    lab_close(lab);
}
END_TEST

Suite *life_random_suite(void)
{
    Suite *s = suite_create("life_random");
    TCase *t = tcase_create("life_random");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, a_million_operations, 0, SEEDS);
    suite_add_tcase(s, t);
    return s;
}
