// SPDX-License-Identifier: GPL-3.0-or-later
/* alloc.h - memory for what a model is built of, for results and for writers: zeroed, never NULL, growing by
 * half.
 *
 * A running model's handlers allocate only to grow. Running out of memory here ends the program with a
 * message, since half a result is none. */
#ifndef VLAB_BASE_ALLOC_H
#define VLAB_BASE_ALLOC_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static inline void *alloc_array(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    ASSERT(p != NULL);
    return p;
}

/* Room for one more behind n elements of `size` bytes; *cap is updated. Returns the (moved) array. */
static inline void *alloc_grow(void *p, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) return p;
    *cap = *cap + *cap / 2 + 16;
    p = reallocarray(p, *cap, size);
    ASSERT(p != NULL);
    return p;
}

static inline char *alloc_copy(const char *s)
{
    char *p = strdup(s);
    ASSERT(p != NULL);
    return p;
}

#endif
