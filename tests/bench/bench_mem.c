// SPDX-License-Identifier: GPL-3.0-or-later
/* bench_mem - what memory costs: clock, 10^6 frames, uniform references of which three in ten write.
 *
 *   mem-hit      a reference that hits, beside the least that models one: draw, load the page's word, set
 *                its flags and the frame's reference bit
 *   mem-fault    a hard fault with an eviction (half of them written to swap), device and CPU events left
 * out: both ends of the fault, beside the least: a hand that clears bits, two words, two counters mem-zipf a
 * reference by zipf .8 that hits */
#include "bench.h"

#include "model/mem_inner.h"

enum { PAGES = 1000000 };

static const char hit_yaml[] =
    "vlab: 1\nname: b\nrun: {duration: 1s}\n"
    "hosts: [{name: h, cpu: {cores: 1}, disks: [{name: d}], memory: {size: %dKiB, page: 4KiB, reclaim: "
    "[swap],"
    " swap: d, replacement: clock}}]\n"
    "vms: [{name: a, host: h, memory: 16GiB, workload: {kind: loop, steps: [{cpu: 1s}, "
    "{touch: {pages: 1000000, of: %dKiB, pattern: %s, write: 30%%}}]}}]\n";

struct own {
    struct scenario_file *file;
    struct scenario *sc;
    struct rec_block out;
    struct model *m;
    struct vm *vm;
    uint64_t arg, refs;
    bool pending;
};

static struct own *now;

/* A null device: what it was asked for last, and nothing else. */
static void pager(struct model *m, uint32_t disk, struct vm *vm, bool write, int64_t bytes, uint64_t arg)
{
    (void)m, (void)disk, (void)vm, (void)bytes;
    if (write) return;
    now->arg = arg;
    now->pending = true;
}

/* The task's references, from the beginning of the step; hits take no time, so they are one call. */
static void touch_step(struct own *o)
{
    struct task *k = &o->vm->tasks[0];
    k->act.kind = STEP_TOUCH;
    k->act.step = &prog_steps(o->vm->prog)[1];
    k->act.amount = INT64_MAX;
    k->act.pc = 1;
    k->at.iter++;
    mem_begin(o->m, o->vm, 0);
}

static void *own_new(int frames, int pages, const char *pattern)
{
    struct own *o = calloc(1, sizeof *o);
    char text[1024];
    struct diag d;
    if (!o) abort();
    diag_init(&d);
    int len = snprintf(text, sizeof text, hit_yaml, frames * 4, pages * 4, pattern);
    o->file = scenario_parse("bench.yaml", text, (size_t)len, &d);
    o->sc = o->file ? scenario_at(o->file, 0, &d) : NULL;
    if (!o->sc) abort();
    diag_done(&d);
    rec_block_init(&o->out);
    o->m = model_new(o->sc, 1, MODEL_ALL, &o->out);
    o->vm = &o->m->vms[0];
    o->vm->off = true; /* wakes nobody: the benchmark is the task */
    o->m->hosts[0].mem->pager = pager;
    now = o;
    touch_step(o);
    return o;
}

/* n references, however they end. */
static void refer(struct own *o, uint64_t n)
{
    struct touch *t = o->vm->tasks[0].touch;
    int64_t useful = 0, overhead = 0;
    t->gen.left = (int64_t)n;
    while (mem_touch(o->m, o->vm, 0, &useful, &overhead) == MEM_WAIT) {
        o->pending = false;
        mem_io_done(o->m, o->arg);
    }
}

static void *hit_new(uint64_t size)
{
    struct own *o = own_new(PAGES, PAGES, size ? "{zipf: .8}" : "uniform");
    struct touch *t = o->vm->tasks[0].touch;
    for (uint32_t p = 0; p < PAGES; p++) { /* all are there */
        t->refs[0] = p;
        t->i = 0;
        t->n = 1;
        refer(o, 0);
    }
    return o;
}

static void own_free(void *st)
{
    struct own *o = st;
    model_free(o->m);
    scenario_free(o->sc);
    scenario_close(o->file);
    free(o);
}

BENCH_NOINLINE static void hit_run(void *st, uint64_t n)
{
    refer(now = st, n);
}

/* Twice the pages: every other reference faults, so the stretch is long enough that faults are most of it. A
 * reference that hits is left out by asking for pages that are away. */
static void *fault_new(uint64_t size)
{
    (void)size;
    struct own *o = own_new(PAGES, 2 * PAGES, "uniform");
    struct touch *t = o->vm->tasks[0].touch;
    for (uint32_t p = 0; p < 2 * PAGES; p++) {
        t->refs[0] = p | (p % 2 ? PROG_TOUCH_WRITE : 0);
        t->i = 0;
        t->n = 1;
        refer(o, 0);
    }
    return o;
}

BENCH_NOINLINE static void fault_run(void *st, uint64_t n)
{
    struct own *o = now = st;
    int64_t faults = o->vm->book->count[REC_N_MEM_FAULTS], start = faults;
    while (faults - start < (int64_t)n) {
        refer(o, 2 * (n - (uint64_t)(faults - start)));
        faults = o->vm->book->count[REC_N_MEM_FAULTS];
    }
}

/* --- the bare loops --- */

struct bare {
    struct rng rng;
    uint32_t hand, n_pages;
    int64_t resident, faults;
    uint32_t *words, *owner;
    uint8_t *bits;
};

static void *bare_new(uint64_t size)
{
    struct bare *b = calloc(1, sizeof *b);
    if (!b) abort();
    b->n_pages = size == 2 ? 2 * PAGES : PAGES;
    b->rng = rng_at(1, 2, 3);
    b->words = calloc(b->n_pages, sizeof *b->words);
    b->owner = calloc(PAGES, sizeof *b->owner);
    b->bits = calloc(PAGES, 1);
    if (!b->words || !b->owner || !b->bits) abort();
    for (uint32_t i = 0; i < PAGES; i++) {
        b->words[i] = page_at(PAGE_RESIDENT, i);
        b->owner[i] = i;
    }
    return b;
}

static void bare_free(void *st)
{
    struct bare *b = st;
    free(b->words);
    free(b->owner);
    free(b->bits);
    free(b);
}

BENCH_NOINLINE static void bare_hits(void *st, uint64_t n)
{
    struct bare *b = st;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t page = (uint32_t)((uint64_t)rng_u32(&b->rng) * PAGES >> 32);
        uint32_t flags = rng_u32(&b->rng) < 1288490188 ? PAGE_ACTIVE | PAGE_DIRTY : PAGE_ACTIVE;
        uint32_t w = b->words[page];
        if ((w & flags) != flags) b->words[page] = w | flags;
        b->bits[w & PAGE_NUMBER] = 1;
    }
}

BENCH_NOINLINE static void bare_faults(void *st, uint64_t n)
{
    struct bare *b = st;
    for (uint64_t done = 0; done < n;) {
        uint32_t page = (uint32_t)((uint64_t)rng_u32(&b->rng) * b->n_pages >> 32);
        if (page_where(b->words[page]) == PAGE_RESIDENT) {
            b->bits[b->words[page] & PAGE_NUMBER] = 1;
            continue;
        }
        while (b->bits[b->hand]) {
            b->bits[b->hand] = 0;
            b->hand = b->hand + 1 == PAGES ? 0 : b->hand + 1;
        }
        b->words[b->owner[b->hand]] = PAGE_COPY;
        b->owner[b->hand] = page;
        b->words[page] = page_at(PAGE_RESIDENT, b->hand);
        b->bits[b->hand] = 1;
        b->faults++;
        done++;
    }
}

static void within_15(const void *own, const void *bare, double own_ns, double bare_ns)
{
    (void)own, (void)bare, (void)bare_ns;
    printf("                 a reference that hits: %.1f ns of at most 15\n", own_ns);
}

static void within_150(const void *own, const void *bare, double own_ns, double bare_ns)
{
    (void)own, (void)bare, (void)bare_ns;
    printf("                 a hard fault with eviction, and a hit beside it: %.1f ns of at most 150\n",
           own_ns);
}

int main(int argc, char **argv)
{
    static const struct bench_figure figs[] = {
        {.name = "mem-hit",
         .own_new = hit_new,
         .own_run = hit_run,
         .own_free = own_free,
         .bare_new = bare_new,
         .bare_run = bare_hits,
         .bare_free = bare_free,
         .n = 2000000,
         .bound = 1.5,
         .note = within_15},
        {.name = "mem-zipf",
         .own_new = hit_new,
         .own_run = hit_run,
         .own_free = own_free,
         .bare_new = bare_new,
         .bare_run = bare_hits,
         .bare_free = bare_free,
         .size = 1,
         .n = 1000000},
        {.name = "mem-fault",
         .own_new = fault_new,
         .own_run = fault_run,
         .own_free = own_free,
         .bare_new = bare_new,
         .bare_run = bare_faults,
         .bare_free = bare_free,
         .size = 2,
         .n = 500000,
         .bound = 5,
         .note = within_150},
    };
    return bench_main(argc, argv, figs, sizeof figs / sizeof figs[0]);
}
