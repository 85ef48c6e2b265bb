// SPDX-License-Identifier: GPL-3.0-or-later
/* Counts, levels and disk requests: windows, integrals, rows, columns, folded groups, and laws that are
 * broken. */
#include "tests/unit/made_records.h"
#include "tests/lab.h"

Suite *meter_count_suite(void);

static struct made_run *one(void)
{
    return made_run_new(1, (struct meter_opts){0});
}

START_TEST(counts_are_of_the_window)
{
    struct made_run *r = one();
    MADE_READ(
        r, OF_VM(COUNT, 200 * MS - 1, REC_N_MEM_REFS, 1000), OF_VM(COUNT, 200 * MS - 1, REC_N_MEM_FAULTS, 7),
        OF_VM(COUNT, 300 * MS - 1, REC_N_MEM_REFS, 500), OF_VM(COUNT, 300 * MS - 1, REC_N_MEM_FAULTS, 20),
        OF_DEV(COUNT, 300 * MS - 1, MADE_NIC, REC_N_NET_WIRE, 1538),
        OF_VM(COUNT, 1000 * MS - 1, REC_N_EXIT + OP_FORK, 3),
        OF_VM(COUNT, 1000 * MS - 1, REC_N_MEM_SWAPIN, 4096));
    made_nothing(r);
    made_end_well(r);
    ck_near(made_value(r, "vm.v", "mem.refs", "total"), 500, 0);
    ck_near(made_value(r, "vm.v", "mem.refs", "rate"), 625, 1e-9);
    ck_assert_str_eq(made_row(r, "vm.v", "mem.refs", "rate")->unit, "1/s");
    ck_near(made_value(r, "vm.v", "mem.miss", "share"), .04, 1e-12);
    ck_near(made_value(r, "vm.v", "mem.swapin", "total"), 4096, 0);
    ck_assert_str_eq(made_row(r, "vm.v", "mem.swapin", "rate")->unit, "B/s");
    ck_near(made_value(r, "vm.v", "exits.fork", "total"), 3, 0);
    ck_near(made_value(r, "vm.v", "exits.page_fault", "total"), 0, 0);
    ck_near(made_value(r, "host.h.nic.eth0", "net.wire", "total"), 1538, 0);
    ck_near(made_value(r, "network.lan", "net.frames", "total"), 0, 0);
    ck_near(made_sample(r, "vm.v", "mem.faults", 200 * MS), 70, 1e-9); /* samples begin at 0 */
    ck_near(made_sample(r, "vm.v", "mem.faults", 300 * MS), 200, 1e-9);
    ck_near(made_sample(r, "vm.v", "mem.faults", 400 * MS), 0, 0);
    ck_assert_ptr_null(made_row(r, "vm.v", "net.frames", "total")); /* it has no NIC */
    ck_assert_ptr_null(made_row(r, "host.h.nic.eth0", "disk.ops", "total"));
    made_run_done(r);
}
END_TEST

/* 8 KiB from the start, 4 KiB from 100 ms, 12 KiB from 600 ms: over [200, 1000) 4 KiB for half, 12 for half.
 */
START_TEST(levels_are_integrals)
{
    struct made_run *r = one();
    MADE_READ(r, OF_VM(LEVEL, 0, REC_L_MEM_RESIDENT, 8192), OF_HOST(LEVEL, 0, REC_L_MEM_RESIDENT, 8192),
              OF_VM(LEVEL, 100 * MS, REC_L_MEM_RESIDENT, 4096),
              OF_HOST(LEVEL, 100 * MS, REC_L_MEM_RESIDENT, 4096),
              OF_VM(LEVEL, 100 * MS, REC_L_MEM_SWAPPED, 4096), OF_VM(LEVEL, 300 * MS, REC_L_MEM_SWAPPED, 0),
              OF_VM(LEVEL, 600 * MS, REC_L_MEM_RESIDENT, 12288),
              OF_HOST(LEVEL, 600 * MS, REC_L_MEM_RESIDENT, 12288),
              OF_DEV(LEVEL, 600 * MS, MADE_SSD, REC_L_DISK_ALLOCATED, 1000));
    made_nothing(r);
    made_end_well(r);
    ck_near(made_value(r, "vm.v", "mem.resident", "mean"), 8192, 1e-9);
    ck_near(made_value(r, "vm.v", "mem.resident", "max"), 12288, 0);
    ck_near(made_value(r, "host.h", "mem.resident", "mean"), 8192, 1e-9);
    ck_near(made_value(r, "vm.v", "mem.swapped", "max"), 4096, 0); /* what it was when the window began */
    ck_near(made_value(r, "vm.v", "mem.swapped", "mean"), 512, 1e-9);
    ck_near(made_value(r, "host.h.disk.ssd0", "disk.allocated", "mean"), 500, 1e-9);
    ck_assert_ptr_null(made_row(r, "storage.san", "disk.allocated", "mean")); /* no pool */
    ck_near(made_sample(r, "vm.v", "mem.resident", 100 * MS), 8192, 1e-9);
    ck_near(made_sample(r, "host.h", "mem.resident", 200 * MS), 4096, 1e-9);
    ck_near(made_sample(r, "vm.v", "mem.swapped", 200 * MS), 4096, 1e-9);
    made_run_done(r);
}
END_TEST

/* A million hours at 1 GiB and one byte more in the last half. */
START_TEST(integrals_do_not_overflow)
{
    struct made_run *r = one();
    const int64_t hour = 3600 * 1000 * MS, end = 1000000 * hour, gib = 1 << 30;
    r->host.memory.bytes = 0;
    r->sc.run = (struct sc_run){.duration_ns = end, .sample_ns = end, .replications = 1};
    meter_free(r->meter);
    r->meter = meter_new(&r->sc, &(struct meter_opts){.only_vm = UINT32_MAX, .no_series = true});
    r->reader = meter_reader(r->meter);
    MADE_READ(r, OF_VM(LEVEL, 0, REC_L_MEM_BALLOONED, gib),
              OF_VM(LEVEL, end / 2, REC_L_MEM_BALLOONED, gib + 2),
              {.t_ns = end, .value = end, .kind = REC_STATE, .pcpu = REC_NONE},
              {.t_ns = end, .value = end, .kind = REC_IDLE, .vm = UINT32_MAX},
              {.t_ns = end, .value = end, .kind = REC_IDLE, .vm = UINT32_MAX, .pcpu = 1});
    made_end_well(r);
    ck_near(made_value(r, "vm.v", "mem.ballooned", "mean"), (double)gib + 1, 1e-6);
    made_run_done(r);
}
END_TEST

/* --- disks --- */

/* Of the VM: 100 to 300 and 250 to 400 ms; the host's own: 350 to 400; one more comes at 900 and stays. */
static void requests(struct made_run *r, int64_t last_latency, int64_t vm_ops)
{
    MADE_READ(r, OF_DEV(LEVEL, 100 * MS, MADE_SSD, REC_L_DISK_QUEUE, 1),
              OF_DEV(LEVEL, 100 * MS, MADE_SSD, REC_L_DISK_BUSY, 1),
              OF_DEV(LEVEL, 250 * MS, MADE_SSD, REC_L_DISK_QUEUE, 2),
              OF_DEV(LEVEL, 250 * MS, MADE_SSD, REC_L_DISK_BUSY, 2), AT_IO(300 * MS, MADE_SSD, 200 * MS, 0),
              OF_DEV(LEVEL, 300 * MS, MADE_SSD, REC_L_DISK_QUEUE, 1),
              OF_DEV(LEVEL, 300 * MS, MADE_SSD, REC_L_DISK_BUSY, 1),
              OF_DEV(LEVEL, 350 * MS, MADE_SSD, REC_L_DISK_QUEUE, 2), AT_IO(400 * MS, MADE_SSD, 150 * MS, 0),
              AT_IO(400 * MS, MADE_SSD, last_latency, UINT32_MAX),
              OF_DEV(LEVEL, 400 * MS, MADE_SSD, REC_L_DISK_QUEUE, 0),
              OF_DEV(LEVEL, 400 * MS, MADE_SSD, REC_L_DISK_BUSY, 0),
              OF_DEV(LEVEL, 900 * MS, MADE_SSD, REC_L_DISK_QUEUE, 1),
              OF_DEV(COUNT, 1000 * MS - 1, MADE_SSD, REC_N_DISK_OPS, 3),
              OF_VM(COUNT, 1000 * MS - 1, REC_N_DISK_OPS, vm_ops));
    made_nothing(r);
}

START_TEST(requests_are_the_vms_and_the_disks)
{
    struct made_run *r = one();
    requests(r, 50 * MS, 2);
    made_end_well(r);
    ck_near(made_value(r, "host.h.disk.ssd0", "disk.latency", "count"), 3, 0);
    ck_near(made_value(r, "host.h.disk.ssd0", "disk.latency", "mean"), .4 / 3, 1e-12);
    ck_near(made_value(r, "vm.v", "disk.latency", "count"), 2, 0);
    ck_near(made_value(r, "vm.v", "disk.latency", "max"), .2, 1e-12);
    ck_near(made_value(r, "host.h.disk.ssd0", "disk.queue", "mean"), (.05 + .1 + .05 + .1 + .1) / .8, 1e-12);
    ck_near(made_value(r, "host.h.disk.ssd0", "disk.queue", "max"), 2, 0);
    ck_near(made_value(r, "host.h.disk.ssd0", "disk.busy", "mean"), .25 / .8, 1e-12);
    ck_near(made_value(r, "host.h.disk.ssd0", "disk.util", "share"), .25 / .8 / 8, 1e-12); /* of 8 dies */
    ck_near(made_value(r, "storage.san", "disk.latency", "count"), 0, 0);
    ck_near(made_sample(r, "host.h.disk.ssd0", "disk.queue", 300 * MS), 1.5, 1e-12);
    made_run_done(r);
}
END_TEST

START_TEST(laws_of_a_queue)
{
    struct made_run *r = one();
    requests(r, 50 * MS + 1, 2); /* one ns more than it can have been inside */
    made_end_broken(r, "Little's law: host.h.disk.ssd0");
    r = one();
    requests(r, 50 * MS - 1, 2);
    made_end_broken(r, "Little's law: host.h.disk.ssd0");
    r = one(); /* still inside at the end, but older than the time the queue was not empty */
    MADE_READ(r, OF_DEV(LEVEL, 100 * MS, MADE_SAN, REC_L_DISK_QUEUE, 2),
              AT_IO(900 * MS, MADE_SAN, 100 * MS, 0), OF_DEV(LEVEL, 900 * MS, MADE_SAN, REC_L_DISK_QUEUE, 1),
              OF_DEV(COUNT, 1000 * MS - 1, MADE_SAN, REC_N_DISK_OPS, 1),
              OF_VM(COUNT, 1000 * MS - 1, REC_N_DISK_OPS, 1));
    made_nothing(r);
    made_end_broken(r, "Little's law: storage.san");
    r = one(); /* it vanishes from the queue */
    MADE_READ(r, OF_DEV(LEVEL, 100 * MS, MADE_SAN, REC_L_DISK_QUEUE, 2),
              AT_IO(200 * MS, MADE_SAN, 100 * MS, 0), OF_DEV(LEVEL, 200 * MS, MADE_SAN, REC_L_DISK_QUEUE, 0),
              OF_DEV(COUNT, 1000 * MS - 1, MADE_SAN, REC_N_DISK_OPS, 1),
              OF_VM(COUNT, 1000 * MS - 1, REC_N_DISK_OPS, 1));
    made_nothing(r);
    made_end_broken(r, "flow balance: storage.san");
    r = one();
    requests(r, 50 * MS, 2);
    MADE_READ(r, OF_DEV(COUNT, 1000 * MS - 1, MADE_SSD, REC_N_DISK_OPS, 1));
    made_end_broken(r, "counted 4 requests, but 3 were told");
    r = one();
    requests(r, 50 * MS, 1);
    made_end_broken(r, "vm.v counted 1 disk requests, but 2 were told");
}
END_TEST

/* One request goes as another comes: the queue does not change, and nothing is told of it. */
START_TEST(a_queue_may_stay_as_it_is)
{
    struct made_run *r = one();
    MADE_READ(r, OF_DEV(LEVEL, 100 * MS, MADE_SAN, REC_L_DISK_QUEUE, 1),
              AT_IO(300 * MS, MADE_SAN, 200 * MS, 0), AT_IO(350 * MS, MADE_SAN, 50 * MS, 0),
              AT_IO(350 * MS, MADE_SAN, 0, 0), OF_DEV(LEVEL, 350 * MS, MADE_SAN, REC_L_DISK_QUEUE, 0),
              OF_DEV(COUNT, 1000 * MS - 1, MADE_SAN, REC_N_DISK_OPS, 3),
              OF_VM(COUNT, 1000 * MS - 1, REC_N_DISK_OPS, 3));
    made_nothing(r);
    made_end_well(r);
    made_run_done(r);
}
END_TEST

/* --- memory --- */

START_TEST(laws_of_memory)
{
    struct made_run *r = one();
    MADE_READ(r, OF_VM(LEVEL, 100 * MS, REC_L_MEM_ACTIVE, -4096));
    made_nothing(r);
    made_end_broken(r, "vm.v: level");
    r = one();
    MADE_READ(r, OF_VM(COUNT, 100 * MS, REC_N_MEM_REFS, -1));
    made_nothing(r);
    made_end_broken(r, "growth of count");
    r = one(); /* 1 MiB is what it has */
    MADE_READ(r, OF_VM(LEVEL, 0, REC_L_MEM_RESIDENT, (1 << 20) + 4096),
              OF_HOST(LEVEL, 0, REC_L_MEM_RESIDENT, (1 << 20) + 4096));
    made_nothing(r);
    made_end_broken(r, "conservation: host.h holds 1052672 B in 1048576 B");
    r = one();
    MADE_READ(r, OF_VM(LEVEL, 0, REC_L_MEM_RESIDENT, 8192), OF_HOST(LEVEL, 0, REC_L_MEM_SHARED, 4096),
              OF_HOST(LEVEL, 0, REC_L_MEM_RESIDENT, 4095));
    made_nothing(r);
    made_end_broken(r, "sharing saves 4096 B");
    r = one();
    MADE_READ(r, OF_VM(LEVEL, 0, REC_L_MEM_RESIDENT, 8192), OF_HOST(LEVEL, 0, REC_L_MEM_SHARED, 4096),
              OF_HOST(LEVEL, 0, REC_L_MEM_RESIDENT, 4096));
    made_nothing(r);
    made_end_well(r);
    made_run_done(r);
}
END_TEST

/* --- groups, single entities, what happens --- */

static struct made_run *group(bool per_entity)
{
    struct made_run *r = made_run_new(101, (struct meter_opts){.per_entity = per_entity});
    struct rec recs[] = {OF_VM(COUNT, 300 * MS, REC_N_MEM_REFS, 10),
                         OF_VM(COUNT, 300 * MS, REC_N_DISK_OPS, 1),
                         OF_VM(LEVEL, 600 * MS, REC_L_DISK_ALLOCATED, 0), AT_IO(700 * MS, MADE_SAN, 0, 0)};
    recs[2].value = 1000;
    for (size_t k = 0; k < 4; k++)
        for (uint32_t i = 0; i < 101; i++) {
            struct rec x = recs[k];
            x.vm = i;
            if (k == 2) x.value *= i;
            made_read(r, &x, 1);
        }
    MADE_READ(r, OF_DEV(COUNT, 1000 * MS - 1, MADE_SAN, REC_N_DISK_OPS, 101));
    made_nothing(r);
    made_end_well(r);
    return r;
}

static void see_member(void *ctx, const struct results *rows)
{
    int *seen = ctx;
    const struct result *x = results_find(rows, "vm.v-100", "disk.latency", "count");
    if (x) *seen += x->value > 0 && x->value < 2 ? 1 : 100;
    if (results_find(rows, "storage.san", "disk.ops", "total")) *seen += 10;
}

START_TEST(a_large_group_is_summed)
{
    struct made_run *r = group(false);
    ck_near(made_value(r, "vm.v", "mem.refs", "total"), 1010, 0);
    ck_near(made_value(r, "vm.v", "disk.latency", "count"), 101, 0);
    ck_near(made_value(r, "vm.v", "disk.allocated", "mean"), 25000, 1e-9);
    ck_near(made_value(r, "vm.v", "disk.allocated", "max"), 50000, 1e-9);
    ck_near(made_value(r, "vm.v", "disk.allocated", "p50"), 25000, 1e-9);
    ck_near(made_value(r, "vm.v", "mem.resident", "sd"), 0, 0);
    ck_near(made_value(r, "vm.v", "cpu.swapwait", "max"), 0, 0);
    ck_assert_ptr_null(made_row(r, "vm.v", "cpu.netwait", "max")); /* no NIC */
    ck_near(made_value(r, "vm.v", "mem.miss", "share"), 0, 0);
    ck_assert_ptr_null(made_row(r, "vm.v-7", "mem.refs", "total"));
    made_run_done(r);
    r = group(true);
    ck_near(made_value(r, "vm.v", "disk.latency", "count"), 101, 0);
    int seen = 0;
    meter_entities(r->meter, see_member, &seen);
    ck_assert_int_eq(seen, 11); /* its own one request, and the devices too */
    made_run_done(r);
}
END_TEST

START_TEST(what_happens_to_a_device)
{
    struct made_run *r = one();
    struct rec full = OF_DEV(EVENT, 300 * MS, MADE_SSD, REC_EV_POOL_FULL, 65536);
    full.vm = 0, full.to = REC_WHY_POOL;
    MADE_READ(r, full, OF_DEV(EVENT, 400 * MS, MADE_SAN, REC_EV_POOL_ALARM, 1));
    made_nothing(r);
    made_end_well(r);
    ck_near(made_value(r, "host.h.disk.ssd0", "events.pool-full", "total"), 1, 0);
    ck_near(made_value(r, "host.h.disk.ssd0", "events.pool-full", "first"), .3, 1e-12);
    ck_near(made_value(r, "vm.v", "events.pool-full", "total"), 1, 0);
    ck_near(made_value(r, "host.h", "events.pool-full", "total"), 1, 0);
    ck_near(made_value(r, "host.h", "events.pool-alarm", "total"), 0, 0); /* the store is nobody's */
    ck_near(made_value(r, "storage.san", "events.pool-alarm", "total"), 1, 0);
    ck_near(made_value(r, "cluster", "events.pool-alarm", "total"), 1, 0);
    const struct run_output *o = meter_output(r->meter);
    ck_assert_uint_eq(o->n_happenings, 2);
    ck_assert_str_eq(o->happenings[0].entity, "host.h.disk.ssd0");
    ck_assert_str_eq(o->happenings[0].cause, "the pool has no free block");
    ck_assert_str_eq(o->happenings[1].cause, "");
    made_run_done(r);
}
END_TEST

/* 101 hosts h-0 .. h-100 of a group, a disk and a NIC each: one disk and one NIC of the group. */
START_TEST(devices_of_many_hosts_are_one)
{
    enum { N = 101 };
    struct made_run *r = one();
    static struct sc_host hosts[N];
    static struct sc_disk disks[N];
    static struct sc_nic nics[N];
    static char text[N][3][32];
    for (uint32_t i = 0; i < N; i++) {
        snprintf(text[i][0], sizeof text[i][0], "h-%u", i);
        snprintf(text[i][1], sizeof text[i][1], "host.h-%u.disk.ssd0", i);
        snprintf(text[i][2], sizeof text[i][2], "host.h-%u.nic.eth0", i);
        hosts[i] = (struct sc_host){.name = text[i][0], .group = "h", .cores = 1};
        disks[i] = (struct sc_disk){.name = "ssd0", .entity = text[i][1], .host = i};
        nics[i] = (struct sc_nic){.name = "eth0", .entity = text[i][2], .host = i};
    }
    meter_free(r->meter);
    r->sc.hosts = hosts, r->sc.disks = disks, r->sc.nics = nics;
    r->sc.n_hosts = r->sc.n_disks = r->sc.n_nics = N;
    r->meter = meter_new(&r->sc, &(struct meter_opts){.only_vm = UINT32_MAX});
    r->reader = meter_reader(r->meter);
    MADE_READ(r, OF_HOST(LEVEL, 0, REC_L_MEM_SWAPPED, 1010), OF_DEV(LEVEL, 200 * MS, 7, REC_L_DISK_BUSY, 1));
    for (uint32_t i = 0; i < N; i++) {
        struct rec recs[] = {AT_IO(300 * MS, i, 0, UINT32_MAX), OF_DEV(COUNT, 400 * MS, i, REC_N_DISK_OPS, 1),
                             OF_DEV(COUNT, 400 * MS, N + i, REC_N_NET_FRAMES, i),
                             OF_DEV(EVENT, 400 * MS, i, REC_EV_POOL_ALARM, 1)};
        made_read(r, recs, 4);
    }
    MADE_READ(r, AT_STATE(1000, 1000, DOWN, DOWN));
    for (uint32_t i = 0; i < N; i++) {
        struct rec idle = AT_IDLE(1000, 1000, 0);
        idle.host = i;
        made_read(r, &idle, 1);
    }
    made_end_well(r);
    ck_near(made_value(r, "host.h.disk.ssd0", "disk.ops", "total"), N, 0);
    ck_near(made_value(r, "host.h.disk.ssd0", "disk.latency", "count"), N, 0);
    ck_near(made_value(r, "host.h.disk.ssd0", "disk.util", "share"), 1. / N, 1e-12);
    ck_near(made_value(r, "host.h.disk.ssd0", "disk.busy", "max"), 1, 1e-12);
    ck_near(made_value(r, "host.h.disk.ssd0", "events.pool-alarm", "total"), N, 0);
    ck_near(made_value(r, "host.h.nic.eth0", "net.frames", "total"), N * (N - 1) / 2, 0);
    ck_near(made_value(r, "host.h", "mem.swapped", "mean"), 10, 1e-12);
    ck_near(made_value(r, "host.h", "mem.swapped", "max"), 1010, 1e-12);
    ck_near(made_value(r, "host.h", "events.pool-alarm", "total"), N, 0);
    ck_assert_ptr_null(made_row(r, "host.h-7.disk.ssd0", "disk.ops", "total"));
    ck_assert_ptr_nonnull(made_row(r, "network.lan", "net.frames", "total"));
    made_run_done(r);
}
END_TEST

START_TEST(reach_is_told_of_few_endpoints)
{
    struct made_run *r = made_run_new(2, (struct meter_opts){0});
    r->vms[0].network = 0;
    made_nothing(r);
    made_end_well(r);
    ck_near(made_value(r, "vm.v-0", "net.reach.pc", "mean"), 1, 0);
    ck_near(made_value(r, "peer.pc", "net.reach.v-0", "mean"), 1, 0);
    ck_near(made_value(r, "vm.v-1", "net.reach.pc", "mean"), 0, 0);
    ck_near(made_value(r, "vm.v-0", "net.reach.v-1", "mean"), 0, 0);
    made_run_done(r);
    r = made_run_new(50, (struct meter_opts){0}); /* and the peer: 51 */
    made_nothing(r);
    made_end_well(r);
    ck_assert_ptr_null(made_row(r, "vm.v-0", "net.reach.pc", "mean"));
    made_run_done(r);
}
END_TEST

Suite *meter_count_suite(void)
{
    Suite *s = suite_create("meter_count");
    TCase *t = tcase_create("meter_count");
    tcase_add_test(t, counts_are_of_the_window);
    tcase_add_test(t, levels_are_integrals);
    tcase_add_test(t, integrals_do_not_overflow);
    tcase_add_test(t, requests_are_the_vms_and_the_disks);
    tcase_add_test(t, laws_of_a_queue);
    tcase_add_test(t, a_queue_may_stay_as_it_is);
    tcase_add_test(t, laws_of_memory);
    tcase_add_test(t, a_large_group_is_summed);
    tcase_add_test(t, what_happens_to_a_device);
    tcase_add_test(t, devices_of_many_hosts_are_one);
    tcase_add_test(t, reach_is_told_of_few_endpoints);
    suite_add_tcase(s, t);
    return s;
}
