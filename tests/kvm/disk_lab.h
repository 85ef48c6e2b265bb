// SPDX-License-Identifier: GPL-3.0-or-later
/* disk_lab.h - scenarios with disks, run on real guests and in the simulator, and what was told of the disks.
 */
#ifndef VLAB_TESTS_KVM_DISK_LAB_H
#define VLAB_TESTS_KVM_DISK_LAB_H

#include "kvm/store/store.h"
#include "lab.h"
#include "model/model.h"
#include "procs.h"

struct disk_seen {
    uint64_t ops, done, forgotten, fails;
    int64_t bytes, latency_ns, queue, queue_max;
    int64_t last_ns; /* of the last answer */
    int64_t gap_ns;  /* the longest time without one */
    uint64_t work, until;
    int64_t exits[PROG_NOPS];
    int64_t state_ns[VCPU_NSTATES];
    int64_t allocated;
};

struct disk_lab {
    struct scenario_file *file;
    struct scenario *sc;
    struct store_faults faults;
    int payloads[LAB_VMS];
    struct disk_seen vm[LAB_VMS], dev; /* of the one disk */
    uint64_t sim_checksum[LAB_VMS];
    struct kvm_report rep;
};

/* One host of one pCPU with one disk, d0; `disk`: more keys of it, each after a comma. vms: in YAML. */
static inline struct disk_lab *disk_lab_new(const char *duration, const char *scheduler, const char *disk,
                                            const char *vms)
{
    struct disk_lab *l = calloc(1, sizeof *l);
    char text[8192];
    struct diag d;
    int len = snprintf(text, sizeof text,
                       "vlab: 1\nname: disks\nrun: {duration: %s}\nhosts:\n  - name: h1\n    cpu: {cores: 1, "
                       "scheduler: %s}\n    disks: [{name: d0, model: bucket%s}]\nvms:\n%s",
                       duration, scheduler, disk, vms);
    diag_init(&d);
    l->file = scenario_parse("disks.yaml", text, (size_t)len, &d);
    l->sc = l->file ? scenario_at(l->file, 0, &d) : NULL;
    if (!l->sc) diag_print(&d, stderr, false);
    ck_assert_ptr_nonnull(l->sc);
    diag_done(&d);
    for (int i = 0; i < LAB_VMS; i++)
        l->payloads[i] = -1;
    return l;
}

static inline void disk_lab_io(struct disk_seen *s, const struct rec *r)
{
    if (r->to) {
        s->forgotten++;
        return;
    }
    if (r->t_ns - s->last_ns > s->gap_ns) s->gap_ns = r->t_ns - s->last_ns;
    s->last_ns = r->t_ns;
    s->done++;
    s->latency_ns += r->value;
}

static inline void disk_lab_read(void *ctx, const struct rec *r, size_t n)
{
    struct disk_lab *l = ctx;
    for (; n-- > 0; r++) {
        bool dev = r->pcpu == REC_DEV;
        if (!dev && r->vm >= LAB_VMS) continue;
        struct disk_seen *s = dev ? &l->dev : &l->vm[r->vm];
        if (r->kind == REC_IO) {
            disk_lab_io(&l->dev, r);
            if (r->vm < LAB_VMS) disk_lab_io(&l->vm[r->vm], r);
        }
        if (r->kind == REC_COUNT && r->cause == REC_N_DISK_OPS) s->ops += (uint64_t)r->value;
        if (r->kind == REC_COUNT && r->cause == REC_N_DISK_BYTES) s->bytes += r->value;
        if (r->kind == REC_COUNT && r->cause >= REC_N_EXIT) s->exits[r->cause - REC_N_EXIT] += r->value;
        if (r->kind == REC_LEVEL && r->cause == REC_L_DISK_QUEUE) {
            s->queue = r->value;
            if (r->value > s->queue_max) s->queue_max = r->value;
        }
        if (r->kind == REC_LEVEL && r->cause == REC_L_DISK_ALLOCATED) s->allocated = r->value;
        if (r->kind == REC_EVENT && r->cause == REC_EV_FAILED) s->fails++;
        if (r->kind == REC_WORK) s->work++;
        if (r->kind == REC_UNTIL) s->until++;
        if (r->kind == REC_STATE) s->state_ns[r->from] += r->value;
    }
}

static inline struct rec_block *disk_lab_block(struct disk_lab *l)
{
    struct rec_block *b = malloc(sizeof *b);
    rec_block_init(b);
    rec_block_add_reader(b, (struct rec_reader){disk_lab_read, l, UINT32_MAX});
    memset(l->vm, 0, sizeof l->vm);
    memset(&l->dev, 0, sizeof l->dev);
    return b;
}

static inline enum kvm_status disk_lab_kvm(struct disk_lab *l, char **why)
{
    struct rec_block *b = disk_lab_block(l);
    const struct run_own own = {.payload_fds = l->payloads, .store_fd = -1, .faults = &l->faults};
    kvm_report_done(&l->rep);
    enum kvm_status st = run_with(l->sc, LAB_SEED, &own, b, &l->rep, why);
    free(b);
    return st;
}

static inline void disk_lab_kvm_well(struct disk_lab *l)
{
    char *why = NULL;
    enum kvm_status st = disk_lab_kvm(l, &why);
    ck_assert_msg(st == KVM_OK, "%s", why ? why : "?");
    /* One story: what the disk did is what the VMs were told. */
    uint64_t ops = 0;
    int64_t bytes = 0;
    for (uint32_t i = 0; i < l->sc->n_vms; i++) {
        ck_assert_uint_eq(l->vm[i].ops, l->vm[i].done);
        ops += l->vm[i].ops;
        bytes += l->vm[i].bytes;
    }
    ck_assert_uint_eq(l->dev.ops, ops);
    ck_assert_int_eq(l->dev.bytes, bytes);
}

/* The same scenario in the simulator. */
static inline void disk_lab_sim(struct disk_lab *l)
{
    struct rec_block *b = disk_lab_block(l);
    char *why = NULL;
    struct model *m = model_new(l->sc, LAB_SEED, UINT32_MAX, b);
    ck_assert_msg(model_run(m, &why) == 0, "%s", why ? why : "?");
    rec_block_flush(b);
    for (uint32_t i = 0; i < l->sc->n_vms; i++)
        l->sim_checksum[i] = model_checksum(m, i);
    model_free(m);
    free(b);
}

static inline void disk_lab_free(struct disk_lab *l)
{
    kvm_report_done(&l->rep);
    for (int i = 0; i < LAB_VMS; i++)
        if (l->payloads[i] >= 0) close(l->payloads[i]);
    scenario_free(l->sc);
    scenario_close(l->file);
    free(l);
}

#endif
