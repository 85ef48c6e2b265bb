// SPDX-License-Identifier: GPL-3.0-or-later
/* VMs that move: what they did is told of the host where they did it. */
#include "tests/lab.h"
#include "tests/unit/made_cloud.h"

Suite *meter_home_suite(void);

static void resident(struct cloud *c, int64_t t, uint32_t vm, int64_t bytes)
{
    cloud_vm(c, t, vm, REC_LEVEL, REC_L_MEM_RESIDENT, bytes);
}

static void host_resident(struct cloud *c, int64_t t, uint32_t host, int64_t bytes)
{
    cloud_tell(c, (struct rec){.t_ns = t * MS,
                               .value = bytes,
                               .host = host,
                               .vm = UINT32_MAX,
                               .vcpu = REC_NONE,
                               .pcpu = REC_NONE,
                               .kind = REC_LEVEL,
                               .cause = REC_L_MEM_RESIDENT});
}

static struct cloud *two_hosts(void)
{
    struct cloud *c = cloud_new(2, 2, 2);
    c->sc.moves = true;
    c->sc.run.warmup_ns = 100 * MS;
    cloud_start(c, false);
    cloud_all_up(c);
    return c;
}

/* v0 runs on h0 from 0 to 400 ms and from 500 on h1, to 800; v1 runs on h1 all the time from 600, ready since
 * 550. */
static void a_move(struct cloud *c, bool host_told)
{
    host_resident(c, 0, 0, 4096);
    resident(c, 0, 0, 4096);
    cloud_run(c, 0, 0, 0);
    cloud_state(c, 400, 0, VCPU_DOWN, 0);
    c->at[0].host = 1;
    host_resident(c, 400, 0, 0);
    cloud_up(c, 400, 0, true); /* the first record from there */
    if (host_told) host_resident(c, 400, 1, 4096);
    cloud_run(c, 500, 0, 0);
    cloud_vm(c, 500, 0, REC_EVENT, REC_EV_MIGRATED, 100 * MS);
    cloud_state(c, 550, 1, VCPU_READY, REC_NONE);
    c->at[1].pcpu = 1;
    cloud_run(c, 600, 1, 1);
    cloud_idle(c, 800, 0);
}

START_TEST(time_is_where_it_was_spent)
{
    struct cloud *c = two_hosts();
    a_move(c, true);
    cloud_close_well(c);
    ck_near(cloud_value(c, "host.h0", "cpu.run", "total"), .3, 1e-12);
    ck_near(cloud_value(c, "host.h1", "cpu.run", "total"), .7, 1e-12);
    ck_near(cloud_value(c, "vm.v0", "cpu.run", "total"), .6, 1e-12);
    ck_near(cloud_value(c, "host.h0", "cpu.util", "share"), .3 / 1.8, 1e-12);
    ck_near(cloud_value(c, "host.h1", "unserved", "share"), .05 / .75, 1e-12);
    ck_near(cloud_value(c, "host.h0", "unserved", "share"), 0, 0);
    ck_near(cloud_value(c, "host.h0", "slice", "count"), 1, 0);
    ck_near(cloud_value(c, "host.h0", "slice", "max"), .4, 1e-12);
    ck_near(cloud_value(c, "host.h1", "slice", "max"), .3, 1e-12);
    ck_near(cloud_value(c, "host.h1", "wait", "count"), 1, 0);
    ck_near(cloud_value(c, "host.h0", "wait", "count"), 0, 0);
    ck_near(cloud_value(c, "host.h0", "events.migrated", "total"), 0, 0);
    ck_near(cloud_value(c, "host.h1", "events.migrated", "total"), 1, 0);
    ck_near(cloud_sample(c, "host.h0", "cpu.util", 300), .5, 1e-12);
    ck_near(cloud_sample(c, "host.h0", "cpu.util", 600), 0, 0);
    ck_near(cloud_sample(c, "host.h1", "cpu.util", 600), .5, 1e-12);
    ck_near(cloud_sample(c, "host.h1", "cpu.util", 700), 1, 1e-12);
    cloud_done(c);
}
END_TEST

/* The host it came to does not hold it. */
START_TEST(memory_moves_along)
{
    struct cloud *c = two_hosts();
    a_move(c, false);
    cloud_close_broken(c, "conservation: the VMs of host.h1 hold 4096 B");
}
END_TEST

START_TEST(nobody_is_in_two_places)
{
    struct cloud *c = cloud_new(2, 2, 1);
    c->vms[0].vcpus = 2;
    c->sc.moves = true;
    cloud_start(c, false);
    cloud_all_up(c);
    cloud_run(c, 100, 0, 0);
    struct rec idle = {
        .t_ns = 200 * MS, .value = 200 * MS, .host = 1, .vm = UINT32_MAX, .vcpu = REC_NONE, .kind = REC_IDLE};
    struct rec sibling = {.t_ns = 200 * MS,
                          .value = 200 * MS,
                          .host = 1,
                          .vm = 0,
                          .vcpu = 1,
                          .kind = REC_STATE,
                          .to = VCPU_RUN};
    cloud_tell(c, idle);
    cloud_tell(c, sibling);
    cloud_close_broken(c, "vm.v0 is in two places at 200000000 ns: host.h0 and host.h1");
}
END_TEST

START_TEST(who_is_not_there_does_not_run)
{
    struct cloud *c = two_hosts();
    cloud_run(c, 100, 0, 0);
    cloud_idle(c, 200, 0);
    cloud_up(c, 200, 0, false);
    cloud_vm(c, 200, 0, REC_POWER, REC_P_THERE, 0);
    cloud_run(c, 300, 0, 0);
    cloud_close_broken(c, "vm.v0 runs at 300000000 ns, but is not there");
}
END_TEST

/* It began on one host and is said to have ended on another. */
START_TEST(where_it_began_it_ends)
{
    struct cloud *c = two_hosts();
    cloud_run(c, 200, 0, 0);
    cloud_run(c, 200, 1, 1);
    cloud_tell(c, (struct rec){.t_ns = 200 * MS,
                               .value = 200 * MS,
                               .host = 1,
                               .vm = UINT32_MAX,
                               .vcpu = REC_NONE,
                               .kind = REC_IDLE});
    c->at[0].host = 1;
    c->idle_since[1][0] = 200;
    cloud_close_broken(c, "vm.v0 is in two places at 1000000000 ns");
}
END_TEST

Suite *meter_home_suite(void)
{
    Suite *s = suite_create("meter_home");
    TCase *t = tcase_create("meter_home");
    tcase_add_test(t, time_is_where_it_was_spent);
    tcase_add_test(t, memory_moves_along);
    tcase_add_test(t, nobody_is_in_two_places);
    tcase_add_test(t, who_is_not_there_does_not_run);
    tcase_add_test(t, where_it_began_it_ends);
    suite_add_tcase(s, t);
    return s;
}
