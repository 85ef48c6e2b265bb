// SPDX-License-Identifier: GPL-3.0-or-later
/* The sweep: which points there are, in which order, and what --set does to them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/expect.h"
#include "scenario/scenario.h"

#include "tests/unit/reading.h"

Suite *sweep_suite(void);

#define BASE                                                                                                 \
    "hosts: [{name: h1, cpu: 4, memory: 8GiB}, {name: h2}]\n"                                                \
    "vms:\n- {name: db, host: h1, memory: 1GiB, workload: {steps: [{cpu: 1ms}, {cpu: {exponential: "         \
    "2ms}}]}}\n"                                                                                             \
    "- {name: batch, host: h1, count: 2, workload: {steps: [{cpu: 1ms}]}}\n"

START_TEST(points_are_the_product_and_zips_go_side_by_side)
{
    struct diag d;
    struct scenario_file *f = parse(BASE "sweep: {vms.batch.count: [0, 3], zip: {run.seed: [7, 8, 9], "
                                         "vms.db.vcpus: [1, 2, 3]}, hosts.h1.cpu.scheduler: [rr, cfs]}\n",
                                    &d);
    ck_assert_uint_eq(scenario_points(f), 12);
    for (size_t p = 0; p < 12; p++) {
        struct scenario *sc = at(f, p, &d);
        size_t zip = p / 2 % 3;
        ck_assert_uint_eq(sc->n_vms, p < 6 ? 1 : 4);
        ck_assert_uint_eq(sc->run.seed, 7 + zip);
        ck_assert_uint_eq(vm_of(sc, "db")->vcpus, 1 + zip);
        ck_assert_str_eq(host_of(sc, "h1")->scheduler, p % 2 ? "cfs" : "rr");
        ck_assert_str_eq(host_of(sc, "h2")->scheduler, "credit");
        ck_assert_uint_eq(sc->n_keys, 4);
        ck_assert_str_eq(sc->keys[0], "vms.batch.count");
        ck_assert_str_eq(sc->values[0], p < 6 ? "0" : "3");
        ck_assert_str_eq(sc->keys[3], "hosts.h1.cpu.scheduler");
        ck_assert_str_eq(sc->values[3], p % 2 ? "cfs" : "rr");
        scenario_free(sc);
    }
    scenario_close(f);
    diag_done(&d);
}
END_TEST

START_TEST(values_reach_every_kind_of_place)
{
    struct diag d;
    struct scenario_file *f = parse(BASE "sweep: {vms.db.workload.steps.0.cpu: [1ms, {uniform: [1ms, 5ms]}], "
                                         "vms.db.workload.steps.1.cpu.exponential: [3ms],\n"
                                         "  vms.db.memory.size: [2GiB], hosts.h1.cpu.cores: [8], "
                                         "vms.batch.cpu.limit: [none, 50%], vms.db.start: [1s]}\n",
                                    &d);
    ck_assert_uint_eq(scenario_points(f), 4);
    struct scenario *sc = at(f, 3, &d);
    const struct step *s = prog_steps(vm_of(sc, "db")->work.prog);
    ck_assert_uint_eq(s[0].amount.kind, DIST_UNIFORM);
    ck_assert_int_eq(s[0].amount.b, 5000000);
    ck_assert_uint_eq(s[1].amount.kind, DIST_EXPONENTIAL);
    ck_assert_int_eq(s[1].amount.a, 3000000);
    ck_assert_int_eq(vm_of(sc, "db")->memory_bytes, INT64_C(2) << 30);
    ck_assert_uint_eq(host_of(sc, "h1")->cores, 8);
    ck_assert_uint_eq(vm_of(sc, "batch-1")->limit_ppm, 500000);
    ck_assert_int_eq(vm_of(sc, "db")->start_ns, 1000000000);
    ck_assert_str_eq(sc->values[0], "{uniform: [1ms, 5ms]}");
    scenario_free(sc);
    sc = at(f, 0, &d);
    ck_assert_uint_eq(prog_steps(vm_of(sc, "db")->work.prog)[0].amount.kind, DIST_CONST);
    ck_assert_uint_eq(vm_of(sc, "batch-1")->limit_ppm, 0);
    scenario_free(sc);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

START_TEST(set_takes_a_key_out_of_the_sweep)
{
    struct diag d;
    struct scenario_file *f =
        parse(BASE "sweep: {vms.batch.count: [0, 1, 2], zip: {run.seed: [7, 8], vms.db.vcpus: [1, 2]}}\n"
                   "expect: [\"vm.db.throughput >= 0.9 * vm.db.throughput@vms.batch.count=0\", "
                   "\"vm.db.cpu.run < 50%\"]\n",
              &d);
    ck_assert(scenario_set(f, "vms.batch.count", "5", &d));
    ck_assert_uint_eq(scenario_points(f), 2);
    struct scenario *sc = at(f, 1, &d);
    ck_assert_uint_eq(sc->n_vms, 6);
    ck_assert_uint_eq(sc->n_keys, 2);
    ck_assert_uint_eq(sc->n_expects, 1); /* the other names a point that is no more */
    scenario_free(sc);
    ck_assert(scenario_set(f, "run.seed", "3", &d));
    ck_assert_uint_eq(scenario_points(f), 2);
    ck_assert(scenario_set(f, "vms.db.vcpus", "3", &d));
    ck_assert_uint_eq(scenario_points(f), 1);
    sc = at(f, 0, &d);
    ck_assert_uint_eq(sc->n_keys, 0);
    ck_assert_uint_eq(sc->run.seed, 3);
    ck_assert_uint_eq(vm_of(sc, "db")->vcpus, 3);
    scenario_free(sc);
    /* What is not swept can be set too, also where it was not stated. */
    ck_assert(scenario_set(f, "vms.db.cpu.weight", "1500", &d));
    ck_assert(scenario_set(f, "run.duration", "3s", &d));
    sc = at(f, 0, &d);
    ck_assert_uint_eq(vm_of(sc, "db")->weight, 1500);
    ck_assert_int_eq(sc->run.duration_ns, INT64_C(3000000000));
    scenario_free(sc);
    size_t len;
    char *text = scenario_dump(f, &len);
    ck_assert_ptr_null(strstr(text, "\nsweep:"));
    ck_assert_ptr_nonnull(strstr(text, "duration: 3s\n"));
    free(text);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

START_TEST(a_wrong_set_is_told_without_a_place)
{
    static const struct {
        const char *key, *value, *says, *hint;
        bool usage;
    } cases[] = {
        {"vms.db.vcpu", "2", "in `--set vms.db.vcpu=2`: `vms.db.vcpu`: unknown key `vcpu`",
         "did you mean `vcpus`?", true},
        {"vms.bd.vcpus", "2", "there is none called `bd`", "did you mean `db`?", true},
        {"vms.db.vcpus", "[", "not YAML", NULL, true},
        {"vms.db.vcpus", "", "there is no value", NULL, true},
        {"", "1", "not the path of a key", NULL, true},
        {"vms.db.vcpus", "0", "in `--set vms.db.vcpus=0`: `vcpus: 0` is out of range", NULL, false},
        {"vms.db.memory", "4G", "in `--set vms.db.memory=4G`: `4G` does not say which unit", "4GiB", false},
        {"vms.db.workload.steps.0.cpu", "{unifrm: [1ms, 2ms]}",
         "in `--set vms.db.workload.steps.0.cpu={unifrm: [1ms, 2ms]}`: `unifrm` is not", "uniform", false},
    };
    struct diag d;
    struct scenario_file *f = parse(BASE, &d);
    bool ok = scenario_set(f, cases[_i].key, cases[_i].value, &d);
    ck_assert(ok == !cases[_i].usage);
    ck_assert(d.usage == cases[_i].usage);
    if (ok) ck_assert_ptr_null(scenario_at(f, 0, &d));
    ck_assert_uint_eq(d.n, 1);
    ck_assert_uint_eq(d.items[0].mark.line, 0);
    ck_assert_msg(strstr(d.items[0].text, cases[_i].says) != NULL, "said %s", d.items[0].text);
    if (cases[_i].hint)
        ck_assert_msg(d.items[0].hint && strstr(d.items[0].hint, cases[_i].hint), "hint %s", d.items[0].hint);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

START_TEST(a_point_that_cannot_be_is_told_at_its_value)
{
    struct diag d;
    struct scenario_file *f = parse(BASE "sweep: {vms.db.cpu.pin: [[0], [9]]}\n", &d);
    struct scenario *sc = at(f, 0, &d);
    ck_assert_uint_eq(vm_of(sc, "db")->pins[0], 1);
    scenario_free(sc);
    ck_assert_ptr_null(scenario_at(f, 1, &d));
    ck_assert_uint_eq(d.n, 1);
    ck_assert_uint_eq(d.items[0].mark.line, 5);
    ck_assert_uint_eq(d.items[0].mark.column, 32);
    scenario_close(f);
    diag_done(&d);
}
END_TEST

/* A place in a zip may need all its keys: two values stand side by side only once. */
START_TEST(keys_of_one_zip_are_asked_together)
{
    struct diag d;
    struct scenario_file *f =
        parse(BASE "sweep: {vms.batch.count: [0, 3], zip: {run.seed: [7, 7, 8], vms.db.vcpus: [1, 2, 2]}}\n"
                   "expect: [\"vm.db.throughput@run.seed=7@vms.db.vcpus=2 > 1/s\", "
                   "\"vm.db.throughput@vms.db.vcpus=2@run.seed=8@vms.batch.count=3 > 1/s\", "
                   "\"vm.db.throughput@vms.db.vcpus=2 > 1/s\"]\n",
              &d);
    for (size_t p = 0; p < 6; p++) {
        struct scenario *sc = at(f, p, &d);
        ck_assert_ptr_nonnull(sc);
        ck_assert_uint_eq(sc->n_expects, 3);
        ck_assert_uint_eq(sc->expects[0]->lhs->point, p / 3 * 3 + 1);
        ck_assert_uint_eq(sc->expects[1]->lhs->point, 3 + 2);
        /* One alone: where it is, if it holds there, else the first where it does. */
        ck_assert_uint_eq(sc->expects[2]->lhs->point, p / 3 * 3 + (p % 3 == 2 ? 2 : 1));
        scenario_free(sc);
    }
    scenario_close(f);
    diag_done(&d);
    f = parse(BASE "sweep: {zip: {run.seed: [7, 8], vms.db.vcpus: [1, 2]}}\n"
                   "expect: [\"vm.db.throughput@run.seed=7@vms.db.vcpus=2 > 1/s\"]\n",
              &d);
    ck_assert_ptr_null(scenario_at(f, 0, &d));
    ck_assert_ptr_nonnull(strstr(d.items[0].text, "vms.db.vcpus is `2` beside what stands before it"));
    scenario_close(f);
    diag_done(&d);
}
END_TEST

Suite *sweep_suite(void)
{
    Suite *s = suite_create("sweep");
    TCase *t = tcase_create("sweep");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, points_are_the_product_and_zips_go_side_by_side);
    tcase_add_test(t, values_reach_every_kind_of_place);
    tcase_add_test(t, keys_of_one_zip_are_asked_together);
    tcase_add_test(t, set_takes_a_key_out_of_the_sweep);
    tcase_add_loop_test(t, a_wrong_set_is_told_without_a_place, 0, 8);
    tcase_add_test(t, a_point_that_cannot_be_is_told_at_its_value);
    suite_add_tcase(s, t);
    return s;
}
