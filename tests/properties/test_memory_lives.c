// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory that moves: random lives of VMs that touch, on three hosts of different sizes, prices and ways to
 * take memory back. They are moved, with their memory or before it; logged; cut off and powered on again.
 * After each thing that happens the books of all hosts hold; and each life is lived twice, once with an event
 * for every reference, with the same outcome. */
#include <inttypes.h>
#include <string.h>

#include "model/host.h"
#include "model/mem_reclaim.h"
#include "model/power.h"
#include "tests/memlab.h"
#include "tests/often.h"
#include "tests/properties/memory_world.h"

Suite *memory_lives_suite(void);

enum { ASKED = 512, TRACE = 1 << 14, LIVES = 8 };

/* --- what is known of a VM besides --- */

struct known {
    uint32_t asked[ASKED], n_asked; /* post-copy: pages under way */
    uint32_t next;                  /* to be pushed */
    bool behind;                    /* some are still to come */
    bool was_dirty[PAGES];          /* when it left them */
    bool ever[PAGES];               /* asked for since */
    bool log;
    struct prog_touch gen[TASKS]; /* each task's references, drawn once more */
    int64_t drawn[TASKS];
    bool wrote[PAGES], logged[PAGES]; /* written to since it was powered on, or the log taken */
    int64_t base;                     /* references counted before its tasks began */
};

enum {
    SEEN_MOVED,
    SEEN_DIRTY,
    SEEN_TAKEN,
    SEEN_ASKED,
    SEEN_PUSHED,
    SEEN_SWAPPED,
    SEEN_OOM,
    SEEN_WAITED,
    SEEN_SHARED,
    SEEN_KINDS
};

static struct world {
    struct memlab *l;
    struct known of[VMS];
    int64_t trace[TRACE];
    uint32_t n;
    int64_t seen[SEEN_KINDS]; /* of each kind of thing, how often */
} * w;

static struct vm *vm_of(uint32_t i)
{
    return &w->l->m->vms[i];
}

static void ask(struct model *m, struct vm *vm, uint32_t page)
{
    (void)m;
    struct known *k = &w->of[vm->index];
    ck_often(k->behind && !k->ever[page] && k->n_asked < ASKED);
    k->ever[page] = true;
    k->asked[k->n_asked++] = page;
    w->seen[SEEN_ASKED]++;
}

static void settle(void)
{
    for (uint32_t h = 0; h < HOSTS; h++)
        cpu_settle(w->l->m, &w->l->m->hosts[h]);
    book_settle(w->l->m);
}

/* How many references of the task have had their effect. */
static int64_t effects(const struct vm *vm, uint32_t task)
{
    const struct touch *t = vm->tasks[task].touch;
    return t ? vm->tasks[task].act.amount - t->gen.left - (t->n - t->i) + (t->stage == TOUCH_SERVED) : 0;
}

/* References counted: those, and the ones whose fault has begun. */
static void check_refs(uint32_t i)
{
    const struct vm *vm = vm_of(i);
    int64_t refs = w->of[i].base;
    for (uint32_t t = 0; t < vm->n_tasks; t++) {
        const struct touch *touch = vm->tasks[t].touch;
        refs += effects(vm, t) + (touch && touch->stage >= TOUCH_FETCH);
    }
    ck_assert_int_eq(memlab_count(w->l, i, REC_N_MEM_REFS), refs);
}

/* What the tasks of the first two have written to, by the program's own sequence; no written page is shared.
 */
static void follow(uint32_t i)
{
    struct known *k = &w->of[i];
    struct vm *vm = vm_of(i);
    if (i >= 2) return; /* of short steps it does not know which one a task is in */
    for (uint32_t t = 0; t < vm->n_tasks; t++) {
        if (!vm->tasks[t].touch) continue;
        if (k->drawn[t] == 0) prog_touch_begin(&k->gen[t], &vm->tasks[t].at, &vm->tasks[t].act);
        for (int64_t upto = effects(vm, t); k->drawn[t] < upto; k->drawn[t]++) {
            uint32_t ref;
            ck_often(prog_touch_fill(&k->gen[t], &ref, 1) == 1);
            if (ref & PROG_TOUCH_WRITE)
                k->wrote[ref & ~PROG_TOUCH_WRITE] = k->logged[ref & ~PROG_TOUCH_WRITE] = true;
        }
    }
    for (uint32_t p = 0; p < PAGES; p++) {
        const uint32_t *word = mem_word(vm->mem, p);
        if (k->wrote[p]) ck_often(word && page_where(*word) != PAGE_SHARED);
        w->seen[SEEN_SHARED] += word && page_where(*word) == PAGE_SHARED;
    }
}

static void log_off(uint32_t i)
{
    if (w->of[i].log) mem_log(w->l->m, vm_of(i), false);
    w->of[i].log = false;
}

/* Whatever it was at is over. */
static void is_off(uint32_t i)
{
    const struct vm *vm = vm_of(i);
    struct known *k = &w->of[i];
    log_off(i);
    k->behind = false;
    k->n_asked = 0;
    k->base = memlab_count(w->l, i, REC_N_MEM_REFS);
    memset(k->drawn, 0, sizeof k->drawn);
    memset(k->wrote, 0, sizeof k->wrote);
    ck_often(vm->mem->resident == 0 && vm->mem->swapped == 0 && mem_touched(vm) == 0);
}

static void check(void)
{
    char *why = NULL;
    mem_sync_all(w->l->m);
    ck_assert_msg(mem_check(w->l->m, &why) == 0, "%s", why ? why : "?");
    for (uint32_t i = 0; i < VMS; i++) {
        struct vm *vm = vm_of(i);
        if (vm->off) is_off(i);
        if (i < 2 && !vm->off) {
            check_refs(i);
            follow(i);
        }
        ck_often(vm->mem->mem->host == vm->host);
        ck_often(w->n + 12 < TRACE);
        for (enum rec_count c = REC_N_MEM_REFS; c <= REC_N_MEM_WALKREFS; c++)
            w->trace[w->n++] = memlab_count(w->l, i, c);
        w->trace[w->n++] = (int64_t)vm->done;
        w->trace[w->n++] = (int64_t)vm->checksum;
        w->trace[w->n++] = vm->off ? vm->charged_ns : 0;
        w->trace[w->n++] = vm->mem->resident;
    }
}

/* --- what may happen; what was referred to before is not booked yet when it does --- */

static void live(int64_t ns)
{
    memlab_now = w->l;
    ck_often(sim_run(w->l->m->sim, sim_now(w->l->m->sim) + ns) != SIM_STALLED);
}

/* Whether each page has content, and is dirty. */
struct shot {
    bool content[PAGES], dirty[PAGES];
};

static struct shot shoot(const struct vm *vm)
{
    struct shot s = {.content = {false}};
    for (uint32_t p = 0; p < PAGES; p++) {
        const uint32_t *word = mem_word(vm->mem, p);
        s.content[p] = word && *word;
        s.dirty[p] = word && *word & PAGE_DIRTY;
    }
    return s;
}

/* All that had content has it still, here; what was dirty is, or has been written to this host's swap. */
static void check_moved(const struct vm *vm, const struct shot *was)
{
    struct shot is = shoot(vm);
    for (uint32_t p = 0; p < PAGES; p++) {
        const uint32_t *word = mem_word(vm->mem, p);
        ck_often(was->content[p] == is.content[p]);
        if (was->dirty[p] && page_where(*word) == PAGE_RESIDENT) ck_often(is.dirty[p]);
        if (is.dirty[p]) ck_often(was->dirty[p]);
        w->seen[SEEN_DIRTY] += is.dirty[p];
    }
}

static bool waits(const struct vm *vm)
{
    bool some = false;
    for (uint32_t t = 0; t < vm->n_tasks; t++)
        some |= vm->tasks[t].touch && vm->tasks[t].touch->stage >= TOUCH_FETCH;
    return some;
}

static void move(struct rng *r, uint32_t i, bool behind)
{
    struct model *m = w->l->m;
    struct vm *vm = vm_of(i);
    struct known *k = &w->of[i];
    struct mhost *from = vm->host, *to = &m->hosts[(from->index + 1 + pick(r, 2)) % HOSTS];
    struct vmem *left = vm->mem;
    int64_t before = pick(r, 2) * pick(r, 30000), after = pick(r, 2) * pick(r, 30000);
    if (k->behind || vm->doomed) return;
    power_hold(m, vm, HOLD_MIGRATE);
    settle();
    live(before);
    if (!vm->off && !vm->doomed) {
        log_off(i);
        mem_sync(m, from);
        struct shot was = shoot(vm);
        w->seen[SEEN_MOVED]++;
        w->seen[SEEN_SWAPPED] += vm->mem->swapped;
        bool waited = waits(vm);
        w->seen[SEEN_WAITED] += waited;
        k->behind = vm->behind = behind;
        k->next = 0;
        memset(k->ever, 0, sizeof k->ever);
        memcpy(k->was_dirty, was.dirty, sizeof k->was_dirty);
        host_move(m, vm, to);
        vm->behind = false;
        ck_often(left->ballooned == 0 && left->shared == 0 && left->resident == 0 && left->swapped == 0);
        /* One that waited may be past its page by now, and at the next. */
        if (!vm->doomed && !waited) check_moved(vm, &was);
        settle();
        check();
    }
    live(after);
    power_release(m, vm, HOLD_MIGRATE);
    settle();
}

static void move_off(struct rng *r, uint32_t i)
{
    struct model *m = w->l->m;
    host_move(m, vm_of(i), &m->hosts[(vm_of(i)->host->index + 1 + pick(r, 2)) % HOSTS]);
    settle();
}

static void arrive(uint32_t i, uint32_t page)
{
    struct vm *vm = vm_of(i);
    mem_fetched(w->l->m, vm, page);
    const uint32_t *word = mem_word(vm->mem, page);
    ck_often(vm->doomed || page_where(*word) != PAGE_AWAY || page_away(*word) < AWAY_STRANDED);
    if (page_where(*word) == PAGE_RESIDENT && w->of[i].was_dirty[page]) ck_often(*word & PAGE_DIRTY);
    settle();
}

/* Pages come, any of those under way; then, as there is room for it, the next is pushed. */
static void bring(struct rng *r, uint32_t i, uint32_t n)
{
    struct known *k = &w->of[i];
    struct vm *vm = vm_of(i);
    while (n-- > 0 && k->behind && !vm->doomed) {
        uint32_t page = pick(r, 2) ? mem_stranded(vm, k->next) : MEM_NO_PAGE;
        if (page != MEM_NO_PAGE) {
            ck_often(!k->ever[page]);
            k->ever[page] = true;
            mem_asked(vm, page);
            k->asked[k->n_asked++] = page;
            k->next = page + 1;
            w->seen[SEEN_PUSHED]++;
        }
        if (k->n_asked == 0) {
            k->behind = mem_stranded(vm, 0) != MEM_NO_PAGE;
            continue;
        }
        uint32_t at = pick(r, k->n_asked);
        page = k->asked[at];
        k->asked[at] = k->asked[--k->n_asked];
        arrive(i, page);
    }
}

static void log_begin(uint32_t i)
{
    if (w->of[i].behind || vm_of(i)->doomed) return;
    log_off(i);
    mem_log(w->l->m, vm_of(i), true);
    w->of[i].log = true;
    follow(i);
    memset(w->of[i].logged, 0, sizeof w->of[i].logged);
}

static void log_take(uint32_t i)
{
    struct known *k = &w->of[i];
    int64_t n = 0, got = mem_log_take(w->l->m, vm_of(i));
    follow(i);
    for (uint32_t p = 0; p < PAGES; p++)
        n += k->logged[p];
    memset(k->logged, 0, sizeof k->logged);
    if (i < 2) ck_assert_int_eq(got, n);
    w->seen[SEEN_TAKEN] += got;
    w->trace[w->n++] = got;
}

static void happen(struct rng *r)
{
    uint32_t i = pick(r, VMS);
    struct vm *vm = vm_of(i);
    if (vm->off) {
        is_off(i);
        if (pick(r, 2)) move_off(r, i);
        if (pick(r, 2)) {
            power_on(w->l->m, vm);
            settle();
        }
        return;
    }
    switch (pick(r, 15)) {
    case 0:
    case 1:
    case 2: move(r, i, false); break;
    case 3:
    case 4: move(r, i, true); break;
    case 5:
    case 12:
        if (!w->of[i].log) log_begin(i);
        break;
    case 6:
    case 7:
    case 13:
    case 14:
        if (w->of[i].log) log_take(i);
        break;
    case 8:
        if (pick(r, 4)) break;
        log_off(i);
        power_cut(w->l->m, vm);
        settle();
        break;
    default: bring(r, i, pick(r, 40));
    }
}

/* --- lives --- */

static void listen(void *ctx, const struct rec *rec, size_t n)
{
    struct world *of = ctx;
    for (; n-- > 0; rec++)
        of->seen[SEEN_OOM] += rec->kind == REC_EVENT && rec->cause == REC_EV_OOM;
}

/* Who is up goes on, all pages there; nobody waits for ever. */
static void check_goes_on(struct rng *r)
{
    int64_t refs[VMS];
    for (uint32_t i = 0; i < VMS; i++)
        if (!vm_of(i)->off) bring(r, i, 2 * PAGES * 4);
    live(2000000);
    check();
    for (uint32_t i = 0; i < VMS; i++)
        refs[i] = memlab_count(w->l, i, REC_N_MEM_REFS);
    live(30000000);
    check();
    for (uint32_t i = 0; i < VMS; i++)
        ck_assert_msg(vm_of(i)->off || memlab_count(w->l, i, REC_N_MEM_REFS) > refs[i], "v%u stands still",
                      i);
}

/* All off: no host holds anything. */
static void check_nothing_left(void)
{
    struct model *m = w->l->m;
    for (uint32_t i = 0; i < VMS; i++) {
        log_off(i);
        power_cut(m, vm_of(i));
    }
    settle();
    live(100000000);
    check();
    for (uint32_t h = 0; h < HOSTS; h++) {
        const struct mem *mem = m->hosts[h].mem;
        ck_assert_int_eq(mem->used, 0);
        ck_assert_uint_eq(mem->in_flight, 0);
        ck_assert_uint_eq(mem->n_listed, 0);
        ck_assert_ptr_null(mem->starved_first);
        for (enum rec_level v = REC_L_MEM_RESIDENT; v <= REC_L_MEM_SWAPPED; v++)
            ck_assert_int_eq(m->hosts[h].book->level[v], 0);
    }
}

static struct world *life(const struct lab *lab, uint64_t seed, bool stepping, struct rng r, bool to_the_end)
{
    w = calloc(1, sizeof *w);
    w->l = memlab_new(lab, seed, 1000 + pick(&r, 20000));
    for (uint32_t h = 0; h < HOSTS; h++) {
        struct mem *mem = w->l->m->hosts[h].mem;
        mem->asker = ask;
        mem->stepping = stepping;
    }
    rec_block_add_reader(&w->l->out, (struct rec_reader){listen, w, 1u << REC_EVENT});
    memlab_to(w->l, 1);
    for (int k = 0; k < 60; k++) {
        live(1 + pick(&r, pick(&r, 3) ? 20000 : 300000));
        happen(&r);
        check();
    }
    if (to_the_end) {
        check_goes_on(&r);
        check_nothing_left();
    }
    rec_block_flush(&w->l->out);
    memlab_free(w->l);
    w->l = NULL;
    return w;
}

START_TEST(any_life)
{
    int64_t seen[SEEN_KINDS] = {0};
    for (uint64_t i = 0; i < LIVES; i++) {
        uint64_t seed = 1000 * (uint64_t)_i + i;
        struct rng r = rng_at(815, seed, 0);
        struct text t = {.n = 0};
        say_all(&t, &r);
        struct lab *lab = lab_open("%s", t.s);
        struct world *a = life(lab, seed, false, r, true);
        struct world *b = life(lab, seed, true, r, true);
        uint32_t k = 0;
        while (k < a->n && k < b->n && a->trace[k] == b->trace[k])
            k++;
        ck_assert_msg(k == a->n && k == b->n,
                      "%s\nseed %" PRIu64 ": number %u of %u and %u is %" PRId64 ", stepped %" PRId64, t.s,
                      seed, k, a->n, b->n, a->trace[k], b->trace[k]);
        for (int s = 0; s < SEEN_KINDS; s++)
            seen[s] += a->seen[s];
        free(a);
        free(b);
        lab_close(lab);
    }
    for (int s = 0; s < SEEN_KINDS; s++)
        ck_assert_msg(seen[s] > 0, "kind %d was not seen in any life", s);
}
END_TEST

Suite *memory_lives_suite(void)
{
    Suite *s = suite_create("memory_lives");
    TCase *t = tcase_create("memory_lives");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, any_life, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
