// SPDX-License-Identifier: GPL-3.0-or-later
/* Volumes: what a write allocates, what a trim gives back, who shares a grain with whom, and that what was
 * written is what is read, whatever is cloned and destroyed in between. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "model/volume.h"
#include "tests/often.h"

Suite *volume_suite(void);

#define GRAIN INT64_C(65536)

START_TEST(test_thick)
{
    struct pool p;
    struct volume v;
    pool_init(&p, 0, GRAIN);
    volume_init(&v, &p, 100 * GRAIN + 1, true); /* whole grains: the last one reaches past the end */
    ck_assert_int_eq(pool_allocated(&p), 101 * GRAIN);
    struct volume_need n = volume_needs(&v, 5, 3 * GRAIN);
    ck_assert(n.grains == 0 && n.copies == 0);
    ck_assert_int_eq(volume_place(&v, 7 * GRAIN + 11), 7 * GRAIN + 11);
    ck_assert_uint_eq(volume_trim(&v, 0, 50 * GRAIN), 0); /* a thick volume keeps its own */
    ck_assert_int_eq(pool_allocated(&p), 101 * GRAIN);
    volume_done(&v);
    ck_assert_int_eq(pool_allocated(&p), 0);
    pool_done(&p);
}
END_TEST

START_TEST(test_vague)
{
    struct pool p;
    struct volume v, clone;
    pool_init(&p, 0, GRAIN);
    volume_init_vague(&v, &p, 100 * GRAIN);
    volume_init(&clone, &p, 100 * GRAIN, false);
    ck_assert_int_eq(pool_allocated(&p), 0);
    ck_assert_int_eq(volume_place(&v, 7 * GRAIN), 7 * GRAIN);
    volume_clone(&clone, &v, true); /* what is shared is counted, for it may be needed twice */
    ck_assert_int_eq(pool_owned(&p, v.account), 100 * GRAIN);
    volume_done(&v);
    volume_done(&clone);
    ck_assert_int_eq(pool_allocated(&p), 0);
    volume_init_vague(&v, &p, GRAIN);
    volume_done(&v);
    ck_assert_int_eq(pool_allocated(&p), 0);
    pool_done(&p);
}
END_TEST

START_TEST(test_thin)
{
    struct pool p;
    struct volume v;
    pool_init(&p, 100 * GRAIN, GRAIN);
    volume_init(&v, &p, 5000 * GRAIN, false);
    ck_assert_int_eq(pool_allocated(&p), 0);
    ck_assert_int_eq(volume_place(&v, 0), -1);
    volume_fill(&v, 10 * GRAIN);
    ck_assert_int_eq(pool_allocated(&p), 10 * GRAIN);
    ck_assert_uint_eq(volume_needs(&v, 0, 10 * GRAIN).grains, 0);
    ck_assert_uint_eq(volume_needs(&v, 10 * GRAIN - 1, 2).grains, 1);
    ck_assert_uint_eq(volume_needs(&v, 4000 * GRAIN - 1, 2 * GRAIN).grains, 3);
    volume_write(&v, 4000 * GRAIN - 1, 2 * GRAIN);
    ck_assert_int_eq(pool_allocated(&p), 13 * GRAIN);
    ck_assert_uint_eq(volume_needs(&v, 4000 * GRAIN - 1, 2 * GRAIN).grains, 0);
    ck_assert_int_ge(volume_place(&v, 4000 * GRAIN), 0);
    volume_done(&v);
    ck_assert_int_eq(pool_allocated(&p), 0);
    pool_done(&p);
}
END_TEST

START_TEST(test_trim_adds_up)
{
    struct pool p;
    struct volume v;
    pool_init(&p, 0, GRAIN);
    volume_init(&v, &p, 10 * GRAIN - 100, false);
    volume_fill(&v, v.size);
    ck_assert_uint_eq(volume_trim(&v, 100, GRAIN), 0);             /* no whole grain */
    ck_assert_uint_eq(volume_trim(&v, GRAIN + 100, 2 * GRAIN), 2); /* 1, which both cover, and 2 */
    ck_assert_uint_eq(volume_trim(&v, 5 * GRAIN, GRAIN / 2), 0);   /* a gap: begins anew */
    volume_write(&v, 5 * GRAIN + 10, 10);                          /* what was trimmed is in use again */
    ck_assert_uint_eq(volume_trim(&v, 5 * GRAIN + GRAIN / 2, GRAIN / 2), 0);
    ck_assert_uint_eq(volume_trim(&v, 9 * GRAIN, GRAIN - 100), 1); /* the last grain ends with the volume */
    ck_assert_int_eq(pool_allocated(&p), 7 * GRAIN);
    for (int64_t at = 0; at < 5 * GRAIN; at += 1000)
        volume_trim(&v, at, 1000);
    ck_assert_int_eq(pool_allocated(&p), 4 * GRAIN); /* grains 0, 3 and 4 */
    volume_done(&v);
    pool_done(&p);
}
END_TEST

START_TEST(test_copy_on_write)
{
    struct pool p;
    struct volume base, clone, snap;
    pool_init(&p, 0, GRAIN);
    volume_init(&base, &p, 10 * GRAIN, true);
    volume_init(&clone, &p, 10 * GRAIN, false);
    volume_init(&snap, &p, 10 * GRAIN, false);
    volume_clone(&clone, &base, true);
    ck_assert_int_eq(pool_owned(&p, clone.account), 0); /* a linked clone allocates only what it writes */
    ck_assert_int_eq(volume_place(&clone, 3 * GRAIN), volume_place(&base, 3 * GRAIN));
    struct volume_need n = volume_needs(&clone, 3 * GRAIN - 10, GRAIN + 20);
    ck_assert_uint_eq(n.grains, 3);
    ck_assert_uint_eq(n.copies, 2); /* the middle one is written wholly */
    ck_assert_int_eq(n.copy_from[0], volume_place(&base, 2 * GRAIN));
    ck_assert_int_eq(n.copy_from[1], volume_place(&base, 4 * GRAIN));
    ck_assert_int_eq(n.extra_bytes, 2 * GRAIN - 20);
    volume_write(&clone, 3 * GRAIN - 10, GRAIN + 20);
    ck_assert_int_eq(pool_owned(&p, clone.account), 3 * GRAIN);
    ck_assert_uint_eq(volume_needs(&clone, 3 * GRAIN - 10, GRAIN + 20).grains, 0);
    ck_assert_uint_eq(volume_needs(&base, 3 * GRAIN, 1).grains, 0); /* the other has let go of it */
    ck_assert_uint_eq(volume_needs(&base, 9 * GRAIN, 1).grains, 1);
    volume_snapshot(&snap, &clone);
    volume_write(&clone, 3 * GRAIN, 1);
    ck_assert_int_eq(pool_owned(&p, clone.account), 4 * GRAIN); /* the snapshot's is still on its account */
    volume_done(&snap);
    ck_assert_int_eq(pool_owned(&p, clone.account), 3 * GRAIN);
    volume_done(&base); /* its clone still needs seven of its ten */
    ck_assert_int_eq(pool_owned(&p, base.account), 7 * GRAIN);
    ck_assert_int_eq(volume_place(&clone, 0), 0);
    volume_done(&clone);
    ck_assert_int_eq(pool_allocated(&p), 0);
    pool_done(&p);
}
END_TEST

START_TEST(test_full_clone)
{
    struct pool p;
    struct volume base, clone;
    pool_init(&p, 0, GRAIN);
    volume_init(&base, &p, 3000 * GRAIN, false);
    volume_init(&clone, &p, 3000 * GRAIN, false);
    volume_write(&base, 5 * GRAIN, 3 * GRAIN);
    volume_write(&base, 2999 * GRAIN, 1);
    volume_clone(&clone, &base, false);
    ck_assert_int_eq(pool_owned(&p, clone.account), 4 * GRAIN);
    ck_assert_uint_eq(volume_needs(&clone, 5 * GRAIN, 3 * GRAIN).grains, 0);
    ck_assert_int_ne(volume_place(&clone, 5 * GRAIN), volume_place(&base, 5 * GRAIN));
    volume_done(&base);
    volume_done(&clone);
    ck_assert_int_eq(pool_allocated(&p), 0);
    pool_done(&p);
}
END_TEST

/* After w uniform writes of one grain into B a share 1 - (1-1/B)^w of them is allocated, about 1 - exp(-w/B).
 * Its variance, by the occupancy problem, is at most exp(-w/B) * (1 - exp(-w/B)) / B. */
START_TEST(test_coverage)
{
    enum { B = 20000 };
    struct pool p;
    struct volume v;
    pool_init(&p, 0, GRAIN);
    volume_init(&v, &p, B * GRAIN, false);
    struct rng r = rng_at(4, 5, 6);
    for (int w = 1; w <= 3 * B; w++) {
        volume_write(&v, rng_u32(&r) % B * GRAIN, GRAIN);
        if (w % (B / 2)) continue;
        double hole = exp(-(double)w / B), got = (double)pool_allocated(&p) / (double)(B * GRAIN);
        double se = sqrt(hole * (1 - hole) / B);
        ck_assert_msg(fabs(got - (1 - hole)) < 4 * se, "%d writes cover %g, wanted %g", w, got, 1 - hole);
    }
    volume_done(&v);
    pool_done(&p);
}
END_TEST

/* Volumes written, trimmed, cloned, snapshotted and destroyed at random, beside plain arrays of what each
 * should hold. The device is an array of words, one a grain: what a volume reads must be what was written to
 * it, grains in use must be those that somebody can reach, and in the end nothing may be left. */
enum { VOLS = 12, GRAINS = 2100, PLACES = 40000 };

struct world {
    struct pool p;
    struct volume v[VOLS];
    bool live[VOLS], thick[VOLS], snap[VOLS];
    uint32_t holds[VOLS][GRAINS]; /* 0: a hole, or never written */
    uint32_t medium[2][PLACES];   /* by place: of thick volumes, and of the pool's grains */
    uint32_t stamp;
};

/* The word behind the volume's grain g; NULL: there is none. */
static uint32_t *on_medium(struct world *w, const struct volume *v, uint32_t g)
{
    int64_t place = volume_place(v, g * GRAIN), thin = place >= POOL_THIN_AT;
    if (place < 0) return NULL;
    int64_t i = (place - thin * POOL_THIN_AT) / GRAIN;
    ck_often(i < PLACES);
    return &w->medium[thin][i];
}

static void write_some(struct world *w, uint32_t i, uint32_t at, uint32_t n)
{
    struct volume *v = &w->v[i];
    struct volume_need need = volume_needs(v, at * GRAIN, n * GRAIN);
    uint64_t had = w->p.given;
    int64_t was = pool_allocated(&w->p);
    volume_write(v, at * GRAIN, n * GRAIN);
    /* What it takes; what it lets go of may become free when nobody else has it, but shared means others do.
     */
    ck_often(w->p.given == had + need.grains && pool_allocated(&w->p) == was + need.grains * GRAIN);
    for (uint32_t g = at; g < at + n; g++)
        w->holds[i][g] = *on_medium(w, v, g) = ++w->stamp;
}

static void trim_some(struct world *w, uint32_t i, uint32_t at, uint32_t n)
{
    volume_trim(&w->v[i], at * GRAIN, n * GRAIN);
    for (uint32_t g = at; g < at + n; g++)
        if (!volume_has(&w->v[i], g)) w->holds[i][g] = 0;
}

static void clone_of(struct world *w, uint32_t i, uint32_t src, bool linked, bool snap)
{
    w->live[i] = true;
    w->snap[i] = snap;
    volume_init(&w->v[i], &w->p, GRAINS * GRAIN, false);
    volume_clone(&w->v[i], &w->v[src], linked || snap);
    for (uint32_t g = 0; g < GRAINS; g++) {
        uint32_t *has = on_medium(w, &w->v[i], g);
        w->holds[i][g] = w->holds[src][g];
        if (has && !linked && !snap) *has = w->holds[src][g]; /* copied */
    }
}

static void look_at_all(struct world *w)
{
    static bool reached[2][PLACES];
    memset(reached, 0, sizeof reached);
    uint32_t n = 0;
    int64_t owned = 0;
    for (uint32_t i = 0; i < VOLS; i++) {
        if (!w->live[i]) continue;
        for (uint32_t g = 0; g < GRAINS; g++) {
            uint32_t *has = on_medium(w, &w->v[i], g);
            ck_often(has || w->holds[i][g] == 0);
            if (!has) continue;
            if (w->holds[i][g]) ck_often(*has == w->holds[i][g]);
            bool *seen = &reached[0][has - w->medium[0]];
            n += !*seen;
            *seen = true;
        }
    }
    for (uint32_t a = 0; a < w->p.n_accounts; a++)
        owned += pool_owned(&w->p, a);
    ck_often(pool_allocated(&w->p) == n * GRAIN);
    ck_often(owned == n * GRAIN);
}

START_TEST(test_random)
{
    struct world *w = calloc(1, sizeof *w);
    ck_assert(w);
    pool_init(&w->p, 0, GRAIN);
    struct rng r = rng_at(7, 8, (uint64_t)_i);
    for (int step = 0; step < 2000; step++) {
        uint32_t i = rng_u32(&r) % VOLS, src = rng_u32(&r) % VOLS, what = rng_u32(&r) % 16;
        uint32_t at = rng_u32(&r) % GRAINS, n = 1 + rng_u32(&r) % 40;
        if (at + n > GRAINS) n = GRAINS - at;
        if (!w->live[i]) {
            bool fresh = !w->live[src] || w->p.next_place > (PLACES - GRAINS) * GRAIN;
            if (!fresh) {
                clone_of(w, i, src, what % 4 != 0, what % 4 == 1);
                continue;
            }
            w->thick[i] = what % 2 && w->p.next_place + GRAINS * GRAIN < PLACES * GRAIN;
            w->live[i] = true;
            w->snap[i] = false;
            memset(w->holds[i], 0, sizeof w->holds[i]);
            volume_init(&w->v[i], &w->p, GRAINS * GRAIN, w->thick[i]);
        } else if (what == 0) {
            volume_done(&w->v[i]);
            w->live[i] = false;
        } else if (w->snap[i]) {
            continue; /* nobody writes a snapshot */
        } else if (what < 4) {
            trim_some(w, i, at, n);
        } else {
            write_some(w, i, at, n);
        }
        if (step % 20 == 0) look_at_all(w);
    }
    look_at_all(w);
    for (uint32_t i = 0; i < VOLS; i++)
        if (w->live[i]) volume_done(&w->v[i]);
    ck_assert_int_eq(pool_allocated(&w->p), 0);
    pool_done(&w->p);
    free(w);
}
END_TEST

Suite *volume_suite(void)
{
    Suite *s = suite_create("volume");
    TCase *t = tcase_create("volume");
    suite_add_tcase(s, t);
    tcase_add_test(t, test_thick);
    tcase_add_test(t, test_vague);
    tcase_add_test(t, test_thin);
    tcase_add_test(t, test_trim_adds_up);
    tcase_add_test(t, test_copy_on_write);
    tcase_add_test(t, test_full_clone);
    tcase_add_test(t, test_coverage);
    tcase_add_loop_test(t, test_random, 0, 4);
    return s;
}
