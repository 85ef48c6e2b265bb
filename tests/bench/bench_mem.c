// SPDX-License-Identifier: GPL-3.0-or-later
/* bench_mem - what memory costs: clock, 10^6 frames, references of which three in ten write.
 *
 *   mem-hit       a uniform reference that hits and takes no time, drawn and done, beside the least that
 * models one mem-zipf      the same by zipf .8, whose draw is most of it mem-run       the whole path,
 * engine, CPU, records and meter: a uniform reference of 100 ns, all hit mem-walk      the same, and each
 * misses the TLB: a native walk of 30 ns mem-nested    the same with nested paging: what the walk takes
 * longer is overhead, told apart by the ns, so that each reference is two events of the CPU mem-fault     a
 * hard fault with an eviction, half of them written to swap, and the hit that comes with it: memory's own
 * part, from the reference to the task that goes on, the calls to the device included. Left out: the device
 * (it does nothing), and what a vCPU does when its task waits mem-fault-cpu the whole path of the same: also
 * the vCPU's block and wake-up, the scheduler's part in them, their records and the meter that reads them,
 * the device's answer as one event (and nothing else of it), and the CPU's events for the references' time,
 * two or three a fault */
#include "bare_mem.h"
#include "bench.h"
#include "metrics/meter.h"
#include "model/cpu.h"

enum { FRAMES = BARE_FRAMES, DEVICE_NS = 10000 };

struct own {
    struct scenario_file *file;
    struct scenario *sc;
    struct meter *meter; /* NULL: nobody reads records */
    struct rec_block out;
    struct model *m;
    struct vm *vm;
    uint64_t arg; /* what the device was asked for last */
    uint32_t ev_device;
};

static struct own *now; /* the device has no context of its own */

static struct own *own_new(const char *yaml)
{
    struct own *o = calloc(1, sizeof *o);
    struct diag d;
    ASSERT(o);
    diag_init(&d);
    o->file = scenario_parse("bench", yaml, strlen(yaml), &d);
    o->sc = o->file ? scenario_at(o->file, 0, &d) : NULL;
    if (!o->sc) {
        diag_print(&d, stderr, false);
        exit(2);
    }
    diag_done(&d);
    rec_block_init(&o->out);
    return now = o;
}

static void own_free(void *st)
{
    struct own *o = st;
    model_free(o->m);
    if (o->meter) meter_free(o->meter);
    scenario_free(o->sc);
    scenario_close(o->file);
    free(o);
}

static int64_t counted(const struct own *o, enum rec_count what)
{
    return o->vm->book->count[what];
}

#define HOST(more)                                                                                           \
    "vlab: 1\nname: bench\nrun: {duration: 365d}\n"                                                          \
    "hosts: [{name: h, cpu: {cores: 1}, disks: [{name: d}]" more                                             \
    "         memory: {size: 4000000KiB, page: 4KiB, reclaim: [swap], swap: d, replacement: clock"
#define VM "vms: [{name: a, host: h, memory: 16GiB, workload: {kind: loop, steps: ["
#define TOUCH(number, of, pattern)                                                                           \
    "{touch: {pages: " number ", of: " of ", pattern: " pattern ", write: 30%}}"
#define FIT   "4000000KiB"
#define TWICE "8000000KiB"

/* --- memory alone: the benchmark is the task, and whoever wakes it --- */

static void ask(struct model *m, uint32_t disk, struct vm *vm, bool write, int64_t bytes, uint64_t arg)
{
    (void)m, (void)disk, (void)vm, (void)bytes;
    if (!write) now->arg = arg;
}

static struct own *alone_new(const char *yaml)
{
    struct own *o = own_new(yaml);
    o->m = model_new(o->sc, 1, MODEL_ALL, &o->out);
    o->vm = &o->m->vms[0];
    o->vm->off = true; /* wakes nobody */
    o->m->hosts[0].mem->pager = ask;
    struct task *k = &o->vm->tasks[0];
    k->act = (struct prog_act){.kind = STEP_TOUCH, .amount = INT64_MAX, .step = prog_steps(o->vm->prog)};
    mem_begin(o->m, o->vm, 0);
    return o;
}

/* n references, however they end. */
static void refer(struct own *o, uint64_t n)
{
    struct touch *t = o->vm->tasks[0].touch;
    int64_t useful = 0, overhead = 0;
    t->gen.left = (int64_t)n;
    while (mem_touch(o->m, o->vm, 0, &useful, &overhead) == MEM_WAIT)
        mem_io_done(o->m, o->arg);
}

/* Each page of the first n is referred to, every other one written. */
static void refer_to_all(struct own *o, uint32_t n)
{
    struct touch *t = o->vm->tasks[0].touch;
    for (uint32_t p = 0; p < n; p++) {
        t->refs[0] = p | (p % 2 ? PROG_TOUCH_WRITE : 0);
        t->i = 0;
        t->n = 1;
        refer(o, 0);
    }
}

static void *hit_new(uint64_t zipf)
{
    struct own *o = alone_new(zipf ? HOST(",") "}}]\n" VM TOUCH("1", FIT, "{zipf: .8}") ", {cpu: 1s}]}}]\n"
                                   : HOST(",") "}}]\n" VM TOUCH("1", FIT, "uniform") ", {cpu: 1s}]}}]\n");
    refer_to_all(o, FRAMES);
    return o;
}

BENCH_NOINLINE static void hit_run(void *st, uint64_t n)
{
    refer(now = st, n);
}

/* Twice the pages: every other reference faults. */
static void *fault_new(uint64_t size)
{
    (void)size;
    struct own *o = alone_new(HOST(",") "}}]\n" VM TOUCH("1", TWICE, "uniform") ", {cpu: 1s}]}}]\n");
    refer_to_all(o, 2 * FRAMES);
    return o;
}

BENCH_NOINLINE static void fault_run(void *st, uint64_t n)
{
    struct own *o = now = st;
    int64_t until = counted(o, REC_N_MEM_FAULTS) + (int64_t)n;
    for (int64_t left; (left = until - counted(o, REC_N_MEM_FAULTS)) > 0;)
        refer(o, 2 * (uint64_t)left);
}

/* --- the whole path --- */

static void page(struct model *m, uint32_t disk, struct vm *vm, bool write, int64_t bytes, uint64_t arg)
{
    (void)disk, (void)vm, (void)bytes;
    if (write) return;
    now->arg = arg;
    sim_at(m->sim, sim_now(m->sim) + DEVICE_NS, EVQ_NORMAL, now->ev_device, 0);
}

static void on_device(void *ctx, uint32_t arg)
{
    struct own *o = ctx;
    (void)arg;
    mem_io_done(o->m, o->arg);
    cpu_settle(o->m, &o->m->hosts[0]);
    book_settle(o->m);
}

static struct own *path_new(const char *yaml)
{
    struct own *o = own_new(yaml);
    o->meter = meter_new(o->sc, &(struct meter_opts){.only_vm = MODEL_ALL});
    rec_block_add_reader(&o->out, meter_reader(o->meter));
    o->m = model_new(o->sc, 1, MODEL_ALL, &o->out);
    o->vm = &o->m->vms[0];
    o->m->hosts[0].mem->pager = page;
    o->ev_device = sim_on(o->m->sim, "device", on_device, o);
    return o;
}

/* Until there are so many more of what is counted. */
static void path_count(struct own *o, enum rec_count what, int64_t more)
{
    int64_t until = counted(o, what) + more;
    now = o;
    for (int64_t left; (left = until - counted(o, what)) > 0; mem_sync_all(o->m))
        sim_run(o->m->sim, sim_now(o->m->sim) + 100 * left);
}

/* All pages once, in turn, then at random without end. */
#define STEPS(pages, of) VM TOUCH(pages, of, "cyclic") ", " TOUCH("1000000000000", of, "uniform") "]}"

static void *run_new(uint64_t kind)
{
    static const char *const yaml[] = {
        HOST(",") ", ref_cost: 100ns}}]\n" STEPS("1000000", FIT) "}]\n",
        HOST(", tlb: {entries: 1536, walk: 30ns},") ", ref_cost: 100ns}}]\n" STEPS("1000000",
                                                                                   FIT) ", mode: bare}]\n",
        HOST(", hypervisor: {nested_paging: true}, tlb: {entries: 1536, walk: 30ns},") ", ref_cost: "
                                                                                       "100ns}}]\n" STEPS(
                                                                                           "1000000",
                                                                                           FIT) ", mode: "
                                                                                                "hardware}]"
                                                                                                "\n",
        HOST(",") ", ref_cost: 100ns}}]\n" STEPS("2000000", TWICE) "}]\n",
    };
    struct own *o = path_new(yaml[kind]);
    path_count(o, REC_N_MEM_REFS, kind == 3 ? 2000000 : 1000000);
    return o;
}

BENCH_NOINLINE static void run_run(void *st, uint64_t n)
{
    path_count(st, REC_N_MEM_REFS, (int64_t)n);
}

BENCH_NOINLINE static void run_faults(void *st, uint64_t n)
{
    path_count(st, REC_N_MEM_FAULTS, (int64_t)n);
}

/* --- */

static void of_15(const void *own, const void *bare, double own_ns, double bare_ns)
{
    (void)own, (void)bare, (void)bare_ns;
    printf("  %.1f ns of the 15 that a reference may take which hits   %s\n", own_ns,
           own_ns <= 15 ? "ok" : "OVER");
}

static void of_150(const void *own, const void *bare, double own_ns, double bare_ns)
{
    (void)own, (void)bare, (void)bare_ns;
    printf("  %.0f ns of the 150 that a hard fault with eviction may take   %s\n", own_ns,
           own_ns <= 150 ? "ok" : "OVER");
}

#define FIGURE(NAME, NEW, SIZE, RUN, BARE_SIZE, BARE, STATED, N, BOUND, NOTE)                                \
    {                                                                                                        \
        .name = NAME, .own_new = NEW, .own_run = RUN, .own_free = own_free, .bare_new = BARE_SIZE,           \
        .bare_run = BARE, .bare_free = bare_mem_free, .size = SIZE, .n = N, .bound = BOUND,                  \
        .stated_ns = STATED, .note = NOTE                                                                    \
    }
#define HIT(NAME, NEW, SIZE, RUN, N, BOUND, NOTE)                                                            \
    FIGURE(NAME, NEW, SIZE, RUN, bare_mem_fit, bare_mem_hits, 8, N, BOUND, NOTE)
#define FAULT(NAME, NEW, SIZE, RUN, N, BOUND, NOTE)                                                          \
    FIGURE(NAME, NEW, SIZE, RUN, bare_mem_twice, bare_mem_faults, 46, N, BOUND, NOTE)

static const struct bench_figure figures[] = {
    HIT("mem-hit", hit_new, 0, hit_run, 2000000, 1.5, of_15),
    HIT("mem-zipf", hit_new, 1, hit_run, 1000000, 0, NULL),
    HIT("mem-run", run_new, 0, run_run, 2000000, 0, of_15),
    HIT("mem-walk", run_new, 1, run_run, 1000000, 0, NULL),
    HIT("mem-nested", run_new, 2, run_run, 200000, 0, NULL),
    FAULT("mem-fault", fault_new, 0, fault_run, 500000, 5, of_150),
    FAULT("mem-fault-cpu", run_new, 3, run_faults, 200000, 0, NULL),
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, figures, sizeof figures / sizeof *figures);
}
