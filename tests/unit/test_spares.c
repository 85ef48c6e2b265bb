// SPDX-License-Identifier: GPL-3.0-or-later
/* Admission with hosts to spare, through the whole model: what it lets in is started again whichever hosts
 * fail, and whom it turns away could not have been. Every failure there can be is tried on clusters of three
 * to five hosts; what could be is found by trying every packing. */
#include "base/rng.h"
#include "model/cloud_inner.h"
#include "tests/lifelab.h"
#include "tests/often.h"

Suite *spares_suite(void);

#define MOST_HOSTS 5
#define MOST_VMS   14
#define FAIL_S     40

struct setup {
    int cores[MOST_HOSTS], racks[MOST_HOSTS]; /* 0 cores: no more hosts */
    int vcpus[MOST_VMS], apart[MOST_VMS];     /* those of one number, but 0, must not share a host */
    int spares;
};

static const struct setup by_hand[] = {
    /* Twelve vCPUs in pairs, as in scenarios/14-admission. */
    {.cores = {4, 4, 4}, .vcpus = {2, 2, 2, 2, 2, 2}, .spares = 1},
    /* Three replicas apart on three hosts: where one fails there is no third. Then on four. */
    {.cores = {4, 4, 4}, .vcpus = {1, 1, 1, 1, 1, 1, 1}, .apart = {1, 1, 1}, .spares = 1},
    {.cores = {4, 4, 4, 4}, .vcpus = {1, 1, 1, 3, 3, 1, 2, 3}, .apart = {1, 1, 1, 2, 2}, .spares = 1},
    /* The small first: who restarts them in this order may find no place for the large. */
    {.cores = {4, 4, 4}, .vcpus = {1, 1, 1, 1, 3, 1, 2}, .spares = 1},
    {.cores = {6, 6, 6, 6, 6}, .vcpus = {1, 1, 2, 1, 2, 3, 5, 1, 3, 4, 5, 2}, .spares = 1},
    {.cores = {2, 4, 6, 8}, .vcpus = {1, 2, 1, 4, 2, 6, 1, 3, 2}, .spares = 1},
    /* Two of five, which may be a rack. */
    {.cores = {4, 4, 4, 4, 4},
     .racks = {1, 1, 2, 2, 3},
     .vcpus = {2, 1, 2, 1, 2, 2, 1, 2, 1, 2},
     .spares = 2},
    {.cores = {6, 6, 6, 6, 6},
     .racks = {1, 2, 1, 2, 3},
     .vcpus = {1, 3, 1, 2, 1, 4, 1, 2, 3, 1},
     .apart = {1, 2, 1, 2, 1},
     .spares = 2},
};
#define BY_HAND ((int)(sizeof by_hand / sizeof *by_hand))

static const char *const policies[] = {"first-fit", "worst-fit", "round-robin", "pack-and-power-off"};

static int n_hosts(const struct setup *s)
{
    int n = 0;
    while (n < MOST_HOSTS && s->cores[n])
        n++;
    return n;
}

static int n_vms(const struct setup *s)
{
    int n = 0;
    while (n < MOST_VMS && s->vcpus[n])
        n++;
    return n;
}

/* VMs come one a second. */
static struct lab *cluster(const struct setup *s, const char *policy, const char *events)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    fprintf(f, "vlab: 1\nname: t\nrun: {duration: 200s}\nhosts:\n");
    for (int h = 0; h < n_hosts(s); h++)
        fprintf(f, "- {name: h%d, cpu: {cores: %d}, rack: r%d}\n", h, s->cores[h], s->racks[h]);
    fprintf(f,
            "cloud: {place: %s, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s, spares: %d}}\nvms:\n",
            policy, s->spares);
    for (int v = 0; v < n_vms(s); v++) {
        fprintf(f, "- {name: v%02d, vcpus: %d, start: {at: %ds}, anti_affinity: [", v, s->vcpus[v], v);
        for (int w = 0, first = 1; w < v; w++)
            if (s->apart[v] && s->apart[w] == s->apart[v])
                fprintf(f, "%sv%02d", first ? "" : ", ", w), first = 0;
        fprintf(f, "], workload: {steps: [{sleep: 1s}]}}\n");
    }
    fprintf(f, "%s", events);
    fclose(f);
    struct lab *l = lab_open("%s", text);
    free(text);
    return l;
}

/* --- every packing --- */

struct state {
    const struct setup *s;
    int on[MOST_VMS]; /* -1: not there */
    int n;            /* hosts */
};

static bool may(const struct state *x, int v, int h, unsigned down)
{
    int left = x->s->cores[h];
    if (down >> h & 1) return false;
    for (int w = 0; w < n_vms(x->s); w++) {
        if (x->on[w] != h || w == v) continue;
        left -= x->s->vcpus[w];
        if (x->s->apart[v] && x->s->apart[w] == x->s->apart[v]) return false;
    }
    return x->s->vcpus[v] <= left;
}

/* Whether those on hosts that are down all find a place, some way or other. */
static bool all_saved(struct state *x, unsigned down)
{
    for (int v = 0; v < n_vms(x->s); v++) {
        int was = x->on[v];
        if (was < 0 || !(down >> was & 1)) continue;
        for (int h = 0; h < x->n; h++) {
            if (!may(x, v, h, down)) continue;
            x->on[v] = h;
            bool ok = all_saved(x, down);
            x->on[v] = was;
            if (ok) return true;
        }
        return false;
    }
    return true;
}

static bool survives_all(struct state *x)
{
    for (unsigned down = 0; down < 1u << x->n; down++)
        if (__builtin_popcount(down) == x->s->spares && !all_saved(x, down)) return false;
    return true;
}

/* --- the model --- */

static const char *happened(const struct lab *l, int v, const char *kind, int *value)
{
    char entity[20];
    snprintf(entity, sizeof entity, "vm.v%02d", v);
    const struct run_output *o = lab_output(l);
    for (size_t i = 0; i < o->n_happenings; i++) {
        const struct happening *e = &o->happenings[i];
        if (strcmp(e->entity, entity) || strcmp(e->kind, kind)) continue;
        if (value) *value = (int)e->value;
        return e->cause;
    }
    return NULL;
}

/* Who is let in, and where to; who is turned away for the spares' sake could not be saved wherever it went.
 */
static struct state let_in(const struct setup *s, const char *policy, bool exact, int *refused)
{
    struct state x = {.s = s, .n = n_hosts(s)};
    struct lab *l = cluster(s, policy, "");
    life_run(l, 1);
    for (int v = 0; v < MOST_VMS; v++)
        x.on[v] = -1;
    *refused = 0;
    for (int v = 0; v < n_vms(s); v++) {
        const char *why = happened(l, v, "rejected", NULL);
        if (!why) {
            ck_assert_ptr_nonnull(happened(l, v, "defined", &x.on[v]));
            ck_often(may(&x, v, x.on[v], 0));
            ck_assert_msg(survives_all(&x), "v%02d was let in under %s", v, policy);
            continue;
        }
        ++*refused;
        for (int h = 0; h < x.n; h++) {
            if (!may(&x, v, h, 0)) continue;
            ck_assert_msg(strstr(why, "host failure") != NULL, "v%02d: %s", v, why);
            x.on[v] = h;
            if (exact) ck_assert_msg(!survives_all(&x), "v%02d was turned away under %s", v, policy);
            x.on[v] = -1;
        }
    }
    lab_close(l);
    return x;
}

/* These hosts fail: nobody is stranded, and all that were there are up elsewhere 20 s later. */
static void strike(const struct state *x, const char *policy, const char *target, unsigned down)
{
    char events[100];
    snprintf(events, sizeof events, "events: [{at: %ds, fail: %s, for: 100s}]\n", FAIL_S, target);
    struct life l = {.lab = cluster(x->s, policy, events)};
    life_begin(&l, 1);
    for (int64_t t = 1; t < 200; t++) {
        life_to(&l, t * LIFE_SEC); /* anti-affinity too */
        for (int h = 0; h < x->n; h++)
            ck_often(l.m->hosts[h].promised[HOST_CPU] <= x->s->cores[h] * INT64_C(1000000));
        ck_assert_msg(l.m->cloud->n_stranded == 0, "%s fails under %s: %u are stranded at %lld s", target,
                      policy, l.m->cloud->n_stranded, (long long)t);
    }
    life_end(&l);
    lab_run(l.lab, 1);
    for (int v = 0; v < n_vms(x->s); v++) {
        char name[20];
        if (x->on[v] < 0) continue;
        snprintf(name, sizeof name, "vm.v%02d", v);
        bool hit = down >> x->on[v] & 1;
        ck_assert_int_eq(life_when(l.lab, name, "restarted", 0), hit ? (FAIL_S + 20) * LIFE_SEC : -1);
        ck_near(lab_value(l.lab, name, "cpu.down", "total"), (v + (hit ? 20 : 0)) * x->s->vcpus[v], 1e-9);
    }
    lab_close(l.lab);
}

static void each_failure(const struct setup *s, const char *policy, bool exact, int *refused)
{
    struct state x = let_in(s, policy, exact, refused);
    char target[20];
    for (int h = 0; h < x.n; h++) {
        snprintf(target, sizeof target, "h%d", h);
        strike(&x, policy, target, 1u << h);
    }
    for (int r = 1; r <= MOST_HOSTS; r++) {
        unsigned down = 0;
        for (int h = 0; h < x.n; h++)
            down |= (s->racks[h] == r) * 1u << h;
        snprintf(target, sizeof target, "r%d", r);
        if (down && __builtin_popcount(down) <= s->spares) strike(&x, policy, target, down);
    }
}

START_TEST(what_is_let_in_is_saved)
{
    int refused, all = 0;
    for (size_t p = 0; p < sizeof policies / sizeof *policies; p++) {
        each_failure(&by_hand[_i], policies[p], true, &refused);
        all += refused;
    }
    ck_assert_int_gt(all, 0);
}
END_TEST

/* `big` fits on h1 alone, and waits to be started there when `late` comes, whom first-fit would put there. */
START_TEST(room_is_kept_for_those_that_wait)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 200s}\nhosts: [{name: h, count: 4, cpu: {cores: 4}}]\n"
        "cloud: {place: first-fit, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s, spares: 1}}\n"
        "vms: [{name: big, vcpus: 4, workload: {steps: [{sleep: 1s}]}}, {name: x, host: h-2, workload: "
        "{steps: "
        "[{sleep: 1s}]}}, {name: y, host: h-3, workload: {steps: [{sleep: 1s}]}},\n"
        "      {name: late, start: {at: 45s}, workload: {steps: [{sleep: 1s}]}}]\n"
        "events: [{at: 40s, fail: h-0, for: 100s}]\n");
    life_run(l, 1);
    ck_assert_int_eq(life_when(l, "vm.late", "started", 0), 45 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.big", "restarted", 0), 60 * LIFE_SEC);
    ck_assert_int_eq(life_count(l, "vm.big", "stranded"), 0);
    lab_close(l);
}
END_TEST

/* Nor is room kept for one that no other host could take: its disk has failed with its host. */
START_TEST(no_room_is_kept_in_vain)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 200s}\nhosts: [{name: own, cpu: {cores: 4}, disks: [{name: d}]}, "
        "{name: h, count: "
        "3, cpu: {cores: 4}}]\n"
        "cloud: {place: first-fit, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s, spares: 1}}\n"
        "vms: [{name: box, host: own, disk: {on: d, size: 1GB}, workload: {steps: [{sleep: 1s}]}}, {name: "
        "late, start: {at: "
        "45s}, workload: {steps: [{sleep: 1s}]}}, {name: later, start: {at: 150s}, workload: {steps: "
        "[{sleep: 1s}]}}]\n"
        "events: [{at: 40s, fail: own, for: 100s}]\n");
    life_run(l, 1);
    ck_assert_int_eq(life_when(l, "vm.late", "started", 0), 45 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.box", "stranded", 0), 60 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.later", "rejected", 0),
                     150 * LIFE_SEC); /* its host is back, and may fail */
    lab_close(l);
}
END_TEST

/* Moved to h-2, the first with room, `b` would leave no host with room for `a` should h-0 fail; h-3 is too
 * small to take it. In a cluster with one more it goes there. */
START_TEST(a_move_leaves_room_too)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 200s}\nhosts: [{name: h, count: %d, cpu: {cores: 4}}, {name: s, "
        "cpu: {cores: "
        "%d}}]\n"
        "cloud: {place: first-fit, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s, spares: 1}}\n"
        "vms: [{name: a, vcpus: 3, host: h-0, workload: {steps: [{sleep: 1s}]}}, {name: b, host: h-1, vcpus: "
        "2, workload: "
        "{steps: [{sleep: 1s}]}}, {name: d, host: h-1, vcpus: 2, workload: {steps: [{sleep: 1s}]}}]\n"
        "events: [{at: 30s, migrate: b}, {at: 40s, fail: h-0, for: 100s}]\n",
        3, 1 + _i);
    life_run(l, 1);
    ck_assert_int_eq(life_when(l, "vm.b", "refused", 0), _i ? -1 : 30 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.b", "migrated", 0), _i ? 30 * LIFE_SEC : -1);
    ck_assert_int_eq(life_when(l, "vm.a", "restarted", 0), 60 * LIFE_SEC);
    ck_assert_int_eq(life_count(l, "vm.a", "stranded"), 0);
    lab_close(l);
}
END_TEST

/* Two hosts fail one after the other: the VMs of each are started when its own failure has been seen. */
START_TEST(each_in_its_time)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 200s}\nhosts: [{name: h, count: 4, cpu: {cores: 2}}]\n"
        "cloud: {place: first-fit, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s, spares: 2}}\n"
        "vms: [{name: a, vcpus: 2, workload: {steps: [{sleep: 1s}]}}, {name: b, vcpus: 2, workload: {steps: "
        "[{sleep: "
        "1s}]}}]\nevents: [{at: 40s, fail: h-0, for: 100s}, {at: 50s, fail: h-1, for: 100s}]\n");
    life_run(l, 1);
    ck_assert_int_eq(life_when(l, "vm.a", "restarted", 0), 60 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.b", "restarted", 0), 70 * LIFE_SEC);
    lab_close(l);
}
END_TEST

/* What `b` leaves behind is room: on h-0 it would be one of two to be saved, and one of them only by h-1. */
START_TEST(a_move_makes_room)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 200s}\nhosts: [{name: h, count: 3, cpu: {cores: 4}}]\n"
        "cloud: {place: first-fit, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s, spares: 1}}\n"
        "vms: [{name: a, vcpus: 2, host: h-0, workload: {steps: [{sleep: 1s}]}}, {name: b, count: 2, host: "
        "h-1, vcpus: 2, "
        "workload: {steps: [{sleep: 1s}]}}, {name: c, vcpus: 2, host: h-2, workload: {steps: [{sleep: "
        "1s}]}}]\n"
        "events: [{at: 30s, migrate: b-0}, {at: 40s, fail: h-0, for: 100s}]\n");
    life_run(l, 1);
    ck_assert_int_eq(life_when(l, "vm.b-0", "migrated", 0), 30 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.a", "restarted", 0), 60 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.b-0", "restarted", 0), 60 * LIFE_SEC);
    lab_close(l);
}
END_TEST

/* A host that is drained takes nobody back: a small s could not save both from h-0, nor have room
 * for one beside the other. */
START_TEST(a_drain_leaves_room_too)
{
    struct lab *l = lab_open(
        "vlab: 1\nname: t\nrun: {duration: 200s}\nhosts: [{name: h, count: 2, cpu: {cores: 4}}, {name: s, "
        "cpu: {cores: %d}}]\n"
        "cloud: {place: first-fit, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s, spares: 1}}\n"
        "vms: [{name: a, vcpus: 2, host: h-0, workload: {steps: [{sleep: 1s}]}}, {name: b, host: h-1, vcpus: "
        "2, workload: "
        "{steps: [{sleep: 1s}]}}]\nevents: [{at: 30s, drain: h-1}, {at: 40s, fail: h-0, for: 100s}]\n",
        _i ? 4 : 2);
    life_run(l, 1);
    ck_assert_int_eq(life_when(l, "vm.b", "refused", 0), _i ? -1 : 30 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "host.h-1", "drained", 0), _i ? 30 * LIFE_SEC : -1);
    ck_assert_int_eq(life_when(l, "vm.a", "restarted", 0), 60 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.b", "restarted", 0), _i ? 60 * LIFE_SEC : -1);
    ck_near(lab_value(l, "cluster", "vms.down", "max"), 1 + _i, 0);
    lab_close(l);
}
END_TEST

static struct rng rng;

static int below(int n)
{
    return (int)(rng_u32(&rng) % (uint32_t)n);
}

START_TEST(whatever_the_cluster)
{
    rng = rng_at(rng_key(3, (uint64_t)_i, RNG_TIE), 0, 0);
    for (int round = 0; round < FEWER(20); round++) {
        struct setup s = {.spares = 1 + below(2)};
        for (int h = 0, n = 3 + below(3); h < n; h++) {
            s.cores[h] = 3 + below(5);
            s.racks[h] = 1 + h / 2;
        }
        for (int v = 0, n = 6 + below(7); v < n; v++) {
            s.vcpus[v] = 1 + below(4);
            s.apart[v] = below(2) ? 0 : 1 + below(3);
        }
        int refused;
        each_failure(&s, policies[_i], false, &refused);
    }
}
END_TEST

Suite *spares_suite(void)
{
    Suite *s = suite_create("spares");
    TCase *tc = tcase_create("spares");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, what_is_let_in_is_saved, 0, BY_HAND);
    tcase_add_test(tc, room_is_kept_for_those_that_wait);
    tcase_add_test(tc, no_room_is_kept_in_vain);
    tcase_add_loop_test(tc, a_move_leaves_room_too, 0, 2);
    tcase_add_test(tc, each_in_its_time);
    tcase_add_test(tc, a_move_makes_room);
    tcase_add_loop_test(tc, a_drain_leaves_room_too, 0, 2);
    tcase_add_loop_test(tc, whatever_the_cluster, 0, 4);
    suite_add_tcase(s, tc);
    return s;
}
