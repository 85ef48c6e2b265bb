// SPDX-License-Identifier: GPL-3.0-or-later
/* A secret is written into the VM's memory, behind all that it had before, up to all the memory there is. */
#include "kvm/secret.h"

#include "kvm/guest/guest.h"

#define PIECE 4096u /* bytes between two looks at the clock */

void secret_begin(struct guest *g, struct task *t, int64_t bytes)
{
    uint64_t got = guest_keep((uint64_t)bytes, g->boot->secret_bytes, &t->secret_at);
    if (got < (uint64_t)bytes && g->boot->secret_guessed) io_abort(ABI_ABORT_SECRET);
    t->secret_left = got;
    t->does = got > 0 ? TASK_KEEPS : TASK_NEXT;
}

void secret_piece(const struct guest *g, struct task *t)
{
    uint64_t n = t->secret_left < PIECE ? t->secret_left : PIECE;
    volatile uint8_t *to = (volatile uint8_t *)(uintptr_t)(ABI_SECRET + t->secret_at);
    for (uint64_t i = 0; i < n; i++)
        to[i] = secret_byte(g->boot->key_secret, t->secret_at + i);
    t->secret_at += n;
    t->secret_left -= n;
    if (t->secret_left == 0) t->does = TASK_NEXT;
}
