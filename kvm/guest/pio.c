// SPDX-License-Identifier: GPL-3.0-or-later
/* Disk requests by port I/O: the registers, then the data a word at a time, some words between two looks at
 * the clock. Written data go before the request, read ones come after its answer. */
#include "kvm/guest/guest.h"

#define WORDS 8u

bool pio_begin(struct guest *g, struct task *t)
{
    uint32_t slot = 0;
    while (slot < ABI_PIO_SLOTS && g->slots[t->io_dev] >> slot & 1)
        slot++;
    if (slot == ABI_PIO_SLOTS) return false;
    g->slots[t->io_dev] |= 1u << slot;
    t->io_page = slot;
    t->io_words = t->io_op == ABI_OP_WRITE ? (t->io_len + 1) / 2 : 0;
    t->does = TASK_WORDS;
    return true;
}

static void select_slot(const struct task *t)
{
    io_out(ABI_PORT_PIO_SELECT, t->io_dev << 8 | t->io_page);
}

bool pio_piece(struct guest *g, uint32_t i)
{
    struct task *t = &g->tasks[i];
    select_slot(t); /* another task may have been here */
    for (uint32_t k = 0; k < WORDS && t->io_words > 0; k++, t->io_words--) {
        if (t->io_op == ABI_OP_WRITE)
            io_out_word(ABI_PORT_PIO_DATA, (uint16_t)t->io_words);
        else
            (void)io_in_word(ABI_PORT_PIO_DATA);
    }
    if (t->io_words > 0) return true;
    if (t->io_answered) {
        g->slots[t->io_dev] &= ~(1u << t->io_page);
        t->does = TASK_NEXT;
        return true;
    }
    io_out(ABI_PORT_PIO_AT_LOW, (uint32_t)t->io_at);
    io_out(ABI_PORT_PIO_AT_HIGH, (uint32_t)((uint64_t)t->io_at >> 32));
    io_out(ABI_PORT_PIO_BYTES, (uint32_t)t->io_len);
    io_out(ABI_PORT_PIO_GO, t->io_op | t->io_flags << 8);
    io_kick(t->io_dev);
    g->task_of[t->io_dev][t->io_page] = i;
    g->n_disk++;
    g->n_pio++;
    return false;
}

uint32_t pio_take(struct guest *g)
{
    uint32_t x = g->n_pio > 0 ? io_in(ABI_PORT_PIO_DONE) : 0;
    if (x == 0) return UINT32_MAX;
    uint32_t i = g->task_of[x >> 8 & 7][x & 7];
    struct task *t = &g->tasks[i];
    t->io_answered = true;
    t->io_words = t->io_op == ABI_OP_READ ? (t->io_len + 1) / 2 : 0;
    g->n_disk--;
    g->n_pio--;
    return i;
}
