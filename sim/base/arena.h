// SPDX-License-Identifier: GPL-3.0-or-later
/* arena.h - memory that is given back all at once.
 *
 * What is taken from an arena is zeroed, 16-aligned and lives until arena_done. Out of memory ends the
 * program with a message: nothing that reads a scenario can go on without it. */
#ifndef VLAB_BASE_ARENA_H
#define VLAB_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *head;
};

void arena_init(struct arena *a);
void arena_done(struct arena *a);
void *arena_alloc(struct arena *a, size_t size);
/* n elements of `size` bytes; the product is checked. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* A copy of len bytes with a NUL after them. */
char *arena_dup(struct arena *a, const char *text, size_t len);
__attribute__((format(printf, 2, 3))) char *arena_printf(struct arena *a, const char *fmt, ...);

#endif
