// SPDX-License-Identifier: GPL-3.0-or-later
/* --per-entity: every single VM, vCPU, host and pCPU comes out, and nothing else changes by it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/once.h"
#include "out/csv.h"
#include "tests/lab.h"

Suite *per_entity_suite(void);

enum { VMS = 1000, VCPUS = 2, HOSTS = 101, CORES = 2 };

static struct lab *large(void)
{
    return lab_open("vlab: 1\nname: large\nrun: {duration: 1s, warmup: 100ms, sample: 500ms}\n"
                    "hosts: [{name: h, count: %d, cpu: {cores: %d, scheduler: stride}}]\n"
                    "vms: [{name: v, count: %d, host: h-7, vcpus: %d, workload: {kind: requests, arrivals: "
                    "{poisson: 5/s}, steps: [{cpu: {exponential: 400us}}]}}]\n",
                    HOSTS, CORES, VMS, VCPUS);
}

static struct meter *run(const struct lab *l, bool per_entity)
{
    char *why = NULL;
    struct once o = {.sc = lab_scenario(l), .seed = 3, .per_entity = per_entity};
    struct meter *m = once_sim(&o, &why);
    ck_assert_msg(m != NULL, "the run failed: %s", why ? why : "stopped");
    return m;
}

static double value(const struct meter *m, const char *e, const char *metric, const char *stat)
{
    const struct result *r = results_find(meter_output(m)->results, e, metric, stat);
    ck_assert_msg(r != NULL, "there is no %s.%s.%s", e, metric, stat);
    return r->value;
}

struct tally {
    size_t vms, vcpus, hosts, pcpus, calls;
    double run, served, waits, longest, vcpu_run, given;
};

static void count(void *ctx, const struct results *rows)
{
    struct tally *t = ctx;
    t->calls++;
    for (size_t i = 0; i < results_count(rows); i++) {
        const struct result *r = results_at(rows, i);
        bool vm = !strncmp(r->entity, "vm.", 3), part = strchr(strchr(r->entity, '.') + 1, '.') != NULL;
        bool total = !strcmp(r->stat, "total"), is_run = total && !strcmp(r->metric, "cpu.run");
        if (total && !strcmp(r->metric, "cpu.guest")) {
            *(vm ? part ? &t->vcpus : &t->vms : part ? &t->pcpus : &t->hosts) += 1;
            if (!vm && part) t->given += r->value;
        }
        if (is_run && vm) *(part ? &t->vcpu_run : &t->run) += r->value;
        if (!vm || part) continue;
        if (!strcmp(r->metric, "latency") && !strcmp(r->stat, "count")) t->served += r->value;
        if (!strcmp(r->metric, "wait") && !strcmp(r->stat, "count")) t->waits += r->value;
        if (!strcmp(r->metric, "wait") && !strcmp(r->stat, "max") && r->value > t->longest)
            t->longest = r->value;
    }
}

START_TEST(all_come_out_and_add_up_to_their_group)
{
    struct lab *l = large();
    struct meter *m = run(l, true);
    struct tally t = {0};
    meter_entities(meter_output(m)->each, count, &t);
    ck_assert_uint_eq(t.vms, VMS);
    ck_assert_uint_eq(t.vcpus, VMS * VCPUS);
    ck_assert_uint_eq(t.hosts, HOSTS);
    ck_assert_uint_eq(t.pcpus, HOSTS * CORES);
    ck_assert_uint_eq(t.calls, VMS + HOSTS); /* a few rows at a time */
    ck_near(t.run, value(m, "vm.v", "cpu.run", "total"), 1e-9);
    ck_near(t.vcpu_run, t.run, 1e-9);
    ck_near(t.given, t.run, 1e-9);
    ck_near(t.served, value(m, "vm.v", "latency", "count"), 0);
    ck_assert(t.served > 1000);
    ck_near(t.waits, value(m, "vm.v", "wait", "count"), 0);
    ck_near(t.longest, value(m, "vm.v", "wait", "max"), 0);
    meter_free(m);
    lab_close(l);
}
END_TEST

static bool same_number(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

START_TEST(nothing_else_changes)
{
    struct lab *l = large();
    struct meter *with = run(l, true), *without = run(l, false);
    const struct run_output *a = meter_output(with), *b = meter_output(without);
    ck_assert_ptr_null(b->each);
    ck_assert_uint_eq(results_count(a->results), results_count(b->results));
    for (size_t i = 0; i < results_count(a->results); i++) {
        const struct result *x = results_at(a->results, i), *y = results_at(b->results, i);
        ck_assert_str_eq(x->entity, y->entity);
        ck_assert_str_eq(x->metric, y->metric);
        ck_assert_str_eq(x->stat, y->stat);
        ck_assert_msg(same_number(x->value, y->value), "%s.%s.%s", x->entity, x->metric, x->stat);
    }
    ck_assert_uint_eq(a->n_ecdfs, b->n_ecdfs);
    for (size_t i = 0; i < a->n_ecdfs; i++) {
        ck_assert_uint_eq(a->ecdfs[i].n, b->ecdfs[i].n);
        ck_assert_mem_eq(a->ecdfs[i].share, b->ecdfs[i].share, a->ecdfs[i].n * sizeof(double));
    }
    meter_free(with);
    meter_free(without);
    lab_close(l);
}
END_TEST

/* The whole distribution of a VM is that of all its vCPUs. */
START_TEST(a_curve_has_all_vcpus_in_it)
{
    struct lab *l = large();
    struct meter *m = run(l, false);
    const struct run_output *o = meter_output(m);
    size_t seen = 0;
    for (size_t i = 0; i < o->n_ecdfs; i++) {
        if (strcmp(o->ecdfs[i].metric, "wait") != 0) continue;
        ck_near((double)o->ecdfs[i].count, value(m, o->ecdfs[i].entity, "wait", "count"), 0);
        seen++;
    }
    ck_assert_uint_eq(seen, 1);
    meter_free(m);
    lab_close(l);
    l = lab_open("vlab: 1\nname: two\nhosts: [{name: h}]\n"
                 "vms: [{name: v, vcpus: 2, workload: {kind: loop, steps: [{cpu: 1ms}]}}]\n");
    m = run(l, false);
    o = meter_output(m);
    for (size_t i = 0; i < o->n_ecdfs; i++)
        ck_near((double)o->ecdfs[i].count, value(m, "vm.v", o->ecdfs[i].metric, "count"), 0);
    ck_assert_uint_eq(o->n_ecdfs, 2);
    meter_free(m);
    lab_close(l);
}
END_TEST

START_TEST(the_table_has_the_columns_of_the_summary)
{
    struct lab *l = lab_open("vlab: 1\nname: small\nrun: {duration: 1s}\nhosts: [{name: h}]\n"
                             "vms: [{name: v, workload: {kind: loop, steps: [{cpu: 10ms}]}}]\n");
    struct meter *m = run(l, true);
    struct runset *rs = runset_new(1, 1);
    runset_put(rs, 0, 0, 3, meter_output(m));
    struct report rp = {.scenario = "small", .backend = "sim", .runs = rs, .per_entity = true};
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    csv_entities(f, &rp);
    fclose(f);
    static const char head[] = "scenario,backend,point,rep,seed,entity,metric,stat,unit,value\n";
    ck_assert_mem_eq(text, head, sizeof head - 1);
    ck_assert_ptr_nonnull(strstr(text, "\nsmall,sim,,0,3,vm.v,cpu.run,share,,1\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nsmall,sim,,0,3,vm.v.vcpu0,cpu.run,total,s,1\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nsmall,sim,,0,3,host.h,cpu.util,share,,1\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nsmall,sim,,0,3,host.h.pcpu0,cpu.guest,total,s,1\n"));
    ck_assert_ptr_null(strstr(text, "cluster"));
    free(text);
    runset_free(rs);
    meter_free(m);
    lab_close(l);
}
END_TEST

Suite *per_entity_suite(void)
{
    Suite *s = suite_create("per_entity");
    TCase *t = tcase_create("per_entity");
    tcase_add_test(t, all_come_out_and_add_up_to_their_group);
    tcase_add_test(t, nothing_else_changes);
    tcase_add_test(t, a_curve_has_all_vcpus_in_it);
    tcase_add_test(t, the_table_has_the_columns_of_the_summary);
    suite_add_tcase(s, t);
    return s;
}
