// SPDX-License-Identifier: GPL-3.0-or-later
/* A VMM that was taken over: it writes anything anywhere into the pages that it shares with its runner,
 * between the runner's looks. The runner may find that its VM is down; it may not fall over, read or write
 * elsewhere, or put records out of their order and time. The bytes are writes of 8 bytes and, in between,
 * looks. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "kvm/runner/intervals.h"
#include "kvm/runner/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VCPUS  2u
#define END_NS 1000000000
#define LOOKS  64

struct write {
    uint8_t where, what;
    uint16_t at;
    uint8_t value[8];
};

/* A word of the pages: often one that means something. */
static void *word(struct run_vm *vm, const struct write *w)
{
    struct abi_log *l = vmproc_log(&vm->proc, w->where >> 4 & 1);
    struct ctl_vcpu *c = &vm->proc.ctl->v[w->where >> 4 & 1];
    size_t at = (size_t)w->at * 8;
    switch (w->where & 15) {
    case 0: return &l->head;
    case 1: return &l->tail;
    case 2: return &l->refs;
    case 3: return &l->overrun;
    case 4: return &l->checksum;
    case 5: return (char *)l->ring + at % (sizeof l->ring - 8);
    case 6: return (char *)l->ring + w->at % 16 * 8; /* the first entries */
    case 7: return &c->n_waits;
    case 8: return (char *)c->waits + at % (sizeof c->waits - 8);
    case 9: return (char *)c->waits + w->at % 16 * 8;
    case 10: return (char *)&c->end + at % (sizeof c->end - 8);
    case 11: return (char *)c->exits + at % (sizeof c->exits - 8);
    case 12: return &c->state;
    case 13: return &c->changed_ns;
    case 14: return (char *)vm->proc.ctl + at % (ctl_bytes(VCPUS) - 8);
    default: return (char *)vm->proc.logs + at % (VCPUS * ABI_LOG_STEP - 8);
    }
}

static void *pages(uint64_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(p != MAP_FAILED);
    return p;
}

static void look(struct run *r, struct intervals *iv, bool *bad)
{
    struct run_vm *vm = &r->vms[0];
    intervals_poll(iv);
    if (*bad) return;
    if (!guestlog_drain(r, vm)) *bad = true;
    exits_count(r, vm);
    for (uint32_t i = 0; i < VCPUS; i++) {
        *bad |= !intervals_sane(iv, i);
        if (vmproc_state(&vm->proc, i) != CTL_ENDED) continue;
        struct ctl_end e = vm->proc.ctl->v[i].end;
        ends_check(&e);
        char *text = ends_text("v", &e);
        for (const char *p = text; *p; p++)
            ASSERT((unsigned char)*p >= ' ' && (unsigned char)*p < 127);
        free(text);
        if (run_is_down(vm)) continue;
        vm->end = e;
        vm->down_ns = e.at_ns - r->zero_abs_ns < 0 ? 0 : e.at_ns - r->zero_abs_ns;
        vm->down = 1;
        ends_record(r, vm);
        *bad = true;
    }
}

static void expect_in_order(struct run *r)
{
    struct recs all = {0};
    recs_append(&all, &r->vms[0].recs);
    for (uint32_t i = 0; i < VCPUS; i++) {
        int64_t last = 0;
        for (size_t k = 0; k < r->vcpus[i].recs.n; k++) {
            const struct rec *x = &r->vcpus[i].recs.v[k];
            if (x->kind != REC_STATE) continue;
            ASSERT(x->t_ns - x->value == last); /* seamless */
            last = x->t_ns;
        }
        recs_append(&all, &r->vcpus[i].recs);
    }
    for (size_t k = 0; k < all.n; k++)
        ASSERT(all.v[k].t_ns >= 0 && all.v[k].t_ns <= END_NS);
    recs_sort(&all);
    recs_done(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sc_vm sv = {.name = "v", .group = "v", .draws = "v", .vcpus = VCPUS};
    struct sc_host sh = {.name = "h", .group = "h", .cores = 1};
    struct scenario sc = {.hosts = &sh, .n_hosts = 1, .vms = &sv, .n_vms = 1};
    struct run_vm vm = {.sc = &sv, .down_ns = INT64_MAX, .log_most = 10000};
    struct run_vcpu vcpus[VCPUS] = {{.vm = 0, .index = 0}, {.vm = 0, .index = 1}};
    struct run r = {.sc = &sc, .pc = &sh, .vms = &vm, .vcpus = vcpus, .n_vms = 1, .n_vcpus = VCPUS};
    const uint32_t pcpu[VCPUS] = {0, 0};
    bool bad = false;
    sv.work.requests = size > 0 && data[0] & 1;
    r.end_ns = END_NS;
    r.zero_abs_ns = host_now() - END_NS / 2;
    vm.proc = (struct vmproc){.pidfd = -1, .bell_fd = -1, .n_vcpus = VCPUS};
    vm.proc.ctl = pages(ctl_bytes(VCPUS));
    vm.proc.logs = pages(VCPUS * ABI_LOG_STEP);
    struct intervals *iv = intervals_new(&r, pcpu);
    int looks = 0;
    struct write w;
    for (size_t at = 1; at + sizeof w <= size; at += sizeof w) {
        memcpy(&w, data + at, sizeof w);
        uint64_t value;
        memcpy(&value, w.value, sizeof value);
        if (w.what & 1) value &= 0xff; /* small numbers mean more */
        if (w.what & 2) value = (uint64_t)host_now() - value;
        memcpy(word(&vm, &w), &value, sizeof value);
        if (w.what & 4 && looks++ < LOOKS) look(&r, iv, &bad);
    }
    look(&r, iv, &bad);
    guestlog_close(&r, &vm);
    char *why = NULL;
    (void)guestlog_checksum(&vm);
    if (intervals_finish(iv, &why) == 0) expect_in_order(&r);
    free(why);
    intervals_free(iv);
    for (uint32_t i = 0; i < VCPUS; i++)
        recs_done(&vcpus[i].recs);
    recs_done(&vm.recs);
    recs_done(&r.recs);
    free(vm.arrived);
    munmap(vm.proc.ctl, ctl_bytes(VCPUS));
    munmap(vm.proc.logs, VCPUS * ABI_LOG_STEP);
    return 0;
}
