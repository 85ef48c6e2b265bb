// SPDX-License-Identifier: GPL-3.0-or-later
/* Disk steps: the simulator's requests, put into rings. A task whose request finds no room stands in line. */
#include "kvm/guest/dev.h"
#include "program/prog_disk.h"

#define BITS 64u

/* Where sequential requests go on, of each disk: the VM's, whichever vCPU asks. */
static struct {
    uint64_t next[ABI_MAX_DEVS][PROG_NDISK];
    uint32_t lock, made;
} disks;

/* --- buffers: pages of this vCPU's part of the window, from the lowest that are free --- */

static uint32_t part_pages(const struct guest *g, uint32_t dev)
{
    uint64_t n = g->boot->dev[dev].window_bytes / ABI_PAGE / g->boot->n_vcpus;
    return n < DISK_PAGES ? (uint32_t)n : DISK_PAGES;
}

static bool is_used(const struct guest *g, uint32_t dev, uint32_t page)
{
    return g->pages[dev][page / BITS] >> page % BITS & 1;
}

static void mark(struct guest *g, uint32_t dev, uint32_t first, uint32_t n)
{
    for (uint32_t i = first; i < first + n; i++)
        g->pages[dev][i / BITS] ^= UINT64_C(1) << i % BITS;
}

/* n pages in a row; UINT32_MAX: there are none. */
static uint32_t take_pages(struct guest *g, uint32_t dev, uint32_t n)
{
    uint32_t all = part_pages(g, dev), run = 0;
    for (uint32_t i = 0; i < all; i++) {
        run = is_used(g, dev, i) ? 0 : run + 1;
        if (run < n) continue;
        mark(g, dev, i + 1 - n, n);
        return i + 1 - n;
    }
    return UINT32_MAX;
}

/* --- requests --- */

/* Which bytes, of one request after the other. */
static int64_t aim(const struct guest *g, const struct task *t, const struct prog_act *act, int64_t *at)
{
    const struct step *s = act->step;
    const struct abi_boot_dev *d = &g->boot->dev[s->target];
    struct rng rng;
    bool in_turn = s->flags & PROG_SEQUENTIAL;
    while (in_turn && __atomic_exchange_n(&disks.lock, 1, __ATOMIC_ACQUIRE))
        __builtin_ia32_pause();
    if (in_turn && !(disks.made >> s->target & 1)) {
        disks.made |= 1u << s->target;
        disks.next[s->target][PROG_WRITE] = (uint64_t)d->begin;
    }
    int64_t len = prog_disk_aim(d->key, &t->prog, act, (int64_t)d->bytes,
                                (int64_t)disks.next[s->target][s->how], &rng, at);
    if (in_turn) {
        disks.next[s->target][s->how] = (uint64_t)(*at + len);
        __atomic_store_n(&disks.lock, 0, __ATOMIC_RELEASE);
    }
    return len;
}

static bool is_pio(const struct guest *g, uint32_t dev)
{
    return g->boot->dev[dev].flags & ABI_DEV_PIO;
}

/* The task's request goes out. False: there is no room. */
static bool put(struct guest *g, uint32_t i)
{
    struct task *t = &g->tasks[i];
    struct abi_sub sub = {.op = t->io_op, .flags = t->io_flags, .tag = i, .at = (uint64_t)t->io_at};
    sub.bytes = (uint64_t)t->io_len;
    if (is_pio(g, t->io_dev)) return pio_begin(g, t);
    if (!dev_room(g, t->io_dev)) return false;
    if (t->io_op == ABI_OP_READ || t->io_op == ABI_OP_WRITE) {
        sub.length = t->io_len < (int64_t)ABI_PIECE ? (uint32_t)t->io_len : ABI_PIECE;
        t->io_pages = (sub.length + ABI_PAGE - 1) / ABI_PAGE;
        t->io_page = take_pages(g, t->io_dev, t->io_pages);
        if (t->io_page == UINT32_MAX) return false;
        sub.offset = (g->vcpu * part_pages(g, t->io_dev) + t->io_page) * ABI_PAGE;
    }
    dev_put(g, t->io_dev, &sub);
    g->n_disk++;
    return true;
}

bool disk_begin(struct guest *g, uint32_t i, const struct prog_act *act)
{
    static const uint32_t ops[PROG_NDISK] = {
        [PROG_READ] = ABI_OP_READ, [PROG_WRITE] = ABI_OP_WRITE, [PROG_TRIM] = ABI_OP_TRIM};
    struct task *t = &g->tasks[i];
    const struct abi_boot_dev *d = &g->boot->dev[act->step->target % ABI_MAX_DEVS];
    if (act->step->target >= g->boot->n_devs || d->kind != ABI_DEV_DISK || d->bytes == 0)
        io_abort(ABI_ABORT_PROGRAM);
    t->io_dev = act->step->target;
    t->io_op = ops[act->step->how];
    t->io_flags = act->step->flags & PROG_FLUSH ? ABI_SUB_FLUSH : 0;
    t->io_pages = 0;
    t->io_len = aim(g, t, act, &t->io_at);
    t->io_answered = false;
    t->next = UINT32_MAX;
    if (g->line_head == UINT32_MAX && put(g, i)) return t->does == TASK_WORDS;
    if (g->line_head == UINT32_MAX)
        g->line_head = i;
    else
        g->tasks[g->line_tail].next = i;
    g->line_tail = i;
    return false;
}

/* A task whose answer is in a ring. */
static uint32_t take_ring(struct guest *g)
{
    struct abi_comp comp;
    for (uint32_t dev = 0; dev < g->boot->n_devs && dev < ABI_MAX_DEVS; dev++) {
        if (g->boot->dev[dev].kind != ABI_DEV_DISK || is_pio(g, dev) || !dev_take(g, dev, &comp)) continue;
        struct task *t = &g->tasks[comp.tag];
        if (t->io_pages) mark(g, dev, t->io_page, t->io_pages);
        g->n_disk--;
        return comp.tag;
    }
    return UINT32_MAX;
}

uint32_t disk_take(struct guest *g)
{
    /* Who stands in line goes when there is room; by port I/O its words are work to be done. */
    while (g->line_head != UINT32_MAX && put(g, g->line_head)) {
        uint32_t i = g->line_head;
        g->line_head = g->tasks[i].next;
        if (g->tasks[i].does == TASK_WORDS) return i;
    }
    uint32_t i = take_ring(g);
    return i != UINT32_MAX ? i : pio_take(g);
}
