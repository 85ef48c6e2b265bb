// SPDX-License-Identifier: GPL-3.0-or-later
/* What a guest keeps secret is found by who runs its host, in the guest's real memory: as much as the
 * simulator says, and only where it is. */
#include "lab.h"
#include "model/model.h"

Suite *secrets_suite(void);

#define MS      INT64_C(1000000)
#define MAX_SAW 64

struct saw {
    int n;
    struct rec events[MAX_SAW];
};

static void note(void *ctx, const struct rec *r, size_t n)
{
    struct saw *s = ctx;
    for (size_t i = 0; i < n; i++)
        if (r[i].kind == REC_EVENT && r[i].cause == REC_EV_INSPECTED) {
            ck_assert_int_lt(s->n, MAX_SAW);
            s->events[s->n++] = r[i];
        }
}

static struct step step(enum step_kind kind, int64_t amount)
{
    return (struct step){
        .kind = kind, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = amount}};
}

static struct sc_event inspect(uint32_t vm, uint32_t n, int64_t at_ns, int64_t every_ns)
{
    return (struct sc_event){
        .at_ns = at_ns, .every_ns = every_ns, .verb = SC_INSPECT, .kind = SC_T_VM, .target = vm, .n = n};
}

/* The first VM sleeps for a tenth of the run, then keeps its secret, each time around. */
static struct lab *secret_lab(const char *scheduler, int64_t bytes, int64_t memory, int64_t duration_ns)
{
    struct lab *l = lab_new(scheduler, 2, 2, duration_ns);
    struct step s[] = {step(STEP_SLEEP, duration_ns / 10), step(STEP_SECRET, bytes)};
    lab_set_prog(l, 0, s, 2);
    l->vms[0].work.until = 1;
    l->vms[0].memory_bytes = memory;
    l->sc.run.sample_ns = l->sc.run.duration_ns;
    l->host.memory = (struct sc_memory){.page_bytes = 4096, .replacement = "fifo", .swap = SC_NONE};
    return l;
}

static void simulate(const struct lab *l, struct saw *s)
{
    struct rec_block *b = malloc(sizeof *b);
    char *why = NULL;
    rec_block_init(b);
    rec_block_add_reader(b, (struct rec_reader){note, s, 1u << REC_EVENT});
    struct model *m = model_new(&l->sc, LAB_SEED, MODEL_ALL, b);
    ck_assert_msg(model_run(m, &why) == 0, "%s", why ? why : "?");
    rec_block_flush(b);
    model_free(m);
    free(b);
}

static const struct found {
    int64_t bytes, memory; /* of a secret; of the VM, 0: not stated */
} founds[] = {
    {1, 0}, {32, 0}, {32, 4096}, {5000, 4096}, {32768, 0}, {32769, 1 << 20}, {100001, 0}, {3000000, 2500000},
};
#define N_FOUND (int)(sizeof founds / sizeof *founds)

static void found_in(const struct found *c, int i, int64_t duration_ns, struct lab **out, struct saw *kvm,
                     struct saw *sim)
{
    int64_t late = duration_ns / 10 * 8, first = duration_ns / 30;
    const struct sc_event e[] = {inspect(0, 2, 0, 0), inspect(0, 1, first, 0), inspect(0, 2, late, 0),
                                 inspect(1, 1, late + MS, 0), inspect(0, 1, late + MS, 0)};
    struct lab *l = *out = secret_lab(i % 2 ? "eevdf" : "rr", c->bytes, c->memory, duration_ns);
    l->sc.events = e;
    l->sc.n_events = 5;
    l->also = (struct rec_reader){note, kvm, 1u << REC_EVENT};
    *sim = *kvm = (struct saw){0};
    lab_run_well(l);
    simulate(l, sim);
    l->sc.n_events = 0;
}

static bool same(const struct saw *a, const struct saw *b)
{
    for (int i = 0; i < a->n && a->n == b->n; i++)
        if (a->events[i].value != b->events[i].value) return false;
    return a->n == b->n;
}

/* Before it is there, after, and at who has none; each twice, since what was read is still there. */
START_TEST(what_is_there_is_found)
{
    const struct found *c = &founds[_i / 2];
    struct saw sim, kvm;
    struct lab *l;
    for (int64_t ms = 200;; ms *= 3) {
        found_in(c, _i, ms * MS, &l, &kvm, &sim);
        if (same(&sim, &kvm) || ms > 2000) break;
        lab_free(l); /* too busy a machine: who reads is late */
    }
    ck_assert_uint_eq(l->seen[0].n[REC_UNTIL], 1);
    ck_assert_int_eq(kvm.n, 7);
    ck_assert_int_eq(sim.n, kvm.n);
    int64_t all = c->memory && c->memory < c->bytes ? c->memory : c->bytes, sum = 0;
    for (int i = 0; i < kvm.n; i++) {
        ck_assert_int_eq(kvm.events[i].t_ns, sim.events[i].t_ns);
        ck_assert_uint_eq(kvm.events[i].vm, sim.events[i].vm);
        ck_assert_int_eq(kvm.events[i].value, sim.events[i].value);
        sum += kvm.events[i].value;
    }
    ck_assert_int_eq(sum, 2 * all);
    ck_assert_uint_eq(l->rep.checksum[0], lab_expected(l, 0, 0, 1));
    lab_free(l);
}
END_TEST

/* Each step adds its own, up to all the memory there is; the administrator sees it grow. */
START_TEST(secrets_add_up)
{
    const struct sc_event e[] = {inspect(0, 1, 0, 20 * MS)};
    struct lab *l = secret_lab("rr", 10000, 65536, 600 * MS);
    struct step s[] = {step(STEP_SLEEP, 5 * MS), step(STEP_SECRET, 10000)};
    struct saw kvm = {0};
    lab_set_prog(l, 0, s, 2);
    l->sc.events = e;
    l->sc.n_events = 1;
    l->vms[0].work.until = 100;
    l->also = (struct rec_reader){note, &kvm, 1u << REC_EVENT};
    lab_run_well(l);
    ck_assert_int_ge(kvm.n, 10); /* some are late, on a busy machine, and the last then do not come */
    for (int i = 1; i < kvm.n; i++)
        ck_assert_int_ge(kvm.events[i].value, kvm.events[i - 1].value);
    ck_assert(kvm.events[0].value % 10000 == 0 || kvm.events[0].value == 65536);
    ck_assert_int_eq(kvm.events[kvm.n - 1].value, 65536);
    lab_free(l);
}
END_TEST

/* A guest whose memory is paged has secrets like any other, and a page of it is no secret. */
START_TEST(a_paged_guest_has_secrets_too)
{
    const struct sc_disk disk = {
        .name = "d", .entity = "host.h1.disk.d", .queue = "fifo", .grain_bytes = 4096};
    const struct sc_event e[] = {inspect(0, 2, 1000 * MS, 0)};
    struct lab *l = secret_lab("rr", 77777, 1 << 20, 1100 * MS);
    struct step s[] = {step(STEP_SECRET, 77777), step(STEP_TOUCH, 300)};
    struct saw kvm = {0};
    s[1].span = 40;
    s[1].write = UINT32_MAX;
    lab_set_prog(l, 0, s, 2);
    l->sc.events = e;
    l->sc.n_events = 1;
    l->sc.disks = &disk;
    l->sc.n_disks = 1;
    l->vms[0].memory_weight = 1000;
    l->host.memory = (struct sc_memory){
        .bytes = 20 * 4096, .page_bytes = 4096, .reclaim = {SC_SWAP}, .n_reclaim = 1, .replacement = "fifo"};
    l->also = (struct rec_reader){note, &kvm, 1u << REC_EVENT};
    lab_run_well(l);
    ck_assert_uint_eq(l->seen[0].n[REC_UNTIL], 1);
    ck_assert_int_eq(kvm.n, 2);
    ck_assert_int_eq(kvm.events[0].value, 77777);
    ck_assert_int_eq(kvm.events[1].value, 0);
    lab_free(l);
}
END_TEST

/* Of a guest that does not do as its program says nothing is found that is not there; nor of one that is
 * gone. */
START_TEST(nothing_is_found_where_nothing_is)
{
    static const char *const guests[] = {"endless", "null_store"};
    char path[4096], file[64];
    const struct sc_event e[] = {inspect(0, 1, 200 * MS, 0)};
    struct lab *l = secret_lab(_i / 2 ? "eevdf" : "rr", 100, 0, 300 * MS);
    struct saw kvm = {0};
    l->sc.events = e;
    l->sc.n_events = 1;
    snprintf(file, sizeof file, "guests/%s.elf", guests[_i % 2]);
    l->payloads[0] = open(lab_beside(path, sizeof path, file), O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(l->payloads[0], 0);
    l->also = (struct rec_reader){note, &kvm, 1u << REC_EVENT};
    lab_run_well(l);
    ck_assert_int_eq(kvm.n, 1);
    ck_assert_int_eq(kvm.events[0].value, 0);
    ck_assert_ptr_nonnull(l->rep.ends[0]);
    ck_assert_ptr_null(l->rep.ends[1]);
    lab_free(l);
}
END_TEST

START_TEST(too_many_for_a_guess)
{
    struct lab *l = secret_lab("rr", (INT64_C(1) << 30) + 1, 0, 300 * MS);
    ck_assert_int_eq(lab_run(l), KVM_FAILED);
    ck_assert_ptr_nonnull(strstr(l->why, "its secrets are over 1GiB, and its memory is not stated"));
    lab_free(l);
}
END_TEST

Suite *secrets_suite(void)
{
    Suite *s = suite_create("secrets");
    TCase *t = tcase_create("secrets");
    tcase_set_timeout(t, 60);
    if (lab_usable("secrets")) {
        tcase_add_loop_test(t, what_is_there_is_found, 0, 2 * N_FOUND);
        tcase_add_test(t, secrets_add_up);
        tcase_add_test(t, a_paged_guest_has_secrets_too);
        tcase_add_loop_test(t, nothing_is_found_where_nothing_is, 0, 4);
        tcase_add_test(t, too_many_for_a_guess);
    }
    suite_add_tcase(s, t);
    return s;
}
