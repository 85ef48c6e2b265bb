// SPDX-License-Identifier: GPL-3.0-or-later
/* Placement on random clusters: what each policy promises, admission against first-fit decreasing written
 * plainly and against every packing there is, balancing and emptying until they stop. */
#include <check.h>
#include <stdlib.h>

#include "base/rng.h"
#include "policy/place.h"

Suite *place_random_suite(void);

#define S          INT64_C(1000000000)
#define MOST_HOSTS 12
#define MOST_VMS   64

struct world {
    struct place_host hosts[MOST_HOSTS];
    struct place_vm vms[MOST_VMS];
    uint32_t n, n_vms;
};

static struct rng rng;

static uint32_t below(uint32_t n)
{
    return rng_u32(&rng) % n;
}

/* Hosts of unlike sizes with VMs on them; `plain`: none is off, unusable, unbounded or lacks a feature. */
static void make(struct world *w, uint32_t most_hosts, uint32_t most_vms, bool plain)
{
    *w = (struct world){.n = 1 + below(most_hosts)};
    for (uint32_t i = 0; i < w->n; i++) {
        struct place_host *h = &w->hosts[i];
        h->usable = plain || below(8) > 0;
        h->off = !plain && below(6) == 0;
        h->features = plain ? 7 : below(8) | below(8);
        h->load_ppm = below(10) ? (int64_t)below(8000000) : -1;
        for (int r = 0; r < PLACE_NRES; r++) {
            h->have[r] = (4 + below(5)) * INT64_C(1000000);
            h->most[r] = h->have[r] * (1 + below(3)) / (1 + below(2));
            if (!plain && below(12) == 0) h->most[r] = PLACE_NO_BOUND;
        }
    }
    uint32_t tries = below(most_vms + 1);
    for (uint32_t i = 0; i < tries; i++) {
        struct place_vm v = {.host = below(w->n), .vm = i, .features = below(4) ? 0 : 1u << below(3)};
        struct place_host *h = &w->hosts[v.host];
        for (int r = 0; r < PLACE_NRES; r++)
            v.want[r] = below(5) * INT64_C(700000) + below(3);
        if (h->off || (v.features & ~h->features)) continue;
        if (v.want[0] > h->most[0] - h->promised[0] || v.want[1] > h->most[1] - h->promised[1]) continue;
        for (int r = 0; r < PLACE_NRES; r++)
            h->promised[r] += v.want[r];
        h->n_vms++;
        w->vms[w->n_vms++] = v;
    }
}

/* --- picking --- */

static int64_t share(const struct place_host *h, const int64_t *want)
{
    int64_t most = 0;
    for (int r = 0; r < PLACE_NRES; r++) {
        int64_t s = (h->promised[r] + (want ? want[r] : 0)) * 1000000 / h->have[r];
        if (s > most) most = s;
    }
    return most;
}

static bool fits(const struct place_host *h, const int64_t *want, uint64_t features)
{
    if (!h->usable || (features & ~h->features)) return false;
    for (int r = 0; r < PLACE_NRES; r++)
        if (want[r] > 0 && h->most[r] != PLACE_NO_BOUND && h->promised[r] + want[r] > h->most[r])
            return false;
    return true;
}

static int64_t load(const struct place_host *h)
{
    int64_t ppm = h->load_ppm > 0 ? h->load_ppm * 1000000 / h->have[0] : 0;
    return ppm < 1000000 ? ppm : 1000000;
}

/* Whether a must not have been chosen where b was possible: both on, or both off. */
static bool worse(size_t policy, const struct place_host *a, const struct place_host *b, const int64_t *want)
{
    switch (policy) {
    case 0: return b < a;
    case 1:
    case 5: return share(b, want) > share(a, want) || (share(b, want) == share(a, want) && b < a);
    case 2: return share(b, NULL) < share(a, NULL) || (share(b, NULL) == share(a, NULL) && b < a);
    case 4: return load(b) < load(a);
    case 6: return share(b, want) < share(a, want) || (share(b, want) == share(a, want) && b < a);
    default: return false; /* round robin: below */
    }
}

START_TEST(picks)
{
    rng = rng_at(rng_key(11, (uint64_t)_i, RNG_TIE), 0, 0);
    uint32_t placed = 0, refused = 0;
    for (int round = 0; round < 3000; round++) {
        struct world w;
        uint32_t turn = PLACE_NONE;
        make(&w, MOST_HOSTS, 30, false);
        for (int k = 0; k < 6; k++) {
            struct place_ask ask = {.want = {below(5) * INT64_C(600000), below(5) * INT64_C(600000)},
                                    .features = below(4) ? 0 : 1u << below(3)};
            enum rec_why why;
            uint32_t h = place_pick(place_at((size_t)_i), w.hosts, w.n, &ask, &turn, &why);
            if (h == PLACE_NONE) {
                for (uint32_t i = 0; i < w.n; i++)
                    ck_assert(!fits(&w.hosts[i], ask.want, ask.features));
                ck_assert_int_ne(why, REC_WHY_NONE);
                refused++;
                continue;
            }
            struct place_host *x = &w.hosts[h];
            ck_assert(fits(x, ask.want, ask.features));
            for (uint32_t i = 0; i < w.n; i++) {
                if (i == h || !fits(&w.hosts[i], ask.want, ask.features)) continue;
                if (w.hosts[i].off != x->off)
                    ck_assert(!x->off);
                else
                    ck_assert(!worse((size_t)_i, x, &w.hosts[i], ask.want));
            }
            for (int r = 0; r < PLACE_NRES; r++)
                x->promised[r] += ask.want[r];
            placed++;
        }
    }
    ck_assert_uint_gt(placed, 3000);
    ck_assert_uint_gt(refused, 300);
}

/* While all have room, n picks visit n hosts; and those that do not do are passed over, not waited for. */
START_TEST(round_robin_visits_all)
{
    rng = rng_at(rng_key(12, 0, RNG_TIE), 0, 0);
    for (int round = 0; round < 2000; round++) {
        struct world w;
        uint32_t turn = PLACE_NONE, visits[MOST_HOSTS] = {0}, good = 0;
        struct place_ask ask = {.want = {1, 1}};
        enum rec_why why;
        make(&w, MOST_HOSTS, 30, false);
        for (uint32_t i = 0; i < w.n; i++) {
            w.hosts[i].off = false;
            good += fits(&w.hosts[i], ask.want, 0);
        }
        for (uint32_t k = 0; k < 3 * good; k++)
            visits[place_pick(place_find("round-robin"), w.hosts, w.n, &ask, &turn, &why)]++;
        for (uint32_t i = 0; i < w.n; i++)
            ck_assert_uint_eq(visits[i], fits(&w.hosts[i], ask.want, 0) ? 3 : 0);
    }
}

/* --- admission --- */

/* VMs of one of three groups keep apart; the group is by number. */
static bool groups_apart(const void *ctx, const struct place_vm *vms, uint32_t v, uint32_t host,
                         const uint32_t *there, uint32_t n_there)
{
    (void)ctx, (void)host;
    if (vms[v].vm % 4 == 3) return true; /* in none */
    for (uint32_t i = 0; i < n_there; i++)
        if (vms[there[i]].vm % 4 == vms[v].vm % 4) return false;
    return true;
}

static bool may_join(const struct world *w, uint32_t v, uint32_t h, place_rule *rule)
{
    uint32_t there[MOST_VMS], n = 0;
    if (!fits(&w->hosts[h], w->vms[v].want, w->vms[v].features)) return false;
    for (uint32_t i = 0; i < w->n_vms; i++)
        if (w->vms[i].host == h) there[n++] = i;
    return !rule || rule(NULL, w->vms, v, h, there, n);
}

static void add(struct world *w, uint32_t v, uint32_t h, int sign)
{
    for (int r = 0; r < PLACE_NRES; r++)
        w->hosts[h].promised[r] += sign * w->vms[v].want[r];
    w->vms[v].host = sign > 0 ? h : PLACE_NONE;
}

/* First-fit decreasing, as plainly as can be; list: who has to be placed. */
static bool first_fit(struct world w, uint32_t *list, uint32_t n, place_rule *rule)
{
    int64_t have[PLACE_NRES] = {1, 1}, size[MOST_VMS] = {0};
    for (uint32_t h = 0; h < w.n; h++)
        for (int r = 0; r < PLACE_NRES; r++)
            if (w.hosts[h].have[r] > have[r]) have[r] = w.hosts[h].have[r];
    for (uint32_t i = 0; i < n; i++)
        for (int r = 0; r < PLACE_NRES; r++)
            if (w.vms[list[i]].want[r] * 1000000000 / have[r] > size[list[i]])
                size[list[i]] = w.vms[list[i]].want[r] * 1000000000 / have[r];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t best = i;
        for (uint32_t k = i + 1; k < n; k++)
            if (size[list[k]] > size[list[best]] ||
                (size[list[k]] == size[list[best]] && list[k] < list[best]))
                best = k;
        uint32_t v = list[best], h = 0;
        list[best] = list[i];
        list[i] = v;
        while (h < w.n && !may_join(&w, v, h, rule))
            h++;
        if (h == w.n) return false;
        add(&w, v, h, 1);
    }
    return true;
}

/* Every way there is. */
static bool any_packing(struct world *w, const uint32_t *list, uint32_t n, place_rule *rule)
{
    if (n == 0) return true;
    for (uint32_t h = 0; h < w->n; h++) {
        if (!may_join(w, list[0], h, rule)) continue;
        add(w, list[0], h, 1);
        bool found = any_packing(w, list + 1, n - 1, rule);
        add(w, list[0], h, -1);
        if (found) return true;
    }
    return false;
}

/* For every set of `spares` hosts, a bit a host, in the order of place_survives: the first whose failure
 * leaves somebody without; `exact`: whatever the packing. */
static uint32_t first_fatal(const struct world *w, uint32_t spares, place_rule *rule, bool exact)
{
    if (w->n_vms == 0) return PLACE_NONE;
    if (w->n <= spares) return 0;
    uint32_t fatal = PLACE_NONE;
    for (uint32_t set = 0; set < 1u << w->n; set++) {
        if ((uint32_t)__builtin_popcount(set) != spares) continue;
        struct world x = *w;
        uint32_t list[MOST_VMS], n = 0, lowest = (uint32_t)__builtin_ctz(set);
        for (uint32_t i = 0; i < x.n_vms; i++)
            if (set >> x.vms[i].host & 1) list[n++] = i;
        for (uint32_t i = 0; i < n; i++)
            x.vms[list[i]].host = PLACE_NONE;
        for (uint32_t h = 0; h < x.n; h++)
            if (set >> h & 1) x.hosts[h].usable = false;
        bool ok = exact ? any_packing(&x, list, n, rule) : first_fit(x, list, n, rule);
        if (!ok && lowest < fatal) fatal = lowest;
    }
    return fatal;
}

static uint32_t survive(const struct world *w, uint32_t spares, place_rule *rule)
{
    void *block = malloc(place_survives_bytes(w->n, w->n_vms)); /* exactly: ASan watches its end */
    ck_assert_ptr_nonnull(block);
    uint32_t h = place_survives(w->hosts, w->n, w->vms, w->n_vms, spares, rule, NULL, block);
    free(block);
    return h;
}

/* As first-fit decreasing says, host by host, with a rule and without; so a yes is never one that fails. */
START_TEST(survives_as_first_fit_does)
{
    rng = rng_at(rng_key(13, (uint64_t)_i, RNG_TIE), 0, 0);
    uint32_t yes = 0, no = 0;
    for (int round = 0; round < 1500; round++) {
        struct world w;
        uint32_t spares = 1 + below(3);
        place_rule *rule = _i ? groups_apart : NULL;
        make(&w, 8, 4 + below(28), false);
        uint32_t fatal = first_fatal(&w, spares, rule, false);
        ck_assert_uint_eq(survive(&w, spares, rule), fatal);
        yes += fatal == PLACE_NONE, no += fatal != PLACE_NONE;
    }
    ck_assert_uint_gt(yes, 150);
    ck_assert_uint_gt(no, 150);
}

/* Against every packing: a yes is right. A no is overcautious in 11 of 4000 clusters of 4 hosts at most (4 in
 * 1000 of the noes are), with a rule in 21. */
START_TEST(survives_against_every_packing)
{
    rng = rng_at(rng_key(14, (uint64_t)_i, RNG_TIE), 0, 0);
    uint32_t yes = 0, no = 0, cautious = 0;
    for (int round = 0; round < 4000; round++) {
        struct world w;
        place_rule *rule = _i ? groups_apart : NULL;
        make(&w, 4, 12, true);
        bool said = survive(&w, 1, rule) == PLACE_NONE, is = first_fatal(&w, 1, rule, true) == PLACE_NONE;
        ck_assert(is || !said);
        yes += said, no += !said, cautious += is && !said;
    }
    ck_assert_uint_gt(yes, 400);
    ck_assert_uint_gt(no, 400);
    ck_assert_uint_lt(cautious, (yes + no) / 100);
}

/* --- balancing --- */

static int64_t cpu_share(const struct place_host *h, int64_t more)
{
    return (h->load_ppm + more) * 1000000 / h->have[0];
}

static int64_t gap(const struct world *w)
{
    int64_t high = 0, low = INT64_MAX;
    for (uint32_t i = 0; i < w->n; i++) {
        int64_t s = cpu_share(&w->hosts[i], 0);
        if (s > high) high = s;
        if (s < low) low = s;
    }
    return high - low;
}

/* The difference never grows, and there is an end. */
START_TEST(balancing_stops)
{
    rng = rng_at(rng_key(15, 0, RNG_TIE), 0, 0);
    uint32_t moves = 0, most = 0;
    for (int round = 0; round < 2000; round++) {
        struct world w;
        struct place_mover movers[MOST_VMS];
        struct place_move m;
        make(&w, MOST_HOSTS, 40, true);
        for (uint32_t h = 0; h < w.n; h++)
            w.hosts[h].load_ppm = 0;
        for (uint32_t i = 0; i < w.n_vms; i++) {
            movers[i] = (struct place_mover){
                .load_ppm = below(1000000), .move_ns = below(10) * S, .host = w.vms[i].host, .vm = i};
            w.hosts[movers[i].host].load_ppm += movers[i].load_ppm;
        }
        uint32_t above = below(200000), n = 0;
        while (place_balance(w.hosts, w.n, movers, w.n_vms, above, 300 * S, NULL, NULL, &m)) {
            int64_t before = gap(&w);
            struct place_mover *x = &movers[m.vm];
            ck_assert_int_gt(before, above);
            ck_assert_int_gt(m.gain_ppm, 0);
            ck_assert(m.gain_ppm * 300 > x->load_ppm * (x->move_ns / S));
            ck_assert_uint_ne(m.to, x->host);
            w.hosts[x->host].load_ppm -= x->load_ppm;
            x->host = m.to;
            w.hosts[m.to].load_ppm += x->load_ppm;
            ck_assert_int_le(gap(&w), before);
            ck_assert_uint_lt(++n, 200);
        }
        moves += n;
        if (n > most) most = n;
    }
    ck_assert_uint_gt(moves, 2000);
    ck_assert_uint_gt(most, 8);
}

/* --- emptying --- */

START_TEST(emptied_hosts_fit_elsewhere)
{
    rng = rng_at(rng_key(16, (uint64_t)_i, RNG_TIE), 0, 0);
    uint32_t emptied = 0, kept = 0;
    for (int round = 0; round < 3000; round++) {
        struct world w;
        struct place_move out[MOST_VMS];
        place_rule *rule = _i ? groups_apart : NULL;
        make(&w, 8, 4 + below(24), false);
        void *block = malloc(place_survives_bytes(w.n, w.n_vms));
        ck_assert_ptr_nonnull(block);
        uint32_t from = place_empty(w.hosts, w.n, w.vms, w.n_vms, rule, NULL, out, block);
        free(block);
        if (from == PLACE_NONE) {
            kept++;
            continue;
        }
        emptied++;
        ck_assert(w.hosts[from].usable && !w.hosts[from].off && w.hosts[from].n_vms > 0);
        for (uint32_t i = 0; i < w.n; i++)
            if (w.hosts[i].usable && !w.hosts[i].off && w.hosts[i].n_vms > 0)
                ck_assert_int_le(share(&w.hosts[from], NULL), share(&w.hosts[i], NULL));
        uint32_t n = w.hosts[from].n_vms;
        for (uint32_t i = 0; i < n; i++) { /* one after the other, as they would be done */
            uint32_t v = 0;
            while (w.vms[v].vm != out[i].vm)
                v++;
            ck_assert_uint_eq(w.vms[v].host, from);
            ck_assert_uint_ne(out[i].to, from);
            ck_assert(!w.hosts[out[i].to].off && w.hosts[out[i].to].n_vms > 0);
            ck_assert(may_join(&w, v, out[i].to, rule));
            add(&w, v, from, -1);
            add(&w, v, out[i].to, 1);
        }
        for (uint32_t v = 0; v < w.n_vms; v++)
            ck_assert_uint_ne(w.vms[v].host, from);
    }
    ck_assert_uint_gt(emptied, 150);
    ck_assert_uint_gt(kept, 150);
}

Suite *place_random_suite(void)
{
    Suite *s = suite_create("place_random");
    TCase *t = tcase_create("place_random");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, picks, 0, 7);
    tcase_add_test(t, round_robin_visits_all);
    tcase_add_loop_test(t, survives_as_first_fit_does, 0, 2);
    tcase_add_loop_test(t, survives_against_every_packing, 0, 2);
    tcase_add_test(t, balancing_stops);
    tcase_add_loop_test(t, emptied_hosts_fit_elsewhere, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
