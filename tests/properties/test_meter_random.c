// SPDX-License-Identifier: GPL-3.0-or-later
/* Random lives of VMs and hosts, told to a meter and added up beside it millisecond by millisecond: what was
 * up, what services had, what ran where, what power that took. */
#include "base/rng.h"
#include "tests/lab.h"
#include "tests/unit/made_cloud.h"

Suite *meter_random_suite(void);

enum { HOSTS = 3, VMS = 5, RUN_MS = 1000 };

struct world {
    struct cloud *c;
    uint64_t seed, n;
    int64_t warmup;
    bool host_up[HOSTS], there[VMS], up[VMS], used[HOSTS][CLOUD_CORES];
    /* by hand, in ms of the window */
    int64_t was_up[VMS], down, down_most, on, service, ran[HOSTS];
    uint64_t failed, repaired;
    bool service_up, ever;
    double joules[HOSTS];
};

static const uint32_t served[] = {0, 2, 4};
static const struct sc_service service = {
    .name = "s", .entity = "service.s", .vms = served, .n_vms = 3, .need = 2};

static uint64_t draw(struct world *w, uint64_t below)
{
    return rng_mix(rng_mix(w->seed) + w->n++) % below;
}

static void stop(struct world *w, int64_t t, uint32_t vm, enum vcpu_state to)
{
    w->used[w->c->at[vm].host][w->c->at[vm].pcpu] = false;
    cloud_state(w->c, t, vm, to, 0);
}

static bool runs(const struct world *w, uint32_t vm)
{
    return w->c->at[vm].state == VCPU_RUN;
}

/* Down first, then what ran there ends: as a model tells it. */
static void turn_host(struct world *w, int64_t t, uint32_t h)
{
    w->host_up[h] = !w->host_up[h];
    cloud_host(w->c, t, h, REC_P_UP, w->host_up[h]);
    for (uint32_t i = 0; i < VMS && !w->host_up[h]; i++)
        if (runs(w, i) && w->c->at[i].host == h) stop(w, t, i, VCPU_DOWN);
}

static void turn_vm(struct world *w, int64_t t, uint32_t vm)
{
    switch (draw(w, 5)) {
    case 0: /* moves, if it stands still */
        if (!runs(w, vm)) w->c->at[vm].host = (uint32_t)draw(w, HOSTS);
        break;
    case 1:
        if (runs(w, vm)) stop(w, t, vm, VCPU_IDLE);
        w->there[vm] = !w->there[vm];
        cloud_vm(w->c, t, vm, REC_POWER, REC_P_THERE, w->there[vm]);
        break;
    case 2:
        w->up[vm] = !w->up[vm];
        cloud_up(w->c, t, vm, w->up[vm]);
        break;
    default:
        if (runs(w, vm)) {
            stop(w, t, vm, draw(w, 2) ? VCPU_IDLE : VCPU_READY);
            break;
        }
        for (uint16_t p = 0; p < CLOUD_CORES; p++) {
            uint32_t h = w->c->at[vm].host;
            if (w->used[h][p] || !w->host_up[h] || !w->there[vm]) continue;
            cloud_run(w->c, t, vm, p);
            w->used[h][p] = true;
            break;
        }
    }
}

/* The millisecond that begins at t is as it was left at t. */
static void add_up(struct world *w, int64_t t)
{
    uint32_t down = 0, n_up = 0;
    bool in = t >= w->warmup;
    for (uint32_t i = 0; i < VMS; i++) {
        down += w->there[i] && !w->up[i];
        w->was_up[i] += in && w->up[i];
    }
    for (size_t i = 0; i < 3; i++)
        n_up += w->up[served[i]];
    bool enough = n_up >= service.need;
    w->failed += in && w->service_up && !enough;
    w->repaired += in && w->ever && !w->service_up && enough;
    w->service_up = enough;
    w->ever = w->ever || enough;
    w->service += in && enough;
    if (!in) return;
    w->down += down;
    if (down > w->down_most) w->down_most = down;
    for (uint32_t h = 0; h < HOSTS; h++) {
        const struct sc_power *p = &w->c->hosts[h].power;
        int busy = w->used[h][0] + w->used[h][1];
        w->on += w->host_up[h];
        w->ran[h] += busy;
        int64_t mw = w->host_up[h] ? p->idle_mw + (p->busy_mw - p->idle_mw) * busy / CLOUD_CORES : p->off_mw;
        w->joules[h] += (double)mw / 1e6;
    }
}

static void compare(const struct world *w)
{
    double window = (double)(RUN_MS - w->warmup), joules = 0;
    for (uint32_t i = 0; i < VMS; i++) {
        char name[16];
        snprintf(name, sizeof name, "vm.v%u", i);
        ck_near(cloud_value(w->c, name, "availability", "share"), (double)w->was_up[i] / window, 1e-12);
    }
    for (uint32_t h = 0; h < HOSTS; h++) {
        char name[16];
        snprintf(name, sizeof name, "host.h%u", h);
        ck_near(cloud_value(w->c, name, "cpu.run", "total"), (double)w->ran[h] / 1e3, 1e-12);
        ck_near(cloud_value(w->c, name, "energy", "total"), w->joules[h], 1e-9);
        joules += w->joules[h];
    }
    ck_near(cloud_value(w->c, "cluster", "energy", "total"), joules, 1e-9);
    ck_near(cloud_value(w->c, "cluster", "vms.down", "mean"), (double)w->down / window, 1e-12);
    ck_near(cloud_value(w->c, "cluster", "vms.down", "max"), (double)w->down_most, 0);
    ck_near(cloud_value(w->c, "cluster", "hosts.on", "mean"), (double)w->on / window, 1e-12);
    ck_near(cloud_value(w->c, "service.s", "availability", "share"), (double)w->service / window, 1e-12);
    ck_near(cloud_value(w->c, "service.s", "events.failed", "total"), (double)w->failed, 0);
    ck_near(cloud_value(w->c, "service.s", "events.repaired", "total"), (double)w->repaired, 0);
}

START_TEST(random_lives_add_up)
{
    uint64_t failed = 0, repaired = 0;
    int64_t ran = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct world w = {.c = cloud_new(HOSTS, CLOUD_CORES, VMS), .seed = seed};
        w.warmup = draw(&w, 2) ? (int64_t)draw(&w, 400) : 0;
        for (uint32_t h = 0; h < HOSTS; h++)
            w.c->hosts[h].power = (struct sc_power){
                .stated = true, .idle_mw = 90000 + 10 * h, .busy_mw = 200000, .off_mw = 5000 * h};
        w.c->sc.run.warmup_ns = w.warmup * MS;
        w.c->sc.run.sample_ns = (int64_t)(30 + draw(&w, 100)) * MS;
        w.c->sc.moves = true;
        w.c->sc.services = &service;
        w.c->sc.n_services = 1;
        cloud_start(w.c, draw(&w, 2) != 0);
        /* From the first everything is told of. */
        for (uint32_t h = 0; h < HOSTS; h++)
            turn_host(&w, 0, h);
        for (uint32_t i = 0; i < VMS; i++) {
            w.there[i] = w.up[i] = true;
            cloud_vm(w.c, 0, i, REC_POWER, REC_P_THERE, 1);
            cloud_up(w.c, 0, i, true);
        }
        for (int64_t t = 0; t < RUN_MS; t++) {
            /* Often several at one instant. */
            while (draw(&w, 3) == 0)
                turn_vm(&w, t, (uint32_t)draw(&w, VMS));
            if (draw(&w, 40) == 0) turn_host(&w, t, (uint32_t)draw(&w, HOSTS));
            add_up(&w, t);
        }
        cloud_close_well(w.c);
        compare(&w);
        failed += w.failed;
        repaired += w.repaired;
        for (uint32_t h = 0; h < HOSTS; h++)
            ran += w.ran[h];
        cloud_done(w.c);
    }
    ck_assert_uint_gt(failed, 100); /* it is not all about nothing */
    ck_assert_uint_gt(repaired, 100);
    ck_assert_int_gt(ran, 10000);
}
END_TEST

Suite *meter_random_suite(void)
{
    Suite *s = suite_create("meter_random");
    TCase *t = tcase_create("meter_random");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, random_lives_add_up);
    suite_add_tcase(s, t);
    return s;
}
