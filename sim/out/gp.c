// SPDX-License-Identifier: GPL-3.0-or-later
#include "out/gp.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/assert.h"

/* The assembler includes the file itself; compilers run at the root of the source tree. */
#define CARRY(name)                                                                                          \
    __asm__(".section .rodata\n"                                                                             \
            "gp_" #name ": .incbin \"plots/" #name ".gp\"\n"                                                 \
            "gp_" #name "_end: .byte 0\n"                                                                    \
            ".previous\n");                                                                                  \
    extern const char gp_##name[] __attribute__((visibility("hidden")));                                     \
    extern const char gp_##name##_end[] __attribute__((visibility("hidden")))

CARRY(style);
CARRY(gantt);
CARRY(shares);
CARRY(steal);
CARRY(ecdf);
CARRY(curve);
CARRY(groups);
CARRY(overhead);
CARRY(memory);
CARRY(level);
CARRY(validated);

#define ENTRY(name)                                                                                          \
    {                                                                                                        \
#name, gp_##name, gp_##name##_end                                                                    \
    }

static const struct {
    const char *name, *from, *end;
} carried[] = {ENTRY(style),  ENTRY(gantt),    ENTRY(shares), ENTRY(steal), ENTRY(ecdf),     ENTRY(curve),
               ENTRY(groups), ENTRY(overhead), ENTRY(memory), ENTRY(level), ENTRY(validated)};

void gp_copy(FILE *f, const char *name)
{
    for (size_t i = 0; i < sizeof carried / sizeof *carried; i++) {
        if (strcmp(carried[i].name, name) != 0) continue;
        fwrite(carried[i].from, 1, (size_t)(carried[i].end - carried[i].from), f);
        return;
    }
    bool carried_by_us = false;
    ASSERT(carried_by_us);
}
