// SPDX-License-Identifier: GPL-3.0-or-later
/* VMs of a failed host that nobody can take: told and counted once, and started the moment there is a place
 * for them, whatever made it. Detection takes 15 s, dispatch 5 s. */
#include "model/cloud_inner.h"
#include "tests/lifelab.h"

Suite *stranded_suite(void);

#define HEAD                                                                                                 \
    "vlab: 1\nname: t\nrun: {duration: 400s}\n"                                                              \
    "hosts: [{name: h, count: %d, cpu: {cores: 2}}]\n"                                                       \
    "cloud: {place: %s, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s}}\n"
#define LOOP "workload: {steps: [{sleep: 1s}]}"
#define APART                                                                                                \
    ", {name: b, anti_affinity: [a], host: h-1, " LOOP "}, {name: c, anti_affinity: [a], host: h-2, " LOOP "}"

/* In pieces, asking inside whether the manager's count is that of its marks. */
static void run(struct lab *lab)
{
    struct life l = {.lab = lab};
    life_begin(&l, 1);
    for (int64_t t = 1; t < 400; t++) {
        life_to(&l, t * LIFE_SEC);
        uint32_t n = 0;
        for (uint32_t i = 0; i < l.m->sc->n_vms; i++) {
            bool marked = l.m->cloud->vm[i].stranded;
            n += marked;
            if (marked) ck_assert(l.m->vms[i].power == POWER_FAILED && l.m->vms[i].wanted);
        }
        ck_assert_uint_eq(l.m->cloud->n_stranded, n);
    }
    life_end(&l);
    lab_run(lab, 1);
}

static const struct happening *nth(const struct lab *l, const char *entity, const char *kind, int k)
{
    const struct run_output *o = lab_output(l);
    for (size_t i = 0; i < o->n_happenings; i++)
        if (!strcmp(o->happenings[i].entity, entity) && !strcmp(o->happenings[i].kind, kind) && k-- == 0)
            return &o->happenings[i];
    return NULL;
}

/* h-0 with `a` fails at 10 s until 210 s. Until when it is down, and which host starts it. */
static const struct {
    int hosts, vcpus; /* of a */
    const char *policy, *vms, *events, *cause;
    int up_s, host; /* -1: its own, when that is back: no restart elsewhere */
} cases[] = {
    /* No room: h-1 is full. It waits for its own host; or for who destroys what is in the way. A VM that is
     * stopped keeps its promise. A host that comes back from a failure is room; so is the end of a drain. */
    {2, 2, "first-fit", ", {name: b, vcpus: 2, " LOOP "}", "", "CPU", 210, -1},
    {2, 2, "first-fit", ", {name: b, vcpus: 2, " LOOP "}", ", {at: 60s, destroy: b}", "CPU", 60, 1},
    {2, 2, "first-fit", ", {name: b, vcpus: 2, " LOOP "}", ", {at: 60s, stop: b}", "CPU", 210, -1},
    {3, 2, "first-fit", ", {name: b, vcpus: 2, " LOOP "}", ", {at: 5s, fail: h-2, for: 75s}", "CPU", 80, 2},
    {2, 2, "first-fit", "", ", {at: 5s, drain: h-1}, {at: 90s, repair: h-1}", "off", 90, 1},
    /* Room, but not beside b and c. */
    {3, 2, "first-fit", APART, "", "anti-affinity", 210, -1},
    {3, 2, "first-fit", APART, ", {at: 70s, destroy: c}", "anti-affinity", 70, 2},
    {3, 1, "first-fit", APART, ", {at: 75s, migrate: b, to: h-2}", "anti-affinity", 75, 1},
    /* b is on its way from h-1 to h-2, for 60 s: in the way on both. */
    {3, 1, "first-fit",
     ", {name: b, anti_affinity: [a], host: h-1, memory: 750MB, migrate: {rate: 100Mb/s, step: 0b/s, dirty: "
     "{rate: 0B/s}}, " LOOP "}",
     ", {at: 5s, migrate: b, to: h-2}", "anti-affinity", 65, 1},
    /* A host that is switched off fails, and can be switched on again from when it is repaired. */
    {2, 2, "pack-and-power-off", "", ", {at: 5s, fail: h-1, for: 95s}", "off", 100, 1},
    {2, 2, "pack-and-power-off", "", ", {at: 5s, fail: h-1}, {at: 110s, repair: h-1}", "off", 110, 1},
    /* Room for it, but not for whom it must not be parted from besides. */
    {2, 1, "first-fit", ", {name: b, affinity: [a], " LOOP "}, {name: c, host: h-1, " LOOP "}", "", "CPU",
     210, -1},
};

START_TEST(they_start_as_soon_as_they_can)
{
    struct lab *l = lab_open(
        HEAD "vms: [{name: a, vcpus: %d, " LOOP "}%s]\nevents: [{at: 10s, fail: h-0, for: 200s}%s]\n",
        cases[_i].hosts, cases[_i].policy, cases[_i].vcpus, cases[_i].vms, cases[_i].events);
    run(l);
    const struct happening *s = nth(l, "vm.a", "stranded", 0), *again = nth(l, "vm.a", "restarted", 0);
    ck_assert_ptr_nonnull(s);
    ck_assert_int_eq(s->t_ns, 30 * LIFE_SEC);
    ck_assert_msg(strstr(s->cause, cases[_i].cause) != NULL, "because of %s", s->cause);
    ck_assert_ptr_null(nth(l, "vm.a", "stranded", 1)); /* however often it was tried */
    ck_assert_int_eq(life_when(l, "vm.a", "started", 1), cases[_i].up_s * LIFE_SEC);
    ck_near(lab_value(l, "vm.a", "cpu.down", "total"), (cases[_i].up_s - 10) * cases[_i].vcpus, 1e-9);
    ck_near(lab_value(l, "cluster", "events.stranded", "total"), 1 + life_count(l, "vm.b", "stranded"), 0);
    if (cases[_i].host < 0) {
        ck_assert_ptr_null(again);
    } else {
        ck_assert_ptr_nonnull(again);
        ck_assert_int_eq(again->t_ns, cases[_i].up_s * LIFE_SEC);
        ck_assert_int_eq((int)again->value, cases[_i].host);
    }
    lab_close(l);
}
END_TEST

/* Five of one vCPU on a host of six, one of them elsewhere; room for three. Two are stranded, and as room
 * comes piece by piece each piece starts one, in the order of their numbers. */
START_TEST(one_by_one)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 400s}\nhosts: [{name: big, cpu: {cores: 6}}, {name: small, cpu: "
        "{cores: "
        "4}}]\ncloud: {place: first-fit, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s}}\n"
        "vms: [{name: v, count: 5, host: big, " LOOP "}, {name: p, count: 2, host: small, " LOOP "}]\n"
        "events: [{at: 10s, fail: big, for: 200s}, {at: 50s, destroy: p-0}, {at: 60s, destroy: p-1}]\n");
    run(l);
    /* A VM with a `host:` of its own is started elsewhere too: 2 of the 5 at once. */
    static const int up_s[] = {30, 30, 50, 60, 210};
    ck_near(lab_value(l, "cluster", "events.stranded", "total"), 3, 0);
    for (int k = 0; k < 5; k++) {
        char name[20];
        snprintf(name, sizeof name, "vm.v-%d", k);
        ck_assert_int_eq(life_when(l, name, "started", 1), up_s[k] * LIFE_SEC);
        ck_assert_int_eq(life_count(l, name, "stranded"), k >= 2);
        ck_assert_int_eq(life_count(l, name, "restarted"), k < 4);
    }
    lab_close(l);
}
END_TEST

/* Back before it was missed, and failed again: the time counts from then. */
START_TEST(a_second_failure_is_missed_anew)
{
    struct lab *l =
        lab_open(HEAD "vms: [{name: a, " LOOP "}]\nevents: [{at: 10s, fail: h-0, for: 10s}, {at: 22s, "
                      "fail: h-0, for: 100s}]\n",
                 2, "first-fit");
    run(l);
    ck_assert_int_eq(life_count(l, "host.h-0", "detected"), 1);
    ck_assert_int_eq(life_when(l, "host.h-0", "detected", 0), 37 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.a", "restarted", 0), 42 * LIFE_SEC);
    lab_close(l);
    /* The same of a VM alone, which its own host starts again. */
    l = lab_open(HEAD "vms: [{name: a, " LOOP
                      "}]\nevents: [{at: 10s, fail: a, for: 10s}, {at: 22s, fail: a}]\n",
                 2, "first-fit");
    run(l);
    ck_assert_int_eq(life_count(l, "vm.a", "detected"), 1);
    ck_assert_int_eq(life_when(l, "vm.a", "restarted", 0), 42 * LIFE_SEC);
    lab_close(l);
}
END_TEST

/* Who is moved off a failed host by hand is started there and then; a drain leaves that to the manager. */
START_TEST(moved_by_hand)
{
    static const char *const by[] = {"migrate: a, to: h-1", "migrate: a", "drain: h-0"};
    for (int pack = 0; pack < 2; pack++) {
        struct lab *l =
            lab_open(HEAD "vms: [{name: a, " LOOP "}]\nevents: [{at: 10s, fail: h-0, for: 100s}, {at: "
                          "12s, %s}]\n",
                     2, pack ? "pack-and-power-off" : "first-fit", by[_i]);
        run(l);
        ck_assert_int_eq(life_when(l, "vm.a", "started", 1), (_i < 2 ? 12 : 30) * LIFE_SEC);
        ck_near(lab_value(l, "vm.a", "cpu.down", "total"), _i < 2 ? 2 : 20, 1e-9);
        ck_assert_int_eq(life_count(l, "vm.a", "restarted"), _i == 2);
        lab_close(l);
    }
}
END_TEST

/* In the order in which they came to their host; of those that came at once, in that of their names: not in
 * the file's. */
static char *restarts(const char *policy, const int *order)
{
    static const char *const vms[] = {
        "{name: d, host: h-0, " LOOP "}", "{name: a, host: h-0, start: {at: 2s}, " LOOP "}",
        "{name: c, host: h-0, " LOOP "}", "{name: b, host: h-0, start: {at: 1s}, " LOOP "}"};
    struct lab *l =
        lab_open("vlab: 1\nname: t\nrun: {duration: 400s}\nhosts: [{name: h, count: 5, cpu: {cores: 4}}]\n"
                 "cloud: {place: %s, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s}}\n"
                 "vms: [%s, %s, %s, %s]\nevents: [{at: 10s, fail: h-0, for: 200s}]\n",
                 policy, vms[order[0]], vms[order[1]], vms[order[2]], vms[order[3]]);
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    run(l);
    const struct run_output *o = lab_output(l);
    for (size_t i = 0; i < o->n_happenings; i++)
        if (!strcmp(o->happenings[i].kind, "restarted")) {
            ck_assert_int_eq(o->happenings[i].t_ns, 30 * LIFE_SEC);
            fprintf(f, "%s>h-%d ", o->happenings[i].entity + 3, (int)o->happenings[i].value);
        }
    fclose(f);
    lab_close(l);
    return text;
}

START_TEST(in_the_order_of_their_coming)
{
    static const struct {
        const char *policy, *want;
    } t[] = {{"first-fit", "c>h-1 d>h-1 b>h-1 a>h-1 "},
             {"worst-fit", "c>h-1 d>h-2 b>h-3 a>h-4 "},
             {"pack-and-power-off", "c>h-1 d>h-1 b>h-1 a>h-1 "}};
    int order[4];
    for (int k = 0; k < 24; k++) { /* every order of the file */
        bool used[4] = {false};
        for (int i = 0, left = k; i < 4; i++) {
            int nth_free = left % (4 - i);
            left /= 4 - i;
            for (order[i] = 0; used[order[i]] || nth_free-- > 0;)
                order[i]++;
            used[order[i]] = true;
        }
        char *got = restarts(t[_i].policy, order);
        ck_assert_str_eq(got, t[_i].want);
        free(got);
    }
}
END_TEST

/* Stopped on a host that was switched off for want of others, and that has failed since: it is started, so
 * that host comes on as soon as it is repaired. */
START_TEST(a_start_is_remembered_by_a_failed_host_that_is_off)
{
    struct lab *l =
        lab_open(HEAD "vms: [{name: a, host: h-0, " LOOP "}, {name: b, host: h-1, " LOOP "}]\n"
                      "events: [{at: 10s, stop: b}, {at: 20s, fail: h-1, for: 100s}, {at: 50s, start: b}]\n",
                 2, "pack-and-power-off");
    run(l);
    ck_assert_int_eq(life_when(l, "host.h-1", "off", 0), 10 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.b", "started", 1), 120 * LIFE_SEC);
    ck_near(lab_value(l, "vm.b", "cpu.down", "total"), 110, 1e-9);
    ck_near(lab_value(l, "cluster", "hosts.on", "mean"), (400. + 10 + 280) / 400, 1e-9);
    lab_close(l);
}
END_TEST

Suite *stranded_suite(void)
{
    Suite *s = suite_create("stranded");
    TCase *tc = tcase_create("stranded");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, they_start_as_soon_as_they_can, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tc, one_by_one);
    tcase_add_test(tc, a_second_failure_is_missed_anew);
    tcase_add_loop_test(tc, moved_by_hand, 0, 3);
    tcase_add_loop_test(tc, in_the_order_of_their_coming, 0, 3);
    tcase_add_test(tc, a_start_is_remembered_by_a_failed_host_that_is_off);
    suite_add_tcase(s, tc);
    return s;
}
