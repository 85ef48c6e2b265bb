// SPDX-License-Identifier: GPL-3.0-or-later
/* pagelab.h - a lab whose host has less memory than its VMs use, run on guests and in the simulator; what was
 * counted, and which pages went, of both. */
#ifndef VLAB_TESTS_KVM_PAGELAB_H
#define VLAB_TESTS_KVM_PAGELAB_H

#include "lab.h"
#include "model/mem_inner.h"

#define PAGELAB_PAGE INT64_C(4096)
#define PAGELAB_BIG  (INT64_C(2) << 20)

struct pagelab_seen { /* of one of the two */
    int64_t count[LAB_VMS][REC_NCOUNTS];
    int64_t level[LAB_VMS + 1][REC_NLEVELS], most[LAB_VMS + 1][REC_NLEVELS]; /* the last is the host's */
    int64_t state_ns[LAB_VMS][VCPU_NSTATES];
    int64_t until_ns[LAB_VMS]; /* what its work took */
    int64_t disk_ops, disk_bytes, ios, io_ns;
    struct rec oom;
    uint32_t *evicted[LAB_VMS];
    size_t n_evicted[LAB_VMS];
};

struct pagelab {
    struct lab *lab;
    struct sc_disk disk;
    struct pagelab_seen sim, kvm;
};

static inline void pagelab_read(void *ctx, const struct rec *r, size_t n)
{
    struct pagelab_seen *s = ctx;
    for (size_t i = 0; i < n; i++, r++) {
        uint32_t vm = r->vm == UINT32_MAX ? LAB_VMS : r->vm;
        if (r->kind == REC_COUNT && vm < LAB_VMS) s->count[vm][r->cause] += r->value;
        if (r->kind == REC_COUNT && r->pcpu == REC_DEV && r->cause == REC_N_DISK_OPS) s->disk_ops += r->value;
        if (r->kind == REC_COUNT && r->pcpu == REC_DEV && r->cause == REC_N_DISK_BYTES)
            s->disk_bytes += r->value;
        if (r->kind == REC_UNTIL) s->until_ns[vm] = r->value;
        if (r->kind == REC_IO) s->ios++, s->io_ns += r->value;
        if (r->kind == REC_STATE) s->state_ns[vm][r->from] += r->value;
        if (r->kind == REC_EVENT && r->cause == REC_EV_OOM) s->oom = *r;
        if (r->kind != REC_LEVEL || r->pcpu == REC_DEV) continue;
        s->level[vm][r->cause] = r->value;
        if (r->value > s->most[vm][r->cause]) s->most[vm][r->cause] = r->value;
    }
}

static inline struct step pagelab_touch(enum prog_pattern how, int64_t refs, int64_t pages, double write)
{
    return (struct step){.kind = STEP_TOUCH,
                         .probability = UINT32_MAX,
                         .amount = {.kind = DIST_CONST, .a = refs},
                         .how = how,
                         .span = pages,
                         .write = write >= 1 ? UINT32_MAX : (uint32_t)(write * 4294967296.0),
                         .skew = .8};
}

static inline struct step pagelab_time(enum step_kind kind, int64_t ns)
{
    return (struct step){.kind = kind, .probability = UINT32_MAX, .amount = {.kind = DIST_CONST, .a = ns}};
}

/* A host of so many frames of `page` bytes that swaps to a disk without rates; VMs of `span` pages each. */
static inline struct pagelab *pagelab_new(const char *scheduler, uint32_t cores, uint32_t n_vms,
                                          int64_t duration_ns, const char *policy, int64_t frames,
                                          int64_t page, int64_t span)
{
    struct pagelab *p = calloc(1, sizeof *p);
    struct lab *l = p->lab = lab_new(scheduler, cores, n_vms, duration_ns);
    p->disk = (struct sc_disk){.name = "d",
                               .entity = "host.h1.disk.d",
                               .queue = "fifo",
                               .grain_bytes = 65536,
                               .channels = 1,
                               .dies = 1};
    l->sc.run.sample_ns = duration_ns;
    l->sc.disks = &p->disk;
    l->sc.n_disks = 1;
    l->host.memory = (struct sc_memory){.bytes = frames * page,
                                        .page_bytes = page,
                                        .reclaim = {SC_SWAP},
                                        .n_reclaim = 1,
                                        .replacement = policy,
                                        .swap = 0,
                                        .tax_ppm = 750000};
    for (uint32_t i = 0; i < n_vms; i++) {
        l->vms[i].memory_bytes = span * page;
        l->vms[i].memory_weight = 1000;
    }
    l->also = (struct rec_reader){pagelab_read, &p->kvm, UINT32_MAX};
    return p;
}

static struct pagelab *pagelab_now; /* a taker has no context of its own */
static mem_taker *pagelab_taker;

/* As what it stands for; notes whose page went. */
static uint32_t pagelab_take(struct model *m, struct mem *mem, struct vmem *v)
{
    uint32_t frame = pagelab_taker(m, mem, v), at;
    struct pagelab_seen *s = &pagelab_now->sim;
    if (frame == RECLAIM_NONE) return frame;
    const struct mem_block *b = mem_owner(mem, frame, &at);
    uint32_t vm = b->vm->vm->index;
    s->evicted[vm] = realloc(s->evicted[vm], (s->n_evicted[vm] + 1) * sizeof(uint32_t));
    s->evicted[vm][s->n_evicted[vm]++] = b->first + at;
    return frame;
}

static inline void pagelab_sim(struct pagelab *p)
{
    struct rec_block *b = malloc(sizeof *b);
    char *why = NULL;
    rec_block_init(b);
    rec_block_add_reader(b, (struct rec_reader){pagelab_read, &p->sim, UINT32_MAX});
    struct model *m = model_new(&p->lab->sc, LAB_SEED, MODEL_ALL, b);
    struct mem *mem = m->hosts[0].mem;
    pagelab_now = p;
    if (mem->n_takers == 1) {
        pagelab_taker = mem->takers[0];
        mem->takers[0] = pagelab_take;
    }
    ck_assert_msg(model_run(m, &why) == 0, "%s", why ? why : "?");
    rec_block_flush(b);
    model_free(m);
    free(b);
}

/* On guests; a machine that is so busy that they do not come to their end has to be asked again. */
static inline void pagelab_kvm(struct pagelab *p)
{
    lab_run_well(p->lab);
    for (uint32_t i = 0; i < p->lab->sc.n_vms; i++) {
        p->kvm.evicted[i] = p->lab->rep.evicted[i];
        p->kvm.n_evicted[i] = p->lab->rep.n_evicted[i];
    }
}

/* Whether every VM has done its work. */
static inline bool pagelab_all_done(const struct pagelab *p)
{
    for (uint32_t i = 0; i < p->lab->sc.n_vms; i++)
        if (p->lab->seen[i].n[REC_UNTIL] != 1) return false;
    return true;
}

static inline void pagelab_free(struct pagelab *p)
{
    for (uint32_t i = 0; i < LAB_VMS; i++)
        free(p->sim.evicted[i]);
    lab_free(p->lab);
    free(p);
}

/* What must be the same of a VM, to the last fault. */
static inline void pagelab_same(const struct pagelab *p, uint32_t vm)
{
    static const enum rec_count counts[] = {REC_N_MEM_REFS, REC_N_MEM_SOFTFAULTS, REC_N_MEM_FAULTS,
                                            REC_N_MEM_SWAPIN};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        ck_assert_msg(p->sim.count[vm][counts[i]] == p->kvm.count[vm][counts[i]],
                      "count %d: %jd simulated, %jd on guests", (int)counts[i],
                      (intmax_t)p->sim.count[vm][counts[i]], (intmax_t)p->kvm.count[vm][counts[i]]);
    ck_assert_uint_eq(p->sim.n_evicted[vm], p->kvm.n_evicted[vm]);
    for (size_t i = 0; i < p->sim.n_evicted[vm]; i++)
        ck_assert_msg(p->sim.evicted[vm][i] == p->kvm.evicted[vm][i],
                      "eviction %zu: page %u simulated, page %u on guests", i, p->sim.evicted[vm][i],
                      p->kvm.evicted[vm][i]);
    ck_assert_int_eq(p->sim.level[vm][REC_L_MEM_RESIDENT], p->kvm.level[vm][REC_L_MEM_RESIDENT]);
    ck_assert_int_eq(p->sim.level[vm][REC_L_MEM_SWAPPED], p->kvm.level[vm][REC_L_MEM_SWAPPED]);
}

#endif
