// SPDX-License-Identifier: GPL-3.0-or-later
/* Room for those whose host has failed: who finds none is stranded until there is some; and with spares, what
 * admission lets in survives any failure that it was promised to, whichever host or rack it is. */
#include "tests/lifelab.h"
#include "tests/often.h"

#include "base/rng.h"

Suite *ha_room_suite(void);

#define HEAD                                                                                                 \
    "vlab: 1\nname: t\nrun: {duration: 200s, seed: 1}\n"                                                     \
    "images: [{name: i, boot: {shared: 0B, own: 0B, cpu: 0s, time: 10s}}]\n"
#define SAN  "storage: [{name: san, hosts: [h], iops: 1000}]\n"
#define DISK "disk: {on: san, size: 1GiB, from: i}, workload: {steps: [{sleep: 1s}]}"

static struct lab *two_full_hosts(const char *events)
{
    return lab_open(HEAD "hosts: [{name: h, count: 2, cpu: {cores: 2}}]\n" SAN
                         "cloud: {place: first-fit, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s}}\n"
                         "vms: [{name: a, vcpus: 2, " DISK "}, {name: b, vcpus: 2, " DISK
                         "}]\nevents: [%s]\n",
                    events);
}

/* a's host fails at 50 s; it is detected at 65 and looked for a place at 70. */
START_TEST(stranded_until_there_is_room)
{
    static const struct {
        const char *events;
        int64_t stranded_s, restarted_s, booted_s; /* -1: it is not; the second boot */
    } cases[] = {
        {"{at: 50s, fail: h-0, for: 1000s}", 70, -1, -1},
        /* The other leaves: its room is taken at once. */
        {"{at: 50s, fail: h-0, for: 1000s}, {at: 90s, destroy: b}", 70, 90, 100},
        {"{at: 50s, fail: h-0, for: 1000s}, {at: 90s, stop: b}", 70, -1, -1}, /* b keeps its place */
        /* It left while nobody looked yet. */
        {"{at: 50s, fail: h-0, for: 1000s}, {at: 60s, destroy: b}", -1, 70, 80},
        /* Its own host is back first: it boots there, and is nobody's concern any more. */
        {"{at: 50s, fail: h-0, for: 30s}, {at: 120s, destroy: b}", 70, -1, 90},
        {"{at: 50s, fail: h-0, for: 30s}, {at: 100s, fail: h-0, for: 1000s}, {at: 150s, destroy: b}", 70, 150,
         90},
        /* A repair ends it all. */
        {"{at: 50s, fail: h-0}, {at: 80s, repair: h-0}", 70, -1, 90},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lab *l = two_full_hosts(cases[i].events);
        life_run(l, 1);
        const int64_t want[] = {cases[i].stranded_s, cases[i].restarted_s, cases[i].booted_s};
        const int64_t got[] = {life_when(l, "vm.a", "stranded", 0), life_when(l, "vm.a", "restarted", 0),
                               life_when(l, "vm.a", "booted", 1)};
        for (int k = 0; k < 3; k++)
            ck_assert_msg(got[k] == (want[k] < 0 ? -1 : want[k] * LIFE_SEC),
                          "case %zu, number %d: %g s, not %d", i, k, (double)got[k] / 1e9, (int)want[k]);
        ck_assert_int_le(life_count(l, "vm.a", "stranded"), 2);
        ck_assert_int_eq(life_count(l, "vm.b", "stranded"), 0);
        lab_close(l);
    }
}
END_TEST

/* Three that must be apart, on three hosts: one that loses its host has nowhere to go, room or not. */
START_TEST(stranded_by_a_rule)
{
    struct lab *l =
        lab_open(HEAD "hosts: [{name: h, count: 3, cpu: {cores: 8}}]\n" SAN
                      "cloud: {place: first-fit, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: "
                      "5s}}\nvms: [{name: a, count: 3, anti_affinity: [a], " DISK "}]\n"
                      "events: [{at: 50s, fail: h-1, for: 1000s}, {at: 100s, destroy: a-2}]\n");
    life_run(l, 1);
    ck_assert_int_eq(life_when(l, "vm.a-1", "stranded", 0), 70 * LIFE_SEC);
    ck_assert_int_eq(life_when(l, "vm.a-1", "restarted", 0), 100 * LIFE_SEC); /* where a-2 was */
    ck_assert_int_eq(life_when(l, "vm.a-1", "booted", 1), 110 * LIFE_SEC);
    ck_assert_int_eq(life_count(l, "vm.a-0", "stranded"), 0);
    lab_close(l);
}
END_TEST

/* Two that must be together lose their host together: the first to go chooses for both, and the other follows
 * before anybody else. a and b are 1 and 2 vCPUs, aa is 1 and its turn between theirs; hosts of 4 are partly
 * full.
 */
START_TEST(together_they_fail_and_together_they_start)
{
    static const struct {
        int full[2]; /* of h-1, h-2 */
        uint32_t ab, c;
    } cases[] = {{{1, 3}, 1, 2}, {{2, 1}, 2, 1}, {{1, 1}, 1, 2}};
    for (int i = 0; i < 3; i++) {
        struct lab *l = lab_open(
            HEAD "hosts: [{name: h, count: 3, cpu: {cores: 4}}]\n" SAN
                 "cloud: {place: first-fit, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s}}\nvms:\n"
                 "- {name: a, affinity: [b], " DISK "}\n- {name: aa, " DISK "}\n"
                 "- {name: b, vcpus: 2, affinity: [a], " DISK "}\n"
                 "- {name: f, host: h-1, vcpus: 4, cpu: {reservation: %d%%}, " DISK "}\n"
                 "- {name: g, host: h-2, vcpus: 4, cpu: {reservation: %d%%}, " DISK "}\n"
                 "events: [{at: 50s, fail: h-0, for: 1000s}]\n",
            cases[i].full[0] * 100, cases[i].full[1] * 100);
        struct life x = {.lab = l};
        life_begin(&x, 1);
        life_to(&x, 40 * LIFE_SEC);
        for (int k = 0; k < 3; k++)
            ck_assert_ptr_eq(life_vm(&x, (const char *[]){"a", "b", "aa"}[k])->host, &x.m->hosts[0]);
        life_to(&x, 100 * LIFE_SEC);
        for (int k = 0; k < 3; k++) {
            const struct vm *vm = life_vm(&x, (const char *[]){"a", "b", "aa"}[k]);
            ck_assert_int_eq(vm->power, POWER_UP);
            ck_assert_uint_eq(vm->host->index, k < 2 ? cases[i].ab : cases[i].c);
        }
        life_end(&x);
        lab_close(l);
    }
}
END_TEST

static const char *const places[] = {"first-fit",    "best-fit",           "worst-fit",     "round-robin",
                                     "least-loaded", "pack-and-power-off", "dominant-share"};

/* n hosts, the first two of them a rack; some VMs of any size, some that must be apart. */
static struct lab *cluster(uint64_t seed, uint32_t n, int spares, const char *place, const char *events)
{
    struct rng r = rng_at(seed, n, (uint64_t)spares);
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    for (uint32_t i = 0; i < 6; i++)
        fprintf(f, "- {name: v%u, count: 2, vcpus: %u, memory: %uMiB, " DISK "}\n", i, 1 + rng_u32(&r) % 3,
                256 * (1 + rng_u32(&r) % 8));
    fprintf(f, "- {name: apart, count: %u, vcpus: %u, memory: 512MiB, anti_affinity: [apart], " DISK "}\n", n,
            1 + rng_u32(&r) % 2);
    for (uint32_t i = 0; i < 2; i++) /* a chain: the first must be with the second, and that with the third */
        fprintf(f,
                "- {name: p%u, vcpus: %u, affinity: [q%u], " DISK
                "}\n- {name: q%u, vcpus: %u, affinity: [r%u], " DISK "}\n- {name: r%u, memory: %uMiB, " DISK
                "}\n",
                i, 1 + rng_u32(&r) % 2, i, i, 1 + rng_u32(&r) % 2, i, i, 512 * (1 + rng_u32(&r) % 4));
    fclose(f);
    struct lab *l =
        lab_open(HEAD "hosts: [{name: h, count: 2, rack: left, cpu: {cores: 6}, memory: 6GiB}, {name: "
                      "g, count: %u, cpu: {cores: 6}, memory: 6GiB}]\n"
                      "storage: [{name: san, hosts: [h, g], iops: 1000}]\n"
                      "cloud: {place: %s, overcommit: {cpu: 1}, ha: {detect: 15s, dispatch: 5s, spares: "
                      "%d}}\nvms:\n%s%s",
                 n - 2, place, spares, text, events);
    free(text);
    return l;
}

/* Whether a VM is parted from one that it must be with: of p0, q0 and r0 neighbours must. */
static bool is_parted(const struct model *m, const struct vm *vm)
{
    const char *a = vm->sc->name;
    for (uint32_t i = 0; i < m->sc->n_vms; i++) {
        const struct vm *other = &m->vms[i];
        const char *b = other->sc->name;
        if (strchr("pqr", a[0]) && strchr("pqr", b[0]) && abs(a[0] - b[0]) == 1 && a[1] == b[1] &&
            other->power != POWER_NONE && other->host != vm->host)
            return true;
    }
    return false;
}

static bool is_apart(const struct vm *vm)
{
    return strncmp(vm->sc->name, "apart", 5) == 0;
}

/* Everybody who was let in is up, within what there is, and apart. */
static void check_all_up(struct life *l, uint64_t let_in)
{
    struct model *m = l->m;
    for (uint32_t h = 0; h < m->sc->n_hosts; h++) {
        uint32_t vcpus = 0, apart = 0;
        int64_t memory = 0;
        for (uint32_t i = 0; i < m->sc->n_vms; i++) {
            const struct vm *vm = &m->vms[i];
            if (vm->power == POWER_NONE || vm->host != &m->hosts[h]) continue;
            vcpus += vm->sc->vcpus;
            memory += vm->sc->memory_bytes;
            apart += is_apart(vm);
            ck_assert(!is_parted(m, vm));
        }
        ck_assert(vcpus <= 6 && memory <= INT64_C(6) << 30 && apart <= 1);
        if (!host_up(&m->hosts[h])) ck_assert_uint_eq(vcpus, 0);
    }
    for (uint32_t i = 0; i < m->sc->n_vms; i++)
        ck_assert_int_eq(m->vms[i].power == POWER_UP, let_in >> i & 1);
}

/* Runs it with that failure. With none, says who was let in. */
static uint64_t fails(uint64_t seed, uint32_t n, int spares, const char *place, const char *target,
                      uint64_t let_in)
{
    char events[100] = "";
    if (target) snprintf(events, sizeof events, "events: [{at: 50s, fail: %s, for: 1000s}]\n", target);
    struct lab *lab = cluster(seed, n, spares, place, events);
    struct life l = {.lab = lab};
    life_begin(&l, 1);
    life_to(&l, 150 * LIFE_SEC);
    if (!target)
        for (uint32_t i = 0; i < l.m->sc->n_vms; i++)
            let_in |= (uint64_t)(l.m->vms[i].power == POWER_UP) << i;
    check_all_up(&l, let_in);
    life_end(&l);
    lab_close(lab);
    return let_in;
}

START_TEST(what_is_let_in_survives_every_failure)
{
    const char *place = places[_i];
    uint64_t turned_away = 0;
    for (uint64_t seed = 1; seed <= 6; seed++)
        for (uint32_t n = 3; n <= 5; n++)
            for (int spares = 1; spares <= 2; spares++) {
                uint64_t let_in = fails(seed, n, spares, place, NULL, 0);
                turned_away += 18 + n - (uint64_t)__builtin_popcountll(let_in);
                for (uint32_t h = 0; h < n; h++) {
                    char target[20];
                    snprintf(target, sizeof target,
                             h < 2    ? "h-%u"
                             : n == 3 ? "g"
                                      : "g-%u",
                             h < 2 ? h : h - 2);
                    fails(seed, n, spares, place, target, let_in);
                }
                if (spares == 2) fails(seed, n, spares, place, "left", let_in);
            }
    ck_assert_uint_gt(turned_away, 50); /* of those apart there is one too many everywhere */
}
END_TEST

Suite *ha_room_suite(void)
{
    Suite *s = suite_create("ha_room");
    TCase *t = tcase_create("ha_room");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, stranded_until_there_is_room);
    tcase_add_test(t, stranded_by_a_rule);
    tcase_add_test(t, together_they_fail_and_together_they_start);
    tcase_add_loop_test(t, what_is_let_in_survives_every_failure, 0, 7);
    suite_add_tcase(s, t);
    return s;
}
