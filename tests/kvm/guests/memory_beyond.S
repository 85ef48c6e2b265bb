/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes to the page of its memory behind the 40 that its steps refer to. */
#include "guest.inc"
    movabs $(0x100000000 + 40 * 4096 + 8), %rbx
bad:
    movl $1, (%rbx)
    ud2
