/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes to the page behind all its memory, of 64 pages. */
#include "guest.inc"
    movabs $(0x100000000 + 64 * 4096 + 8), %rbx
bad:
    movl $1, (%rbx)
    ud2
