// SPDX-License-Identifier: GPL-3.0-or-later
/* Events of an `ops` step, as far as a payload in ring 3 can make them happen. */
#include "kvm/guest/guest.h"

#define EXITS 4    /* between two looks at the clock: some 25 us each where they are dear */
#define CALLS 5000 /* some 20 us */

static __attribute__((noinline)) void call(void)
{
    __asm__ volatile("");
}

static void one(uint32_t op)
{
    switch ((enum prog_op)op) {
    case OP_IO_PORT: io_nop(); break;
    case OP_HLT: io_halt(); break;
    case OP_DOORBELL: io_bell(); break;
    case OP_MMIO: *(volatile uint32_t *)(uintptr_t)ABI_DEVICE = 1; break;
    case OP_CALL_RET: call(); break;
    default: io_abort(ABI_ABORT_STEP); /* the runner refuses it before */
    }
}

void ops_happen(uint32_t op, uint64_t n)
{
    while (n-- > 0)
        one(op);
}

void ops_piece(struct task *t)
{
    uint64_t n = t->op == OP_CALL_RET ? CALLS : EXITS;
    if (n > t->ops) n = t->ops;
    t->ops -= n;
    ops_happen(t->op, n);
    if (t->ops == 0) t->does = TASK_NEXT;
}
