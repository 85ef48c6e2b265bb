// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define BLOCK_BYTES ((size_t)16 << 10)

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(16) unsigned char bytes[];
};

void arena_init(struct arena *a)
{
    a->head = NULL;
}

void arena_done(struct arena *a)
{
    while (a->head) {
        struct arena_block *b = a->head;
        a->head = b->next;
        free(b);
    }
}

static struct arena_block *block_new(size_t size)
{
    struct arena_block *b = calloc(1, sizeof *b + size);
    if (!b) {
        fprintf(stderr, "vlab: out of memory\n");
        exit(4);
    }
    b->size = size;
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    ASSERT(size <= SIZE_MAX / 2);
    size = (size + 15) & ~(size_t)15;
    struct arena_block *b = a->head;
    if (!b || b->size - b->used < size) {
        b = block_new(size > BLOCK_BYTES ? size : BLOCK_BYTES);
        /* A big piece gets its own block behind the head, so the head's rest stays in use. */
        if (a->head && size > BLOCK_BYTES / 4) {
            b->next = a->head->next;
            a->head->next = b;
        } else {
            b->next = a->head;
            a->head = b;
        }
    }
    void *p = b->bytes + b->used;
    b->used += size;
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    ASSERT(!__builtin_mul_overflow(n, size, &bytes));
    return arena_alloc(a, bytes);
}

char *arena_dup(struct arena *a, const char *text, size_t len)
{
    char *p = arena_alloc(a, len + 1);
    if (len) memcpy(p, text, len);
    return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}
