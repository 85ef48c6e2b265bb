// SPDX-License-Identifier: GPL-3.0-or-later
/* Any bytes as the program in a boot region: what prog_valid lets through, the payload's interpreter can
 * walk, with all its draws and page references, without reading elsewhere. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "program/prog_touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ITERATIONS 20
#define PIECE      64u

static void refer(const struct prog_task *t, const struct prog_act *a)
{
    struct prog_touch w;
    uint32_t refs[PIECE];
    prog_touch_begin(&w, t, a);
    for (int i = 0; i < 4 && w.left > 0; i++) {
        uint32_t n = prog_touch_fill(&w, refs, PIECE);
        for (uint32_t k = 0; k < n; k++)
            ASSERT((refs[k] & ~PROG_TOUCH_WRITE) < (uint64_t)a->step->span);
    }
}

/* The head and steps of a program that may be, so that not only the first check is tried. */
static void mend(struct prog *p, size_t size)
{
    p->magic = PROG_MAGIC;
    p->bytes = (uint32_t)size;
    p->n_steps %= 4;
    size_t used = sizeof *p + p->n_steps * sizeof(struct step);
    p->n_pool = used <= size ? (uint32_t)((size - used) / sizeof(int64_t)) : 0;
    struct step *s = (struct step *)(p + 1);
    for (uint32_t i = 0; used <= size && i < p->n_steps; i++) {
        (void)draw_make(&s[i].amount);
        if (s[i].kind == STEP_TOUCH) (void)prog_touch_make(&s[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 + sizeof(struct prog)) return 0;
    struct prog *p = malloc(size - 1);
    ASSERT(p);
    memcpy(p, data + 1, size - 1);
    if (data[0] & 1) mend(p, size - 1);
    if (prog_valid(p, size - 1)) {
        struct prog_task t;
        for (uint64_t i = 0; i < ITERATIONS; i++) {
            prog_begin(&t, 1, i % 3, i);
            for (struct prog_act a; (a = prog_next(&t, p)).kind != STEP_END;) {
                ASSERT(a.amount >= 0);
                if (a.kind == STEP_TOUCH) refer(&t, &a);
            }
        }
    }
    free(p);
    return 0;
}
