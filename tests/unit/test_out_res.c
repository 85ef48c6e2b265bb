// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory, disks, networks, overhead and a host's own threads in what people and tools get to see. */
#include <check.h>
#include <jansson.h>

#include "out/interest.h"
#include "out/phrase.h"
#include "out/prom.h"
#include "out/summary.h"

#include "tests/unit/made_up.h"

Suite *out_res_suite(void);

static char *written(void (*write)(FILE *, const void *), const void *what)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    write(f, what);
    fclose(f);
    return text;
}

/* --- summary --- */

static struct report *with_rows(struct made **m, void (*fill)(struct results *))
{
    *m = made_new(1, 1);
    struct results *r = results_new();
    fill(r);
    (*m)->out[0] = (struct run_output){.results = r};
    (*m)->n_out = 1;
    runset_put((*m)->rs, 0, 0, 42, &(*m)->out[0]);
    (*m)->rp.warmup_ns = 0;
    (*m)->rp.about = NULL;
    return &(*m)->rp;
}

static void a_vm(struct results *r, const char *vm, double run, double swapwait, double diskwait)
{
    results_add(r, vm, "cpu.run", "share", "", run);
    results_add(r, vm, "cpu.ready", "share", "", .1);
    results_add(r, vm, "cpu.throttled", "share", "", 0);
    results_add(r, vm, "cpu.swapwait", "share", "", swapwait);
    results_add(r, vm, "cpu.diskwait", "share", "", diskwait);
    results_add(r, vm, "cpu.netwait", "share", "", 0);
    results_add(r, vm, "cpu.overhead", "share", "", .02);
}

static void some(struct results *r)
{
    results_add(r, "host.h1", "cpu.util", "share", "", .5);
    results_add(r, "host.h1", "cpu.guest", "share", "", .4);
    results_add(r, "host.h1", "cpu.hostos", "share", "", .06);
    results_add(r, "host.h1", "mem.resident", "mean", "B", 0x1p33);
    a_vm(r, "vm.db", .25, .4, .1);
    results_add(r, "vm.db", "mem.resident", "mean", "B", 2.5 * 0x1p30);
    results_add(r, "vm.db", "mem.shared", "mean", "B", 0);
    results_add(r, "vm.db", "mem.swapped", "mean", "B", 0x1p30);
    results_add(r, "vm.db", "mem.refs", "total", "", 1000);
    results_add(r, "vm.db", "mem.faults", "rate", "1/s", 120);
    results_add(r, "vm.db", "disk.ops", "total", "", 400);
    results_add(r, "vm.db", "disk.ops", "rate", "1/s", 40);
    results_add(r, "vm.db", "disk.latency", "p99", "s", .0071);
    a_vm(r, "vm.idle", 0, 0, 0);
    results_add(r, "host.h1.disk.ssd0", "disk.ops", "rate", "1/s", 160);
    results_add(r, "host.h1.disk.ssd0", "disk.latency", "mean", "s", .0019);
    results_add(r, "host.h1.disk.ssd0", "disk.latency", "p99", "s", .0071);
    results_add(r, "host.h1.disk.ssd0", "disk.queue", "mean", "", 1.5);
    results_add(r, "host.h1.disk.ssd0", "disk.util", "share", "", .41);
    results_add(r, "host.h1.disk.ssd0", "disk.bytes", "rate", "B/s", 12e6);
    results_add(r, "host.h1.nic.eth0", "net.frames", "total", "", 0);
    results_add(r, "network.lan", "net.frames", "total", "", 100);
    results_add(r, "network.lan", "net.frames", "rate", "1/s", 10);
    results_add(r, "network.lan", "net.bytes", "rate", "B/s", 14480);
    results_add(r, "network.lan", "net.wire", "rate", "B/s", 15380);
    /* Rows of an entity need not stand together. */
    results_add(r, "vm.db", "net.reach.pc", "mean", "", 1);
}

static void print_summary(FILE *f, const void *rp)
{
    summary_print(f, rp, NULL, (struct term_style){false, false});
}

START_TEST(the_bytes_of_a_summary_with_devices)
{
    struct made *m;
    char *text = written(print_summary, with_rows(&m, some));
    const char *want = "noisy-neighbour  SIM  seed 42  60 s\n"
                       "\n"
                       "  VM           ran  ready  waits  #ran +ready ~waits  \n"
                       "  db         25.0%  10.0%  50.0%  #####++~~~~~~~~~~...\n"
                       "  idle          0%  10.0%      -  ++..................\n"
                       "  host h1: 50.0% busy, efficiency 40.0%, 6.0% host OS, 8.00 GiB of memory\n"
                       "\n"
                       "  VM           memory  swapped   faults  requests  disk p99\n"
                       "  db         2.50 GiB 1.00 GiB    120/s    40.0/s   7.10 ms\n"
                       "\n"
                       "  disk        busy  queue  requests     mean      p99       data\n"
                       "  h1/ssd0    41.0%   1.50     160/s  1.90 ms  7.10 ms  12.0 MB/s\n"
                       "\n"
                       "  network      frames    payload  on the wire\n"
                       "  lan          10.0/s   116 kb/s     123 kb/s\n"
                       "\n"
                       "  vm.db spent 40.0% of its time waiting for memory to be swapped in.\n";
    long at = made_differ(text, want);
    ck_assert_msg(at < 0, "they differ at byte %ld: %.60s", at, at < 0 ? "" : text + at);
    free(text);
    made_done(m);
}
END_TEST

static void an_oom(struct results *r)
{
    a_vm(r, "vm.a", .1, .8, 0);
    a_vm(r, "vm.b", .1, .2, 0);
    results_add(r, "vm.b", "events.oom", "total", "", 1);
}
static void overhead(struct results *r)
{
    a_vm(r, "vm.a", .9, .01, .01);
    results_add(r, "vm.b", "cpu.overhead", "share", "", .3);
}
static void nothing(struct results *r)
{
    a_vm(r, "vm.a", .9, .04, .04);
}

START_TEST(what_stands_out)
{
    static const struct {
        void (*fill)(struct results *);
        const char *want;
    } cases[] = {{an_oom, "vm.b was ended by its host, which had no memory left."},
                 {overhead, "vm.b lost 30.0% of its time to virtualization."},
                 {nothing, ""}};
    for (size_t i = 0; i < 3; i++) {
        struct made *m;
        char text[200];
        ck_assert_str_eq(phrase_standout(with_rows(&m, cases[i].fill), text, sizeof text), cases[i].want);
        made_done(m);
    }
}
END_TEST

START_TEST(what_is_of_interest_is_the_longest_wait)
{
    struct made *m;
    struct interest list[INTEREST_MAX];
    ck_assert_uint_eq(interest_of(with_rows(&m, an_oom), list), 2);
    ck_assert_str_eq(list[0].metric, "cpu.swapwait");
    made_done(m);
    ck_assert_uint_eq(interest_of(with_rows(&m, nothing), list), 1);
    ck_assert_str_eq(list[0].metric, "cpu.ready");
    made_done(m);
}
END_TEST

/* --- Prometheus --- */

static void reaches(struct results *r)
{
    results_add(r, "vm.a", "net.reach.b-1", "mean", "", 1);
    results_add(r, "vm.a", "net.reach.b_1", "mean", "", 0);
    results_add_exact(r, "vm.a", "exits.io_port", "total", "", 3);
    results_add(r, "vm.a", "disk.bytes", "rate", "B/s", 5);
}
static void print_prom(FILE *f, const void *rp)
{
    prom_report(f, rp);
}

START_TEST(reach_has_its_target_as_a_label)
{
    struct made *m;
    char *text = written(print_prom, with_rows(&m, reaches));
    ck_assert_ptr_nonnull(strstr(text, "# HELP vlab_net_reach The metric net.reach (vlab"));
    ck_assert_ptr_nonnull(strstr(text, "entity=\"vm.a\",to=\"b-1\",stat=\"mean\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "entity=\"vm.a\",to=\"b_1\",stat=\"mean\"} 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "vlab_exits_io_port{"));
    ck_assert_ptr_nonnull(strstr(text, "vlab_disk_bytes_bytes_per_second{"));
    free(text);
    made_done(m);
}
END_TEST

/* --- trace and chart --- */

#define MS INT64_C(1000000)
#define AT(t, len, k, ...)                                                                                   \
    {                                                                                                        \
        .t_ns = (t)*MS, .value = (len)*MS, .kind = REC_##k, __VA_ARGS__                                      \
    }

/* batch-0 and a thread of the host share pCPU 0; 2 of its 10 ms are overhead. */
static const struct rec shared[] = {
    AT(5000, 0, STATE, .from = VCPU_READY, .to = VCPU_RUN, .vm = 1),
    AT(5004, 2, OVERHEAD, .vm = 1),
    AT(5010, 10, STATE, .from = VCPU_RUN, .to = VCPU_DISKWAIT, .vm = 1),
    AT(5010, 0, THREAD, .from = VCPU_READY, .to = VCPU_RUN, .vm = UINT32_MAX, .vcpu = 2),
    AT(5013, 3, THREAD, .from = VCPU_RUN, .to = VCPU_IDLE, .vm = UINT32_MAX, .vcpu = 2),
    AT(5014, 1, THREAD, .from = VCPU_IDLE, .to = VCPU_READY, .vm = UINT32_MAX, .vcpu = 2),
    AT(5020, 10, STATE, .from = VCPU_DISKWAIT, .to = VCPU_READY, .vm = 1),
    AT(5020, 1, EVENT, .cause = REC_EV_POOL_FULL, .to = REC_WHY_POOL, .vm = 1, .vcpu = REC_NONE,
       .pcpu = REC_DEV),
};

static void print_trace(FILE *f, const void *t)
{
    trace_json(f, t);
}

START_TEST(the_trace_tells_overhead_and_threads)
{
    struct made *m = made_new(1, 1);
    struct sc_disk disk = {.entity = "host.h1.disk.ssd0"};
    made_scenario(m, 2);
    m->sc.disks = &disk;
    m->sc.n_disks = 1;
    m->trace = trace_new(&m->sc, &(struct trace_opts){.slices = true});
    struct rec_reader r = trace_reader(m->trace);
    r.read(r.ctx, shared, sizeof shared / sizeof *shared);
    char *text = written(print_trace, m->trace);
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(j);
    static const char *const have[] = {
        /* host h1 is process 1, db 2, batch-0 3, the disk 4; db has two vCPUs, batch-0 one */
        "{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":5010000.000,\"dur\":3000.000,\"cat\":\"host\",\"name\":"
        "\"host thread 2\"}",
        "{\"ph\":\"X\",\"pid\":3,\"tid\":2,\"ts\":5002000.000,\"dur\":2000.000,\"cat\":\"overhead\",\"name\":"
        "\"overhead\"}",
        "\"name\":\"diskwait\",\"cname\":\"thread_state_iowait\"}",
        "\"name\":\"overhead of vCPU 0\"",
        "\"pid\":4,\"tid\":0,\"args\":{\"name\":\"host.h1.disk.ssd0\"}",
        "\"pid\":4,\"tid\":0,\"ts\":5020000.000,\"s\":\"p\",\"cat\":\"event\",\"name\":\"pool-full\","
        "\"args\":{\"value\":1000000,"
        "\"why\":\"the pool has no free block\"}"};
    for (size_t i = 0; i < sizeof have / sizeof *have; i++)
        ck_assert_msg(strstr(text, have[i]), "no %s in\n%s", have[i], text);
    ck_assert_ptr_null(strstr(text, "\"dur\":1000.000")); /* what a thread waits for is not drawn */
    json_decref(j);
    free(text);
    made_done(m);
}
END_TEST

START_TEST(the_chart_shows_the_host)
{
    struct made *m = made_new(1, 1);
    made_scenario(m, 2);
    struct gantt *g = gantt_new(&m->sc);
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        ck_assert(gantt_see(g, &shared[i]));
    struct gantt_window w;
    ck_assert(gantt_choose(g, &w));
    ck_assert(w.shared);
    ck_assert_double_eq_tol(gantt_time(g, &w, GANTT_HOST), .003, 1e-12);
    ck_assert(gantt_time(g, &w, GANTT_SWITCH) == 0);
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    gantt_write(f, g, &w);
    fclose(f);
    ck_assert_str_eq(text, "pcpu\tstart\tend\tvm\tvcpu\tlabel\n"
                           "0\t5\t5.01\tbatch-0\t0\tbatch-0\n"
                           "0\t5.01\t5.013\thost OS\t2\thost\n");
    free(text);
    gantt_free(g);
    made_done(m);
}
END_TEST

Suite *out_res_suite(void)
{
    Suite *s = suite_create("out_res");
    TCase *t = tcase_create("out_res");
    tcase_add_test(t, the_bytes_of_a_summary_with_devices);
    tcase_add_test(t, what_stands_out);
    tcase_add_test(t, what_is_of_interest_is_the_longest_wait);
    tcase_add_test(t, reach_has_its_target_as_a_label);
    tcase_add_test(t, the_trace_tells_overhead_and_threads);
    tcase_add_test(t, the_chart_shows_the_host);
    suite_add_tcase(s, t);
    return s;
}
