// SPDX-License-Identifier: GPL-3.0-or-later
/* Taking memory back against what is known of it: ESX's page sharing and idle-memory tax (Waldspurger, OSDI
 * 2002), balloons that spare VMs the host's swap, and what that swap costs where there are none. */
#include "tests/memlab.h"

Suite *reclaim_suite(void);

#define MB (1024.0 * 1024.0)

/* n VMs of 40 MB, 67 % of which is one Linux: .67 (1 - 1/n) of all their memory is saved. */
static double saved(int n)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 60s}\n"
        "hosts: [{name: h, cpu: {cores: 1}, memory: {size: 1GiB, reclaim: [share]}}]\n"
        "vms: [{name: v, count: %d, host: h, memory: {size: 40MiB, content: {linux: 67%%}}, workload:"
        " {kind: loop, until: {count: 1}, steps: [{touch: {pages: 10240, of: 40MiB, pattern: cyclic}}, {cpu: "
        "1ms}]}}]\n",
        n);
    lab_run(l, 1);
    double share = lab_value(l, "host.h", "mem.shared", "max") / (n * 40 * MB);
    ck_near(lab_value(l, "host.h", "mem.resident", "max"), n * 40 * MB, 1);
    lab_close(l);
    return share;
}

START_TEST(sharing_saves_what_is_equal)
{
    ck_near(saved(1), 0, 0);
    ck_near(saved(2), .335, .001);
    ck_near(saved(5), .536, .001);
    ck_near(saved(10), .603, .001);
}
END_TEST

/* Three VMs touch all of their 100 MB once, then keep to 60 of it, on a host of 240 MB. */
static struct lab *three(int vms, const char *ways, const char *guest)
{
    return lab_open(
        "vlab: 1\nname: t\nrun: {duration: 40s}\n"
        "hosts: [{name: h, cpu: {cores: 3}, disks: [{name: d, latency: 500us}, {name: own, latency: 100us}],"
        " memory: {size: 240MiB, reclaim: %s, swap: d, ref_cost: 20us}}]\n"
        "vms: [{name: v, count: %d, host: h, memory: {size: 100MiB%s}, workload: {kind: loop, steps: ["
        "{touch: {pages: 25600, of: 100MiB, pattern: cyclic}},"
        " {touch: {pages: 100000000, of: 60MiB, write: 20%%}}]}}]\n",
        ways, vms, guest);
}

static double sum_of(const struct lab *l, const char *metric, const char *stat)
{
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        char vm[16];
        snprintf(vm, sizeof vm, "vm.v-%d", i);
        sum += lab_value(l, vm, metric, stat);
    }
    return sum;
}

/* With balloons the host never swaps; what the guests swap instead is over soon, as it is not what they use.
 */
START_TEST(balloons_spare_the_hosts_swap)
{
    struct lab *alone = three(1, "[balloon, swap]", ", swap: own"),
               *l = three(3, "[balloon, swap]", ", swap: own"), *without = three(3, "[swap]", "");
    lab_run(alone, 1);
    lab_run(l, 1);
    lab_run(without, 1);
    double refs = lab_value(alone, "vm.v-0", "mem.refs", "total");
    for (int i = 0; i < 3; i++) {
        char vm[16];
        snprintf(vm, sizeof vm, "vm.v-%d", i);
        ck_assert_double_lt(refs / lab_value(l, vm, "mem.refs", "total"), 1.05);
        ck_assert_double_gt(lab_value(l, vm, "mem.ballooned", "max"), 19 * MB);
    }
    ck_near(sum_of(l, "cpu.swapwait", "total"), 0, 0);
    ck_near(sum_of(l, "mem.swapin", "total"), 0, 0);
    ck_assert_double_gt(sum_of(l, "cpu.diskwait", "total"), 0);
    double pages = sum_of(without, "mem.swapin", "total") / 4096,
           wait = sum_of(without, "cpu.swapwait", "total");
    ck_assert_double_gt(pages, 1000);
    ck_near(sum_of(without, "cpu.diskwait", "total"), 0, 0);
    ck_near(wait / (pages * lab_value(without, "host.h.disk.d", "disk.latency", "mean")), 1, .01);
    lab_close(alone);
    lab_close(l);
    lab_close(without);
}
END_TEST

/* 358 MB for two VMs of 256 MB. One goes over all of it again and again; the idle one touched all of it once
 * and uses 50 MB since. Idle pages count 4 times: 50 + 4 * 52 = 258 > 256, so all that is missing is the
 * idle one's: 102. Without the tax only shares count. */
static double idle_keeps(int tax, const char *estimate, uint64_t seed, int start, int64_t seconds,
                         double *busy)
{
    struct lab *lab = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 1h}\n"
        "hosts: [{name: h, cpu: {cores: 2}, disks: [{name: d}], memory: {size: 358MiB, reclaim: [swap],"
        " swap: d, tax: %d%%, estimate: %s, ref_cost: 400us}}]\n"
        "vms:\n"
        "  - {name: busy, host: h, memory: 256MiB, start: {at: %ds}, workload: {kind: loop, steps: ["
        "{touch: {pages: 65536, of: 256MiB, pattern: cyclic}}]}}\n"
        "  - {name: idle, host: h, memory: 256MiB, workload: {kind: loop, steps: ["
        "{touch: {pages: 65536, of: 256MiB, pattern: cyclic}},"
        " {touch: {pages: 100000000, of: 50MiB, pattern: cyclic}}]}}\n",
        tax, estimate, start);
    struct memlab *l = memlab_new(lab, seed, 1000);
    memlab_to(l, seconds * 1000000000);
    *busy = (double)(l->m->vms[0].mem->resident * 4096) / MB;
    double idle = (double)(l->m->vms[1].mem->resident * 4096) / MB;
    char *why = NULL;
    ck_assert_msg(mem_check(l->m, &why) == 0, "%s", why ? why : "?");
    memlab_free(l);
    lab_close(lab);
    return idle;
}

START_TEST(idle_memory_is_taxed)
{
    double busy;
    ck_near(idle_keeps(0, "exact", 1, 65, 150, &busy), 179, 1);
    ck_near(busy, 179, 1);
    ck_near(idle_keeps(75, "exact", 1, 65, 150, &busy), 102, 1);
    ck_near(busy, 256, 1);
}
END_TEST

START_TEST(sampling_is_as_good_in_the_mean)
{
    double sum = 0, busy;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        double x = idle_keeps(75, "sampled", seed, 395, 430, &busy);
        sum += x;
    }
    ck_near(sum / 30, 102, 2);
}
END_TEST

/* 358 MB for two VMs of 256 MB; the idle one fills its own just before the other one comes, so that at first
 * both have 179. When it has been idle for a while balloons have moved what the other one misses. */
START_TEST(balloons_follow_use)
{
    static const char *const rates[] = {"0B/s", "50MiB/s"};
    for (int i = 0; i < 2; i++) {
        struct lab *lab = lab_open(
            "vlab: 1\nname: t\nrun: {duration: 1h}\n"
            "hosts: [{name: h, cpu: {cores: 2}, disks: [{name: d}],"
            " memory: {size: 358MiB, reclaim: [balloon], balloon: {rate: %s}, ref_cost: 20us}}]\n"
            "vms:\n"
            "  - {name: busy, host: h, memory: {size: 256MiB, swap: d}, start: {at: 1s}, workload: {kind: "
            "loop, steps: [{touch: {pages: 65536, pattern: cyclic}}]}}\n"
            "  - {name: idle, host: h, memory: {size: 256MiB, swap: d}, workload: {kind: loop, until: "
            "{count: "
            "1}, steps: [{touch: {pages: 65536, pattern: cyclic}}]}}\n",
            rates[i]);
        struct memlab *l = memlab_new(lab, 1, 1000);
        const struct vmem *busy = l->m->vms[0].mem, *idle = l->m->vms[1].mem;
        memlab_to(l, 20 * INT64_C(1000000000));
        ck_near((double)busy->resident * 4096 / MB, 179, 5);
        memlab_to(l, 150 * INT64_C(1000000000));
        ck_near((double)busy->resident * 4096 / MB, 256, 1);
        ck_near((double)idle->resident * 4096 / MB, 102, 1);
        ck_near((double)idle->ballooned * 4096 / MB, 154, 1);
        ck_assert_int_eq(busy->ballooned, 0);
        char *why = NULL;
        ck_assert_msg(mem_check(l->m, &why) == 0, "%s", why ? why : "?");
        memlab_free(l);
        lab_close(lab);
    }
}
END_TEST

/* 40 MB is no whole number of pages: neither the VM nor its host has the rest, and the VM fits. */
START_TEST(a_vm_as_large_as_its_host_fits)
{
    static const char *const pages[] = {"4KiB", "2MiB"};
    static const int bytes[] = {4096, 2 << 20};
    for (int i = 0; i < 2; i++) {
        struct lab *l =
            lab_open("vlab: 1\nname: t\nrun: {duration: 1s}\n"
                     "hosts: [{name: h, memory: {size: 120MB, page: %s}}]\n"
                     "vms: [{name: v, count: 3, host: h, memory: 40MB, workload: {kind: loop, steps: ["
                     "{touch: {pages: 20000, pattern: cyclic}}, {sleep: 1ms}]}}]\n",
                     pages[i]);
        lab_run(l, 1);
        ck_near(lab_value(l, "vm.v-0", "mem.resident", "max"), 40000000 / bytes[i] * bytes[i], 0);
        ck_near(lab_value(l, "cluster", "events.oom", "total"), 0, 0);
        lab_close(l);
    }
}
END_TEST

Suite *reclaim_suite(void)
{
    Suite *s = suite_create("reclaim");
    TCase *t = tcase_create("esx");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, sharing_saves_what_is_equal);
    tcase_add_test(t, balloons_spare_the_hosts_swap);
    tcase_add_test(t, idle_memory_is_taxed);
    tcase_add_test(t, sampling_is_as_good_in_the_mean);
    tcase_add_test(t, balloons_follow_use);
    tcase_add_test(t, a_vm_as_large_as_its_host_fits);
    suite_add_tcase(s, t);
    return s;
}
