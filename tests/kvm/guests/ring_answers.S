/* SPDX-License-Identifier: GPL-3.0-or-later
 * Says that it has consumed answers that it was never given. */
#include "ring.inc"
    movl $5, COMP_TAIL(%rbx)
    movl $1, SUB_HEAD(%rbx)
    out %eax, %dx
bad:
    jmp bad
    ud2
