/* SPDX-License-Identifier: GPL-3.0-or-later
 * Says that it has put in more than a ring holds. */
#include "ring.inc"
    movl $1000, SUB_HEAD(%rbx)
    out %eax, %dx
bad:
    jmp bad
    ud2
