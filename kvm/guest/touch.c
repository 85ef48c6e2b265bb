// SPDX-License-Identifier: GPL-3.0-or-later
/* References to the VM's own memory, page for page those of the simulator, and those that are refused. */
#include "kvm/guest/guest.h"

#define PIECE 64u /* references between two looks at the clock */

/* Its word of the page: not the first of each, or all pages would share one set of the cache. */
static volatile uint64_t *word_of(const struct guest *g, uint64_t page)
{
    return (volatile uint64_t *)(uintptr_t)(ABI_MEMORY + page * g->boot->page_bytes + page * 37 % 64 * 64);
}

void touch_begin(struct guest *g, struct task *t, const struct prog_act *act)
{
    uint64_t pages = g->boot->page_bytes ? g->boot->mapped_bytes / g->boot->page_bytes : 0;
    if ((uint64_t)act->step->span > pages) io_abort(ABI_ABORT_PROGRAM);
    prog_touch_begin(&t->touch, &t->prog, act);
    t->does = TASK_TOUCHES;
}

void touch_write(const struct guest *g, uint64_t page)
{
    *word_of(g, page) = page + 1;
}

void touch_piece(struct guest *g, struct task *t)
{
    uint32_t refs[PIECE], n = prog_touch_fill(&t->touch, refs, PIECE);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t page = refs[i] & ~PROG_TOUCH_WRITE;
        if (refs[i] & PROG_TOUCH_WRITE)
            touch_write(g, page);
        else
            (void)*word_of(g, page);
    }
    g->log->refs += n;
    if (t->touch.left == 0) t->does = TASK_NEXT;
}

/* None of them comes back: the processor or the VMM ends the guest. */
void touch_refused(const struct guest *g, uint32_t how)
{
    union {
        uintptr_t at;
        void (*code)(void);
    } first = {.at = ABI_MEMORY};
    switch ((enum prog_access)how) {
    case PROG_NULL:
        // cppcheck-suppress nullPointer ; that is what it is for
        (void)*(volatile uint64_t *)(uintptr_t)0;
        break;
    case PROG_OUTSIDE: (void)*(volatile uint64_t *)(uintptr_t)(ABI_MEMORY + g->boot->memory_bytes); break;
    case PROG_NX: first.code(); break;
    case PROG_READONLY: *(volatile uint64_t *)(uintptr_t)ABI_BOOT = 0; break;
    case PROG_NACCESS: break;
    }
}
