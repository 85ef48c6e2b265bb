// SPDX-License-Identifier: GPL-3.0-or-later
/* Drawing ahead changes nothing: a run whose stretches are hundreds of references leaves the same records,
 * byte for byte, as one that makes an event of every ns in which a reference begins. Over random scenarios:
 * VMs that share memory, all policies and both scopes, all schedulers, all ways to take memory back in any
 * order, writes, walks with and without nesting, several pCPUs and tasks, slices and quanta, prices below a
 * ns. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/mem_reclaim.h"
#include "tests/memlab.h"
#include "tests/often.h"

Suite *touch_steps_suite(void);

struct story {
    struct rec *recs;
    size_t n, cap;
};

static void listen(void *ctx, const struct rec *recs, size_t n)
{
    struct story *s = ctx;
    if (s->n + n > s->cap) {
        s->cap = 2 * (s->n + n);
        s->recs = realloc(s->recs, s->cap * sizeof *s->recs);
    }
    memcpy(s->recs + s->n, recs, n * sizeof *recs);
    s->n += n;
}

static int by_time_and_place(const void *a, const void *b)
{
    const struct rec *x = a, *y = b;
    if (x->t_ns != y->t_ns) return x->t_ns < y->t_ns ? -1 : 1;
    if (x->kind != y->kind) return x->kind - y->kind;
    if (x->vm != y->vm) return x->vm < y->vm ? -1 : 1;
    if (x->vcpu != y->vcpu) return x->vcpu < y->vcpu ? -1 : 1;
    if (x->pcpu != y->pcpu) return x->pcpu < y->pcpu ? -1 : 1;
    if (x->cause != y->cause) return x->cause - y->cause;
    return 0; /* and as they were: qsort of the C library is a merge sort, and stable */
}

/* Events of one instant on different pCPUs come in the order in which they were scheduled, which is not the
 * same where one run has an event and the other none. So the records of an instant are put in order of
 * place, and of a level told twice in an instant the last stays, which is all that book.h promises. */
static void tidy(struct story *s)
{
    qsort(s->recs, s->n, sizeof s->recs[0], by_time_and_place);
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        bool again = i + 1 < s->n && s->recs[i].kind == REC_LEVEL &&
                     by_time_and_place(&s->recs[i], &s->recs[i + 1]) == 0;
        if (!again) s->recs[n++] = s->recs[i];
    }
    s->n = n;
}

static uint32_t pick(struct rng *r, uint32_t n)
{
    return (uint32_t)((uint64_t)rng_u32(r) * n >> 32);
}

struct text {
    char s[8192];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    t->n += (size_t)vsnprintf(t->s + t->n, sizeof t->s - t->n, fmt, ap);
    va_end(ap);
    ck_assert_uint_lt(t->n, sizeof t->s);
}

static void say_vm(struct text *t, struct rng *r, uint32_t i, uint32_t vcpus)
{
    static const char *const patterns[] = {"uniform", "cyclic", "{zipf: .9}", "uniform"};
    static const char *const modes[] = {"hardware", "paravirtual", "bare"};
    say(t,
        "  - {name: v%u, host: h, vcpus: %u, mode: %s, guest: modified, start: {at: %uns}, memory: {size: "
        "%uKiB, "
        "weight: %u, reservation: %uKiB",
        i, vcpus, modes[pick(r, 3)], pick(r, 5000), 520 + 4 * pick(r, 100), 1 + pick(r, 3000),
        4 * pick(r, 20));
    if (pick(r, 3)) say(t, ", content: {os: %u%%, zero: %u%%}", pick(r, 60), pick(r, 40));
    say(t, pick(r, 2) ? ", swap: own}, " : "}, ");
    if (pick(r, 2)) say(t, "guest_quantum: %uns, ", 2000 + pick(r, 20000));
    say(t, "workload: {kind: loop, threads: %u, steps: [", 1 + pick(r, 3));
    for (uint32_t k = 1 + pick(r, 2); k-- > 0;)
        say(t, "{touch: {pages: %u, of: %uKiB, pattern: %s, write: %u%%}}, ", 50 + pick(r, 900),
            4 * (10 + pick(r, 120)), patterns[pick(r, 4)], pick(r, 2) * pick(r, 101));
    say(t, pick(r, 2) ? "{cpu: %uns}]}}\n" : "{sleep: {uniform: [1us, %uns]}}]}}\n", 1100 + pick(r, 30000));
}

static void say_ways(struct text *t, struct rng *r)
{
    static const char *const ways[] = {"share, ", "balloon, ", "compress, "};
    for (uint32_t k = pick(r, 3), n = pick(r, 4); n-- > 0; k = (k + 1) % 3)
        say(t, "%s", ways[k]);
    say(t, "swap], share: {rate: %uMB/s, cost: %uns, break: %uns}", 500 + pick(r, 4000),
        pick(r, 2) * pick(r, 500), pick(r, 2) * pick(r, 3000));
    say(t, ", balloon: {rate: %uMB/s, max: %u%%}, compress: {ratio: %u, cost: %uns}",
        pick(r, 2) * (10 + pick(r, 1000)), pick(r, 101), 2 + pick(r, 4), pick(r, 2) * pick(r, 5000));
    if (pick(r, 2)) say(t, ", free_target: %uKiB", 100 * (1 + pick(r, 4)));
}

static void say_all(struct text *t, struct rng *r)
{
    static const char *const policies[] = {"lru", "fifo", "second-chance", "clock", "random"};
    static const char *const schedulers[] = {"rr", "credit", "cfs", "eevdf", "stride", "bvt"};
    uint32_t n_vms = 2 + pick(r, 3), sched = pick(r, 6);
    say(t,
        "vlab: 1\nname: t\nrun: {duration: 3ms, warmup: 1ms, sample: 1ms}\nhosts:\n"
        "  - {name: h, hypervisor: {nested_paging: %s}, cpu: {cores: %u, scheduler: %s",
        pick(r, 2) ? "true" : "false", 1 + pick(r, 3), schedulers[sched]);
    if (pick(r, 2)) say(t, ", slice: %uns, switch_cost: %uns", 10000 + pick(r, 100000), pick(r, 2000));
    say(t, "}, disks: [{name: d}, {name: own}], ");
    if (pick(r, 2)) say(t, "tlb: {entries: %u, walk: %uns}, ", 1 + pick(r, 64), pick(r, 60));
    say(t,
        "memory: {size: %uKiB, page: 4KiB, swap: d, replacement: %s, replacement_scope: %s, tax: %u%%, "
        "reclaim: [",
        4 * (100 + pick(r, 200)), policies[pick(r, 5)], pick(r, 3) ? "host" : "vm", pick(r, 100));
    say_ways(t, r);
    say(t, "}}\nvms:\n");
    for (uint32_t i = 0; i < n_vms; i++)
        say_vm(t, r, i, 1 + pick(r, 2));
}

static struct story run(const struct lab *lab, uint64_t seed, bool stepping, struct rng r, int64_t *refs,
                        int64_t *faults, int64_t seen[4])
{
    struct story s = {0};
    struct memlab *l = memlab_new(lab, seed, 100 + pick(&r, 3000));
    l->m->hosts[0].mem->ref_ps = pick(&r, 4) ? 1 + pick(&r, pick(&r, 2) ? 2000 : 300000) : 0;
    l->m->hosts[0].mem->stepping = stepping;
    rec_block_add_reader(&l->out, (struct rec_reader){listen, &s, UINT32_MAX});
    memlab_now = l;
    char *why = NULL;
    ck_assert_msg(model_run(l->m, &why) == 0, "%s", why ? why : "?");
    const struct mem_reclaim *taken = l->m->hosts[0].mem->reclaim;
    seen[0] += l->m->hosts[0].book->level[REC_L_MEM_SHARED] > 0;
    seen[1] += l->m->hosts[0].book->level[REC_L_MEM_BALLOONED] > 0;
    seen[2] += taken && taken->pool_pages > 0;
    for (size_t k = 0; k < s.n; k++)
        seen[3] += s.recs[k].kind == REC_EVENT && s.recs[k].cause == REC_EV_MEM_STATE;
    *refs = *faults = 0;
    for (uint32_t v = 0; v < l->m->sc->n_vms; v++) {
        *refs += memlab_count(l, v, REC_N_MEM_REFS);
        *faults += memlab_count(l, v, REC_N_MEM_FAULTS);
    }
    memlab_free(l);
    tidy(&s);
    return s;
}

START_TEST(ahead_is_as_stepped)
{
    int64_t all_refs = 0, all_faults = 0, seen[4] = {0};
    for (uint64_t i = 0; i < (uint64_t)FEWER(40); i++) {
        uint64_t seed = 1000 * (uint64_t)_i + i;
        struct rng r = rng_at(4711, seed, 0);
        struct text t = {.n = 0};
        say_all(&t, &r);
        struct lab *lab = lab_open("%s", t.s);
        int64_t refs[2], faults[2];
        struct story a = run(lab, seed, false, r, &refs[0], &faults[0], seen);
        struct story b = run(lab, seed, true, r, &refs[1], &faults[1], seen);
        size_t k = 0;
        while (k < a.n && k < b.n && memcmp(&a.recs[k], &b.recs[k], sizeof a.recs[0]) == 0)
            k++;
        if (k < a.n || k < b.n) {
            const struct rec *x = &a.recs[k], *y = &b.recs[k];
            ck_abort_msg("%s\nseed %" PRIu64 ", record %zu of %zu and %zu: t %" PRId64
                         " kind %d vm %u vcpu %u cause %d value "
                         "%" PRId64 "; stepped t %" PRId64 " kind %d vm %u vcpu %u cause %d value %" PRId64
                         "; refs %" PRId64 " %" PRId64 ", faults %" PRId64 " %" PRId64,
                         t.s, seed, k, a.n, b.n, x->t_ns, x->kind, x->vm, x->vcpu, x->cause, x->value,
                         y->t_ns, y->kind, y->vm, y->vcpu, y->cause, y->value, refs[0], refs[1], faults[0],
                         faults[1]);
        }
        all_refs += refs[0];
        all_faults += faults[0];
        free(a.recs);
        free(b.recs);
        lab_close(lab);
    }
    ck_assert_int_gt(all_refs, FEWER(100000));
    ck_assert_int_gt(all_faults, FEWER(5000));
    for (int k = 0; FEWER(40) == 40 && k < 4; k++) /* some are seen once in twenty runs */
        ck_assert_msg(seen[k] > 0, "kind %d was not seen in any run: %d %d %d %d", k, (int)seen[0],
                      (int)seen[1], (int)seen[2], (int)seen[3]);
}
END_TEST

Suite *touch_steps_suite(void)
{
    Suite *s = suite_create("touch_steps");
    TCase *t = tcase_create("touch_steps");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, ahead_is_as_stepped, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
