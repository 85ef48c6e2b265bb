// SPDX-License-Identifier: GPL-3.0-or-later
/* What is there and up, services, boots, migrations, requests lost with their VM: from records, by hand. */
#include <math.h>

#include "scenario/names.h"
#include "tests/lab.h"
#include "tests/unit/made_cloud.h"

Suite *meter_up_suite(void);

static void fails(struct cloud *c, uint32_t vm, int64_t t, int64_t back)
{
    cloud_vm(c, t, vm, REC_EVENT, REC_EV_FAILED, 0);
    cloud_up(c, t, vm, false);
    if (back) cloud_up(c, back, vm, true);
}

START_TEST(availability_is_time_up)
{
    struct cloud *c = cloud_new(1, 2, 3);
    c->sc.run.warmup_ns = 200 * MS;
    cloud_start(c, false);
    cloud_host(c, 0, 0, REC_P_UP, 1);
    for (uint32_t i = 0; i < 2; i++)
        cloud_vm(c, 0, i, REC_POWER, REC_P_THERE, 1);
    cloud_up(c, 0, 0, true);
    fails(c, 0, 100, 240); /* 40 ms of that are in the window */
    cloud_up(c, 400, 1, true);
    fails(c, 0, 500, 700);
    fails(c, 1, 650, 0);
    cloud_vm(c, 900, 1, REC_POWER, REC_P_THERE, 0); /* it is stopped, and so not down any more */
    cloud_close_well(c);
    ck_near(cloud_value(c, "vm.v0", "availability", "share"), .56 / .8, 1e-12);
    ck_near(cloud_value(c, "vm.v1", "availability", "share"), .25 / .8, 1e-12);
    ck_near(cloud_value(c, "vm.v2", "availability", "share"), 0, 0);
    ck_near(cloud_value(c, "vm.v0", "events.failed", "total"), 1, 0);
    /* down: v1 200-400 and 650-900, v0 200-240 and 500-700; both 200-240 and 650-700 */
    ck_near(cloud_value(c, "cluster", "vms.down", "mean"), (.2 + .25 + .04 + .2) / .8, 1e-12);
    ck_near(cloud_value(c, "cluster", "vms.down", "max"), 2, 0);
    ck_near(cloud_value(c, "cluster", "hosts.on", "mean"), 1, 1e-12);
    cloud_done(c);
}
END_TEST

/* Of each instant the last value counts: who is defined and up at once was never down. */
START_TEST(an_instant_is_no_time)
{
    struct cloud *c = cloud_new(1, 1, 3);
    const uint32_t all[] = {0, 1, 2};
    const struct sc_service service = {.name = "s", .entity = "service.s", .vms = all, .n_vms = 3, .need = 2};
    c->sc.services = &service;
    c->sc.n_services = 1;
    cloud_start(c, false);
    cloud_all_up(c);
    fails(c, 0, 300, 300);
    fails(c, 1, 500, 0);
    cloud_up(c, 600, 0, false); /* the service fails and is back at once */
    cloud_up(c, 600, 1, true);
    cloud_close_well(c);
    ck_near(cloud_value(c, "cluster", "vms.down", "max"), 1, 0);
    ck_near(cloud_value(c, "cluster", "vms.down", "mean"), .5, 1e-12);
    ck_near(cloud_sample(c, "cluster", "vms.down", 500), 0, 0);
    ck_near(cloud_sample(c, "cluster", "vms.down", 600), 1, 1e-12);
    ck_near(cloud_sample(c, "cluster", "hosts.on", 600), 1, 1e-12);
    ck_near(cloud_value(c, "service.s", "availability", "share"), 1, 1e-12);
    ck_near(cloud_value(c, "service.s", "events.failed", "total"), 0, 0);
    cloud_done(c);
}
END_TEST

/* Two of three are needed; with the warm-up to 200 ms. Before it was ever up it has not failed. */
START_TEST(a_service_needs_some_of_its_vms)
{
    struct cloud *c = cloud_new(1, 1, 4);
    const uint32_t three[] = {0, 1, 3}, one[] = {3};
    const struct sc_service services[] = {
        {.name = "one", .entity = "service.one", .vms = one, .n_vms = 1, .need = 1},
        {.name = "two", .entity = "service.two", .vms = three, .n_vms = 3, .need = 2}};
    c->sc.services = services;
    c->sc.n_services = 2;
    c->sc.run.warmup_ns = 200 * MS;
    cloud_start(c, false);
    for (uint32_t i = 0; i < 4; i++)
        cloud_vm(c, 0, i, REC_POWER, REC_P_THERE, 1);
    cloud_up(c, 0, 0, true);
    cloud_up(c, 50, 1, true); /* two: up */
    fails(c, 0, 100, 150);    /* down, in the warm-up */
    cloud_up(c, 160, 3, true);
    fails(c, 0, 300, 0);       /* two are left */
    fails(c, 1, 400, 0);       /* down */
    cloud_up(c, 450, 2, true); /* is of none */
    cloud_up(c, 500, 0, true); /* up */
    fails(c, 3, 900, 0);       /* down, to the end */
    cloud_close_well(c);
    ck_near(cloud_value(c, "service.two", "availability", "share"), .6 / .8, 1e-12);
    ck_near(cloud_value(c, "service.two", "events.failed", "total"), 2, 0);
    ck_near(cloud_value(c, "service.two", "events.failed", "first"), .4, 1e-12);
    ck_near(cloud_value(c, "service.two", "events.failed", "last"), .9, 1e-12);
    ck_near(cloud_value(c, "service.two", "events.repaired", "total"), 1, 0);
    ck_near(cloud_value(c, "service.one", "availability", "share"), .7 / .8, 1e-12);
    ck_near(cloud_value(c, "service.one", "events.failed", "total"), 1, 0);
    ck_near(cloud_value(c, "service.one", "events.repaired", "total"), 0, 0);
    cloud_done(c);
}
END_TEST

/* A backend that says nothing of power: what states tell. */
START_TEST(without_power_states_tell)
{
    struct cloud *c = cloud_new(1, 1, 1);
    cloud_start(c, false);
    cloud_idle(c, 300, 0);
    cloud_close_well(c);
    ck_near(cloud_value(c, "vm.v0", "availability", "share"), .7, 1e-12);
    ck_assert_ptr_null(cloud_row(c, "cluster", "vms.down", "mean"));
    ck_assert_ptr_null(cloud_row(c, "cluster", "hosts.on", "mean"));
    cloud_done(c);
}
END_TEST

START_TEST(counts_of_boots_migrations_and_bits)
{
    struct cloud *c = cloud_new(1, 1, 2);
    c->sc.moves = true;
    c->sc.cloud.stated = true;
    c->sc.run.warmup_ns = 200 * MS;
    cloud_start(c, false);
    cloud_all_up(c);
    static const struct {
        enum rec_count what;
        int64_t before, after;
    } told[] = {{REC_N_BOOTS, 1, 2},
                {REC_N_BOOT_NS, 900 * MS, 500 * MS},
                {REC_N_MIG_DONE, 1, 4},
                {REC_N_MIG_NS, MS, 80 * MS},
                {REC_N_MIG_DOWN_NS, MS, 2 * MS},
                {REC_N_MIG_ROUNDS, 3, 9},
                {REC_N_MIG_BYTES, 1000, 64},
                {REC_N_BITS, 5, 200},
                {REC_N_BITS_WRONG, 5, 3}};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        cloud_vm(c, 199, 0, REC_COUNT, (int)told[i].what, told[i].before);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        cloud_vm(c, 999, 0, REC_COUNT, (int)told[i].what, told[i].after);
    cloud_vm(c, 999, 1, REC_EVENT, REC_EV_REJECTED, 0);
    cloud_close_well(c);
    ck_near(cloud_value(c, "vm.v0", "boot.time", "total"), .25, 1e-12);
    ck_near(cloud_value(c, "vm.v0", "migration.time", "total"), .02, 1e-12);
    ck_near(cloud_value(c, "vm.v0", "migration.downtime", "total"), .0005, 1e-12);
    ck_near(cloud_value(c, "vm.v0", "migration.rounds", "total"), 9, 0);
    ck_near(cloud_value(c, "vm.v0", "migration.rounds", "rate"), 9 / .8, 1e-12);
    ck_near(cloud_value(c, "vm.v0", "migration.bytes", "total"), 64, 0);
    ck_assert_str_eq(cloud_row(c, "vm.v0", "migration.bytes", "rate")->unit, "B/s");
    ck_near(cloud_value(c, "vm.v0", "covert.ber", "share"), .015, 1e-12);
    ck_near(cloud_value(c, "cluster", "rejected", "total"), 1, 0);
    ck_near(cloud_value(c, "cluster", "rejected", "rate"), 1 / .8, 1e-12);
    static const char *const never[] = {"boot.time", "migration.time", "migration.downtime"};
    for (size_t i = 0; i < 3; i++)
        ck_assert_ptr_null(cloud_row(c, "vm.v1", never[i], "total"));
    ck_assert_ptr_null(cloud_row(c, "vm.v1", "covert.ber", "share"));
    ck_near(cloud_value(c, "vm.v1", "migration.bytes", "total"), 0, 0);
    /* What came out is in the table, with its unit. */
    const struct results *all = meter_output(c->meter)->results;
    for (size_t i = 0; i < results_count(all); i++) {
        const struct result *r = results_at(all, i);
        const struct name_metric *m = name_find(r->metric);
        ck_assert_msg(m && name_has_stat(m->kind, r->stat), "unknown row %s.%s.%s", r->entity, r->metric,
                      r->stat);
        ck_assert_str_eq(r->unit, name_unit(m, r->stat));
    }
    cloud_done(c);
}
END_TEST

/* Came at 100 and 200, one is answered at 300, the other lost with the VM at 500; a third is open at the end.
 */
static struct cloud *three_requests(int64_t age_ms, bool told)
{
    struct cloud *c = cloud_new(1, 1, 1);
    c->vms[0].work.requests = true;
    cloud_start(c, false);
    cloud_all_up(c);
    cloud_vm(c, 100, 0, REC_ARRIVE, 0, 0);
    cloud_vm(c, 200, 0, REC_ARRIVE, 0, 1);
    cloud_vm(c, 300, 0, REC_DONE, 0, 200 * MS);
    if (told) cloud_vm(c, 500, 0, REC_ABORT, 0, age_ms * MS);
    cloud_vm(c, 500, 0, REC_EVENT, REC_EV_ABORTED, 1);
    cloud_vm(c, 900, 0, REC_ARRIVE, 0, 2);
    cloud_vm(c, 950, 0, REC_LOST, 0, 3);
    cloud_vm(c, 1000, 0, REC_OPEN, 0, 100 * MS);
    return c;
}

START_TEST(requests_are_lost_with_their_vm)
{
    struct cloud *c = three_requests(300, true);
    cloud_close_well(c);
    ck_near(cloud_value(c, "vm.v0", "queue.lost", "total"), 2, 0);
    ck_near(cloud_value(c, "vm.v0", "work.done", "total"), 1, 0);
    ck_near(cloud_value(c, "vm.v0", "latency", "count"), 1, 0);
    ck_near(cloud_value(c, "vm.v0", "backlog", "mean"), .2 + .3 + .1, 1e-12);
    ck_near(cloud_value(c, "vm.v0", "events.aborted", "total"), 1, 0);
    cloud_done(c);
    cloud_close_broken(three_requests(299, true), "Little's law: vm.v0");
    cloud_close_broken(three_requests(0, false), "flow balance: vm.v0: 3 requests came, 1 were answered");
}
END_TEST

/* Of 150 places of a flavour 3 were ever taken: those are the group. One that never came has no rows. */
START_TEST(who_never_came_is_not_told_of)
{
    enum { PLACES = 150 };
    struct cloud *c = cloud_new(1, 1, PLACES + 2);
    for (uint32_t i = 0; i < PLACES + 2; i++) {
        c->vms[i].there = SC_BY_REQUEST;
        if (i < PLACES) c->vms[i].group = "f";
    }
    cloud_start(c, false);
    for (uint32_t i = 1; i < 4; i++) {
        cloud_vm(c, 0, i, REC_POWER, REC_P_THERE, 1);
        cloud_up(c, 0, i, true);
        cloud_up(c, 200 * i, i, false);
        cloud_vm(c, 200 * i, i, REC_POWER, REC_P_THERE, 0);
    }
    cloud_vm(c, 700, PLACES, REC_POWER, REC_P_THERE, 1);
    cloud_close_well(c);
    ck_near(cloud_value(c, "vm.f", "availability", "share"), .4, 1e-12);
    ck_near(cloud_value(c, "vm.f", "availability", "min"), .2, 1e-12);
    ck_near(cloud_value(c, "vm.f", "availability", "max"), .6, 1e-12);
    ck_near(cloud_value(c, "vm.f", "cpu.down", "total"), 3, 1e-12);
    ck_near(cloud_value(c, "vm.f", "cpu.down", "share"), 1, 1e-12);
    ck_assert_ptr_nonnull(cloud_row(c, "vm.v1", "cpu.down", "share")); /* of the worst */
    ck_assert_ptr_null(cloud_row(c, "vm.v0", "cpu.down", "share"));
    ck_near(cloud_value(c, "vm.v150", "availability", "share"), 0, 0);
    ck_assert_ptr_null(cloud_row(c, "vm.v151", "availability", "share"));
    ck_assert_ptr_null(cloud_row(c, "vm.v151.vcpu0", "cpu.down", "share"));
    cloud_done(c);
}
END_TEST

Suite *meter_up_suite(void)
{
    Suite *s = suite_create("meter_up");
    TCase *t = tcase_create("meter_up");
    tcase_add_test(t, availability_is_time_up);
    tcase_add_test(t, an_instant_is_no_time);
    tcase_add_test(t, a_service_needs_some_of_its_vms);
    tcase_add_test(t, without_power_states_tell);
    tcase_add_test(t, counts_of_boots_migrations_and_bits);
    tcase_add_test(t, requests_are_lost_with_their_vm);
    tcase_add_test(t, who_never_came_is_not_told_of);
    suite_add_tcase(s, t);
    return s;
}
