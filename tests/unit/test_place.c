// SPDX-License-Identifier: GPL-3.0-or-later
/* Placement by hand: each policy on small clusters, reasons, ties, admission, balancing, emptying. */
#include <check.h>
#include <stdlib.h>

#include "policy/place.h"

Suite *place_suite(void);

#define CPU(n) ((int64_t)(n)*1000000)
#define GB     INT64_C(1000000000)
#define S      INT64_C(1000000000)

static struct place_host hosts[8];
static uint32_t n_hosts;
static uint32_t turn;
static enum rec_why why;

/* A host of so many cores and GB of which so much is promised. */
static void host(int cores, int gb, double cpu, double mem)
{
    hosts[n_hosts++] = (struct place_host){.have = {CPU(cores), gb * GB},
                                           .most = {CPU(cores), gb * GB},
                                           .promised = {(int64_t)(cpu * 1e6), (int64_t)(mem * 1e9)},
                                           .load_ppm = -1,
                                           .usable = true};
}

static void begin(void)
{
    n_hosts = 0;
    turn = PLACE_NONE;
}

static struct place_ask ask(double cpu, double mem)
{
    return (struct place_ask){.want = {(int64_t)(cpu * 1e6), (int64_t)(mem * 1e9)}};
}

static uint32_t pick(const char *policy, double cpu, double mem)
{
    struct place_ask a = ask(cpu, mem);
    return place_pick(place_find(policy), hosts, n_hosts, &a, &turn, &why);
}

static const char *const names[] = {"first-fit",    "best-fit",           "worst-fit",     "round-robin",
                                    "least-loaded", "pack-and-power-off", "dominant-share"};
#define N_NAMES 7

START_TEST(all_there)
{
    for (size_t i = 0; i < N_NAMES; i++) {
        const struct place_class *p = place_at(i);
        ck_assert_str_eq(place_name(p), names[i]);
        ck_assert_ptr_eq(place_find(names[i]), p);
        ck_assert_ptr_nonnull(place_about(p));
        ck_assert_int_eq(place_powers_off(p), i == 5);
    }
    ck_assert_ptr_null(place_at(N_NAMES));
    ck_assert_ptr_null(place_find("next-fit"));
}

/* Four hosts of 10 cores and 100 GB; CPU and memory promised as written. */
START_TEST(by_hand)
{
    begin();
    host(10, 100, 6, 20); /* 60, 20 % */
    host(10, 100, 8, 10); /* 80, 10 % */
    host(10, 100, 2, 50); /* 20, 50 % */
    host(10, 100, 5, 30); /* 50, 30 % */
    ck_assert_uint_eq(pick("first-fit", 1, 1), 0);
    ck_assert_uint_eq(pick("best-fit", 1, 1), 1);
    ck_assert_uint_eq(pick("pack-and-power-off", 1, 1), 1);
    ck_assert_uint_eq(pick("first-fit", 5, 1), 2);
    ck_assert_uint_eq(pick("best-fit", 3, 1), 0);
    ck_assert_uint_eq(pick("worst-fit", 1, 1), 2); /* 50 % both, the lower number */
    ck_assert_uint_eq(pick("least-loaded", 1, 1), 2);
    /* 1 core, 20 GB: the greatest share is then 70, 90, 70, 60 %. */
    ck_assert_uint_eq(pick("dominant-share", 1, 20), 3);
    ck_assert_uint_eq(pick("worst-fit", 1, 20), 2); /* does not look at what is wanted */
    /* 2 cores, 1 GB: 80, 100, 51, 70 %. */
    ck_assert_uint_eq(pick("dominant-share", 2, 1), 2);
    ck_assert_int_eq(why, REC_WHY_NONE);
}

START_TEST(by_load)
{
    begin();
    host(10, 100, 1, 1);
    host(10, 100, 5, 1);
    host(20, 100, 8, 1);
    hosts[0].load_ppm = CPU(4), hosts[1].load_ppm = CPU(2), hosts[2].load_ppm = CPU(3);
    ck_assert_uint_eq(pick("least-loaded", 1, 1), 2); /* 15 % of it */
    hosts[2].load_ppm = CPU(4);                       /* 20 %, as host 1; 45 % against 60 % promised */
    ck_assert_uint_eq(pick("least-loaded", 1, 1), 2);
    hosts[1].promised[PLACE_CPU] = CPU(3);
    ck_assert_uint_eq(pick("least-loaded", 1, 1), 1);
}

START_TEST(in_turn)
{
    static const uint32_t order[] = {0, 1, 3, 0, 1, 3};
    begin();
    for (int i = 0; i < 4; i++)
        host(10, 100, 0, 0);
    hosts[2].usable = false;
    for (int i = 0; i < 6; i++) {
        ck_assert_uint_eq(pick("round-robin", 1, 1), order[i]);
        ck_assert_uint_eq(turn, order[i]);
    }
    ck_assert_uint_eq(pick("round-robin", 11, 1), PLACE_NONE);
    ck_assert_uint_eq(turn, 3); /* nothing was chosen */
}

/* Equal hosts: the lower number; one that is off comes last, whatever its number. */
START_TEST(ties_and_power)
{
    begin();
    for (int i = 0; i < 4; i++)
        host(10, 100, 3, 30);
    ck_assert_uint_eq(pick(names[_i], 1, 1), 0);
    turn = PLACE_NONE;
    hosts[0].off = hosts[1].off = true;
    ck_assert_uint_eq(pick(names[_i], 1, 1), 2);
    turn = PLACE_NONE;
    hosts[2].promised[PLACE_CPU] = hosts[3].promised[PLACE_CPU] = CPU(10);
    ck_assert_uint_eq(pick(names[_i], 1, 1), 0);
    turn = PLACE_NONE;
    hosts[3].promised[PLACE_CPU] = CPU(9);
    ck_assert_uint_eq(pick(names[_i], 1, 1), 3);
    /* However good it would be otherwise. */
    for (int promised = 1; promised < 9; promised += 5) {
        begin();
        for (int i = 0; i < 4; i++)
            host(10, 100, i < 2 ? 3 : promised, 30);
        hosts[2].off = hosts[3].off = true;
        turn = 2; /* round robin's next would be 3 */
        ck_assert_uint_eq(pick(names[_i], 1, 1), 0);
    }
}

static enum rec_why only_host_1(const void *ctx, uint32_t h)
{
    return h == *(const uint32_t *)ctx ? REC_WHY_NONE : REC_WHY_APART;
}

START_TEST(reasons)
{
    static const uint32_t one = 1;
    begin();
    struct place_ask a = ask(1, 1);
    const struct place_class *p = place_find("first-fit");
    ck_assert_uint_eq(place_pick(p, hosts, 0, &a, &turn, &why), PLACE_NONE);
    ck_assert_int_eq(why, REC_WHY_HOST_OFF);
    host(10, 100, 9.5, 99.5);
    host(10, 100, 9.5, 0);
    struct place_host *h = &hosts[0];
    ck_assert_int_eq(place_may(h, 0, &a), REC_WHY_CPU); /* before memory */
    h->promised[PLACE_CPU] = CPU(9);
    ck_assert_int_eq(place_may(h, 0, &a), REC_WHY_MEMORY);
    ck_assert_uint_eq(place_pick(p, hosts, 2, &a, &turn, &why), PLACE_NONE);
    ck_assert_int_eq(why, REC_WHY_MEMORY); /* host 0 came nearer than host 1 */
    a.may = only_host_1, a.ctx = &one;
    ck_assert_int_eq(place_may(h, 0, &a), REC_WHY_APART);
    place_pick(p, hosts, 2, &a, &turn, &why);
    ck_assert_int_eq(why, REC_WHY_CPU);
    a.features = 4, h->features = 3;
    ck_assert_int_eq(place_may(h, 0, &a), REC_WHY_FEATURES);
    h->usable = false;
    ck_assert_int_eq(place_may(h, 0, &a), REC_WHY_HOST_OFF);
    place_pick(p, hosts, 2, &a, &turn, &why);
    ck_assert_int_eq(why, REC_WHY_FEATURES); /* host 1 */
    hosts[1].features = 7;
    hosts[1].promised[PLACE_CPU] = CPU(9);
    ck_assert_uint_eq(place_pick(p, hosts, 2, &a, &turn, &why), 1);
    ck_assert_int_eq(why, REC_WHY_NONE);
}

START_TEST(over_commit)
{
    begin();
    host(10, 100, 10, 100);
    ck_assert_uint_eq(pick("first-fit", 1, 0), PLACE_NONE);
    hosts[0].most[PLACE_CPU] = CPU(40);
    ck_assert_uint_eq(pick("first-fit", 30, 0), 0);
    ck_assert_uint_eq(pick("first-fit", 31, 0), PLACE_NONE);
    hosts[0].most[PLACE_CPU] = PLACE_NO_BOUND;
    ck_assert_uint_eq(pick("first-fit", 1e6, 0), 0);
    hosts[0].most[PLACE_MEM] = 90 * GB; /* over it already: who wants none may still come */
    ck_assert_uint_eq(pick("first-fit", 1, 0), 0);
    ck_assert_uint_eq(pick("first-fit", 1, .001), PLACE_NONE);
}

/* --- admission --- */

static struct place_vm vms[16];
static uint32_t n_vms;

static void vm(uint32_t on, double cpu, double mem)
{
    vms[n_vms] = (struct place_vm){
        .want = {(int64_t)(cpu * 1e6), (int64_t)(mem * 1e9)}, .host = on, .vm = 100 + n_vms};
    for (int r = 0; r < PLACE_NRES; r++)
        hosts[on].promised[r] += vms[n_vms].want[r];
    hosts[on].n_vms++;
    n_vms++;
}

static uint32_t survive(uint32_t spares, place_rule *rule)
{
    void *block = malloc(place_survives_bytes(n_hosts, n_vms));
    ck_assert_ptr_nonnull(block);
    uint32_t h = place_survives(hosts, n_hosts, vms, n_vms, spares, rule, NULL, block);
    free(block);
    return h;
}

static void cluster(int n)
{
    begin();
    n_vms = 0;
    for (int i = 0; i < n; i++)
        host(10, 100, 0, 0);
}

static bool apart(const void *ctx, const struct place_vm *all, uint32_t v, uint32_t h, const uint32_t *there,
                  uint32_t n_there)
{
    (void)ctx, (void)v, (void)h, (void)all, (void)there;
    return n_there == 0; /* nobody shares a host */
}

START_TEST(n_plus_one)
{
    cluster(3);
    ck_assert_uint_eq(survive(1, NULL), PLACE_NONE); /* nobody to save */
    for (uint32_t h = 0; h < 3; h++)
        for (int i = 0; i < 3; i++)
            vm(h, 2, 10);
    ck_assert_uint_eq(survive(0, NULL), PLACE_NONE);
    ck_assert_uint_eq(survive(1, NULL), PLACE_NONE); /* 4 + 4 cores free: 4 places for 3 VMs */
    vm(1, 2, 10);                                    /* 4 on host 1; when 0 or 2 fails 1 + 2 places for 3 */
    ck_assert_uint_eq(survive(1, NULL), PLACE_NONE);
    vm(2, 2, 10); /* when 0 fails 1 + 1 places for 3 */
    ck_assert_uint_eq(survive(1, NULL), 0);
}

START_TEST(two_spares)
{
    cluster(4);
    for (uint32_t h = 0; h < 4; h++)
        vm(h, 4, 10);
    ck_assert_uint_eq(survive(1, NULL), PLACE_NONE);
    ck_assert_uint_eq(survive(2, NULL), PLACE_NONE); /* two on each of the two left */
    ck_assert_uint_eq(survive(3, NULL), 0);          /* four on one: 16 cores of 10 */
    ck_assert_uint_eq(survive(1, apart), 0);
    n_hosts = 2, n_vms = 2;
    ck_assert_uint_eq(survive(1, NULL), PLACE_NONE);
    ck_assert_uint_eq(survive(2, NULL), 0); /* nothing is left */
}

/* The host that is named is the lowest of the first set that fails. */
START_TEST(which_one)
{
    cluster(3);
    vm(0, 1, 1);
    vm(1, 1, 1);
    vm(2, 9.5, 1);
    ck_assert_uint_eq(survive(1, NULL), 2); /* 9.5 cores fit on nobody who has 1 */
    hosts[1].promised[PLACE_CPU] = 0;
    n_vms = 0;
    vm(2, 9.5, 1);
    hosts[2].features = 1, vms[0].features = 1;
    ck_assert_uint_eq(survive(1, NULL), 2); /* room, but not the feature */
    hosts[1].features = 1;
    ck_assert_uint_eq(survive(1, NULL), PLACE_NONE);
    hosts[1].off = true; /* would be switched on */
    ck_assert_uint_eq(survive(1, NULL), PLACE_NONE);
    hosts[1].usable = false;
    ck_assert_uint_eq(survive(1, NULL), 2);
}

/* Hosts 1 and 2 have 6 cores free each, host 0 has VMs of 3, 2, 3 and 4: 4 + 2 and 3 + 3, if the largest
 * comes first; in the order of the numbers 3 + 2 leaves no room for 3 and 4. */
START_TEST(largest_first)
{
    cluster(3);
    vm(1, 4, 1);
    vm(2, 4, 1);
    hosts[0].most[PLACE_CPU] = CPU(20);
    vm(0, 3, 1);
    vm(0, 2, 1);
    vm(0, 3, 1);
    vm(0, 4, 1);
    ck_assert_uint_eq(survive(1, NULL), PLACE_NONE);
}

/* --- balancing --- */

static struct place_mover movers[8];
static struct place_move move;

static void loads(int n, const double *load)
{
    cluster(n);
    for (int i = 0; i < n; i++)
        hosts[i].load_ppm = (int64_t)(load[i] * 1e6);
}

static bool balance(uint32_t n, double above, int64_t horizon)
{
    return place_balance(hosts, n_hosts, movers, n, (uint32_t)(above * 1e6), horizon, NULL, NULL, &move);
}

static enum rec_why not_to_1(const void *ctx, uint32_t v, uint32_t h)
{
    (void)ctx, (void)v;
    return h == 1 ? REC_WHY_STORAGE : REC_WHY_NONE;
}

START_TEST(balances)
{
    loads(3, (double[]){8, 2, 3});
    movers[0] = (struct place_mover){CPU(1), S, 0, 70};
    movers[1] = (struct place_mover){CPU(3), S, 0, 71};
    movers[2] = (struct place_mover){CPU(5), S, 0, 72};
    movers[3] = (struct place_mover){CPU(2), S, 1, 73}; /* not on the fullest */
    ck_assert(balance(4, .1, 100 * S));
    ck_assert_uint_eq(move.vm, 71); /* 5 and 5 */
    ck_assert_uint_eq(move.to, 1);
    ck_assert_int_eq(move.gain_ppm, 600000);
    ck_assert(!balance(4, .6, 100 * S)); /* 60 % apart is not above 60 % */
    ck_assert(balance(4, .599999, 100 * S));
    ck_assert(place_balance(hosts, 3, movers, 4, 0, 100 * S, not_to_1, NULL, &move));
    ck_assert_uint_eq(move.to, 2); /* 5 and 6: 10 % apart instead of 50 */
    ck_assert_int_eq(move.gain_ppm, 400000);
    hosts[1].usable = false;
    ck_assert(balance(4, .1, 100 * S));
    ck_assert_uint_eq(move.to, 2);
    hosts[2].off = true;
    ck_assert(!balance(4, .1, 100 * S)); /* nobody to compare with */
}

/* A move of 3 cores for a gain of .6: worth it while .6 horizon > 3 move. */
START_TEST(worth_it)
{
    loads(2, (double[]){8, 2});
    movers[0] = (struct place_mover){CPU(3), 10 * S, 0, 70};
    ck_assert(!balance(1, .1, 50 * S));
    ck_assert(balance(1, .1, 50 * S + 1));
    movers[1] = (struct place_mover){CPU(2), S, 0, 71}; /* gains less, but is cheap */
    ck_assert(balance(2, .1, 50 * S));
    ck_assert_uint_eq(move.vm, 71);
    movers[0].load_ppm = CPU(6); /* would only change sides */
    ck_assert(!balance(1, .1, 1000 * S));
    movers[0].load_ppm = 0;
    ck_assert(!balance(1, .1, 1000 * S));
}

/* --- emptying --- */

static struct place_move moves[16];

static uint32_t empty(place_rule *rule)
{
    void *block = malloc(place_survives_bytes(n_hosts, n_vms));
    ck_assert_ptr_nonnull(block);
    uint32_t h = place_empty(hosts, n_hosts, vms, n_vms, rule, NULL, moves, block);
    free(block);
    return h;
}

START_TEST(empties)
{
    cluster(4);
    ck_assert_uint_eq(empty(NULL), PLACE_NONE); /* all are */
    vm(0, 6, 10);
    vm(1, 5, 10);
    vm(2, 1, 10);
    vm(2, 3, 10); /* host 2: 40 %, host 3: nobody */
    ck_assert_uint_eq(empty(NULL), 2);
    ck_assert_uint_eq(moves[0].vm, 103); /* the largest first */
    ck_assert_uint_eq(moves[0].to, 0);
    ck_assert_uint_eq(moves[1].vm, 102);
    ck_assert_uint_eq(moves[1].to, 0);
    ck_assert_uint_eq(empty(apart), PLACE_NONE);
    hosts[0].off = true;
    ck_assert_uint_eq(empty(NULL), 2);
    ck_assert_uint_eq(moves[0].to, 1);
    hosts[1].most[PLACE_CPU] = CPU(8); /* room for one of the two: none moves */
    ck_assert_uint_eq(empty(NULL), PLACE_NONE);
    hosts[0].off = false;
    hosts[2].usable = false; /* then host 1 is the least */
    hosts[0].most[PLACE_CPU] = CPU(11);
    ck_assert_uint_eq(empty(NULL), 1);
}

/* At most two share a host: the second that moves sees the first. */
static bool two(const void *ctx, const struct place_vm *all, uint32_t v, uint32_t h, const uint32_t *there,
                uint32_t n_there)
{
    (void)ctx, (void)all, (void)v, (void)h, (void)there;
    return n_there < 2;
}

START_TEST(rules_hold_among_those_that_move)
{
    cluster(3);
    vm(0, 5, 10);
    vm(1, 4, 10);
    vm(2, 1, 10);
    vm(2, 1, 10);
    ck_assert_uint_eq(empty(two), 2);
    ck_assert_uint_eq(moves[0].to, 0);
    ck_assert_uint_eq(moves[1].to, 1);
}

Suite *place_suite(void)
{
    Suite *s = suite_create("place");
    TCase *t = tcase_create("pick");
    tcase_add_test(t, all_there);
    tcase_add_test(t, by_hand);
    tcase_add_test(t, by_load);
    tcase_add_test(t, in_turn);
    tcase_add_loop_test(t, ties_and_power, 0, N_NAMES);
    tcase_add_test(t, reasons);
    tcase_add_test(t, over_commit);
    suite_add_tcase(s, t);
    t = tcase_create("admission");
    tcase_add_test(t, n_plus_one);
    tcase_add_test(t, two_spares);
    tcase_add_test(t, which_one);
    tcase_add_test(t, largest_first);
    suite_add_tcase(s, t);
    t = tcase_create("moves");
    tcase_add_test(t, balances);
    tcase_add_test(t, worth_it);
    tcase_add_test(t, empties);
    tcase_add_test(t, rules_hold_among_those_that_move);
    suite_add_tcase(s, t);
    return s;
}
