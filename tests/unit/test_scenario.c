// SPDX-License-Identifier: GPL-3.0-or-later
/* From YAML to struct scenario: every key arrives where it belongs, defaults are what the table says, and the
 * resolved copy reads back to the same. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scenario/keys.h"
#include "scenario/scenario.h"

#include "tests/unit/reading.h"

Suite *scenario_suite(void);

static void done(struct scenario_file *f, struct scenario *sc, struct diag *d)
{
    scenario_free(sc);
    scenario_close(f);
    diag_done(d);
}

static const char whole[] =
    "vlab: 1\nname: all-of-it\nabout: \"Every key: what becomes of it?\"\n"
    "run: {duration: 60s, warmup: 5s, seed: 42, replications: 10, sample: 250ms, fidelity: exact}\n"
    "hosts:\n"
    "  - {name: h, count: 2, cpu: {cores: 70, threads_per_core: 1, speed: 0.6, scheduler: credit, slice: "
    "10ms, tick: 1ms,\n"
    "     switch_cost: 5us, balance: {idle: false, every: 20ms}, cache: {share: 512KiB, line: 50ns}, credit: "
    "{debit: tick}},\n"
    "     memory: 16GiB}\n"
    "  - name: big\n"
    "vms:\n"
    "  - name: db\n    host: h-1\n    vcpus: 2\n"
    "    cpu: {weight: 2000, limit: 80%, period: 50ms, reservation: 20%, pin: [0, 69], working_set: 1MiB}\n"
    "    mode: hardware\n    guest: stock\n    guest_quantum: 500us\n    memory: {size: 8GiB}\n    role: "
    "victim\n    draws: other\n"
    "    workload:\n      kind: requests\n      threads: 3\n      queue: 1000\n      arrivals: {poisson: "
    "400/s}\n"
    "      steps: [{cpu: {exponential: 2ms}}, {busy: 1ms, probability: 0.25}, {sleep: {uniform: [1ms, "
    "2ms]}}]\n"
    "      until: {count: 1000}\n"
    "  - {name: batch, count: 3, host: big, start: {at: 1s, every: 10ms}, workload: {steps: [{cpu: 10ms}]}}\n"
    "  - {name: none, count: 0, host: big}\n"
    "  - {name: idle, host: big}\n"
    "  - {name: users, host: big, workload: {kind: requests, clients: 50, think: {erlang: [1s, 4]}, threads: "
    "unlimited, steps: [{cpu: 1ms}]}}\n"
    "  - {name: shift, host: big, workload: {kind: requests, arrivals: {sequence: [{periodic: 10ms, for: "
    "100s}, {poisson: 0.5/s}]}, steps: [{cpu: 1ms}]}}\n";

START_TEST(hosts_and_run_arrive)
{
    struct diag d;
    struct scenario_file *f = parse(whole, &d);
    ck_assert_uint_eq(scenario_points(f), 1);
    struct scenario *sc = at(f, 0, &d);
    ck_assert_str_eq(sc->name, "all-of-it");
    ck_assert_str_eq(sc->about, "Every key: what becomes of it?");
    ck_assert_int_eq(sc->run.duration_ns, INT64_C(60000000000));
    ck_assert_int_eq(sc->run.warmup_ns, INT64_C(5000000000));
    ck_assert_int_eq(sc->run.sample_ns, 250000000);
    ck_assert_uint_eq(sc->run.seed, 42);
    ck_assert_uint_eq(sc->run.replications, 10);
    ck_assert_uint_eq(sc->n_hosts, 3);
    const struct sc_host *h = host_of(sc, "h-1"), *big = host_of(sc, "big");
    ck_assert_str_eq(h->name, "h-1");
    ck_assert_str_eq(h->group, "h");
    ck_assert_str_eq(h->profile, "ideal");
    ck_assert_uint_eq(h->cores, 70);
    ck_assert_uint_eq(h->speed_ppm, 600000);
    ck_assert_str_eq(h->scheduler, "credit");
    ck_assert_int_eq(h->slice_ns, 10000000);
    ck_assert_int_eq(h->tick_ns, 1000000);
    ck_assert_int_eq(h->switch_ns, 5000);
    ck_assert(!h->balance_idle && h->credit_debit_tick);
    ck_assert_int_eq(h->balance_every_ns, 20000000);
    ck_assert_int_eq(h->cache_bytes, 512 << 10);
    ck_assert_int_eq(h->cache_line_ns, 50);
    ck_assert_int_eq(h->memory.bytes, INT64_C(16) << 30);
    /* Ideal by default. */
    ck_assert_uint_eq(big->cores, 1);
    ck_assert_uint_eq(big->speed_ppm, 1000000);
    ck_assert(big->balance_idle && !big->credit_debit_tick);
    ck_assert_int_eq(big->slice_ns | big->tick_ns | big->switch_ns | big->cache_bytes | big->cache_line_ns |
                         big->memory.bytes,
                     0);
    ck_assert_int_eq(big->balance_every_ns, 4000000);
    done(f, sc, &d);
}
END_TEST

START_TEST(vms_arrive)
{
    struct diag d;
    struct scenario_file *f = parse(whole, &d);
    struct scenario *sc = at(f, 0, &d);
    ck_assert_uint_eq(sc->n_vms, 7);
    const struct sc_vm *db = vm_of(sc, "db");
    ck_assert_str_eq(db->name, "db");
    ck_assert_str_eq(sc->hosts[db->host].name, "h-1");
    ck_assert_uint_eq(db->vcpus, 2);
    ck_assert_uint_eq(db->weight, 2000);
    ck_assert_uint_eq(db->limit_ppm, 800000);
    ck_assert_int_eq(db->period_ns, 50000000);
    ck_assert_uint_eq(db->reservation_ppm, 200000);
    ck_assert_uint_eq(db->pins[0], 1);
    ck_assert_uint_eq(db->pins[1], 1 << 5);
    ck_assert_int_eq(db->working_set_bytes, 1 << 20);
    ck_assert_int_eq(db->guest_quantum_ns, 500000);
    ck_assert_int_eq(db->memory_bytes, INT64_C(8) << 30);
    ck_assert(db->victim);
    ck_assert_str_eq(db->draws, "other");
    for (uint32_t i = 0; i < 3; i++) {
        char name[20];
        snprintf(name, sizeof name, "batch-%u", i);
        const struct sc_vm *b = vm_of(sc, name);
        ck_assert_str_eq(b->name, name);
        ck_assert_str_eq(b->draws, name);
        ck_assert_str_eq(b->group, "batch");
        ck_assert_int_eq(b->start_ns, 1000000000 + 10000000 * (int64_t)i);
        ck_assert(!b->pins && !b->victim);
        ck_assert_uint_eq(b->weight, 1000);
        ck_assert_uint_eq(b->limit_ppm | b->reservation_ppm, 0);
        ck_assert_int_eq(b->period_ns, 100000000);
        ck_assert_int_eq(b->guest_quantum_ns, 0);
    }
    done(f, sc, &d);
}
END_TEST

START_TEST(workloads_arrive)
{
    struct diag d;
    struct scenario_file *f = parse(whole, &d);
    struct scenario *sc = at(f, 0, &d);
    const struct sc_workload *w = &vm_of(sc, "db")->work;
    ck_assert(w->requests && !w->unlimited);
    ck_assert_uint_eq(w->threads, 3);
    ck_assert_int_eq(w->queue_max, 1000);
    ck_assert_int_eq(w->arrivals, SC_POISSON);
    ck_assert_int_eq(w->stretches[0].gap_ns, 2500000);
    ck_assert_int_eq(w->stretches[0].for_ns, INT64_MAX);
    ck_assert_uint_eq(w->until, 1000);
    ck_assert_uint_eq(w->prog->n_steps, 3);
    ck_assert(prog_valid(w->prog, w->prog->bytes));
    const struct step *s = prog_steps(w->prog);
    ck_assert_uint_eq(s[0].kind, STEP_CPU);
    ck_assert_uint_eq(s[0].amount.kind, DIST_EXPONENTIAL);
    ck_assert_int_eq(s[0].amount.a, 2000000);
    ck_assert_uint_eq(s[0].probability, UINT32_MAX);
    ck_assert_uint_eq(s[1].kind, STEP_BUSY);
    ck_assert_uint_eq(s[1].probability, 1u << 30);
    ck_assert_uint_eq(s[2].kind, STEP_SLEEP);
    ck_assert_int_eq(s[2].amount.b, 2000000);
    w = &vm_of(sc, "batch-0")->work; /* batch: a loop with a task for each vCPU */
    ck_assert(!w->requests);
    ck_assert_uint_eq(w->threads, 1);
    ck_assert_uint_eq(w->until, UINT64_MAX);
    w = &vm_of(sc, "idle")->work; /* idle: nothing ever comes */
    ck_assert(w->requests && w->arrivals == SC_TRACE && w->n_trace == 0 &&
              prog_valid(w->prog, w->prog->bytes));
    w = &vm_of(sc, "users")->work;
    ck_assert(w->unlimited && w->arrivals == SC_CLOSED);
    ck_assert_uint_eq(w->clients, 50);
    ck_assert_uint_eq(w->think.kind, DIST_ERLANG);
    ck_assert_uint_eq(w->think.n, 4);
    w = &vm_of(sc, "shift")->work;
    ck_assert_int_eq(w->arrivals, SC_SEQUENCE);
    ck_assert_uint_eq(w->n_stretches, 2);
    ck_assert_int_eq(w->stretches[0].kind, SC_PERIODIC);
    ck_assert_int_eq(w->stretches[0].for_ns, INT64_C(100000000000));
    ck_assert_int_eq(w->stretches[1].gap_ns, 2000000000);
    done(f, sc, &d);
}
END_TEST

START_TEST(defaults_are_those_of_the_table)
{
    struct diag d;
    struct scenario_file *f = parse("vlab: 1\n", &d);
    struct scenario *sc = at(f, 0, &d);
    ck_assert_str_eq(sc->name, "some-file");
    ck_assert_str_eq(sc->about, "");
    ck_assert_int_eq(sc->run.duration_ns, INT64_C(10000000000));
    ck_assert_int_eq(sc->run.sample_ns, INT64_C(10000000000) / 600);
    ck_assert_int_eq(sc->run.warmup_ns, 0);
    ck_assert_uint_eq(sc->run.seed, 1);
    ck_assert_uint_eq(sc->run.replications, 1);
    done(f, sc, &d);
    f = parse("run: 30ms\n", &d);
    sc = at(f, 0, &d);
    ck_assert_int_eq(sc->run.sample_ns, 1000000);
    done(f, sc, &d);
    /* Every default in the table is one the reader takes, and every row says what it is for. */
    for (size_t i = 0; i < key_count(); i++) {
        const struct key *k = key_at(i);
        ck_assert_msg(k->about && k->about[0], "%s", k->path);
        ck_assert_msg(k->later || k->def || k->def_text || k->type == KEY_MAP ||
                          strstr(k->path, "arrivals.") || strstr(k->path, "steps.") ||
                          strstr(k->path, "until."),
                      "%s says nothing of its default", k->path);
        ck_assert_ptr_eq(key_find(k->path), k);
        enum unit_kind kind;
        int64_t v;
        struct unit_why why;
        if (k->later || !k->def || !key_unit(k->type, &kind) ||
            key_has_word(k->words, k->def, strlen(k->def)))
            continue;
        ck_assert_msg(unit_parse(kind, k->def, strlen(k->def), &v, &why) && v >= k->lo && v <= k->hi,
                      "%s: %s", k->path, why.text);
    }
}
END_TEST

static char *dump_of(const char *text)
{
    struct diag d;
    struct scenario_file *f = parse(text, &d);
    scenario_free(at(f, 0, &d));
    size_t len;
    char *out = scenario_dump(f, &len);
    ck_assert_uint_eq(strlen(out), len);
    scenario_close(f);
    diag_done(&d);
    return out;
}

START_TEST(the_resolved_copy_says_the_same)
{
    char *once = dump_of(whole), *twice = dump_of(once);
    ck_assert_str_eq(once, twice);
    ck_assert_ptr_nonnull(strstr(once, "\n        every: 20ms\n"));
    ck_assert_ptr_nonnull(strstr(once, "about: \"Every key: what becomes of it?\"\n"));
    ck_assert_ptr_nonnull(strstr(once, "    memory:\n      size: 16GiB\n"));
    ck_assert_ptr_nonnull(strstr(once, "period: 100ms")); /* of batch, that did not state it */
    free(once);
    free(twice);
    once = dump_of(
        "hosts: [{name: h}]\nvms: [{name: a, vcpus: 2, workload: {steps: [{cpu: 1ms}]}}]\nrun: 60s\n");
    ck_assert_ptr_nonnull(strstr(once, "sample: 100ms\n"));
    ck_assert_ptr_nonnull(strstr(once, "host: h\n"));
    ck_assert_ptr_nonnull(strstr(once, "threads: 2\n"));
    ck_assert_ptr_nonnull(strstr(once, "name: some-file\n"));
    free(once);
}
END_TEST

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

/* A scenario in a folder of its own with another file beside it. */
static struct scenario *with_file(const char *scenario, const char *other, const char *text,
                                  struct scenario_file **f, struct diag *d)
{
    char dir[] = P_tmpdir "/vlab-test-XXXXXX", path[100], beside[100];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s.yaml", dir);
    snprintf(beside, sizeof beside, "%s/%s", dir, other);
    write_file(path, scenario);
    write_file(beside, text);
    diag_init(d);
    *f = scenario_open(path, d);
    struct scenario *sc = *f ? scenario_at(*f, 0, d) : NULL;
    unlink(path);
    unlink(beside);
    rmdir(dir);
    return sc;
}

#define PROFILED "hosts: [{name: h, profile: mine.yaml, cpu: {slice: 9ms, scheduler: eevdf}}]\n"

START_TEST(a_profile_brings_costs)
{
    struct scenario_file *f;
    struct diag d;
    struct scenario *sc = with_file(
        PROFILED, "mine.yaml",
        "vlab_host: 1\nmachine: {cpu: Some CPU, cores: 2}\ncpu: {tick: 4ms, slice: 3ms, switch_cost: 2us}\n"
        "measured: {iters_per_ns: 1.23, exit: 25us, kick: 30us, switch: 5us, slice: 3.95ms, tick: 4ms}\n",
        &f, &d);
    if (!sc) diag_print(&d, stderr, false);
    ck_assert_ptr_nonnull(sc);
    const struct sc_host *h = &sc->hosts[0];
    ck_assert_int_eq(h->slice_ns, 9000000); /* what the scenario states overrides it */
    ck_assert_int_eq(h->tick_ns, 4000000);
    ck_assert_int_eq(h->switch_ns, 2000);
    ck_assert(h->measured.iters_per_ns > 1.2299999 && h->measured.iters_per_ns < 1.2300001);
    ck_assert_int_eq(h->measured.exit_ns, 25000);
    /* Prices of mediation that a calibrated file knows are those under hardware. */
    ck_assert_int_eq(h->modes->price[SC_HARDWARE][OP_IO_PORT].ps, 25000000);
    ck_assert_int_eq(h->modes->price[SC_HARDWARE][OP_DOORBELL].ps, 25000000);
    ck_assert_int_eq(h->modes->price[SC_HARDWARE][OP_FORK].ps, 0);
    ck_assert_int_eq(h->modes->price[SC_PARAVIRTUAL][OP_IO_PORT].ps, 0);
    ck_assert_int_eq(h->measured.kick_ns, 30000);
    ck_assert_int_eq(h->measured.switch_ns, 5000);
    ck_assert_int_eq(h->measured.slice_ns, 3950000);
    ck_assert_int_eq(h->measured.tick_ns, 4000000);
    done(f, sc, &d);
    sc = with_file(PROFILED, "mine.yaml",
                   "vlab_host: 1\nmeasured: {exit: 25us, reference: 7.08, ops: {doorbell: 3000.5, call_ret: "
                   "3.6, page_fault: 4500}}\n",
                   &f, &d);
    if (!sc) diag_print(&d, stderr, false);
    ck_assert_ptr_nonnull(sc);
    h = &sc->hosts[0];
    ck_assert_int_eq(h->memory.ref_ps, 7080);
    ck_assert_int_eq(h->modes->price[SC_HARDWARE][OP_IO_PORT].ps, 25000000); /* any exit's */
    ck_assert_int_eq(h->modes->price[SC_HARDWARE][OP_DOORBELL].ps, 3000500); /* its own */
    ck_assert_int_eq(h->modes->price[SC_HARDWARE][OP_CALL_RET].ps, 3600);
    ck_assert_int_eq(h->modes->price[SC_HARDWARE][OP_PAGE_FAULT].ps, 4500000);
    ck_assert_int_eq(h->modes->price[SC_HARDWARE][OP_HLT].ps, 0);
    done(f, sc, &d);
    sc = with_file("hosts: [{name: h, profile: mine.yaml, memory: {ref_cost: 3ns}}]\n", "mine.yaml",
                   "vlab_host: 1\nmeasured: {reference: 7.08}\n", &f, &d);
    ck_assert_ptr_nonnull(sc);
    ck_assert_int_eq(sc->hosts[0].memory.ref_ps, 3000);
    done(f, sc, &d);
    sc = with_file(PROFILED, "mine.yaml", "vlab_host: 1\ncpu: {tik: 4ms}\nmeasured: {exit: 5}\n", &f, &d);
    ck_assert_ptr_null(sc);
    ck_assert_uint_eq(d.n, 2);
    ck_assert_uint_eq(d.items[0].mark.column, 28);
    ck_assert_ptr_nonnull(strstr(d.items[0].text, "mine.yaml:2:7: unknown key `tik`"));
    ck_assert_ptr_nonnull(strstr(d.items[1].text, "mine.yaml:3:18: `5` has no unit"));
    done(f, NULL, &d);
    sc = with_file(PROFILED, "mine.yaml", "cpu: {tick: 4ms}\n", &f, &d);
    ck_assert_ptr_null(sc);
    ck_assert_ptr_nonnull(strstr(d.items[0].text, "not a host profile"));
    done(f, NULL, &d);
}
END_TEST

#define TRACED                                                                                               \
    "hosts: [{name: h}]\nvms: [{name: a, workload: {kind: requests, arrivals: {trace: t.txt}, steps: "       \
    "[{cpu: {empirical: t.txt}}, {cpu: {sequence: t.txt}}]}}]\n"

START_TEST(files_are_read_line_by_line)
{
    struct scenario_file *f;
    struct diag d;
    struct scenario *sc = with_file(TRACED, "t.txt", "# times\n0\n0.5\n\n  2.5ms000 # x\n", &f, &d);
    ck_assert_ptr_null(sc);
    ck_assert_uint_ge(d.n, 1);
    ck_assert_ptr_nonnull(strstr(d.items[0].text, "t.txt:5: "));
    done(f, NULL, &d);
    sc = with_file(TRACED, "t.txt", "# times\r\n0\n\t0.5\n\n1e0\n1500ms # with a unit\n2.00000000049\n", &f,
                   &d);
    ck_assert_ptr_nonnull(sc);
    const struct sc_workload *w = &sc->vms[0].work;
    ck_assert_uint_eq(w->n_trace, 5);
    ck_assert_int_eq(w->trace_ns[0], 0);
    ck_assert_int_eq(w->trace_ns[1], 500000000);
    ck_assert_int_eq(w->trace_ns[3], 1500000000);
    ck_assert_int_eq(w->trace_ns[4], 2000000000);
    const struct step *s = prog_steps(w->prog);
    ck_assert_uint_eq(s[1].amount.at, 5);
    ck_assert_uint_eq(s[1].amount.n, 5);
    ck_assert_int_eq(prog_pool(w->prog)[6], 500000000);
    done(f, sc, &d);
    sc = with_file(TRACED, "t.txt", "1\n0.5\n", &f, &d);
    ck_assert_ptr_null(sc);
    ck_assert_ptr_nonnull(strstr(d.items[0].text, "t.txt:2: time goes back"));
    done(f, NULL, &d);
    static const char *const bad[] = {"-1\n",    "nan\n",    "1 2\n", "inf\n",       "0x5\n",
                                      "1e400\n", "# only\n", "",      "9300000000\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sc = with_file(TRACED, "t.txt", bad[i], &f, &d);
        ck_assert_msg(!sc && d.n && strstr(d.items[0].text, "t.txt"), "took %s", bad[i]);
        done(f, sc, &d);
    }
    sc = with_file(TRACED, "u.txt", "1\n", &f, &d);
    ck_assert_ptr_null(sc);
    ck_assert_ptr_nonnull(strstr(d.items[0].text, "cannot open"));
    ck_assert(!d.usage);
    done(f, NULL, &d);
}
END_TEST

START_TEST(zeros_only_take_no_time)
{
    struct scenario_file *f;
    struct diag d;
    static const char text[] =
        "hosts: [{name: h}]\nvms: [{name: a, workload: {steps: [{cpu: {sequence: t.txt}}]}}]\n";
    struct scenario *sc = with_file(text, "t.txt", "0\n0\n", &f, &d);
    ck_assert(!sc && strstr(d.items[0].text, "no time"));
    done(f, sc, &d);
    sc = with_file(text, "t.txt", "0\n1\n", &f, &d);
    ck_assert_ptr_nonnull(sc);
    done(f, sc, &d);
}
END_TEST

Suite *scenario_suite(void)
{
    Suite *s = suite_create("scenario");
    TCase *t = tcase_create("scenario");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, hosts_and_run_arrive);
    tcase_add_test(t, vms_arrive);
    tcase_add_test(t, workloads_arrive);
    tcase_add_test(t, defaults_are_those_of_the_table);
    tcase_add_test(t, the_resolved_copy_says_the_same);
    tcase_add_test(t, a_profile_brings_costs);
    tcase_add_test(t, files_are_read_line_by_line);
    tcase_add_test(t, zeros_only_take_no_time);
    suite_add_tcase(s, t);
    return s;
}
