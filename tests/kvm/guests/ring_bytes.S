/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads more than its buffer holds. */
#include "ring.inc"
    movq $8192, S_BYTES(%rbx)
    movl $1, SUB_HEAD(%rbx)
    out %eax, %dx
bad:
    jmp bad
    ud2
